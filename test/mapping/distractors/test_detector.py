from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from magic3d_ros.config import DistractorSettings, Settings
from magic3d_ros.frames import FeatureGrid
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors.detector import DistractorDetector
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.predicted_view import PredictedView
from magic3d_ros.mapping.surface import View

from .scenes import BOARD, CAMERA, board_at, features, frame, iou, wall_view


def detector(**values: float) -> DistractorDetector:
    return DistractorDetector(DistractorSettings(**values))


def shifted(x: float, y: float = 0.0) -> np.ndarray:
    pose = np.eye(4)
    pose[:2, 3] = x, y
    return pose


def test_a_thing_that_comes_is_marked_from_the_second_keyframe_on() -> None:
    judge = detector()
    assert not judge.observe(frame(0), features(frame(0)), None).mask.any()
    second = frame(0.5, board_at(60))
    verdict = judge.observe(second, features(second), wall_view())
    assert iou(verdict.mask, board_at(60)) > 0.9
    assert (verdict.uncertainty > 1)[board_at(60)].mean() > 0.9 and verdict.stamp == second.stamp
    assert verdict.weights[board_at(60)].max() == 0 and verdict.weights[:, :40].min() == 1


def test_geometry_alone_marks_it_without_features_and_without_a_map() -> None:
    judge = detector()
    judge.observe(frame(0), None, None)
    assert iou(judge.observe(frame(0.5, board_at(60)), None, None).mask, board_at(60)) > 0.9
    assert iou(judge.glance(frame(0.6, board_at(70))).mask, board_at(70)) > 0.9


def test_nothing_is_marked_where_nothing_moves() -> None:
    judge = detector()
    for i in range(8):
        still = frame(0.3 * i)
        verdict = judge.observe(still, features(still), wall_view()) if i % 2 == 0 else judge.glance(still)
        assert not verdict.mask.any() and verdict.weights.min() > 0.99


def test_a_thing_that_was_there_from_the_beginning_is_no_distractor_while_it_stands() -> None:
    judge = detector()
    for i in range(5):
        still = frame(0.5 * i, board_at(60))
        assert not judge.observe(still, features(still), None).mask.any()


@pytest.mark.parametrize("gain", [0.6, 1.6])
def test_a_change_of_exposure_is_not_movement(gain: float) -> None:
    judge = detector()
    for i in range(6):
        still = frame(0.5 * i, gain=gain if i % 2 else 1.0)
        assert not judge.observe(still, features(still), wall_view()).mask.any()


def test_poses_that_are_off_by_a_centimetre_are_not_movement() -> None:
    judge, random = detector(), np.random.default_rng(0)
    shares = []
    for i in range(8):
        pose = np.eye(4)
        pose[:3, 3] = random.normal(0, 0.01, 3)
        still = frame(0.5 * i, board_at(60), pose=pose)
        shares.append(judge.observe(still, features(still), None).mask.mean())
    assert max(shares) < 0.01


def test_holes_in_the_depth_are_not_movement() -> None:
    judge, random = detector(), np.random.default_rng(0)
    for i in range(6):
        still = frame(0.5 * i)
        still.depth[random.random(still.depth.shape) < 0.3] = 0
        still.depth[20:50, 30:80] = 0 if i % 2 else np.nan
        assert not judge.observe(still, features(still), wall_view()).mask.any()


def test_what_stops_is_trusted_after_the_settling_time() -> None:
    judge = detector(settle_time=2.0)
    judge.observe(frame(0), None, None)
    marked = [judge.observe(frame(0.5 + 0.5 * i, board_at(60)), None, None).mask[board_at(60)].mean() for i in range(10)]
    assert min(marked[:4]) > 0.9  # seen first at .5 s
    assert max(marked[5:]) < 0.1


def test_two_different_renderers_are_both_good_enough() -> None:
    """A map's ray-traced mesh and a coarse look-up of its voxels, of other sizes: the detector knows neither."""
    settings = Settings()
    settings.map.device = "cpu"
    mapper = Mapper(settings)
    for i in range(3):
        mapper.integrate(frame(i), carve=True)
    moving = frame(5, board_at(60))
    views = [mapper.render(CAMERA.resized(107, 80), np.eye(4)),
             PredictedView(mapper.volume).view(CAMERA, np.eye(4), moving.depth), wall_view()]
    for view in views:
        judge = detector()  # it has seen nothing: only the view says that something moves
        assert iou(judge.observe(moving, features(moving), view).mask, board_at(60)) > 0.8


