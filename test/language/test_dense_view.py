"""What one keyframe adds to the language voxels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from magic3d_ros.frames import Camera, FeatureGrid, RGBDFrame
from magic3d_ros.language.dense_view import BORDER, DenseView, blur, sample, sharpness
from magic3d_ros.language.voxel_features import VoxelFeatures

CAMERA = Camera(64, 64, 64.0, 64.0, 31.5, 31.5)
GRID = FeatureGrid(np.ones((8, 8, 2), np.float16), 8, 8, 0, 0)


def wall(depth=2.0, rgb=None):
    return RGBDFrame(9, np.zeros((64, 64, 3), np.uint8) if rgb is None else rgb, np.full((64, 64), depth, np.float32), CAMERA,
                     np.eye(4))


def test_bilinear_sampling_between_cell_centres():
    grid = FeatureGrid(np.array([[[0.0], [8.0]], [[4.0], [12.0]]], np.float32), 10, 10, 5, 5)
    found = sample(grid, np.array([5.0, 10.0, 15.0, 0.0, 10.0]), np.array([5.0, 5.0, 15.0, 0.0, 10.0]))
    assert found[:, 0].tolist() == [0.0, 4.0, 12.0, 0.0, 6.0]


def test_sampling_a_grid_of_one_cell():
    grid = FeatureGrid(np.full((1, 1, 3), 7.0, np.float16), 10, 10, 5, 5)
    assert sample(grid, np.array([0.0, 50.0]), np.array([3.0, 4.0])).tolist() == [[7.0] * 3] * 2


def test_samples_lie_half_a_voxel_apart_at_reading_distance_and_know_their_pixels():
    # fx 640, voxels of 4 cm: half of one is 5.12 pixels at 2.5 m
    frame = RGBDFrame(9, np.zeros((480, 640, 3), np.uint8), np.ones((480, 640), np.float32),
                      Camera(640, 480, 640.0, 640.0, 319.5, 239.5), np.eye(4))
    grid = FeatureGrid(np.broadcast_to(np.arange(20.0)[None, :, None], (15, 20, 1)).astype(np.float16), 32, 32, 15.5, 15.5)
    view = DenseView.of(frame, grid, 0.04)
    assert view.weights.shape == (96, 128)  # every fifth pixel, from the third on
    assert (view.camera.fx, view.camera.cx) == (128.0, (319.5 - 2) / 5)
    layer = VoxelFeatures(0.04, 1)
    keys, features, weights = view.samples(layer)
    # a metre away, pixel u shows x = (u - 319.5) / 640; its cell is (u - 15.5) / 32
    x = layer.centers_of(keys)[:, 0]
    np.testing.assert_allclose(features[:, 0], np.clip((x * 640 + 319.5 - 15.5) / 32, 0, 19), atol=0.5)
    assert np.allclose(weights, 1.5, atol=0.01)


@pytest.mark.parametrize(("depth", "weight"), [(1.0, 1.5), (2.0, 0.75), (4.9, 1.5 / 4.9), (5.1, 0.0), (0.0, 0.0), (np.nan, 0.0)])
def test_nearer_views_count_more_and_far_ones_nothing(depth, weight):
    assert DenseView.of(wall(depth), GRID, 0.04).weights[32, 32] * 1.5 / 255 == pytest.approx(weight, abs=0.006)


def test_the_border_is_cut():
    weights = DenseView.of(wall(), GRID, 0.04).weights
    border = round(BORDER * 64)
    assert border == 2
    assert not weights[:2].any() and not weights[-2:].any() and not weights[:, :2].any() and not weights[:, -2:].any()
    assert weights[2:-2, 2:-2].all()


def test_trust_and_angle_scale_the_weight():
    trust = np.ones((64, 64), np.float32)
    trust[:32] = 0.5
    trust[:, :32] = 0.0
    normals = np.zeros((32, 32, 3), np.float32)
    normals[..., 2] = -1.0
    normals[:, 24:] = np.nan
    weights = DenseView.of(wall(), GRID, 0.04, normals, trust).weights * 1.5 / 255
    assert not weights[:, :32].any()
    assert weights[20, 36] == pytest.approx(0.375, abs=0.02)
    assert weights[40, 36] == pytest.approx(0.75, abs=0.02)
    assert weights[40, 56] == pytest.approx(0.075, abs=0.006)  # an unknown angle counts as the worst


def test_what_is_not_finite_or_behind_gets_nothing():
    frame = wall()
    frame.depth[10, 10], frame.depth[10, 11] = np.inf, -1.0
    layer = VoxelFeatures(0.04, 2)
    keys, _, _ = DenseView.of(frame, GRID, 0.04).samples(layer)
    np.testing.assert_allclose(layer.centers_of(keys)[:, 2], 2.0, atol=0.021)


def test_a_view_moves_with_the_world():
    motion = np.array([[0.0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    view = DenseView.of(wall(), GRID, 0.04)
    moved = view.moved(lambda points, stamps: points @ motion[:3, :3].T + motion[:3, 3] * (stamps == 9)[:, None])
    np.testing.assert_allclose(moved.camera_to_world, motion, atol=1e-12)
    assert moved.weights is view.weights


def test_blur_is_that_of_the_content_s_edges():
    random = np.random.default_rng(0)
    image = np.kron(random.integers(0, 255, (30, 40)), np.ones((8, 8)))[..., None].repeat(3, 2).astype(np.uint8)
    blurred = [blur(cv2.blur(image, (width, 1))) for width in (1, 5, 9, 15)]
    assert blurred == sorted(blurred) and blurred[0] < 0.25 and blurred[-1] > 0.6
    assert blur(cv2.blur(image, (1, 15))) > 0.6
    assert blur(np.full((20, 20, 3), 9, np.uint8)) == 0.0
    assert sharpness(image) == 1.0
    assert sharpness(cv2.blur(image, (25, 1))) == pytest.approx(0.2)
