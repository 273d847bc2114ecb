from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors.evidence import Evidence
from magic3d_ros.mapping.distractors.geometric_cues import NEVER, DepthMemory, Look, disagreement, slack, small_depth

CAMERA = Camera(40, 30, 35.0, 35.0, 19.5, 14.5)
POSE = np.eye(4)
SECOND = 1_000_000_000


def look(seconds: float, depth: float | np.ndarray, pose: np.ndarray = POSE) -> Look:
    return Look(round(seconds * SECOND), CAMERA, pose, np.broadcast_to(np.asarray(depth, np.float32), (30, 40)).copy())


def point(z: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    return np.array([[x, y, z]], np.float32)


def memory(*looks: Look) -> DepthMemory:
    made = DepthMemory()
    for one in looks:
        made.add(one)
    return made


def test_a_wall_that_was_there_stands_since_it_was_first_seen() -> None:
    history = memory(look(1, 2.0), look(2, 2.0)).history(point(2.0), POSE)
    assert (history.free.tolist(), history.since.tolist()) == ([0], [SECOND])


def test_surface_before_the_wall_was_seen_through() -> None:
    history = memory(look(1, 2.0), look(2, 2.0)).history(point(1.0), POSE)
    assert (history.free.tolist(), history.since.tolist()) == ([2], [NEVER])


def test_behind_the_wall_nothing_is_known() -> None:
    history = memory(look(1, 2.0)).history(point(3.0), POSE)
    assert (history.free.tolist(), history.since.tolist()) == ([0], [NEVER])


def test_what_came_stands_since_it_was_seen_after_the_place_was_free() -> None:
    history = memory(look(1, 1.0), look(2, 2.0), look(3, 1.0), look(4, 1.0)).history(point(1.0), POSE)
    assert (history.free.tolist(), history.since.tolist()) == ([1], [3 * SECOND])


def test_sensor_noise_means_nothing() -> None:
    history = memory(look(1, 2.0)).history(point(1.95), POSE)
    assert history.free.tolist() == [0] and history.since.tolist() == [SECOND]


def test_holes_are_not_seen_through() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    depth[15, 20] = 0.0  # the point's own pixel
    assert memory(look(1, depth)).history(point(1.0), POSE).free.tolist() == [0]


@pytest.mark.parametrize(("missing", "free"), [(10, 1), (11, 0)])
def test_a_place_is_seen_through_when_most_around_it_has_a_reading(missing: int, free: int) -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    window = np.full(25, 2.0, np.float32)
    window[np.flatnonzero(np.arange(25) != 12)[:missing]] = 0.0  # all but the middle
    depth[13:18, 18:23] = window.reshape(5, 5)
    assert memory(look(1, depth)).history(point(1.0), POSE).free.tolist() == [free]


def test_frames_that_fit_badly_are_compared_with_more_tolerance() -> None:
    depth = np.full(1000, 2.0, np.float32)  # tolerance .08
    assert np.allclose(slack(depth, depth + 0.01), 0.08)
    assert np.allclose(slack(depth, depth - 0.04), 0.2)  # half the tolerance, 2.5 times what is usual


def test_what_moves_and_holes_do_not_widen_the_tolerance() -> None:
    depth = np.full(1000, 2.0, np.float32)
    seen = depth + 0.01
    seen[:400], seen[400:900] = 3.0, 0.0
    assert np.allclose(slack(depth, seen), 0.08)
    assert np.allclose(slack(depth, np.zeros(1000, np.float32)), 0.08)


def test_beside_a_nearer_edge_nothing_was_seen_through() -> None:
    """A pose that is a pixel off would otherwise see every edge move."""
    depth = np.full((30, 40), 2.0, np.float32)
    depth[:, 21:] = 0.9
    assert memory(look(1, depth)).history(point(0.9), POSE).free.tolist() == [0]


def test_views_from_elsewhere_count_far_from_the_origin_too() -> None:
    far = np.eye(4)
    far[:3, 3] = (20_000.0, 5.0, -3.0)
    beside = far.copy()
    beside[0, 3] += 0.5
    history = memory(look(1, 2.0, far)).history(point(1.0, x=-0.5), beside)
    assert history.free.tolist() == [1]


def test_out_of_view_and_behind_the_camera_nothing_is_known() -> None:
    history = memory(look(1, 2.0)).history(np.array([[9, 0, 1], [0, 0, -1]], np.float32), POSE)
    assert history.free.tolist() == [0, 0] and history.since.tolist() == [NEVER, NEVER]


def test_memory_is_bounded_and_keeps_old_and_new() -> None:
    made = DepthMemory(capacity=8)
    for second in range(1, 100):
        made.add(look(second, 2.0))
    assert len(made) <= 8
    assert made.history(point(2.0), POSE).since[0] < 50 * SECOND


def test_of_many_views_those_of_the_same_place_are_compared() -> None:
    away = POSE.copy()
    away[0, 3] = 100.0
    made = memory(look(1, 2.0), *(look(2 + i, 2.0, away) for i in range(30)))
    assert made.history(look(40, 1.0).points(), POSE).free.sum() > 0


def test_disagreement_is_what_lies_before_all_that_the_map_shows_nearby() -> None:
    rendered = np.full((9, 9), 2.0, np.float32)
    sensed = np.full((9, 9), 2.0, np.float32)
    sensed[4, 4] = 1.0
    expected = np.zeros((9, 9), np.float32)
    expected[4, 4] = 2.0 - 1.0 - 0.04 - 0.02
    assert disagreement(sensed, rendered) == pytest.approx(expected)
    rendered[4, 5] = 0.0
    assert not disagreement(sensed, rendered).any()


def test_small_depth_reads_single_pixels_in_millimetres() -> None:
    depth = np.full((4, 4), 1.23456, np.float32)
    depth[:, 2:] = np.nan
    small = small_depth(depth, 2, 2)
    assert small[:, 0] == pytest.approx([1.235, 1.235], abs=1e-6) and small[:, 1].tolist() == [0, 0]


def test_a_thing_moves_until_it_has_stood_for_the_settling_time() -> None:
    measured = np.ones((1, 1), bool)
    history = memory(look(1, 2.0), look(3, 1.0)).history(point(1.0), POSE)
    before = np.zeros((1, 1), np.float32)
    early = Evidence.of(measured, history, before, 5 * SECOND, 5 * SECOND)
    late = Evidence.of(measured, history, before, 8 * SECOND, 5 * SECOND)
    assert early.moving.all() and not early.standing.any()
    assert late.standing.all() and not late.moving.any() and late.age[0, 0] == np.inf


def test_what_the_map_denies_moves_although_no_keyframe_remembers() -> None:
    history = DepthMemory().history(point(1.0), POSE)
    evidence = Evidence.of(np.ones((1, 1), bool), history, np.full((1, 1), 0.3, np.float32), SECOND, SECOND)
    assert evidence.moving.all()
