from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.instances.agglomeration import Boundaries, agglomerate, boundaries, gap_pairs
from magic3d_ros.instances.regions import MeshGraph, mesh_graph
from magic3d_ros.mapping.surface import Surface

CELL = 4e-4  # square metres
NO_PLANES = np.zeros((2, 0))
GREY = np.full((2, 3), 100.0)


def pair(color_edge=0.0, crease=0.0, edges=10):
    """Two basins with one border: means of evidence over its edges."""
    count = max(edges, 1)
    return Boundaries(np.array([[0, 1]]), np.array([color_edge * count]), np.array([crease * count]), np.array([edges]))


def merged(sizes, colors, on_plane, border, threshold):
    """sizes: in vertices of a mesh of 2 cm."""
    grouping = agglomerate(np.array(sizes) * CELL, np.array(colors, float), np.array(on_plane, float), border, threshold)
    return len(grouping.separation) == 1


def cost_of(sizes, colors, on_plane, border):
    """The threshold between not merging and merging, by bisection."""
    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if merged(sizes, colors, on_plane, border, middle) else (middle, high)
    return high


BIG = (1000, 1000)
RED_AND_GREY = [[100, 130, 100], [100, 100, 100]]  # 30 of 60 apart in Lab: d = .5


@pytest.mark.parametrize(("colors", "on_plane", "border", "expected"), [
    # two objects: C (.5 + 1.2 d) + .5 H + .6 d
    (GREY, NO_PLANES, pair(crease=0.8), 0.4),
    (RED_AND_GREY, NO_PLANES, pair(crease=0.8, color_edge=0.6), 0.8 * 1.1 + 0.3 + 0.3),
    # one plane: .6 (C + H + .6 d)
    (RED_AND_GREY, [[0.9], [0.8]], pair(crease=0.2, color_edge=0.5), 0.6 * (0.2 + 0.5 + 0.3)),
    # two planes: forbidden when both are large
    (GREY, [[0.9, 0], [0, 0.8]], pair(crease=0.2), 9.2),
    # an object against a plane: C + .5 H + .6 d + .3
    (RED_AND_GREY, [[0.9], [0.1]], pair(crease=0.2, color_edge=0.5), 0.2 + 0.25 + 0.3 + 0.3),
    # half on a plane is not on it
    (GREY, [[0.5], [0.9]], pair(), 0.3),
    # across a gap: .35 + 1.2 d, and never from object to plane
    (RED_AND_GREY, NO_PLANES, pair(edges=0), 0.95),
    (GREY, [[0.9], [0.1]], pair(edges=0), 9.35),
    # wholly different colours count 60 apart at most
    ([[0, 0, 0], [100, 100, 100]], NO_PLANES, pair(), 0.6),
])
def test_costs_of_the_recipe(colors, on_plane, border, expected):
    assert cost_of(BIG, colors, on_plane, border) == pytest.approx(expected, abs=1e-6)


def test_small_walls_may_join():
    assert cost_of((400, 5000), GREY, [[0.9, 0], [0, 0.8]], pair(crease=0.2)) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("size", "factor"), [(1000, 1.0), (100, 1.0), (64, 0.8), (50, 0.5**0.5), (40, 0.01 * 0.8)])
def test_small_regions_merge_more_readily(size, factor):
    assert cost_of((size, 5000), GREY, NO_PLANES, pair(crease=0.8)) == pytest.approx(0.4 * factor, abs=1e-6)


def chain(creases):
    """Basins in a row with the given creases between neighbours."""
    n = len(creases)
    return Boundaries(np.stack([np.arange(n), np.arange(1, n + 1)], 1), np.zeros(n), np.array(creases) * 10.0, np.full(n, 10))


def test_the_cheapest_pair_goes_first_and_evidence_is_averaged_over_the_border():
    # 0-1 is cheap; then {0, 1} borders 2 with the mean of a strong and a weak crease
    border = Boundaries(np.array([[0, 1], [0, 2], [1, 2]]), np.zeros(3), np.array([0.0, 10.0, 2.0]), np.array([10, 10, 10]))
    sizes, colors, planes = np.full(3, 1000), np.full((3, 3), 100.0), np.zeros((3, 0))
    # C of {0, 1} with 2 = 12 / 20 = .6 -> cost .3; 1-2 alone would have cost .1
    assert len(agglomerate(sizes * CELL, colors, planes, border, 0.29).separation) == 2
    assert len(agglomerate(sizes * CELL, colors, planes, border, 0.31).separation) == 1


