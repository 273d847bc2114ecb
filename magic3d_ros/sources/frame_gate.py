"""The one place where frames are let in or turned away, for recordings and live streams alike."""

from __future__ import annotations

import logging

from magic3d_ros.frames import FrameError, RGBDFrame

logger = logging.getLogger(__name__)

RESTART_JUMP = 1_000_000_000
"""ns. A stamp this much older than the newest means that the recording started again (a bag that loops, a simulator that was
reset); less is a late message: DDS and drivers reorder by a few frames, far below a second."""


class FrameGate:
    """Checks every frame's content and time, counts what it turns away by reason, and logs each reason once.

    skipped: turned-away frames by reason: those of RGBDFrame.check ("pose", "size", "depth_empty", "depth_unit"), of FrameErrors
    handed to `skip`, and "duplicate" (the stamp was just seen) and "out_of_order" (a little older than the newest).
    admitted: frames let in. restarts: large jumps back in time; the frame that jumps is let in and time runs on from it.
    One thread at a time.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.skipped: dict[str, int] = {}
        self.admitted = 0
        self.restarts = 0
        self._newest: int | None = None
        self._warned: set[str] = set()

    def admit(self, frame: RGBDFrame) -> bool:
        """True when the frame can be used; else it is counted and, the first time for this reason, logged."""
        try:
            restart = self._is_restart(frame)
            frame.check()
        except FrameError as error:
            self.skip(error, frame.index)
            return False
        if restart:
            self.restarts += 1
            logger.warning("%s: time jumped back by %.1f s at frame %d: taken as the recording starting again", self.name,
                           ((self._newest or 0) - frame.stamp) * 1e-9, frame.index)
        self._newest = frame.stamp
        self.admitted += 1
        return True

    def skip(self, error: FrameError, index: int | None = None, count: int = 1) -> None:
        """Count a frame (or `count` of them) that could not even be put together; the first for each reason is logged."""
        known = self.skipped.get(error.reason, 0)
        self.skipped[error.reason] = known + count
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

    def _is_restart(self, frame: RGBDFrame) -> bool:
        if self._newest is None or frame.stamp > self._newest:
            return False
        if frame.stamp == self._newest:
            raise FrameError("duplicate", f"two frames have the stamp {frame.stamp} ns; the first one is used")
        if self._newest - frame.stamp < RESTART_JUMP:
            raise FrameError("out_of_order", f"it is {(self._newest - frame.stamp) * 1e-6:.0f} ms older than the frame before "
                             "it; frames must come in order of time")
        return True
