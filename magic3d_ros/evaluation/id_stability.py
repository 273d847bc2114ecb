"""Do things keep their ids while the map grows? Measured at labelled boxes, from first sight to the end."""

from __future__ import annotations

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
    things with the id that the box has most often, of `views` in all."""

    kept: int
    boxes: int
    same_views: int
    views: int
    changed: tuple[str, ...]


class IdWatch:
    """Follows the things of labelled boxes over updates of a map."""

    def __init__(self, boxes: list[Box]) -> None:
        self._boxes = boxes
        self._seen: list[list[int]] = [[] for _ in boxes]

    def look(self, points: np.ndarray, labels: np.ndarray) -> None:
        """One update: (N, 3) points in the axes of the boxes, and the (N,) id of each, -1 = none."""
        size = dict(zip(*(a.tolist() for a in np.unique(labels, return_counts=True)), strict=True))
        for box, seen in zip(self._boxes, self._seen, strict=True):
            ids, count = np.unique(labels[((points >= box.low) & (points <= box.high)).all(1)], return_counts=True)
            own = [(n, i) for i, n in zip(ids.tolist(), count.tolist(), strict=True) if i >= 0 and n > _INSIDE * size[i]]
            if own and max(own)[0] >= _FEWEST:
                seen.append(max(own)[1])

    def result(self) -> IdStability:
        """What was seen so far."""
        found = [(box.name, np.array(seen)) for box, seen in zip(self._boxes, self._seen, strict=True) if seen]
        kept = [bool((seen == seen[0]).all()) for _, seen in found]
        return IdStability(sum(kept), len(found), sum(int(np.unique(seen, return_counts=True)[1].max()) for _, seen in found),
                           sum(len(seen) for _, seen in found),
                           tuple(name for (name, _), same in zip(found, kept, strict=True) if not same))