def test_separation_is_the_cheapest_refused_merge_without_the_discount():
    grouping = agglomerate(np.array([1000, 1000, 64]) * CELL, np.full((3, 3), 100.0), np.zeros((3, 0)), chain([0.9, 1.0]), 0.1)
    assert grouping.label.tolist() == [0, 1, 2]
    assert grouping.separation == pytest.approx([0.45, 0.45, 0.5])
    alone = agglomerate(np.array([500]) * CELL, np.zeros((1, 3)), np.zeros((1, 0)),
                        Boundaries(np.zeros((0, 2), int), np.zeros(0), np.zeros(0), np.zeros(0, int)), 1.0)
    assert alone.label.tolist() == [0] and np.isinf(alone.separation).all()


def test_merged_regions_share_colour_by_size():
    # 0 and 1 merge (no crease); their mean colour is 3/4 of the way to 0's; 2 has that colour and merges at cost 0
    colors = [[100, 100, 100], [100, 120, 100], [100, 105, 100]]
    areas = np.array([3000, 1000, 2000]) * CELL
    grouping = agglomerate(areas, np.array(colors, float), np.zeros((3, 0)), chain([0.0, 0.0]), 0.201)
    assert len(grouping.separation) == 1


@pytest.mark.parametrize(("known", "factor"), [((4, 4), 0.7), ((4, 5), 1.3), ((4, -1), 1.0), ((-1, -1), 1.0)])
def test_what_was_one_thing_stays_one_more_readily(known, factor):
    def things(threshold):
        return len(agglomerate(np.array(BIG) * CELL, GREY, NO_PLANES, pair(crease=0.8), threshold, np.array(known)).separation)

    assert things(0.4 * factor + 1e-6) == 1  # 0.4: two objects with a crease of .8
    assert things(0.4 * factor - 1e-6) == 2


def test_boundaries_count_mesh_edges_and_gaps_apart():
    graph = MeshGraph(np.arange(6), np.zeros((6, 3)), np.array([[0, 1], [1, 2], [2, 3], [0, 3], [4, 5]]), np.zeros(6, np.int32),
                      np.zeros(6, bool), np.zeros((6, 3)), np.zeros((6, 3)), None)
    basin = np.array([0, 0, 1, 1, 2, 2])
    crease = np.array([0.1, 0.2, 0.9, 0.3, 0.0, 0.0])
    edge = np.array([0.0, 0.5, 0.4, 0.0, 0.0, 0.0])
    border = boundaries(graph, basin, crease, edge, np.array([[3, 4], [0, 1], [2, 1]]))
    assert border.pairs.tolist() == [[0, 1], [1, 2]]
    assert border.edges.tolist() == [2, 0]  # 1-2 and 0-3; the gaps add none
    assert border.crease == pytest.approx([0.9 + 0.3, 0.0])
    assert border.color_edge == pytest.approx([0.5 + 0.0, 0.0])


def strip(x, z=0.0, tilt=0.0):
    """A strip of 10 x 8 vertices from x on, 2 cm apart, rising by `tilt` a metre."""
    j, i = np.mgrid[:8, :10]
    vertices = np.stack([x + i * 0.02, j * 0.02, z + i * 0.02 * tilt], -1).reshape(-1, 3)
    at = (np.arange(7)[:, None] * 10 + np.arange(9)).ravel()
    return vertices, np.concatenate([np.stack([at, at + 1, at + 11], 1), np.stack([at, at + 11, at + 10], 1)])


@pytest.mark.parametrize(("second", "found"), [
    ({"x": 0.22}, True),  # 4 cm on, in the same plane
    ({"x": 0.30}, False),  # 12 cm on
    ({"x": 0.19, "z": 0.04}, False),  # a step up: not a continuation
    ({"x": 0.22, "tilt": 2.0}, False),  # a steep slope begins
])
def test_gaps_are_bridged_where_the_surface_continues(second, found):
    (v1, f1), (v2, f2) = strip(0.0), strip(**second)
    vertices = np.concatenate([v1, v2]).astype(np.float32)
    surface = Surface(vertices, np.concatenate([f1, f2 + len(v1)]).astype(np.int32), np.zeros_like(vertices),
                      np.zeros((len(vertices), 3), np.uint8), np.ones(len(vertices), np.float32))
    pairs = gap_pairs(mesh_graph(surface))
    across = (pairs[:, 0] < len(v1)) != (pairs[:, 1] < len(v1))
    assert across.any() == found