def test_features_tell_where_geometry_is_silent() -> None:
    """A red board moved for a while before a grey wall; then the camera looks at a place that nobody saw."""
    judge = detector(steps=20)
    for i in range(8):
        now = frame(0.5 * i, board_at(12 * i) if i else None)
        judge.observe(now, features(now), wall_view() if i else None)
    elsewhere = frame(6, board_at(60), pose=shifted(50.0))
    verdict = judge.observe(elsewhere, features(elsewhere), None)
    assert verdict.uncertainty[board_at(70, 50, 16, 30)].min() > 1 > verdict.uncertainty[:, :40].max()


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (15, 20), (41, 53)])
def test_feature_grids_of_any_size(rows: int, columns: int) -> None:
    judge = detector()
    for i, now in enumerate([frame(0), frame(0.5, board_at(60))]):
        verdict = judge.observe(now, features(now, rows, columns), wall_view() if i else None)
    assert iou(verdict.mask, board_at(60)) > 0.8


@pytest.mark.parametrize(("width", "height"), [(33, 17), (16, 200), (212, 120)])
def test_images_of_any_size(width: int, height: int) -> None:
    judge, camera = detector(), Camera(width, height, 100.0, 100.0, width / 2, height / 2)
    for i in range(3):
        now = frame(0.5 * i, board_at(60) if i else None)
        size = (width, height)
        resized = replace(now, rgb=cv2.resize(now.rgb, size), camera=camera,
                          depth=cv2.resize(now.depth, size, interpolation=cv2.INTER_NEAREST))
        verdict = judge.observe(resized, features(resized), None)
    assert verdict.mask.shape == (height, width) and verdict.mask.any()


def test_features_of_another_model_are_named() -> None:
    judge = detector()
    judge.observe(frame(0), features(frame(0)), None)
    other = FeatureGrid(np.zeros((4, 5, 384), np.float16), 32, 30, 15.5, 14.5)
    with pytest.raises(ValueError, match="features of 7 dimensions, the 2D model gives 384"):
        judge.observe(frame(1), other, None)


def test_a_frame_without_any_reading_moves_nothing() -> None:
    judge = detector()
    blind = frame(0)
    blind.depth[:] = 0
    for now in (blind, frame(1), blind):
        verdict = judge.observe(now, features(now), None)
    assert not verdict.mask.any() and np.isfinite(verdict.uncertainty).all()


def test_late_features_are_learned_from_once() -> None:
    judge = detector()
    judge.observe(frame(0), None, None)
    assert "head.hidden.weight" not in judge.state()
    judge.learn(0, features(frame(0)))
    learned = judge.state()["head.hidden.weight"]
    judge.learn(0, features(frame(0)))
    judge.learn(123, features(frame(0)))
    assert np.array_equal(judge.state()["head.hidden.weight"], learned)


def test_round_trip_goes_on_the_same() -> None:
    def observed(judge: DistractorDetector, i: int) -> np.ndarray:
        now = frame(0.5 * i, board_at(10 * i))
        return judge.observe(now, features(now), wall_view()).uncertainty

    judge = detector()
    for i in range(4):
        observed(judge, i)
    again = detector()
    again.load_state(judge.state())
    for i in range(4):
        past = frame(0.5 * i, board_at(10 * i))
        again.remember_view(past.stamp, past.camera, past.camera_to_world, past.depth)
    for i in range(4, 7):
        assert np.array_equal(observed(judge, i), observed(again, i))


@pytest.mark.parametrize("damage", ["experience.counts", "experience.cell", "head.out.weight", "last.odds",
                                    "adam.out.bias.exp_avg"])
def test_a_damaged_state_is_named(damage: str) -> None:
    judge = detector()
    judge.observe(frame(0), features(frame(0)), None)
    state = {name: value for name, value in judge.state().items() if name != damage}
    with pytest.raises(ValueError, match=r"lacks|expected|fitting|complete"):
        detector().load_state(state)


def test_grey_images_part_at_127() -> None:
    judge = detector()
    judge.observe(frame(0), None, None)
    verdict = judge.observe(frame(0.5, board_at(60)), None, None)
    assert ((verdict.grey() > 127) == verdict.mask).all()


def test_corrected_poses_move_what_was_seen() -> None:
    judge = detector()
    judge.observe(frame(0, board_at(60)), None, None)
    judge.replace_poses({0: shifted(0.3 * BOARD)})
    still = frame(0.5, board_at(60), pose=shifted(0.3 * BOARD))
    assert not judge.observe(still, None, None).mask.any()


def test_an_empty_view_says_nothing() -> None:
    nothing = View(np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160), np.float32), np.zeros((120, 160, 3), np.float32))
    assert not detector().observe(frame(0, board_at(60)), features(frame(0)), nothing).mask.any()
