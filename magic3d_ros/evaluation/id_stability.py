"""Do things keep their ids while the map grows? Measured at labelled boxes, from first sight to the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

_INSIDE = 0.5  # of a thing's points, and of the box's own things the largest: only then is it the thing of the box
_FEWEST = 50  # vertices in the box: a thing is in sight


@dataclass(frozen=True)
class Box:
    """low, high (3,) corners along the axes of the labelling; name."""

    name: str
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class IdStability:
    """kept: boxes whose thing has one id from first sight to the end, of `boxes` that ever showed a thing. same_views: sights of
    things with the id that the box has most often, of `views` in all; in `beside` more that thing is there under its id, but
    another in the box is larger."""

    kept: int
    boxes: int
    same_views: int
    beside: int
    views: int
    changed: tuple[str, ...]


class IdWatch:
    """Follows the things of labelled boxes over updates of a map."""

    def __init__(self, boxes: list[Box]) -> None:
        self._boxes = boxes
        self._seen: list[list[list[int]]] = [[] for _ in boxes]  # ids of a box's own things in each sight, the largest first

    def look(self, points: np.ndarray, labels: np.ndarray) -> None:
        """One update: (N, 3) points in the axes of the boxes, and the (N,) id of each, -1 = none."""
        size = dict(zip(*(a.tolist() for a in np.unique(labels, return_counts=True)), strict=True))
        for box, seen in zip(self._boxes, self._seen, strict=True):
            ids, count = np.unique(labels[((points >= box.low) & (points <= box.high)).all(1)], return_counts=True)
            own = [(n, i) for i, n in zip(ids.tolist(), count.tolist(), strict=True)
                   if i >= 0 and n > _INSIDE * size[i] and n >= _FEWEST]
            if own:
                seen.append([i for _, i in sorted(own, reverse=True)])

    def result(self) -> IdStability:
        """What was seen so far."""
        found = [(box.name, seen) for box, seen in zip(self._boxes, self._seen, strict=True) if seen]
        usual = [Counter(ids[0] for ids in seen).most_common(1)[0] for _, seen in found]
        kept = [times == len(seen) for (_, times), (_, seen) in zip(usual, found, strict=True)]
        beside = sum(thing in ids[1:] for (thing, _), (_, seen) in zip(usual, found, strict=True) for ids in seen)
        return IdStability(sum(kept), len(found), sum(times for _, times in usual), beside, sum(len(seen) for _, seen in found),
                           tuple(name for (name, _), same in zip(found, kept, strict=True) if not same))
