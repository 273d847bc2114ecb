from dataclasses import replace

import cv2
import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.cue_alignment import Alignment, CueView, align_alone, align_jointly, fit

CAMERA = Camera(60, 45, 50.0, 50.0, 29.5, 22.0)


def corner_depth(camera_to_world: np.ndarray) -> np.ndarray:
    """Depth of a corner of three walls: x = 2, y = 1.5, z = 3 (world axes; the camera is inside)."""
    rays = CAMERA.rays() @ camera_to_world[:3, :3].T
    with np.errstate(divide="ignore"):
        distances = (np.array([2.0, 1.5, 3.0]) - camera_to_world[:3, 3]) / rays
    return np.where(distances > 0, distances, np.inf).min(-1)


def looking(x: float, y: float, turn: float) -> np.ndarray:
    """A camera at (x, y, 0), turned about its y axis by `turn` radians, and a little down."""
    around = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    down = np.array([[1, 0, 0], [0, np.cos(-0.3), -np.sin(-0.3)], [0, np.sin(-0.3), np.cos(-0.3)]])
    pose = np.eye(4)
    pose[:3, :3] = around @ down
    pose[:3, 3] = x, y, 0.0
    return pose


POSES = [looking(-0.6, 0.0, 0.5), looking(0.0, 0.3, 0.4), looking(0.5, -0.4, 0.3), looking(0.2, 0.0, 0.6)]
SCALES, SHIFTS = [0.5, 2.0, 1.0, 1.6], [0.3, 0.9, 0.0, 0.2]


def views(noise: float = 0.0, with_depth: bool = False, seed: int = 3) -> list[CueView]:
    random = np.random.default_rng(seed)
    made = []
    for pose, scale, shift in zip(POSES, SCALES, SHIFTS, strict=True):
        depth = corner_depth(pose)
        error = cv2.GaussianBlur(random.standard_normal(depth.shape), (0, 0), 3.0)
        cue = scale * depth * (1 + noise * error / error.std()) + shift
        made.append(CueView(cue, CAMERA, pose, depth if with_depth else np.zeros_like(depth)))
    return made


def test_fit_by_hand_and_despite_outliers():
    cue = np.linspace(1.0, 3.0, 200)
    depth = 2.0 * cue - 0.5
    depth[::10] = 5.0
    found = fit(cue, depth)
    assert (found.scale, found.shift) == (pytest.approx(2.0, abs=0.01), pytest.approx(-0.5, abs=0.02))
    assert found.support == 200
    assert found.error < 1e-3


def test_fit_leaves_out_what_is_unknown():
    cue, depth = np.linspace(1.0, 3.0, 200), np.linspace(2.0, 6.0, 200)
    cue[:20], depth[20:40], cue[40:60], depth[60:80] = 0.0, 0.0, np.nan, np.inf
    found = fit(cue, depth)
    assert found.support == 120
    assert found.scale == pytest.approx(2.0)


@pytest.mark.parametrize(("cue", "depth"), [
    (np.linspace(1, 2, 20), np.linspace(1, 2, 20)),  # too few
    (np.linspace(1, 2, 200), np.full(200, 2.0)),  # a wall seen head-on: no scale
    (np.full(200, 1.0), np.linspace(1, 2, 200)),
    (np.linspace(2, 1, 200), np.linspace(1, 2, 200)),  # the wrong way round
    (np.zeros(200), np.linspace(1, 2, 200)),
])
def test_too_little_gives_none(cue, depth):
    assert fit(cue, depth) is None


