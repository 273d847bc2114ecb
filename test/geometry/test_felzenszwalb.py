from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh


def by_the_book(edges, weights, count, k, min_size):
    """Sets of vertices, joined as the paper writes it."""
    segment = {v: {v} for v in range(count)}
    heaviest = dict.fromkeys(range(count), 0.0)
    order = np.argsort(weights, kind="stable")

    def name(v):
        return next(n for n, members in segment.items() if v in members)

    def join(a, b):
        segment[a] |= segment.pop(b)

    for e in order:
        a, b = name(edges[e, 0]), name(edges[e, 1])
        if a != b and weights[e] <= min(heaviest[a] + k / len(segment[a]), heaviest[b] + k / len(segment[b])):
            join(a, b)
            heaviest[a] = weights[e]
    for e in order:
        a, b = name(edges[e, 0]), name(edges[e, 1])
        if a != b and min(len(segment[a]), len(segment[b])) < min_size:
            join(a, b)
    return {frozenset(members) for members in segment.values()}


@pytest.mark.parametrize("seed", range(40))
def test_segments_are_those_of_the_plain_algorithm(seed):
    random = np.random.default_rng(seed)
    count, borders = int(random.integers(2, 60)), int(random.integers(1, 200))
    edges = random.integers(0, count, (borders, 2))
    weights = random.integers(0, 8, borders) / 8.0 if seed % 2 else random.random(borders)  # with many ties, and without
    k, min_size = (0.25, 0.5, 1.0, 4.0)[seed % 4], (1, 3, 8, 20)[seed // 4 % 4]
    found = segment_mesh(edges, weights, count, k, min_size)
    parts = {frozenset(np.flatnonzero(found == s).tolist()) for s in range(found.max() + 1)}
    assert parts == by_the_book(edges, weights, count, k, min_size)


def test_segments_are_numbered_without_gaps_and_vertices_without_edges_stay_alone():
    assert segment_mesh(np.array([[0, 3]]), np.array([0.0]), 5, k=1.0).tolist() == [0, 1, 2, 0, 3]
    assert segment_mesh(np.zeros((0, 2), int), np.zeros(0), 3, k=1.0).tolist() == [0, 1, 2]


def test_each_edge_of_a_mesh_is_there_once():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float64)
    edges, weights = mesh_weights(vertices, np.array([[0, 1, 2], [2, 3, 0]]), np.zeros((4, 3), np.uint8))
    assert edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]
    assert weights.tolist() == [0.0] * 5
    none, _ = mesh_weights(np.zeros((0, 3)), np.zeros((0, 3), int), np.zeros((0, 3), np.uint8))
    assert none.shape == (0, 2)
