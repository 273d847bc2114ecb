"""The sensor model: what it loses and what it adds."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.render import ExactImages
from magic3d_ros.sources.room.sensor import SensorModel

CAMERA = Camera(160, 120, 131.25, 131.25, 79.5, 59.5)  # a quarter of 640x480 at 525 px


def images(depth, **changes):
    shape = depth.shape
    values = {"colour": np.full((*shape, 3), 0.4, np.float32), "depth": depth.astype(np.float32),
              "instance": np.ones(shape, np.int32), "moving": np.zeros(shape, bool), "edge": np.zeros(shape, bool),
              "glass": np.zeros(shape, bool), "cosine": np.ones(shape, np.float32), "albedo": np.full(shape, 0.5, np.float32)}
    return ExactImages(**(values | changes))


def measure(exact, model=None):
    return (model or SensorModel()).depth(exact, CAMERA, np.random.default_rng(0))


def test_readings_are_missing_out_of_range_at_grazing_angles_and_on_glass():
    depth = np.full((120, 160), 2.0)
    depth[:, :10], depth[:, 10:20] = 0.25, 4.8
    cosine, glass = np.ones((120, 160), np.float32), np.zeros((120, 160), bool)
    cosine[:, 40:50] = np.cos(np.radians(82))
    glass[:, 60:80] = True
    read = measure(images(depth, cosine=cosine, glass=glass)) > 0
    assert not read[:, :20].any()
    assert not read[:, 40:50].any()
    assert (~read[:, 60:80]).mean() == pytest.approx(0.97, abs=0.01)
    assert read[:, 90:].all() and read[:, 25:40].all()


def test_dark_things_drop_out_more_with_range():
    share = []
    for depth in (0.5, 1.5, 2.4):
        read = measure(images(np.full((120, 160), depth), albedo=np.full((120, 160), 0.005, np.float32)))
        share.append((read == 0).mean())
    assert share == pytest.approx([0.2, 0.6, 0.9], abs=0.03)  # depth / 2.5 m, at most .9


def test_a_near_thing_throws_a_shadow_strip_to_its_right():
    depth = np.full((120, 160), 2.0)
    depth[40:80, 60:100] = 1.0
    read = measure(images(depth)) > 0
    # 6 px at 640 are 1.5 at 160: two
    assert not read[40:80, 100:102].any()
    assert read[40:80, 102:].all() and read[40:80, :100].all() and read[:40].all()


def test_depth_comes_in_steps_of_an_eighth_of_a_pixel_of_disparity():
    quiet = SensorModel(noise_floor=0.0, noise_growth=0.0)
    ramp = np.broadcast_to(np.linspace(2.0, 2.2, 160), (120, 160))
    read = measure(images(ramp), quiet)
    disparity = 525 * 0.075 / read * 8
    np.testing.assert_allclose(disparity, np.round(disparity), atol=0.05)  # millimetre rounding
    assert 5 <= len(np.unique(read)) <= 16
    assert abs(read - ramp).max() < 0.5 * 2.2**2 / (525 * 0.075 * 8) + 0.001


def test_edges_fray_but_flat_surfaces_do_not():
    depth = np.full((120, 160), 1.0)
    depth[:, 80:] = 1.2
    edge = np.zeros((120, 160), bool)
    edge[:, 79:81] = True
    quiet = SensorModel(noise_floor=0.0, noise_growth=0.0, edge_jitter=1.8, edge_dropout=0.0)
    read = measure(images(depth, edge=edge), quiet)
    wrong = abs(read - depth) > 0.05
    assert 0.02 < wrong[:, 79:81].mean() < 0.6
    assert not wrong[:, :79].any() and not wrong[:, 81:].any()


def test_colour_has_exposure_vignette_and_grain():
    model = SensorModel()
    pictures = [model.colour(images(np.ones((120, 160))), i, np.random.default_rng(i)) for i in (0, 58)]
    first = pictures[0].astype(float)
    assert first[55:65, 75:85].mean() > first[:8, :8].mean() * 1.05
    assert 1.0 < first[50:70, 70:90, 1].std() < 6.0
    assert pictures[1][55:65, 75:85].mean() > first[55:65, 75:85].mean() + 3  # sin(58 / 37) = 1: brightest
    dark = model.colour(images(np.ones((120, 160)), colour=np.zeros((120, 160, 3), np.float32)), 0, np.random.default_rng(0))
    assert dark.max() < 8
