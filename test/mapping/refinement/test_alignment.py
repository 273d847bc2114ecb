from __future__ import annotations

import numpy as np
import torch

from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.refinement.alignment import _equations, align, frame_points
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import corner_frame, corner_pose, corner_run


def volume_of(settings, frames) -> TSDFVolume:
    volume = TSDFVolume(settings.map, 0.1, 5.0, torch.device("cpu"))
    for frame in frames:
        volume.integrate(frame)
    return volume


def test_a_frame_off_by_centimetres_and_degrees_finds_its_pose(settings):
    volume = volume_of(settings, corner_run())
    right = corner_pose(2.0, 1.6, 1.5)
    frame = corner_frame(right)
    wrong = moved(right, np.radians([0.8, -0.6, 0.9]), np.array([0.03, -0.02, 0.02]))
    found = align(volume, frame_points(Keyframe.of(frame), volume), wrong)
    assert found.aligned and found.error < 0.01
    before, after = distance(wrong, right), distance(found.camera_to_world, right)
    assert after[0] < 0.2 * before[0] and after[1] < 0.2 * before[1]


def test_a_frame_of_an_unknown_place_keeps_its_pose(settings):
    volume = volume_of(settings, corner_run())
    far = corner_pose(2.0, 1.6, 1.5)
    far[:3, 3] += 50.0
    found = align(volume, frame_points(Keyframe.of(corner_frame(corner_pose(2.0, 1.6, 1.5))), volume), far)
    assert not found.aligned and found.points == 0
    np.testing.assert_array_equal(found.camera_to_world, far)


def test_points_that_are_not_trusted_say_nothing(settings):
    volume = volume_of(settings, corner_run())
    frame = corner_frame(corner_pose(2.0, 1.6, 1.5))
    trust = np.zeros((90, 120), np.uint8)
    trust[:, :60] = 255
    points = frame_points(Keyframe.of(frame, trust), volume)
    assert 0 < len(points.depth) <= 90 * 60
    assert float(points.rays[0].max()) < 0.0  # all left of the image's centre


def test_normal_equations_of_one_point():
    # A point 2 m ahead, slope along x, 0.1 m off: turning about y moves it by 2 m a radian, shifting by 1.
    normal, right = _equations(torch.tensor([[0.0], [0.0], [2.0]]), torch.tensor([[1.0], [0.0], [0.0]]), torch.tensor([0.1]),
                               torch.tensor([3.0]))
    jacobian = np.array([0.0, 2.0, 0.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(normal.numpy(), 3 * np.outer(jacobian, jacobian))
    np.testing.assert_allclose(right.numpy(), 0.3 * jacobian, rtol=1e-6)
