from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.marching_tetrahedra import border_surface


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def is_closed(faces: np.ndarray) -> bool:
    """Every edge is in exactly two triangles, once in each direction."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    return len(directed) == len(edges) and all((b, a) in directed for a, b in directed)


def halfway(corners: np.ndarray) -> np.ndarray:
    return np.ones(len(corners))


def test_one_solid_point_becomes_a_closed_body_of_known_size():
    solid = np.zeros((3, 3, 3), bool)
    solid[1, 1, 1] = True
    vertices, faces = border_surface(solid, halfway)
    # halfway to its 14 neighbours in Freudenthal's division lies a rhombic shape of half the edge: an eighth of 4 cells
    assert len(vertices) == 14 and len(faces) == 24 and is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(0.5)


def test_the_distances_place_the_surface():
    solid = np.zeros((3, 3, 3), bool)
    solid[1, 1, 1] = True
    vertices, _ = border_surface(solid, lambda corners: np.where((corners == 1).all(1), 1.0, 3.0))
    assert np.abs(vertices - 1).max() == pytest.approx(0.25)  # a quarter of the way from the solid point
    vertices, _ = border_surface(solid, lambda corners: np.where((corners == 1).all(1), 1e-9, 1.0))
    assert np.abs(vertices - 1).max() == pytest.approx(0.05)  # never on a corner, where triangles would collapse


def test_any_solid_gives_a_closed_surface_with_its_volume():
    random = np.random.default_rng(0)
    solid = np.zeros((9, 8, 7), bool)
    solid[1:-1, 1:-1, 1:-1] = random.random((7, 6, 5)) < 0.5
    vertices, faces = border_surface(solid, halfway)
    assert is_closed(faces) and volume(vertices, faces) > 0
    block = np.zeros((12, 12, 12), bool)
    block[2:10, 2:10, 2:10] = True
    vertices, faces = border_surface(block, halfway)
    assert is_closed(faces) and 7.5**3 < volume(vertices, faces) <= 8**3


def test_a_solid_at_the_border_is_refused():
    with pytest.raises(ValueError, match="border"):
        border_surface(np.ones((3, 3, 3), bool), halfway)
