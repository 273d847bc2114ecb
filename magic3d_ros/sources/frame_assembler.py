"""Colour, depth, calibration and pose of one moment put together, for recordings and live streams alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from magic3d_ros.config import RosSettings
from magic3d_ros.frames import FrameError
from magic3d_ros.sources.time_sync import RESTART_JUMP, Match, TimeSynchronizer

Whole = TypeVar("Whole")

_COLOR, _DEPTH = 0, 1


class PartMissing(LookupError):
    """A frame lacks a part that may still come. reason: what it is counted as when nothing came in time."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Pair:
    """A colour and a depth message that belong together. number: of the colour message. stamp: ns, of the colour message.
    arrival: seconds, when the colour message came."""

    number: int
    stamp: int
    arrival: float
    color: Any
    depth: Any


class FrameAssembler(Generic[Whole]):
    """Colour and depth messages in as they come, whole frames out in order of time; every colour message becomes a frame or is
    skipped with a reason. It never looks into a message, and what the time is it is told.

    complete: makes the frame of a pair. Raises PartMissing while pose, calibration or extrinsics may still come, FrameError for
    what can be no frame. Its second argument is True when there will be no further try.
    skip: counts what is lost: the error, the frame's number where it has one, and how many.
    restarted: called when time jumps back by a second or more (a recording that loops, a simulator that was reset).
    capacity: pairs that may wait for their parts at once; None = any number.
    ros.sync_slop and ros.pose_timeout are read anew each time, so that they may change.
    received: colour messages so far.
    """

    def __init__(self, settings: RosSettings, complete: Callable[[Pair, bool], Whole],
                 skip: Callable[[FrameError, int | None, int], None], restarted: Callable[[], None] = lambda: None,
                 capacity: int | None = None) -> None:
        self._settings, self._complete, self._skip, self._restarted = settings, complete, skip, restarted
        self._capacity = capacity
        self._pairs: deque[Pair] = deque()
        self._newest: int | None = None
        self.sync = TimeSynchronizer(("colour", "depth"), 0)
        self.received = 0

    @property
    def waiting(self) -> int:
        """Colour messages that wait for their depth or another part."""
        return len(self._pairs) + self.sync.waiting(_COLOR)

    def add_color(self, stamp: int, message: Any, now: float) -> None:
        """Take a colour message that came at `now` (seconds, of any clock that runs forward); then ask for what is `whole`."""
        number, self.received = self.received, self.received + 1
        if stamp == self._newest:  # here already: its depth is taken, so that it would count as one without
            self._skip(FrameError("duplicate", f"two colour images have the stamp {stamp} ns; the first one is used"), number, 1)
            return
        if self._newest is not None and self._newest - stamp >= RESTART_JUMP:
            self._lose(len(self._pairs), "time_jump")
            self._pairs.clear()
            self._newest = None
            self._restarted()
        self._newest = stamp if self._newest is None else max(self._newest, stamp)
        self._add(_COLOR, stamp, (number, now, message))

    def add_depth(self, stamp: int, message: Any) -> None:
        """Take a depth message; then ask for what is `whole`."""
        self._add(_DEPTH, stamp, message)

    def lose_color(self, error: FrameError) -> None:
        """A colour message that cannot be used at all."""
        self._skip(error, self.received, 1)
        self.received += 1

    def whole(self, now: float) -> Iterator[Whole]:
        """Frames that have all their parts, in order of time; those whose time is up are skipped. Ask after every message, and
        now and then: time may run out."""
        return self._whole(lambda pair: now - pair.arrival >= self._settings.pose_timeout)

    def finish(self) -> Iterator[Whole]:
        """No more messages come: the frames that are left."""
        self._queue(self.sync.flush)
        yield from self._whole(lambda pair: True)

    def abandon(self, error: FrameError) -> None:
        """No more messages come and no frame is wanted: what waits is skipped for this reason."""
        count = self.waiting
        self._pairs.clear()
        self.sync.clear()
        if count:
            self._skip(error, None, count)

    def _whole(self, late: Callable[[Pair], bool]) -> Iterator[Whole]:
        while self._pairs:
            pair = self._pairs[0]
            last_try = late(pair)
            try:
                frame = self._complete(pair, last_try)
            except PartMissing as missing:
                if not last_try:
                    return
                self._pairs.popleft()
                self._skip(FrameError(missing.reason, str(missing)), pair.number, 1)
            except FrameError as error:
                self._pairs.popleft()
                self._skip(error, pair.number, 1)
            else:
                self._pairs.popleft()
                yield frame

    def _add(self, stream: int, stamp: int, item: Any) -> None:
        self.sync.slop = round(self._settings.sync_slop * 1e9)
        self._queue(lambda: self.sync.add(stream, stamp, item))

    def _queue(self, step: Callable[[], list[Match]]) -> None:
        dropped, restarts = self.sync.dropped[_COLOR], self.sync.restarts
        for match in step():
            (number, arrival, color), depth = match.items
            self._pairs.append(Pair(number, match.stamp, arrival, color, depth))
        self._lose(self.sync.dropped[_COLOR] - dropped, "time_jump" if self.sync.restarts > restarts else "no_depth")
        while self._capacity is not None and len(self._pairs) > self._capacity:
            oldest = self._pairs.popleft()
            self._skip(FrameError("waiting_full", f"more than {self._capacity} frames waited for pose or calibration: lower "
                                  "ros.pose_timeout"), oldest.number, 1)

    def _lose(self, count: int, reason: str) -> None:
        if count == 0:
            return
        if reason == "time_jump":
            why = "time jumped back by more than a second (a recording that began again?): what waited for a part was dropped"
        elif not self.sync.received[_DEPTH]:
            why = "no depth image has come at all"
        else:
            why = (f"no depth image within ros.sync_slop = {self._settings.sync_slop:g} s of the colour image "
                   f"({self.sync.describe()})")
        self._skip(FrameError(reason, why), None, count)
