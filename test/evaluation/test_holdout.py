from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.holdout import evaluate, is_held_out
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View

CAMERA = Camera(32, 24, 30.0, 30.0, 15.5, 11.5)


def frame(depth: float) -> RGBDFrame:
    return RGBDFrame(0, np.full((24, 32, 3), 100, np.uint8), np.full((24, 32), depth, np.float32), CAMERA, np.eye(4))


def test_every_eighth_frame_is_held_out():
    assert [n for n in range(24) if is_held_out(n)] == [4, 12, 20]
    assert [n for n in range(9) if is_held_out(n, 3)] == [1, 4, 7]


def test_figures_of_a_known_rendering():
    def render(camera: Camera, camera_to_world: np.ndarray) -> View:
        depth = np.full((24, 32), 1.02, np.float32)
        depth[:12] = 1.05  # wrong
        depth[:6] = 0.0  # missing, so wrong too
        return View(np.full((24, 32, 3), 110, np.uint8), depth, np.zeros((24, 32, 3), np.float32))

    report = evaluate(render, [frame(1.0), frame(1.0)])
    assert report.in25 == pytest.approx(0.5) and report.coverage == pytest.approx(0.75) and report.frames == 2
    assert report.psnr == pytest.approx(28.1308, abs=1e-3)
    assert report.depth_error == pytest.approx(0.02, abs=1e-6)
    assert set(report.figures()) == {"in25", "psnr", "ssim", "coverage", "depth_error", "frames"}


def test_pixels_without_a_reading_do_not_count():
    def render(camera: Camera, camera_to_world: np.ndarray) -> View:
        return View(np.zeros((24, 32, 3), np.uint8), np.full((24, 32), 1.0, np.float32), np.zeros((24, 32, 3), np.float32))

    half = frame(1.0)
    half.depth[:, :16] = 0.0
    half.depth[0, 0] = np.nan
    assert evaluate(render, [half]).in25 == 1.0


def test_a_frame_that_the_map_does_not_show_counts_as_wrong():
    def render(camera: Camera, camera_to_world: np.ndarray) -> View:
        return View(np.zeros((24, 32, 3), np.uint8), np.zeros((24, 32), np.float32), np.zeros((24, 32, 3), np.float32))

    report = evaluate(render, [frame(1.0)])
    assert report.in25 == 0.0 and report.coverage == 0.0 and np.isnan(report.psnr)


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError, match="held out"):
        evaluate(lambda camera, pose: None, [])
