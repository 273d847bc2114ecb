"""Variations of a recorded room: geometry and truth stay together whatever is done to what is seen."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.training.room_variations import DROPPED, KINDS, SCALE, RoomVariation

CAMERA = Camera(320, 240, 300.0, 300.0, 160.0, 120.0)
WALL = np.array([[-5, -5, 2], [5, -5, 2], [5, 5, 2], [-5, 5, 2]], np.float32)  # two metres before the camera
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def frame(number=0):
    rgb = np.zeros((240, 320, 3), np.uint8)
    rgb[..., 0], rgb[:, 160:, 1] = 200, 90
    return RGBDFrame(number, rgb, np.full((240, 320), 2.05, np.float32), CAMERA, np.eye(4), number)  # the sensor errs by 5 cm


def variation(kind, seed=0):
    return RoomVariation.drawn(kind, np.random.default_rng(seed), WALL, FACES)


def test_plain_changes_nothing():
    original = frame()
    assert variation("plain").seen(0, original) is original
    assert variation("plain").scale == 1.0


@pytest.mark.parametrize("kind", KINDS[1:])
def test_frames_are_left_out_moved_and_scaled_with_the_truth(kind):
    way = variation(kind, seed=3)
    seen = [s for s in (way.seen(n, frame(n)) for n in range(60)) if s is not None]
    assert 60 * (1 - DROPPED) * 0.7 < len(seen) <= 60
    assert 1 / SCALE <= way.scale <= SCALE
    distance = {"exact": 2.0, "recorded": 2.05, "rough": 2.05}[kind] * way.scale
    for one in seen:
        read = one.depth[one.depth > 0]
        assert abs(np.median(read) - distance) < (0.03 if kind == "rough" else 0.01) * way.scale
        assert (read.size < one.depth.size) == (kind == "rough")  # holes
        assert np.linalg.norm(one.camera_to_world[:3, 3]) < 0.06 * way.scale
        assert one.rgb.dtype == np.uint8 and one.rgb.shape == (240, 320, 3)
    assert (frame().camera_to_world == np.eye(4)).all()


def test_the_same_seed_sees_the_same():
    first, again, other = (variation("rough", seed).seen(0, frame()) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.depth, again.depth)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    assert other is None or not np.array_equal(first.depth, other.depth)
