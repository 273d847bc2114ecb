"""Ids that stay with a thing while the surface and its segmentation change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

CELL = 0.04  # metres: two voxels, so that a vertex that moves with new observations stays in its cell
# A thing keeps its id when it still covers this share of what it was, or this share of it is what was there (growth, shrinking,
# splits). With .35 one of redkitchen's labelled things more keeps its id than with .5.
_CONTAINED = 0.35
_SAME_IOU = 0.15
# An id that the last run did not use (merged away for a while, or its surface was gone) comes back only for much the same place.
_RETURN_IOU = 0.3
_FORGET_RUNS = 200  # runs without its thing after which an id's place is forgotten (10 minutes at one run in 3 s)


class IdentityMemory:
    """Which id covers which cells of space. Ids count up from 0 and are never used for another thing."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all things; ids go on counting."""
        self._cell = np.zeros(0, np.int64)  # one entry for each cell and id in it, sorted by cell
        self._id = np.zeros(0, np.int64)
        self._points = np.zeros(0, np.int64)
        self._absent: dict[int, int] = {}  # known id -> runs since it was last used
        self._next = getattr(self, "_next", 0)

    def assign(self, points: np.ndarray, thing: np.ndarray, count: int) -> np.ndarray:
        """(count,) int64 ids of the things of this run.

        points (N, 3) metres; thing (N,) 0 ... count-1. Overlap is measured in points per cell; pairs of large intersection over
        union go first, so of a split thing the largest part keeps the id; of those within a factor of two the oldest id goes
        first, so two of like size that become one keep the older's: who asks for a thing again knows it by that.
        """
        cell, owner, number = _cells(points, thing)
        one, other, overlap = self._overlaps(cell, owner, number)
        size = np.bincount(thing, minlength=count)
        known_size = np.bincount(self._id, self._points, self._next)
        smaller = np.minimum(size[one], known_size[other])
        iou = overlap / (size[one] + known_size[other] - overlap)
        active = np.array([self._absent.get(int(i), 0) == 0 for i in other], bool)
        fits = np.where(active, (overlap >= _CONTAINED * smaller) | (iou >= _SAME_IOU), iou >= _RETURN_IOU)
        ids = np.full(count, -1, np.int64)
        taken: set[int] = set()
        halved = np.rint(-np.log2(np.maximum(iou, 1e-9)))  # 0 from .71 on, 1 from .35 on: where two of like size became one
        for k in np.lexsort((one, -iou, other, halved)):
            if fits[k] and ids[one[k]] < 0 and int(other[k]) not in taken:
                ids[one[k]] = other[k]
                taken.add(int(other[k]))
        new = np.flatnonzero(ids < 0)
        ids[new] = self._next + np.arange(len(new))
        self._next += len(new)
        self._remember(cell, ids[owner] if count else owner, number, ids)
        return ids

    def recall(self, points: np.ndarray) -> np.ndarray:
        """(N,) int64 id that covered the place of each of (N, 3) points in the last run, -1 = none.

        Of the things that share a cell it is the one with most points there.
        """
        active = np.array([self._absent.get(i, 1) == 0 for i in range(self._next)], bool)[self._id]
        order = np.lexsort((self._points[active], self._cell[active]))
        cell, owner = self._cell[active][order], self._id[active][order]
        if len(cell) == 0:
            return np.full(len(points), -1, np.int64)
        key = _keys(points)
        last = np.searchsorted(cell, key, "right") - 1
        return np.where((last >= 0) & (cell[last] == key), owner[last], -1)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) centres of all cells that an id covers, and those (n,) ids."""
        axes = np.stack([self._cell >> 42, (self._cell >> 21) & ((1 << 21) - 1), self._cell & ((1 << 21) - 1)], 1)
        return (axes - (1 << 20) + 0.5) * CELL, self._id.copy()

    def move(self, points: np.ndarray) -> None:
        """The cells of `places` are now where these (n, 3) points are."""
        cell = _keys(points)
        order = np.lexsort((self._id, cell))
        cell, owner = cell[order], self._id[order]
        first = np.flatnonzero(np.concatenate([[True], (cell[1:] != cell[:-1]) | (owner[1:] != owner[:-1])])) if len(cell) \
            else np.zeros(0, np.int64)
        points_in = np.add.reduceat(self._points[order], first) if len(first) else np.zeros(0, np.int64)
        self._cell, self._id, self._points = cell[first], owner[first], points_in

    def _overlaps(self, cell: np.ndarray, owner: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(things, ids, shared points) of all pairs that share a cell."""
        left = np.searchsorted(self._cell, cell, "left")
        length = np.searchsorted(self._cell, cell, "right") - left
        entry = np.repeat(np.arange(len(cell)), length)
        known = np.repeat(left, length) + np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        shared = np.minimum(number[entry], self._points[known])
        key, inverse = np.unique(owner[entry] * max(self._next, 1) + self._id[known], return_inverse=True)
        return key // max(self._next, 1), key % max(self._next, 1), np.bincount(inverse.ravel(), shared, len(key))

    def _remember(self, cell: np.ndarray, ids_of_cells: np.ndarray, number: np.ndarray, ids: np.ndarray) -> None:
        """This run's things replace what was known of their ids; places of the others stay for a while."""
        used = {int(i) for i in ids}
        self._absent = {i: 0 if i in used else age + 1 for i, age in self._absent.items() if i in used or age < _FORGET_RUNS}
        self._absent.update(dict.fromkeys(used, 0))
        stays = np.array([i in self._absent and i not in used for i in range(self._next)], bool)[self._id]
        cell = np.concatenate([cell, self._cell[stays]])
        owner = np.concatenate([ids_of_cells, self._id[stays]])
        number = np.concatenate([number, self._points[stays]])
        order = np.argsort(cell, kind="stable")
        self._cell, self._id, self._points = cell[order], owner[order], number[order]

    def state(self) -> dict[str, np.ndarray]:
        """All that is remembered, as integer arrays."""
        return {"cell": self._cell.copy(), "id": self._id.copy(), "points": self._points.copy(),
                "known": np.array(sorted(self._absent.items()), np.int64).reshape(-1, 2),
                "next": np.array([self._next], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        for name in ("cell", "id", "points", "known", "next"):
            if name not in state or not np.issubdtype(np.asarray(state[name]).dtype, np.integer):
                raise ValueError(f"the state of instances lacks integer '{name}'")
        cell, owner, number = (np.array(state[name], np.int64).ravel() for name in ("cell", "id", "points"))
        known = np.array(state["known"], np.int64)
        following = int(np.asarray(state["next"]).ravel()[0]) if np.size(state["next"]) == 1 else -1
        if not len(cell) == len(owner) == len(number):
            raise ValueError("the state of instances has 'cell', 'id' and 'points' of different lengths")
        if known.ndim != 2 or known.shape[1] != 2:
            raise ValueError("the state of instances has 'known' in another shape than (n, 2)")
        if following < 0 or (len(owner) and not 0 <= owner.min() <= owner.max() < following) or (known[:, 0] >= following).any():
            raise ValueError("the state of instances has ids that its 'next' does not allow")
        order = np.argsort(cell, kind="stable")
        self._cell, self._id, self._points = cell[order], owner[order], number[order]
        self._absent = {int(i): int(age) for i, age in known}
        self._next = following


def _keys(points: np.ndarray) -> np.ndarray:
    """(N,) int64 number of the cell of each of (N, 3) points. 21 bits an axis hold 80 km."""
    at = np.clip(np.floor(np.asarray(points, np.float64) / CELL), -(1 << 20), (1 << 20) - 1).astype(np.int64) + (1 << 20)
    return (at[:, 0] << 42) | (at[:, 1] << 21) | at[:, 2]


def _cells(points: np.ndarray, thing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cell keys, things, points in them), one entry for each thing in each cell."""
    key = _keys(points)
    order = np.lexsort((thing, key))
    key, thing = key[order], thing[order]
    first = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]) | (thing[1:] != thing[:-1])])) if len(key) \
        else np.zeros(0, np.int64)
    return key[first], thing[first].astype(np.int64), np.diff(np.append(first, len(key)))
