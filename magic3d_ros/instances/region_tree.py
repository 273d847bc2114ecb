"""A tree of regions: neighbours join, the likeliest to be one thing first.

It grows far beyond what is one thing: by what a region would have become, and how unlikely that was, a classifier tells whether
it is a whole thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse import csgraph

from magic3d_ros.instances import region_statistics as columns
from magic3d_ros.instances.region_features import pair_features
from magic3d_ros.instances.region_statistics import RegionStatistics

LEVELS = (0.98, 0.96, 0.93, *np.arange(0.9, 0.09, -0.05).round(2).tolist(), 0.06, 0.03)
"""Probabilities down to which joins are made, one after the other: within a level many join at once, which makes it fast."""
SURE = 0.9
"""From this probability on a region joins its best neighbour even if that has a better one: a floor takes in all its basins in
one round. Below, two must be each other's best."""

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(Q, F) features and (Q, 2) slots of pairs -> (Q,) probabilities of being one thing."""


@dataclass(frozen=True)
class RegionTree:
    """Nodes 0 ... B-1 are basins, later ones what earlier ones became.

    parent (N,) int, -1 = at the top; sums, low, high: of each node, as in RegionStatistics; own (N,) weakest probability among
    the pairs that joined to form it, 1 for basins; best (N,) of its best neighbour when it last was a region of its own.
    """

    basins: int
    parent: np.ndarray
    sums: np.ndarray
    low: np.ndarray
    high: np.ndarray
    own: np.ndarray
    best: np.ndarray

    def __len__(self) -> int:
        return len(self.parent)

    def joins(self) -> np.ndarray:
        """(N, 7) what `region_features.whole_features` wants to know of how each node came to be."""
        size, inner = self.sums[:, columns.SIZE], np.flatnonzero(self.parent >= 0)
        weakest, leaves, largest = self.own.copy(), (np.arange(len(self)) < self.basins).astype(float), np.zeros(len(self))
        for node in inner.tolist():  # children come before parents
            up = self.parent[node]
            weakest[up] = min(weakest[up], weakest[node])
            leaves[up] += leaves[node]
            largest[up] = max(largest[up], size[node])
        lacking = np.where(leaves > 1, (size - largest) / np.maximum(size, 1.0), 1.0)
        up = np.where(self.parent >= 0, self.own[self.parent], 0.0)
        of_parent = np.ones(len(self))
        of_parent[inner] = size[inner] / size[self.parent[inner]]
        return np.stack([weakest, self.own, up, self.best, leaves, lacking, of_parent], 1)

    def sums_over(self, of_basin: np.ndarray) -> np.ndarray:
        """(N, C) sums for all nodes of values of the basins (B, C)."""
        total = np.zeros((len(self), of_basin.shape[1]))
        total[: self.basins] = of_basin
        for node in np.flatnonzero(self.parent >= 0).tolist():
            total[self.parent[node]] += total[node]
        return total

    def parted(self, probability: float) -> np.ndarray:
        """(B,) node that each basin belongs to when only joins of at least `probability` are made, here and below."""
        whole = self.joins()[:, 0] >= probability
        chosen = np.full(len(self), -1)
        for node in range(len(self) - 1, -1, -1):
            up = chosen[self.parent[node]] if self.parent[node] >= 0 else -1
            chosen[node] = up if up >= 0 else node if whole[node] else -1
        return chosen[: self.basins]


def grow(regions: RegionStatistics, score: Score, joined: Callable[[np.ndarray, np.ndarray], None] | None = None) -> RegionTree:
    """Join regions until no pair reaches the last level. `regions` is used up. joined: told of the slots that are kept (M,) and
    gone (M,) in each round."""
    count = len(regions)
    node = np.arange(count)
    owns, made = [np.ones(count)], [(regions.sums.copy(), regions.low.copy(), regions.high.copy())]
    parent, best, total = np.full(2 * count, -1), np.zeros(2 * count), count
    probability = score(pair_features(regions, np.arange(len(regions.pairs))), regions.pairs)
    best[:count] = _best(regions, probability)
    level = 0
    while level < len(LEVELS):
        joining = _joining(regions, probability, LEVELS[level])
        if len(joining) == 0:
            level += 1
            continue
        kept, gone, weakest = _groups(regions, joining, probability)
        into = np.unique(kept)
        new = total + np.arange(len(into))
        parent[node[gone]] = new[np.searchsorted(into, kept)]
        parent[node[into]] = new
        node[gone], node[into] = -1, new
        total += len(new)
        old_keys, old = regions.keys(), probability
        changed = regions.merge(kept, gone)
        if joined is not None:
            joined(kept, gone)
        made.append((regions.sums[into], regions.low[into], regions.high[into]))
        owns.append(weakest[into])
        probability = np.empty(len(regions.pairs))
        probability[~changed] = old[np.searchsorted(old_keys, regions.keys()[~changed])]
        which = np.flatnonzero(changed)
        if len(which):
            probability[which] = score(pair_features(regions, which), regions.pairs[which])
        here = node >= 0
        best[node[here]] = _best(regions, probability)[here]
    sums, low, high = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return RegionTree(count, parent[:total], sums, low, high, np.concatenate(owns), best[:total])


def _best(regions: RegionStatistics, probability: np.ndarray) -> np.ndarray:
    """(R,) the largest probability among each region's pairs."""
    best = np.zeros(len(regions))
    for end in regions.pairs.T:
        np.maximum.at(best, end, probability)
    return best


def _joining(regions: RegionStatistics, probability: np.ndarray, level: float) -> np.ndarray:
    """Numbers of the pairs that join in this round."""
    best = _best(regions, probability)
    first, second = (probability >= best[end] for end in regions.pairs.T)
    return np.flatnonzero((probability >= level) & (first | second if level >= SURE else first & second))


def _groups(regions: RegionStatistics, joining: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """kept (M,) and gone (M,) slots, the largest region of each group being kept; (R,) weakest join of the group each is in."""
    first, second = regions.pairs[joining].T
    graph = sparse.coo_matrix((np.ones(len(first)), (first, second)), shape=(len(regions), len(regions)))
    group = csgraph.connected_components(graph, directed=False)[1]
    weakest = np.ones(len(regions))
    np.minimum.at(weakest, group[first], probability[joining])
    member = np.unique(regions.pairs[joining])
    member = member[np.lexsort((member, -regions.sums[member, columns.SIZE], group[member]))]
    start = np.concatenate([[True], group[member][1:] != group[member][:-1]])
    kept = member[start][np.cumsum(start) - 1]
    return kept[~start], member[~start], weakest[group]
