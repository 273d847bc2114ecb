from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.refinement.calibration import (
    CalibrationChange,
    CameraCalibration,
    IntrinsicsChange,
    intrinsics_step,
)
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import corner_frame, corner_pose, corner_run

MOTION, OFFSET = moved(np.eye(4), np.array([0.0, 0.0, np.pi / 2]), np.array([0.1, 0.0, 0.0])), np.diag([1.0, -1.0, -1.0, 1.0])


def test_a_change_of_intrinsics_and_what_two_of_them_make():
    camera = Camera(100, 80, 100.0, 50.0, 49.5, 39.5)
    first = IntrinsicsChange((np.log(1.02), 0.0), (0.01, 0.0))
    second = IntrinsicsChange((0.0, np.log(0.5)), (0.0, -0.1))
    changed = first.of(camera)
    assert (changed.fx, changed.fy, changed.cx, changed.cy) == pytest.approx((102.0, 50.0, 49.5 + 1.02, 39.5))
    calibration = CameraCalibration()
    frame = corner_frame(corner_pose(2.0, 1.6, 1.5))
    assert calibration.applied(frame) is frame
    calibration.add(CalibrationChange(first))
    calibration.add(CalibrationChange(second))
    both, expected = calibration.applied(frame).camera, second.of(first.of(frame.camera))
    assert (both.fx, both.fy, both.cx, both.cy) == pytest.approx((expected.fx, expected.fy, expected.cx, expected.cy))


def test_calibration_survives_the_round_trip_and_names_damage():
    calibration, other = CameraCalibration(), CameraCalibration()
    calibration.add(CalibrationChange(IntrinsicsChange((0.01, 0.02), (0.03, 0.04)), MOTION, OFFSET))
    other.load_state(calibration.state())
    np.testing.assert_array_equal(other.state()["intrinsics"], [0.01, 0.02, 0.03, 0.04])
    np.testing.assert_array_equal(other.state()["depth_motion"], MOTION)
    np.testing.assert_array_equal(other.state()["pose_offset"], OFFSET)
    with pytest.raises(ValueError, match="no rigid transforms"):
        other.load_state(calibration.state() | {"pose_offset": 2 * np.eye(4)})
    with pytest.raises(ValueError, match="intrinsics"):
        other.load_state({"intrinsics": np.array([np.nan, 0, 0, 0])})
    other.load_state({})
    assert not other.state()["intrinsics"].any()


def test_a_wrong_focal_length_is_told_from_a_right_map(settings):
    volume = TSDFVolume(settings.map, 0.1, 5.0, torch.device("cpu"))
    frames = corner_run()
    for frame in frames:
        volume.integrate(frame)
    wrong = [Keyframe.of(replace(frame, camera=Camera(120, 90, 101.5, 101.5, 59.5, 44.5))) for frame in frames]
    for _ in range(3):
        change = intrinsics_step(volume, wrong)
        wrong = [replace(keyframe, camera=change.of(keyframe.camera)) for keyframe in wrong]
    camera = wrong[0].camera
    # At poses that are right but free only what differs between distances and directions can tell: more than half of the error.
    assert camera.fx == pytest.approx(100.0, abs=0.75) and camera.fy == pytest.approx(100.0, abs=0.75)
    right = intrinsics_step(volume, [Keyframe.of(frame) for frame in frames])
    assert right.largest < 0.006  # 4 cm voxels are not exact either


def test_nothing_known_changes_nothing(settings):
    volume = TSDFVolume(settings.map, 0.1, 5.0, torch.device("cpu"))
    assert intrinsics_step(volume, [Keyframe.of(frame) for frame in corner_run(2)]) == IntrinsicsChange()
