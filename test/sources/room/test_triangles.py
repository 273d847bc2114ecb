"""Primitive bodies and procedural things: closed, outward, of the right size."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.sources.room.shapes.catalogue import MOVING_SHAPES, SHAPES, VARIED, make_shape
from magic3d_ros.sources.room.textures.patterns import TEXTURES, paint
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, rectangle, revolved, sphere, yaw_matrix


def volume(triangles):
    """By the divergence theorem with the stored normals: right only if they point outwards everywhere."""
    corners = triangles.positions.reshape(-1, 3, 3).astype(float)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    through = (triangles.positions * triangles.normals).sum(1).reshape(-1, 3).mean(1)
    return (area * through).sum() / 3


@pytest.mark.parametrize(("body", "expected"), [
    (box((0.3, -0.2, 0.5), (0.4, 0.2, 0.6)), 0.048),
    (cylinder((0.5, 0.0, 0.1), 0.1, 0.3, segments=64), np.pi * 0.01 * 0.3),
    (sphere((0.2, 0.1, -0.4), 0.3, segments=64), 4 / 3 * np.pi * 0.027),
    (capsule((0, 0, 0), (0.3, 0.4, 0.0), 0.1, segments=64), np.pi * 0.01 * 0.5 + 4 / 3 * np.pi * 0.001),
])
def test_bodies_are_closed_with_normals_outwards(body, expected):
    assert volume(body) == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(np.linalg.norm(body.normals, axis=1), 1, atol=1e-5)


def test_a_rounded_box_lies_in_its_box_and_lacks_the_corners():
    body = box((0, 0, 0), (0.4, 0.3, 0.2), rounding=0.05)
    half = np.array([0.2, 0.15, 0.1])
    assert (abs(body.positions) <= half + 1e-6).all()
    np.testing.assert_allclose(abs(body.positions).max(0), half, atol=1e-6)
    assert np.linalg.norm(abs(body.positions) - half, axis=1).min() > 0.03
    assert volume(body) == pytest.approx(0.024, rel=0.12)


def test_a_rectangle_has_its_area_its_normal_and_its_picture_upright():
    face = rectangle((1, 0, 2), (2, 0, 0), (0, 0, 1), 0.3, stretched=True)
    corners = face.positions.reshape(-1, 3, 3)
    doubled = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert doubled.sum() / 2 == pytest.approx(2)
    np.testing.assert_allclose(face.normals, np.broadcast_to([0, -1, 0], face.normals.shape), atol=1e-6)
    top_left = face.uv[np.argmin(np.linalg.norm(face.positions - [1, 0, 3], axis=1))]
    np.testing.assert_allclose(top_left, [0, 0], atol=1e-6)  # first row of the image is its top
    bottom_right = face.uv[np.argmin(np.linalg.norm(face.positions - [3, 0, 2], axis=1))]
    np.testing.assert_allclose(bottom_right, [1, 1], atol=1e-6)


def test_transforms_scale_turn_and_move():
    body = box((0, 0, 0), (1, 1, 1)).transformed(yaw_matrix(90), (5, 0, 0), (2.0, 1.0, 1.0))
    np.testing.assert_allclose(body.positions.min(0), [4.5, -1, -0.5], atol=1e-6)
    np.testing.assert_allclose(body.positions.max(0), [5.5, 1, 0.5], atol=1e-6)
    assert volume(body) == pytest.approx(2, rel=1e-5)


def test_a_vessel_has_an_inside():
    cup = revolved([(0, 0), (0.05, 0), (0.05, 0.1), (0.04, 0.1), (0.04, 0.01), (0, 0.01)], 64)
    assert volume(cup) == pytest.approx(np.pi * (0.0025 * 0.1 - 0.0016 * 0.09), rel=0.02)


HUNG = {"painting", "wall_clock", "sink"}  # the sink's rim lies on a worktop, its basin hangs below


@pytest.mark.parametrize("key", sorted(key for key in SHAPES if not key.startswith(VARIED)))
def test_every_shape_stands_on_the_floor_around_its_origin(key):
    parts = make_shape(key, {}, "test")
    points = np.concatenate([part.triangles.positions for part in parts])
    low, high = points.min(0), points.max(0)
    size = high - low
    if key not in HUNG:
        assert abs(low[2]) < 0.005, "it neither floats nor sinks"
    assert (abs(low[:2] + high[:2])[:1] < 0.5 * size[:1] + 0.02).all(), "it stands around its origin"
    assert 0.05 < size.max() < 2.2
    for part in parts:
        np.testing.assert_allclose(np.linalg.norm(part.triangles.normals, axis=1), 1, atol=1e-4)
        assert np.isfinite(part.triangles.uv).all()
        assert part.material.texture.partition(":")[0] in {"", *TEXTURES}


def test_a_person_walks_on_the_floor():
    maker, poses, _ = MOVING_SHAPES["person"]
    for phase in range(poses):
        points = np.concatenate([part.triangles.positions for part in maker(phase / poses)])
        assert -0.03 < points[:, 2].min() < 0.10
        assert 1.70 < points[:, 2].max() < 1.85


@pytest.mark.parametrize("name", [*sorted(TEXTURES), "book:3", "painting:2"])
def test_textures_are_images_that_repeat_exactly(name):
    image = paint(name)
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
    assert image.std() > 2, "it shows something"
    np.testing.assert_array_equal(image, paint(name))


def test_unknown_textures_are_named():
    with pytest.raises(KeyError, match=r"unknown texture 'brick': there are .*oak"):
        paint("brick")
