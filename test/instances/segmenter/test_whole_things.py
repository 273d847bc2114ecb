"""The segmenter in place of the recipe: things keep their ids from one update to the next."""

from __future__ import annotations

import numpy as np

from magic3d_ros.config import InstanceSettings
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.regions import mesh_graph
from magic3d_ros.instances.segmenter.whole_things import STAGE_1, STAGE_2, segmenter_things
from magic3d_ros.instances.structure import find_structure
from magic3d_ros.mapping.surface import Surface

UP = np.array([0.0, 0.0, 1.0])


def box_on_floor() -> tuple[Surface, np.ndarray]:
    """A grey floor of 2 x 2 m in 2 cm quads and a red step of 50 cm height in its middle; for each vertex whether it is red."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(100), np.arange(100), indexing="ij"))
    inside = (x >= 35) & (x < 65) & (y >= 35) & (y < 65)
    number = np.arange(len(x)).reshape(100, 100)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    vertices = np.stack([x * 0.02, y * 0.02, 0.5 * inside], 1).astype(np.float32)
    colors = np.where(inside[:, None], (190, 40, 40), (130, 130, 130)).astype(np.uint8)
    normals = np.tile(np.float32([0, 0, 1]), (len(x), 1))
    return Surface(vertices, faces, normals, colors, np.ones(len(x), np.float32)), inside


def test_a_box_is_a_thing_and_the_floor_another() -> None:
    surface, inside = box_on_floor()
    graph = mesh_graph(surface)
    found = segmenter_things(surface, graph, find_structure(graph, UP))
    inner = inside[graph.index]
    of_box, of_floor = (np.bincount(found.label[part]) for part in (inner, ~inner))
    assert of_box.argmax() != of_floor.argmax()
    assert of_box.max() > 0.8 * inner.sum() and of_floor.max() > 0.8 * (~inner).sum()  # its upright sides are one quad high
    assert len(found.quality) == found.label.max() + 1 and 0 <= found.quality.min() <= found.quality.max() <= 1


def test_ids_stay_when_only_a_part_is_looked_at_again() -> None:
    surface, inside = box_on_floor()
    mapper = InstanceMapper(InstanceSettings(grouping="network"))
    first = mapper.update(surface, [], UP).labels
    colors = surface.colors.copy()
    colors[inside] = (180, 50, 50)
    second = mapper.update(Surface(surface.vertices, surface.faces, surface.normals, colors, surface.weights), [], UP).labels
    assert (first == second).mean() > 0.95


def test_shipped_weights_are_small() -> None:
    for file in (STAGE_1, STAGE_2):
        assert file.stat().st_size < 5e6
