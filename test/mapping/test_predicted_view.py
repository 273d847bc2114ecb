from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.mapping.predicted_view import PredictedView
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import CAMERA, looking_at, plane_frame, pose, sphere_views


def test_shows_the_wall_that_was_measured_and_the_wall_behind_what_came(settings: Settings, device) -> None:
    volume = TSDFVolume(settings.map, 0.1, 5.0, device)
    for _ in range(2):
        volume.integrate(plane_frame(1.5))
    measured = np.full((120, 160), 1.5, np.float32)
    measured[40:80, 50:90] = 0.8  # something stands before it
    measured[0, 0] = 0.0
    view = PredictedView(volume).view(CAMERA, pose(), measured)
    assert view.depth[5:-5, 5:-5] == pytest.approx(1.5, abs=0.015)
    assert view.rgb[60, 70].tolist() == [200, 100, 50] and view.depth[0, 0] == 0


def test_agrees_with_the_exact_shape(settings: Settings, device) -> None:
    center = np.array([20.0, 0.3, -4.0])
    volume = TSDFVolume(settings.map, 0.1, 5.0, device)
    frames = sphere_views(center, 0.3)
    for frame in frames:
        volume.integrate(frame)
    frame = frames[3]
    view = PredictedView(volume).view(CAMERA, frame.camera_to_world, frame.depth)
    both = (view.depth > 0) & (frame.depth > 0)
    assert both.sum() > 0.9 * (frame.depth > 0).sum()
    assert np.median(np.abs(view.depth - frame.depth)[both]) < 0.015  # three quarters of a voxel


def test_nothing_where_nothing_is_known(settings: Settings, device) -> None:
    volume = TSDFVolume(settings.map, 0.1, 5.0, device)
    measured = np.full((120, 160), 1.0, np.float32)
    assert not PredictedView(volume).view(CAMERA, pose(), measured).depth.any()
    volume.integrate(plane_frame(1.0))
    away = looking_at(np.zeros(3), np.array([0.0, 0.0, -1.0]))
    assert not PredictedView(volume).view(CAMERA, away, measured).depth.any()
    assert not PredictedView(volume).view(CAMERA, pose(), np.zeros((120, 160), np.float32)).depth.any()


def test_looks_far_behind_what_came(settings: Settings, device) -> None:
    volume = TSDFVolume(settings.map, 0.1, 5.0, device)
    for _ in range(2):
        volume.integrate(plane_frame(4.0))
    measured = np.full((120, 160), 4.0, np.float32)
    measured[50:60, 60:70] = 0.2
    depth = PredictedView(volume).view(CAMERA, pose(), measured).depth
    assert depth[50:60, 60:70] == pytest.approx(4.0, abs=0.015)
