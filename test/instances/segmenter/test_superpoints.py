"""Superpoints of a mesh, whole and in part."""

from __future__ import annotations

import numpy as np

from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import segmented_surface
from magic3d_ros.mapping.surface import Surface

UP = np.array([0.0, 1.0, 0.0])


def step_surface() -> Surface:
    """A level plane of 1 x 1 m and a wall of 1 m on its edge, 5 cm mesh; up is y. The wall is red."""
    along, across = (a.ravel() for a in np.meshgrid(np.arange(0, 2.0, 0.05), np.arange(0, 1.0, 0.05), indexing="ij"))
    vertices = np.stack([np.minimum(along, 1.0), np.maximum(along - 1.0, 0), across], 1).astype(np.float32)
    number = np.arange(len(vertices)).reshape(40, 20)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32)
    colors = np.where(along[:, None] > 1.0, (200, 40, 40), (120, 120, 120)).astype(np.uint8)
    return Surface(vertices, faces, np.zeros_like(vertices), colors, np.ones(len(vertices), np.float32))


def test_borders_of_things_are_borders_of_superpoints() -> None:
    surface = step_surface()
    graph = segmented_surface(surface, UP).whole()
    wall = surface.vertices[:, 1] > 0.06
    level = surface.vertices[:, 0] < 0.94
    assert not set(graph.superpoint[wall]) & set(graph.superpoint[level])
    assert graph.size.sum() == len(surface) and graph.size.min() >= 20
    assert graph.nodes.shape == (len(graph), NODE_FEATURES) and graph.edges.shape == (len(graph.pairs), PAIR_FEATURES)
    assert np.isfinite(graph.nodes).all() and np.isfinite(graph.edges).all() and len(graph.pairs) >= 1


def test_places_are_told_with_z_up() -> None:
    surface = step_surface()
    graph = segmented_surface(surface, UP).whole()
    assert np.allclose(np.sort(graph.points[:, 2]), np.sort(surface.vertices[:, 1]), atol=1e-6)
    first = graph.points[graph.superpoint == graph.superpoint[0]]
    assert np.allclose(graph.center[graph.superpoint[0]], first.mean(0), atol=1e-5)


def test_a_part_has_what_is_left_of_its_superpoints() -> None:
    segments = segmented_surface(step_surface(), UP)
    seen = segments.graph.vertices[:, 1] > 0.5
    part = segments.part(seen)
    assert len(part.points) == seen.sum() == part.size.sum()
    assert len(part) == len(np.unique(segments.segment[seen])) and part.pairs.max(initial=0) < len(part)
    assert len(segments.part(np.zeros(len(seen), bool))) == 0


def test_a_surface_without_anything_has_no_superpoints() -> None:
    nothing = Surface(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32),
                      np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))
    graph = segmented_surface(nothing, UP).whole()
    assert len(graph) == 0 and graph.center.shape == (0, 3) and graph.border.shape == (0,)