def test_metric_depth_of_a_cue():
    metric = Alignment(2.0, -1.0, 100, 0.01).metric(np.array([[1.0, 0.0, np.nan, 0.25]]))
    assert metric.tolist() == [[1.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("first_depth", [1.0, 2.0, 5.0])
def test_views_find_scale_and_shift_from_their_poses_alone(first_depth, monkeypatch):
    monkeypatch.setattr("magic3d_ros.mapping.cue_alignment.FIRST_DEPTH", first_depth)
    for found, view, pose in zip(align_jointly(views()), views(), POSES, strict=True):
        error = np.abs(found.metric(view.cue) / corner_depth(pose) - 1.0)
        assert np.median(error) < 0.005
        assert found.support > 500


def test_noise_does_not_flatten_the_scene():
    """Errors of the cue shrink with its scale: unless they are divided by it, 0.1 of the true scales is found here."""
    found = [(alignment.scale * scale, np.median(alignment.metric(view.cue) / corner_depth(pose)))
             for seed in range(4)
             for alignment, view, pose, scale in zip(align_jointly(views(0.04, seed=seed)), views(0.04, seed=seed), POSES, SCALES,
                                                     strict=True)]
    scales, depths = np.mean(found, axis=0)
    assert scales == pytest.approx(1.0, abs=0.15)
    assert depths == pytest.approx(1.0, abs=0.02)


def test_one_view_with_depth_carries_the_others():
    known = views(with_depth=True)
    mixed = [known[0], *views()[1:]]
    found = align_jointly(mixed)
    assert found[0].scale == pytest.approx(1 / SCALES[0], rel=0.01)
    assert found[0].shift == pytest.approx(-SHIFTS[0] / SCALES[0], abs=0.02)


def test_a_view_that_nothing_ties_down_is_left_out():
    away = looking(0.0, 0.0, 0.5 + np.pi)
    alone = CueView(1.0 + CAMERA.rays()[..., 0].astype(float) ** 2, CAMERA, away, np.zeros((45, 60)))
    found = align_jointly([*views(), alone])
    assert found[-1] is None
    assert all(f is not None for f in found[:-1])
    assert align_jointly([alone]) == [None]
    assert align_jointly([]) == []


def test_a_view_without_a_cue_harms_nobody():
    empty = CueView(np.zeros((45, 60)), CAMERA, POSES[0], np.zeros((45, 60)))
    found = align_jointly([*views(), empty])
    assert found[-1] is None
    assert np.median(np.abs(found[0].metric(views()[0].cue) / corner_depth(POSES[0]) - 1.0)) < 0.005


def test_reduction_keeps_pixels_on_their_rays():
    camera = Camera(120, 90, 100.0, 100.0, 60.0, 44.0)
    columns = np.broadcast_to(np.arange(120, dtype=float) + 1, (90, 120)).copy()
    half = columns[::2, ::2] + 0.5
    view = CueView.of(half, columns, camera, np.eye(4), columns=60)
    assert view.camera.width == 60 and view.camera.height == 45
    assert view.depth[0, :3].tolist() == [2.0, 4.0, 6.0]  # columns 1, 3, 5
    ray = (1 - camera.cx) / camera.fx
    assert view.camera.rays()[0, 0, 0] == pytest.approx(ray)
    assert np.abs(view.cue - view.depth).max() <= 0.5


def test_unknown_cues_are_zero_after_reduction():
    cue = np.full((45, 60), np.nan)
    cue[0] = np.inf
    cue[1] = -1.0
    assert CueView.of(cue, np.full((45, 60), np.nan), CAMERA, np.eye(4)).cue.max() == 0.0


def inverse_views(with_depth: bool) -> list[CueView]:
    """The views of a network for inverse depth: 1 / depth = scale * cue + shift."""
    made = []
    for view, pose, scale, shift in zip(views(), POSES, SCALES, SHIFTS, strict=True):
        depth = corner_depth(pose)
        cue = (1.0 / depth + shift) * 40.0 * scale
        made.append(replace(view, cue=cue, depth=depth if with_depth else np.zeros_like(depth), kind="affine_inverse"))
    return made


def test_inverse_depth_by_hand():
    depth = np.tile(np.linspace(1.0, 4.0, 60), (3, 1))
    found = fit((1.0 / depth - 0.1) / 0.02, depth, inverse=True)
    assert found.inverse
    assert found.scale == pytest.approx(0.02) and found.shift == pytest.approx(0.1)
    np.testing.assert_allclose(found.metric((1.0 / depth - 0.1) / 0.02), depth, rtol=1e-5)
    assert Alignment(1.0, -0.5, 0, 0.0, True).metric(np.array([[1.0, 0.5, 0.0, 0.51]])).tolist() == [[2.0, 0.0, 0.0, 0.0]]


def test_inverse_views_with_depth_in_some():
    known = inverse_views(True)
    mixed = [known[0], known[1], *inverse_views(False)[2:]]
    for alignment, pose, view in zip(align_jointly(mixed), POSES, mixed, strict=True):
        assert alignment.inverse
        assert np.median(np.abs(alignment.metric(view.cue) / corner_depth(pose) - 1.0)) < 0.01


def test_metric_views_are_corrected_where_something_tells_and_taken_as_they_are_elsewhere():
    made = [replace(view, cue=corner_depth(pose) * 1.08, kind="metric") for view, pose in zip(views(), POSES, strict=True)]
    for alignment in align_jointly(made):
        assert alignment.scale == pytest.approx(1 / 1.08, abs=0.02)
    assert align_jointly(made[:1]) == [Alignment(1.0, 0.0, 0, 0.0)]
    assert align_alone(made[0]) == Alignment(1.0, 0.0, 0, 0.0)
    assert align_alone(replace(made[0], kind="affine")) is None
    assert align_alone(replace(made[0], depth=corner_depth(POSES[0]))).scale == pytest.approx(1 / 1.08)
