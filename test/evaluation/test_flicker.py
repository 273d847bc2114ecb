from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.flicker import measure_flicker
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


def wall(index: int) -> RGBDFrame:
    """A wall at z = 3 m, the camera moving sideways and forward."""
    pose = np.eye(4)
    pose[:3, 3] = 0.02 * index, 0.0, 0.01 * index
    depth = np.full((48, 64), 3.0 - 0.01 * index, np.float32)
    return RGBDFrame(index, np.zeros((48, 64, 3), np.uint8), depth, CAMERA, pose, index)


FRAMES = [wall(index) for index in range(10)]


def test_an_error_that_stays_is_no_flicker():
    report = measure_flicker(FRAMES, [frame.depth + 0.2 for frame in FRAMES])
    assert report.flicker == pytest.approx(0.0, abs=1e-6) and report.error == pytest.approx(0.2, abs=1e-5)
    assert report.places > 100


def test_an_error_that_changes_is():
    report = measure_flicker(FRAMES, [frame.depth + 0.1 * (-1) ** frame.index for frame in FRAMES])
    assert report.flicker == pytest.approx(0.1, abs=0.003)  # + and - five times each


def test_frames_without_depth_and_near_sights_do_not_count():
    depths = [frame.depth + 0.1 * (-1) ** frame.index if frame.index < 6 else None for frame in FRAMES]
    assert measure_flicker(FRAMES, depths).flicker == pytest.approx(0.1, abs=0.003)
    with pytest.raises(ValueError, match="no place"):
        measure_flicker(FRAMES, depths, beyond=4.0)
