from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel, distort
from magic3d_ros.sources.rectification import Calibration, Rectifier

CAMERA = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)


def test_a_registered_pinhole_image_stays_as_it_is():
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    depth = np.random.default_rng(1).uniform(0, 3, (48, 64)).astype(np.float32)
    rectifier = Rectifier(Calibration(CameraModel(CAMERA)))
    new_rgb, new_depth = rectifier(rgb, depth)
    assert new_rgb is rgb
    assert new_depth is depth
    assert rectifier.camera == CAMERA


def test_distorted_colour_and_depth_are_straightened_together():
    model = CameraModel(CAMERA, "plumb_bob", (-0.3, 0.05, 0.0, 0.0, 0.0))
    # A point seen along the ray (0.4, 0.3) belongs at pixel (51.5, 38.5); the lens put it elsewhere: draw it there.
    x, y = distort(np.array([0.4]), np.array([0.3]), model)
    column, row = float(x[0] * 50 + 31.5), float(y[0] * 50 + 23.5)
    rgb = np.zeros((48, 64, 3), np.uint8)
    depth = np.full((48, 64), 2.0, np.float32)
    rgb[round(row) - 1:round(row) + 2, round(column) - 1:round(column) + 2] = 200
    depth[round(row) - 1:round(row) + 2, round(column) - 1:round(column) + 2] = 1.0
    new_rgb, new_depth = Rectifier(Calibration(model))(rgb, depth)
    assert (column, row) == pytest.approx((50.0, 37.4), abs=0.3)  # so it has really moved
    assert new_rgb[38:40, 51:53].min() == 200
    assert (new_depth[38:40, 51:53] == 1.0).all()
    assert set(np.unique(new_depth)) <= {0.0, 1.0, 2.0}  # depth is never mixed


def test_where_the_lens_saw_nothing_there_is_no_depth():
    model = CameraModel(CAMERA, "plumb_bob", (0.5, 0.0, 0.0, 0.0, 0.0))  # pincushion: the corners lie outside the image
    rgb, depth = Rectifier(Calibration(model))(np.full((48, 64, 3), 90, np.uint8), np.full((48, 64), 2.0, np.float32))
    assert depth[0, 0] == depth[-1, -1] == 0
    assert depth[24, 32] == 2.0
    assert (rgb[depth > 0] == 90).all()


def test_fine_colour_is_reduced_to_the_pixels_of_its_depth():
    # ScanNet's sizes: colour 1296x968 f 1170, depth 640x480 f 577.
    color, depth = Camera(1296, 968, 1170.0, 1170.0, 647.5, 483.5), Camera(640, 480, 577.0, 577.0, 319.5, 239.5)
    rectifier = Rectifier(Calibration(CameraModel(color), CameraModel(depth)))
    assert (rectifier.camera.width, rectifier.camera.height) == (639, 477)
    assert rectifier.camera.fx == pytest.approx(577, abs=0.5)
    rgb, registered = rectifier(np.full((968, 1296, 3), 7, np.uint8), np.full((480, 640), 2.0, np.float32))
    assert rgb.shape == (477, 639, 3)
    assert (registered == 2.0).all()


def test_coarse_colour_keeps_its_size():
    color, depth = Camera(64, 48, 52.5, 52.5, 31.5, 23.5), Camera(64, 48, 58.5, 58.5, 31.5, 23.5)
    assert Rectifier(Calibration(CameraModel(color), CameraModel(depth))).camera is color


@pytest.mark.parametrize(("rgb_size", "depth_size", "words"), [
    ((24, 32), (48, 64), "colour image is 32x24.*64x48"), ((48, 64), (24, 32), "depth is 32x24.*64x48"),
])
def test_sizes_that_differ(rgb_size, depth_size, words):
    rectifier = Rectifier(Calibration(CameraModel(CAMERA)))
    with pytest.raises(FrameError, match=words) as caught:
        rectifier(np.zeros((*rgb_size, 3), np.uint8), np.ones(depth_size, np.float32))
    assert caught.value.reason == "size"


def test_depth_that_is_not_of_its_own_camera():
    rectifier = Rectifier(Calibration(CameraModel(CAMERA), CameraModel(CAMERA), np.eye(4)))
    with pytest.raises(FrameError, match="depth image is 32x24"):
        rectifier(np.zeros((48, 64, 3), np.uint8), np.ones((24, 32), np.float32))
