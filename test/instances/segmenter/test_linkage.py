"""Average linkage by hand, and against a slow one that looks at everything again after each join."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.instances.segmenter.linkage import average_linkage


def test_a_cluster_joins_by_the_mean_of_its_border() -> None:
    """0-1 join at .9; 2 touches 1 by .8 and 0 by .2: by the mean of .5, not by the better border."""
    pairs = np.array([[0, 1], [1, 2], [0, 2]])
    linkage = average_linkage(np.array([0.9, 0.8, 0.2]), np.ones(3), pairs, 3)
    assert linkage.joined_at(np.array([0, 2])) == pytest.approx(np.array([[1, 0.9, 0.5], [0.5, 0.5, 1]]))


def test_longer_borders_count_more() -> None:
    pairs = np.array([[0, 1], [1, 2], [0, 2]])
    linkage = average_linkage(np.array([0.9, 0.8, 0.2]), np.array([1.0, 3.0, 1.0]), pairs, 3)
    assert linkage.joined_at(np.array([0]))[0, 2] == pytest.approx((3 * 0.8 + 0.2) / 4)


def test_what_does_not_touch_never_joins_and_no_pairs_are_fine() -> None:
    linkage = average_linkage(np.array([0.7]), np.ones(1), np.array([[0, 2]]), 3)
    assert linkage.joined_at(np.arange(3)) == pytest.approx(np.array([[1, 0, 0.7], [0, 1, 0], [0.7, 0, 1]]))
    assert average_linkage(np.zeros(0), np.zeros(0), np.zeros((0, 2), int), 2).joined_at(np.array([1])).tolist() == [[0, 1]]


def slow(affinity: np.ndarray, border: np.ndarray, pairs: np.ndarray, count: int) -> np.ndarray:
    cluster, joined, lowest = np.arange(count), np.eye(count), np.ones(count)
    while True:
        ends = np.sort(cluster[pairs], axis=1)
        best, value = None, 0.0
        for i, j in np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0):
            between = (ends == (i, j)).all(1)
            mean = (affinity * border)[between].sum() / border[between].sum()
            if mean > value:
                best, value = (i, j), mean
        if best is None:
            return joined
        i, j = best
        value = lowest[i] = min(value, lowest[i], lowest[j])
        one, other = cluster == i, cluster == j
        joined[np.ix_(one, other)] = joined[np.ix_(other, one)] = value
        np.fill_diagonal(joined, 1)
        for a in np.flatnonzero(one):
            joined[a, other] = joined[other, a] = value
        cluster[other] = i


def test_it_agrees_with_the_slow_way() -> None:
    random = np.random.default_rng(0)
    pairs = np.array([(i, j) for i in range(25) for j in range(i + 1, 25) if random.random() < 0.15])
    affinity, border = random.uniform(0.05, 1, len(pairs)), random.uniform(0.1, 3, len(pairs))
    linkage = average_linkage(affinity, border, pairs, 25)
    assert linkage.joined_at(np.arange(25)) == pytest.approx(slow(affinity, border, pairs, 25))
