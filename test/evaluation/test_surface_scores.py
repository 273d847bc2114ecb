import numpy as np
import pytest

from magic3d_ros.evaluation.hidden_surface import evaluate_hidden
from magic3d_ros.evaluation.monocular_cues import blind_beyond
from magic3d_ros.evaluation.surface_scores import seen_points, surface_scores
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View


def test_scores_by_hand():
    true = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    found = np.array([[0.0, 0, 0.01], [1, 0, 0.04], [0, 0, 0.2]])
    scores = surface_scores(found, true)
    assert scores.accuracy == pytest.approx((0.01 + 0.04 + 0.2) / 3)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.recall == pytest.approx(2 / 4)
    assert scores.f_score == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    assert scores.completion == pytest.approx((0.01 + 0.04 + np.hypot(1, 0.04) + np.hypot(2, 0.04)) / 4)


def test_nothing_found_scores_zero_and_nothing_true_is_an_error():
    scores = surface_scores(np.zeros((0, 3)), np.zeros((1, 3)))
    assert scores.f_score == 0.0 and scores.completion == float("inf")
    with pytest.raises(ValueError, match="show nothing"):
        surface_scores(np.zeros((1, 3)), np.zeros((0, 3)))


def test_only_what_a_view_shows_is_a_point_and_once_a_cell():
    camera, pose = Camera(480, 320, 400.0, 400.0, 239.5, 159.5), np.eye(4)
    pose[:3, 3] = 1.0, 0.0, 0.0

    def depth_of(small: Camera, at: np.ndarray) -> np.ndarray:
        assert small.width == 240 and small.height == 160 and at is pose
        depth = np.full((160, 240), 2.0)
        depth[:80] = 0.0
        return depth

    points = seen_points(depth_of, [(camera, pose), (camera, pose)])
    assert np.allclose(points[:, 2], 2.0)
    assert points[:, 1].min() > 0.0  # the upper half shows nothing
    assert points[:, 0].min() == pytest.approx(1.0 - 2.0 * 239.5 / 400, abs=0.02)
    assert len(points) == len(np.unique(np.floor(points / 0.02), axis=0))


def test_only_removed_pixels_count():
    camera = Camera(40, 40, 40.0, 40.0, 19.5, 19.5)
    depth = np.full((40, 40), 1.5, np.float32)
    depth[:, 20:] = 3.0
    clean = RGBDFrame(0, np.zeros((40, 40, 3), np.uint8), depth, camera, np.eye(4))

    def view(small: Camera, pose: np.ndarray) -> View:
        rendered = np.zeros((40, 40), np.float32)
        rendered[:10, 20:] = 3.04
        rendered[10:20, 20:] = 3.06
        normals = np.zeros((40, 40, 3), np.float32)
        normals[..., 2] = -1.0
        return View(np.zeros((40, 40, 3), np.uint8), rendered, normals)

    report = evaluate_hidden(view, [(clean, blind_beyond(clean, 2.0))])
    assert report.pixels == 800
    assert report.within_5cm == pytest.approx(0.25)
    assert report.shown == pytest.approx(0.5)
    assert report.normal_error == pytest.approx(0.0, abs=0.1)
    with pytest.raises(ValueError, match="no depth was removed"):
        evaluate_hidden(view, [(clean, clean)])
