from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.instances.regions import basins, concavity, contrast, mesh_graph, smoothed
from magic3d_ros.mapping.surface import Surface


def sheet(columns, rows, height=None, color=None, step=0.02):
    """A grid of vertices 2 cm apart with its diagonals; height(x, y) and color(x, y) at grid numbers."""
    y, x = np.mgrid[:rows, :columns]
    x, y = x.ravel(), y.ravel()
    z = np.zeros(len(x)) if height is None else height(x, y)
    vertices = np.stack([x * step, y * step, z], 1)
    at = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate([np.stack([at, at + 1, at + columns + 1], 1), np.stack([at, at + columns + 1, at + columns], 1)])
    colors = np.full((len(x), 3), 128, np.uint8) if color is None else color(x, y)
    normals = np.tile([0, 0, 1], (len(x), 1)).astype(np.float32)
    return Surface(vertices.astype(np.float32), faces.astype(np.int32), normals, colors, np.ones(len(x), np.float32))


def joined(first, second, shift):
    """Two surfaces as one, the second moved."""
    return Surface(np.concatenate([first.vertices, second.vertices + np.float32(shift)]),
                   np.concatenate([first.faces, second.faces + len(first)]), np.concatenate([first.normals, second.normals]),
                   np.concatenate([first.colors, second.colors]), np.concatenate([first.weights, second.weights]))


def test_graph_of_a_sheet():
    graph = mesh_graph(sheet(10, 8))
    assert len(graph) == 80
    assert len(graph.edges) == 9 * 8 + 10 * 7 + 9 * 7  # along rows, columns and diagonals
    assert graph.border.sum() == 2 * 10 + 2 * 6
    assert graph.normals == pytest.approx(np.tile([0, 0, 1], (80, 1)))
    assert graph.component.tolist() == [0] * 80


def test_loose_pieces_are_as_small_on_a_finer_mesh():
    surface = joined(sheet(12, 12, step=0.01), sheet(16, 10, step=0.01), (1, 0, 0))  # 144 and 160 square centimetres
    assert len(mesh_graph(surface, spacing=0.01)) == 160
    assert len(mesh_graph(surface)) == 304


def test_components_under_40_vertices_are_dropped():
    surface = joined(sheet(3, 13), sheet(8, 5), (1, 0, 0))  # 39 and 40 vertices
    graph = mesh_graph(surface)
    assert graph.index.tolist() == list(range(39, 79))
    assert graph.edges.max() == 39


def test_smoothing_averages_a_vertex_with_its_neighbours():
    graph = mesh_graph(sheet(10, 8))
    peak = np.zeros(80)
    peak[33] = 7.0  # an inner vertex: six neighbours along rows, columns and one diagonal
    around = smoothed(peak, graph.neighbours, 1)
    assert around[33] == pytest.approx(1.0)
    assert around.sum() == pytest.approx(7.0)
    assert smoothed(peak, graph.neighbours, 0) is peak


def test_a_valley_is_concave_and_a_ridge_is_not():
    valley = concavity(mesh_graph(sheet(21, 12, lambda x, y: np.abs(x - 10) * 0.02)))
    ridge = concavity(mesh_graph(sheet(21, 12, lambda x, y: -np.abs(x - 10) * 0.02)))
    in_row = valley.reshape(12, 21)[6]
    # 90 degrees spread by three rings of smoothing over about six edges: well above .03 rad at the crease, 0 on the slopes
    assert in_row[10] > 0.5
    assert in_row[:5].max() == in_row[-5:].max() == 0.0
    assert ridge.max() == 0.0


def test_contrast_marks_the_change_of_colour_only():
    def two_colors(x, y):
        return np.where(x[:, None] < 10, [[200, 30, 30]], [[30, 30, 200]]).astype(np.uint8)

    strength = contrast(mesh_graph(sheet(21, 12, color=two_colors))).reshape(12, 21)
    assert (strength[:, 9:11] == 1.0).all()
    assert (strength[:, :7] == 0.0).all() and (strength[:, 13:] == 0.0).all()
    assert (contrast(mesh_graph(sheet(21, 12))) == 0.0).all()


def test_basins_part_at_the_crest():
    graph = mesh_graph(sheet(21, 12))
    column = np.tile(np.arange(21), 12)
    crest = np.where(np.abs(column - 10) <= 0, 1.0, 0.0) + 0.01 * np.minimum(column, 20 - column)  # lowest at both ends
    basin = basins(graph, np.clip(crest, 0, 1), np.zeros(len(graph))).reshape(12, 21)
    assert len(np.unique(basin[:, :9])) <= 12  # plateaus along the ends may stay apart
    assert not set(basin[:, :9].ravel()) & set(basin[:, 12:].ravel())


def test_a_bowl_is_one_basin():
    graph = mesh_graph(sheet(15, 15))
    y, x = np.mgrid[:15, :15]
    altitude = (((x - 7) ** 2 + (y - 7) ** 2) / 100.0).ravel()
    assert len(np.unique(basins(graph, altitude, np.zeros(len(graph))))) == 1


def test_empty_surface_has_an_empty_graph():
    graph = mesh_graph(Surface.empty())
    assert len(graph) == 0 and len(graph.edges) == 0
    assert len(concavity(graph)) == len(contrast(graph)) == len(basins(graph, np.zeros(0), np.zeros(0))) == 0
