from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.instances.regions import MeshGraph, mesh_graph
from magic3d_ros.instances.structure import find_structure, structure_of

UP = np.array([0.0, 0.0, 1.0])


def cloud(*patches):
    """A graph without edges from patches of (origin, side, side, normal, count, lab)."""
    random = np.random.default_rng(0)
    points, normals, lab = [], [], []
    for origin, one, other, normal, count, color in patches:
        at = random.uniform(0, 1, (count, 2))
        points.append(np.asarray(origin, float) + at[:, :1] * np.asarray(one, float) + at[:, 1:] * np.asarray(other, float))
        normals.append(np.tile(np.asarray(normal, float), (count, 1)))
        lab.append(np.tile(np.asarray(color, float), (count, 1)))
    points, normals, lab = (np.concatenate(a) for a in (points, normals, lab))
    n = len(points)
    edges, component, border = np.zeros((0, 2), np.int64), np.zeros(n, np.int32), np.zeros(n, bool)
    return MeshGraph(np.arange(n), points, edges, component, border, normals, lab, None)


GREY = (60, 128, 128)
FLOOR = ((0, 0, 0), (3, 0, 0), (0, 3, 0), (0, 0, 1), 3000, GREY)
WALL = ((0, 0, 0), (0, 3, 0), (0, 0, 2.5), (1, 0, 0), 2500, GREY)
CEILING = ((0, 0, 2.5), (3, 0, 0), (0, 3, 0), (0, 0, -1), 3000, GREY)
TABLE = ((1, 1, 0.75), (1, 0, 0), (0, 1, 0), (0, 0, 1), 1500, GREY)


def test_floor_wall_and_ceiling_are_named_and_a_table_is_not():
    graph = cloud(FLOOR, WALL, CEILING, TABLE)
    structure = find_structure(graph, UP)
    assert sorted(structure.names) == ["ceiling", "floor", "wall"]
    by_name = {name: k for k, name in enumerate(structure.names)}
    owner = np.repeat(["floor", "wall", "ceiling", ""], [3000, 2500, 3000, 1500])
    for name, k in by_name.items():
        assert (structure.membership[owner == name] == k).mean() > 0.97
    assert (structure.membership[owner == ""] == -1).all()
    assert structure.planes[by_name["wall"]].normal == pytest.approx([1, 0, 0], abs=1e-6)


def test_a_table_over_an_unseen_floor_is_not_structure_when_a_lower_floor_is_seen_beside_it():
    # nothing lies behind (below) the table within its outline, but the little floor that is seen is lower
    low_floor = ((2, 0, 0), (1, 0, 0), (0, 3, 0), (0, 0, 1), 250, GREY)
    structure = find_structure(cloud(((0, 0, 0.75), (2, 0, 0), (0, 3, 0), (0, 0, 1), 6000, GREY), low_floor), UP)
    assert structure.names == ["floor"]
    assert (structure.membership[:6000] == -1).all()


def test_what_hangs_on_a_wall_in_another_colour_is_an_object():
    board = ((0.02, 1, 1), (0, 1, 0), (0, 0, 1), (1, 0, 0), 900, (100, 128, 128))
    rest = ((0.0, 3.2, 0), (0, 0.5, 0), (0, 0, 2.5), (1, 0, 0), 400, (63, 128, 128))  # the wall beyond a shelf
    graph = cloud(FLOOR, WALL, board, rest)
    thing = np.repeat([0, 1, 2, 3], [3000, 2500, 900, 400])
    assert structure_of(graph, thing, 4, find_structure(graph, UP)) == ["floor", "wall", "", "wall"]


def test_other_up_axes_name_alike():
    graph = cloud(FLOOR, WALL, CEILING)
    turned = MeshGraph(graph.index, graph.vertices[:, [0, 2, 1]] * [1, -1, 1], graph.edges, graph.component, graph.border,
                       graph.normals[:, [0, 2, 1]] * [1, -1, 1], graph.lab, None)
    assert sorted(find_structure(turned, np.array([0.0, -1.0, 0.0])).names) == ["ceiling", "floor", "wall"]


def test_boxes_on_a_floor_have_no_walls(two_boxes):
    graph = mesh_graph(two_boxes.surface()[0])
    assert find_structure(graph, UP).names == ["floor"]


def test_no_points_no_planes():
    empty = cloud(((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), 0, GREY))
    assert find_structure(empty, UP).names == []
    assert structure_of(empty, np.zeros(0, np.int64), 0, find_structure(empty, UP)) == []
