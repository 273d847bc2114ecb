"""Putting together messages that belong together by time: colour with depth, live or from a bag."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

RESTART_JUMP = 1_000_000_000
"""ns. A stamp this much older than the newest means that the recording started again (a bag that loops, a simulator that was
reset); less is a late message: DDS and drivers reorder by a few frames, far below a second."""


@dataclass(frozen=True)
class Match:
    """Messages that belong together. stamp: the first stream's (ns). items: one a stream. offset: largest difference (ns)."""

    stamp: int
    items: tuple[Any, ...]
    offset: int


@dataclass(frozen=True, order=True)
class _Message:
    stamp: int
    number: int
    item: Any = field(compare=False)


class TimeSynchronizer:
    """Approximate synchroniser: each message of the first stream gets the nearest one of every other stream, within `slop`.

    Every message is used at most once. A match is given out as soon as no message still to come could be nearer: at once for
    equal stamps; else when the next one has arrived, or could not be nearer at the shortest interval seen in its stream (the
    idea of message_filters' ApproximateTime policy). Stamps are integers in nanoseconds.

    received, dropped: messages by stream. matched: matches given out. restarts: times the clock jumped back by a second or more,
    which empties the queues.
    """

    def __init__(self, names: Sequence[str], slop: int, queue_size: int = 30) -> None:
        self.names = tuple(names)
        self.slop = slop
        self.queue_size = queue_size
        self.received = [0] * len(self.names)
        self.dropped = [0] * len(self.names)
        self.matched = 0
        self.restarts = 0
        self._offsets = 0
        self._queues: list[list[_Message]] = [[] for _ in self.names]
        self._newest: list[int | None] = [None] * len(self.names)
        self._interval = [0] * len(self.names)  # the shortest seen between two messages of a stream; 0 = unknown
        self._count = 0

    def add(self, stream: int, stamp: int, item: Any) -> list[Match]:
        """Take a message of the stream with that number; the matches that are now certain, in order of time."""
        self.received[stream] += 1
        newest = self._newest[stream]
        if newest is not None and newest - stamp >= RESTART_JUMP:
            self._restart()
            newest = None
        if newest is not None and stamp > newest:
            interval = self._interval[stream]
            self._interval[stream] = min(interval or stamp - newest, stamp - newest)
        self._newest[stream] = stamp if newest is None else max(newest, stamp)
        self._count += 1
        queue = self._queues[stream]
        bisect.insort(queue, _Message(stamp, self._count, item))
        matches = self._take(final=False)
        if len(queue) > self.queue_size:
            self._drop(stream, len(queue) - self.queue_size)
        return matches

    def flush(self) -> list[Match]:
        """The end of the streams: the remaining matches; what stays alone is counted as dropped."""
        matches = self._take(final=True)
        for stream, queue in enumerate(self._queues):
            self._drop(stream, len(queue))
        return matches

    def waiting(self, stream: int) -> int:
        """Messages of a stream that are not decided yet."""
        return len(self._queues[stream])

    def clear(self) -> None:
        """Forget the messages that are not decided yet; they are not counted as dropped."""
        for queue in self._queues:
            queue.clear()

    @property
    def match_rate(self) -> float:
        """Share of the first stream's decided messages that found their partners; 1 while nothing was decided."""
        decided = self.matched + self.dropped[0]
        return self.matched / decided if decided else 1.0

    def describe(self) -> str:
        """One line for logs and diagnostics."""
        streams = ", ".join(f"{name} {count}" for name, count in zip(self.names, self.received, strict=True))
        offset = self._offsets / self.matched * 1e-6 if self.matched else 0.0
        return (f"received {streams}; {self.matched} matched ({100 * self.match_rate:.0f} %), mean offset {offset:.1f} ms, "
                f"slop {self.slop * 1e-6:.0f} ms")

    def _take(self, final: bool) -> list[Match]:
        matches: list[Match] = []
        while self._queues[0]:
            reference = self._queues[0][0]
            chosen: list[_Message] = []
            for stream in range(1, len(self.names)):
                candidate, certain = self._nearest(stream, reference.stamp)
                if not certain and not final:
                    return matches
                if candidate is None:
                    break
                chosen.append(candidate)
            if len(chosen) < len(self.names) - 1:
                self._drop(0, 1)
                continue
            del self._queues[0][0]
            for stream, message in enumerate(chosen, 1):
                place = self._queues[stream].index(message)
                self._drop(stream, place)
                del self._queues[stream][0]
            offset = max((abs(message.stamp - reference.stamp) for message in chosen), default=0)
            self.matched += 1
            self._offsets += offset
            matches.append(Match(reference.stamp, (reference.item, *(message.item for message in chosen)), offset))
        return matches

    def _nearest(self, stream: int, stamp: int) -> tuple[_Message | None, bool]:
        """The message of a stream that belongs to the reference stamp, and whether that can no longer change."""
        queue = self._queues[stream]
        self._drop(stream, bisect.bisect_left(queue, stamp - self.slop, key=lambda message: message.stamp))
        newest = self._newest[stream]
        within = [message for message in queue if message.stamp <= stamp + self.slop]
        nearest = min(within, key=lambda message: abs(message.stamp - stamp), default=None)
        if nearest is None:
            return None, newest is not None and newest > stamp
        if nearest.stamp <= stamp:  # could one still to come, after the reference, be nearer?
            following = queue[-1].stamp if queue[-1].stamp > nearest.stamp else nearest.stamp + self._interval[stream]
            return nearest, nearest.stamp == stamp or following - stamp >= stamp - nearest.stamp
        # It came after the reference: is it nearer to the next reference?
        later = self._queues[0][1].stamp if len(self._queues[0]) > 1 else None
        distance = nearest.stamp - stamp
        if later is None:
            return nearest, stamp + self._interval[0] - nearest.stamp >= distance
        if abs(later - nearest.stamp) < distance:
            earlier = [message for message in within if message.stamp <= stamp]
            return (earlier[-1] if earlier else None), True
        return nearest, True

    def _drop(self, stream: int, count: int) -> None:
        del self._queues[stream][:count]
        self.dropped[stream] += count

    def _restart(self) -> None:
        self.restarts += 1
        for stream, queue in enumerate(self._queues):
            self._drop(stream, len(queue))
            self._newest[stream] = None
