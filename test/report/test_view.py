"""Views of a surface show what faces the viewer, where it is."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.report.view import best_azimuth, doll_house, through_camera, viewing_axes

UP = np.array([0.0, 0.0, 1.0])


def square(origin, first, second):
    """Two triangles, counter-clockwise seen from the side of first x second."""
    origin, first, second = (np.array(v, np.float32) for v in (origin, first, second))
    return np.stack([origin, origin + first, origin + first + second, origin + second])


@pytest.fixture
def room():
    """A floor of 2 x 2 m seen from above, and a ceiling seen from below."""
    floor = square((-1, -1, 0), (2, 0, 0), (0, 2, 0))
    ceiling = square((-1, -1, 2), (0, 2, 0), (2, 0, 0))
    normals = np.repeat(np.array([[0, 0, 1], [0, 0, -1]], np.float32), 4, 0)
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    colors = np.repeat(np.array([[200, 0, 0], [0, 0, 200]], np.uint8), 4, 0)
    return Surface(np.concatenate([floor, ceiling]), faces, normals, colors, np.ones(8, np.float32))


def test_the_axes_are_right_handed_and_of_unit_length():
    for azimuth in (0, 37, 200):
        towards, right, above = viewing_axes(UP, azimuth, 30)
        np.testing.assert_allclose(np.cross(right, above), towards, atol=1e-12)
        np.testing.assert_allclose([np.linalg.norm(v) for v in (towards, right, above)], 1)
        assert towards[2] == pytest.approx(0.5)
        assert right[2] == pytest.approx(0)


def test_from_above_the_ceiling_is_left_away(room):
    view = doll_house(room, UP, 0, 89.9, 100, 100)
    colors = view.smooth(room.colors)
    assert view.seen.mean() == pytest.approx((1 / 1.08) ** 2, abs=0.02)  # a margin of 4 % on each side
    np.testing.assert_allclose(colors, np.tile([200, 0, 0], (len(colors), 1)), atol=0.01)


def test_the_affine_finds_a_vertex_in_the_picture(room):
    view = doll_house(room, UP, 20, 89.9, 200, 200)
    corner = np.append(room.vertices[2], 1) @ view.affine.T
    labels = np.zeros(8, np.int32)
    labels[2] = 1
    image = view.image(view.nearest(labels)[:, None])[..., 0]
    rows, columns = np.nonzero(image)
    assert np.hypot(columns - corner[0], rows - corner[1]).min() < 2


def test_a_camera_sees_what_is_before_it(room):
    camera = Camera(40, 30, 40, 40, 19.5, 14.5)
    looking_down = np.array([[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 1], [0, 0, 0, 1]], float)
    view = through_camera(room, camera, looking_down)
    assert view.seen.all()
    points = view.smooth(room.vertices)
    np.testing.assert_allclose(points[:, 2], 0, atol=1e-5)
    middle = view.image(points)[15, 20]
    np.testing.assert_allclose(middle[:2], [0.5 / 40, -0.5 / 40], atol=1e-4)


def test_the_best_azimuth_looks_at_the_front_of_a_wall():
    wall = square((0, -1, 0), (0, 2, 0), (0, 0, 2))
    normals = np.tile(np.array([[1, 0, 0]], np.float32), (4, 1))
    points = np.stack(np.meshgrid([0.0], np.linspace(-1, 1, 40), np.linspace(0, 2, 40)), -1).reshape(-1, 3).astype(np.float32)
    surface = Surface(np.concatenate([wall, points]), np.array([[0, 1, 2], [0, 2, 3]], np.int32),
                      np.concatenate([normals, np.tile(normals[:1], (len(points), 1))]), np.zeros((4 + len(points), 3), np.uint8),
                      np.ones(4 + len(points), np.float32))
    towards, _, _ = viewing_axes(UP, best_azimuth(surface, UP, 10), 10)
    assert towards[0] > 0.95


def test_an_empty_surface_gives_an_empty_view():
    view = doll_house(Surface.empty(), UP, 0, 40, 100, 100)
    assert not view.seen.any()
