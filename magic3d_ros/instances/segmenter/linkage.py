"""Average linkage of superpoints by learned affinities: which clusters contain a superpoint, from itself to all that it touches.

Mean-affinity agglomeration (Bailoni et al. 2022: GASP) is what turns noisy affinities of neighbours into regions: a single wrong
border does not join two things, as it does along paths.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Linkage:
    """order: (S,) superpoints such that every cluster is a run of them. height: (S-1,) the affinity 0..1 at which what is before
    and after a place in that order joins; 0 = never. It never rises from a cluster to one that contains it."""

    order: np.ndarray
    height: np.ndarray

    def joined_at(self, seeds: np.ndarray) -> np.ndarray:
        """(Q, S) the affinity at which the cluster of each of (Q,) seeds takes in each superpoint; 1 for itself."""
        count = len(self.order)
        place = np.empty(count, np.int64)
        place[self.order] = np.arange(count)
        along = np.ones((len(seeds), count))
        for row, at in zip(along, place[seeds].tolist(), strict=True):
            row[at + 1:] = np.minimum.accumulate(self.height[at:])
            row[:at] = np.minimum.accumulate(self.height[:at][::-1])[::-1]
        return along[:, place]


def average_linkage(affinity: np.ndarray, border: np.ndarray, pairs: np.ndarray, count: int) -> Linkage:
    """Join the two clusters of largest mean affinity, again and again. affinity (P,) 0..1 and border (P,) weights of (P, 2) pairs
    of `count` superpoints."""
    borders: list[dict[int, tuple[float, float]]] = [{} for _ in range(count)]  # neighbour: affinity x weight, weight
    heap = []
    for (i, j), value, weight in zip(pairs.tolist(), affinity.tolist(), border.tolist(), strict=True):
        borders[i][j] = borders[j][i] = (value * weight, weight)
        heap.append((-(value * weight / weight), min(i, j), max(i, j)))
    heapq.heapify(heap)
    leaves: list[list[int]] = [[i] for i in range(count)]
    gaps: list[list[float]] = [[] for _ in range(count)]
    lowest = [1.0] * count
    while heap:
        negative, i, j = heapq.heappop(heap)
        between = borders[i].get(j)
        if between is None or -between[0] / between[1] != negative:
            continue  # of a cluster that is part of another by now, or of a border that has grown since
        if len(leaves[i]) < len(leaves[j]):
            i, j = j, i
        lowest[i] = min(-negative, lowest[i], lowest[j])
        gaps[i] += [lowest[i], *gaps[j]]
        leaves[i] += leaves[j]
        leaves[j], mine, theirs = [], borders[i], borders[j]
        del mine[j]
        for k, border_of_k in theirs.items():
            if k == i:
                continue
            del borders[k][j]
            before = mine.get(k, (0.0, 0.0))
            both = (before[0] + border_of_k[0], before[1] + border_of_k[1])
            mine[k] = borders[k][i] = both
            heapq.heappush(heap, (-both[0] / both[1], min(i, k), max(i, k)))
        borders[j] = {}
    order: list[int] = []
    height: list[float] = []
    for run, within in zip(leaves, gaps, strict=True):
        if run:
            height += [0.0, *within] if order else within
            order += run
    return Linkage(np.array(order, np.int64), np.array(height, np.float64))
