"""The one place where frames are let in or turned away, for recordings and live streams alike."""

from __future__ import annotations

import logging

from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.sources.time_sync import RESTART_JUMP

logger = logging.getLogger(__name__)


class FrameGate:
    """Checks every frame's content and time, counts what it turns away by reason, and logs each reason once.

    skipped: turned-away frames by reason: those of RGBDFrame.check ("pose", "size", "depth_empty", "depth_unit"), of FrameErrors
    handed to `skip`, and "duplicate" (the stamp was just seen) and "out_of_order" (a little older than the newest).
    why: the newest message for each of these reasons.
    admitted: frames let in. restarts: large jumps back in time; the frame that jumps is let in and time runs on from it.
    One thread at a time.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.skipped: dict[str, int] = {}
        self.why: dict[str, str] = {}
        self.admitted = 0
        self.restarts = 0
        self._newest: int | None = None
        self._warned: set[str] = set()

    def admit(self, frame: RGBDFrame) -> bool:
        """True when the frame can be used; else it is counted and, the first time for this reason, logged."""
        try:
            self._check_order(frame.stamp)
            frame.check()
        except FrameError as error:
            self.skip(error, frame.index)
            return False
        self._advance(frame.stamp, frame.index)
        self.admitted += 1
        return True

    def follow(self, stamp: int, index: int) -> None:
        """The half of `admit` that needs no images, for live frames, which are decoded elsewhere: time runs on to `stamp`.

        Raises FrameError ("duplicate", "out_of_order"); it is not counted here.
        """
        self._check_order(stamp)
        self._advance(stamp, index)

    def skip(self, error: FrameError, index: int | None = None, count: int = 1) -> None:
        """Count a frame (or `count` of them) that could not even be put together; the first for each reason is logged."""
        known = self.skipped.get(error.reason, 0)
        self.skipped[error.reason] = known + count
        self.why[error.reason] = str(error)
        if known == 0:
            what = f"frame {index}" if index is not None else f"{count} frames" if count > 1 else "a frame"
            logger.warning("%s: skipped %s: %s (further frames skipped for this reason are only counted)", self.name, what, error)

    def warn_once(self, key: str, text: str) -> None:
        """Log what is wrong with something that is no frame, the first time for this key."""
        if key not in self._warned:
            self._warned.add(key)
            logger.warning("%s: %s (logged once)", self.name, text)

    def report(self) -> None:
        """Log the totals once a recording has ended."""
        if self.skipped:
            total = self.admitted + sum(self.skipped.values())
            logger.warning("%s: %d of %d frames used; skipped %s", self.name, self.admitted, total,
                           ", ".join(f"{count} for {reason}" for reason, count in sorted(self.skipped.items())))

    def _check_order(self, stamp: int) -> None:
        if self._newest is None or stamp > self._newest:
            return
        if stamp == self._newest:
            raise FrameError("duplicate", f"two frames have the stamp {stamp} ns; the first one is used")
        if self._newest - stamp < RESTART_JUMP:
            raise FrameError("out_of_order", f"it is {(self._newest - stamp) * 1e-6:.0f} ms older than the frame before it; "
                             "frames must come in order of time")

    def _advance(self, stamp: int, index: int) -> None:
        if self._newest is not None and stamp < self._newest:
            self.restarts += 1
            logger.warning("%s: time jumped back by %.1f s at frame %d: taken as the recording starting again", self.name,
                           (self._newest - stamp) * 1e-9, index)
        self._newest = stamp
