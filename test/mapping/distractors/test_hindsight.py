"""What only later frames show to have moved is taken out of the map again."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.mapping.distractors.geometric_cues import Look
from magic3d_ros.mapping.distractors.hindsight import DOUBT, MOST, Hindsight
from magic3d_ros.mapping.neural_mapper import NeuralMapper

from .scenes import BOARD, CAMERA, SECOND, WALL, board_at, features, frame


def look(seconds: float, board: np.ndarray | None, shift: float = 0.0) -> Look:
    seen = frame(seconds, board)
    pose = np.eye(4)
    pose[0, 3] = shift
    return Look(seen.stamp, CAMERA, pose, seen.depth)


def mapper(**values: object) -> NeuralMapper:
    settings = Settings()
    settings.map.device = "cpu"
    settings.map.self_check_every = 0
    for name, value in values.items():
        settings.set(name, value)
    return NeuralMapper(settings, nullcontext(), lambda motion: lambda: None, lambda stage: nullcontext())


def points_at(mapping: NeuralMapper, depth: float) -> int:
    return int((np.abs(mapping.voxels.surface().vertices[:, 2] - depth) < 0.05).sum())


def test_a_frame_is_doubted_when_a_newer_one_sees_through_what_it_trusted() -> None:
    hindsight, everything = Hindsight(), np.ones((120, 160), bool)
    for second in range(3):
        hindsight.remember(look(second, board_at(60)), everything)
    hindsight.remember(look(3, None), everything)
    assert [doubted.stamp for doubted in hindsight.doubted(look(4, None))] == [0, SECOND, 2 * SECOND]
    assert hindsight.doubted(look(4, board_at(60))) == []
    hindsight.remember(look(0, board_at(60)), ~board_at(60))  # judged again: it no longer trusts the board
    assert [doubted.stamp for doubted in hindsight.doubted(look(4, None))] == [SECOND, 2 * SECOND]
    hindsight.forget()
    assert len(hindsight) == 0 and hindsight.doubted(look(4, None)) == []


def test_the_most_doubtful_come_first_and_not_too_many() -> None:
    hindsight, everything = Hindsight(capacity=MOST + 3), np.ones((120, 160), bool)
    for second in range(MOST + 5):
        hindsight.remember(look(second, board_at(20, width=20 + 8 * second)), everything)
    assert len(hindsight) == MOST + 3
    doubted = hindsight.doubted(look(60, None))
    assert [one.stamp // SECOND for one in doubted] == list(range(MOST + 4, 4, -1))


def test_noise_and_the_border_of_the_image_raise_no_doubt() -> None:
    hindsight = Hindsight()
    noisy = look(0, None)
    noisy.depth[4::8, 4::8].ravel()[: DOUBT - 1] = BOARD  # readings that stand before the wall, fewer than count
    hindsight.remember(noisy, np.ones((120, 160), bool))
    hindsight.remember(look(1, None, shift=0.5), np.ones((120, 160), bool))
    assert hindsight.doubted(look(2, None)) == []


def test_more_of_what_left_is_gone_than_is_seen_through() -> None:
    mapping, plain = mapper(), mapper(**{"distractors.enabled": False})
    left = frame(9.0, None)
    left.depth[:, 78:] = 0  # no reading in the right half of the image: carving cannot reach what stood there
    for one in (mapping, plain):
        for i in range(6):
            one.integrate(frame(0.4 * i, board_at(60)), features(frame(0.4 * i, board_at(60))))
        assert points_at(one, BOARD) > 500
        one.integrate(left, features(left))
    assert points_at(mapping, BOARD) < 0.5 * points_at(plain, BOARD)
    assert points_at(mapping, WALL) > 5000


def test_keyframes_remember_that_it_moved_and_frames_between_too() -> None:
    mapping = mapper()
    for i in range(6):
        mapping.integrate(frame(0.4 * i, board_at(60)), features(frame(0.4 * i, board_at(60))))
    assert all(keyframe.trust is None for keyframe in mapping.keyframes.remembered())
    mapping.integrate(frame(9.0, None), features(frame(9.0, None)))
    for keyframe in mapping.keyframes.remembered()[:6]:
        assert (keyframe.trust[board_at(60)] == 0).all() and (keyframe.trust[:, :50] == 255).all()
    assert mapping.keyframes.remembered()[6].trust is None


def test_a_keyframe_that_waits_for_the_self_check_joins_without_what_moved() -> None:
    mapping = mapper(**{"map.self_check_every": 1, "map.self_check_seconds": 5.0})
    mapping.integrate(frame(0.0, board_at(60)), features(frame(0.0, board_at(60))))
    mapping.integrate(frame(4.0, None), features(frame(4.0, None)))
    assert len(mapping.voxels.volume.blocks) == 0
    mapping.complete()
    assert points_at(mapping, BOARD) == 0 and len(mapping.voxels.volume.blocks) > 0


def test_what_stands_is_never_taken_out() -> None:
    mapping = mapper()
    for i in range(8):
        seen = frame(3.5 * i, board_at(60), pose=None)
        mapping.integrate(replace(seen, depth=seen.depth + np.float32(0.01 * (i % 2))), features(seen))
    assert points_at(mapping, BOARD) > 500 and all(keyframe.trust is None for keyframe in mapping.keyframes)


@pytest.mark.parametrize("enabled", [True, False])
def test_looking_back_is_part_of_the_detector(enabled: bool) -> None:
    mapping = mapper(**{"distractors.enabled": enabled})
    mapping.integrate(frame(0.0, board_at(60)), features(frame(0.0, board_at(60))))
    mapping.integrate(frame(4.0, None), features(frame(4.0, None)))
    assert (mapping.keyframes.remembered()[0].trust is not None) == enabled
