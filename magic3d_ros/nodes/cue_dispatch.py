"""Which cue_extractor looks at which keyframe, and who takes over when one dies. Knows no ROS: the time is given."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from magic3d_ros.frames import RGBDFrame

ALIVE_FOR = 2.0
"""Seconds without a sign of life after which an extractor counts as dead: eight of its signs (cue_extractor_node.py). What a
slow one finishes nevertheless is a duplicate, which does no harm."""
_REMEMBERED = 1000
"""Answered keyframes whose duplicates are recognised."""


@dataclass
class _Extractor:
    shards: int
    instance: int
    room: int
    heard: float
    sent: float = 0.0
    working_on: set[int] = field(default_factory=set)


@dataclass
class _Keyframe:
    frame: RGBDFrame
    deadline: float
    doubtful: float
    """from then on an idle extractor gets it too"""
    given_to: set[int] = field(default_factory=set)


class CueDispatch:
    """Gives each keyframe to one living extractor, the least busy; gives it to another when that one dies or hangs.

    Times are seconds of any steady clock. resent: keyframes that another extractor took over. Not thread-safe.
    """

    def __init__(self) -> None:
        self._extractors: dict[int, _Extractor] = {}
        self._waiting: dict[int, _Keyframe] = {}
        self._answered: OrderedDict[int, None] = OrderedDict()
        self.resent = 0

    def add(self, frame: RGBDFrame, now: float, patience: float) -> None:
        """A keyframe waits for cues, so many seconds long."""
        self._waiting[frame.stamp] = _Keyframe(frame, now + patience, now + patience / 2)

    def heard(self, shard: int, shards: int, instance: int, room: int, now: float) -> None:
        """A sign of life of extractor `shard` of `shards`. instance: another number when it was started anew. room: keyframes
        that it wants to have at hand."""
        known = self._extractors.get(shard)
        if known is not None and known.instance != instance:
            self._bury(shard)
            known = None
        if known is None:
            self._extractors[shard] = _Extractor(shards, instance, room, now)
        else:
            known.shards, known.room, known.heard = shards, room, now

    def answered(self, stamp: int) -> bool:
        """Cues of a keyframe came; False when they had come before."""
        first = stamp not in self._answered
        self._answered[stamp] = None
        while len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        self._forget(stamp)
        return first

    def due(self, now: float, reachable: Callable[[int], bool]) -> list[tuple[int, RGBDFrame]]:
        """What is to be sent now: (shard, keyframe). reachable: whether a shard's topics have their listener."""
        for stamp in [s for s, keyframe in self._waiting.items() if keyframe.deadline < now]:
            self._forget(stamp)
        for shard in [s for s, extractor in self._extractors.items() if now - extractor.heard > ALIVE_FOR]:
            self._bury(shard)
        open_to = {shard: extractor for shard, extractor in self._extractors.items() if reachable(shard)}
        out = []
        for stamp, keyframe in self._waiting.items():
            if keyframe.given_to and now < keyframe.doubtful:
                continue
            free = [(len(extractor.working_on), extractor.sent, shard) for shard, extractor in open_to.items()
                    if shard not in keyframe.given_to
                    and len(extractor.working_on) < (1 if keyframe.given_to else extractor.room)]
            if not free:
                continue
            chosen = min(free)[2]
            self.resent += bool(keyframe.given_to)
            keyframe.given_to.add(chosen)
            open_to[chosen].working_on.add(stamp)
            open_to[chosen].sent = now
            out.append((chosen, keyframe.frame))
        return out

    @property
    def alive(self) -> int:
        """How many extractors gave a sign of life lately."""
        return len(self._extractors)

    @property
    def expected(self) -> int:
        """How many there should be, as they say themselves."""
        return max((extractor.shards for extractor in self._extractors.values()), default=0)

    def _forget(self, stamp: int) -> None:
        self._waiting.pop(stamp, None)
        for extractor in self._extractors.values():
            extractor.working_on.discard(stamp)

    def _bury(self, shard: int) -> None:
        """The extractor is gone: what it worked on is open again."""
        for stamp in self._extractors.pop(shard).working_on:
            keyframe = self._waiting.get(stamp)
            if keyframe is not None:
                keyframe.given_to.discard(shard)
                self.resent += not keyframe.given_to
