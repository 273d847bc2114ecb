"""The gate before a real map: what it keeps out, what it lets in again, what it says of what moves."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.mapping.distractors.gate import DistractorGate
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.mapper import Mapper

from .scenes import BOARD, SECOND, WALL, board_at, features, frame


class Mapping:
    """Gate and map as the pipeline joins them; every frame a keyframe."""

    def __init__(self, **values: object) -> None:
        settings = Settings()
        settings.map.device = "cpu"
        for name, value in values.items():
            settings.set(f"distractors.{name}", value)
        self.mapper = Mapper(settings)
        self.gate = DistractorGate(settings, self.mapper)

    def add(self, seconds: float, board: np.ndarray | None, **kwargs: float) -> None:
        now = frame(seconds, board, **kwargs)
        verdict = self.gate.judge(now, True, features(now))
        self.mapper.integrate(now, verdict.weights, carve=True)

    def points_at(self, depth: float) -> int:
        vertices = self.mapper.surface().vertices
        return int((np.abs(vertices[:, 2] - depth) < 0.05).sum())


def test_what_moves_does_not_become_map() -> None:
    masked, plain = Mapping(), Mapping(enabled=False)
    for mapping in (masked, plain):
        for i in range(12):
            mapping.add(0.5 * i, board_at(10 * (i // 4)) if i else None)
    assert plain.points_at(BOARD) > 500
    assert masked.points_at(BOARD) == 0 and masked.points_at(WALL) > 5000


def test_what_was_mapped_before_it_moved_is_gone_when_it_has_left() -> None:
    mapping = Mapping()
    for i in range(4):
        mapping.add(0.5 * i, board_at(60))
    assert mapping.points_at(BOARD) > 500
    for i in range(4, 8):  # 2 s of looking at the place it left
        mapping.add(0.5 * i, None)
    assert mapping.points_at(BOARD) == 0


def test_what_stops_becomes_map() -> None:
    mapping = Mapping(settle_time=2.0)
    mapping.add(0, None)
    for i in range(1, 14):
        mapping.add(0.5 * i, board_at(60))
    assert mapping.points_at(BOARD) > 500


def test_the_map_never_empties_itself() -> None:
    """A whole wall that comes nearer from frame to frame: nothing but distractor. The first view stays, and so it goes on.

    It begins with 30 cm at once: all of an image that shifts by less than two tolerances (16 cm) is a pose that is off."""
    mapping = Mapping()
    for i in range(3):
        mapping.add(0.2 * i, None)
    before = mapping.points_at(WALL)
    for i in range(3, 15):
        mapping.add(0.2 * i, None, wall=WALL - 0.3 - 0.05 * (i - 3))
        assert mapping.gate.last.mask.mean() > 0.9
    assert mapping.points_at(WALL) == before > 5000
    assert len(mapping.gate.points()) > 1000


def test_disabled_it_trusts_everything_and_costs_nothing() -> None:
    mapping = Mapping(enabled=False)
    for i in range(3):
        mapping.add(0.5 * i, board_at(20 * i))
        assert not mapping.gate.last.mask.any() and (mapping.gate.last.weights == 1).all()
    assert mapping.gate.last.stamp == SECOND and len(mapping.gate.points()) == 0


def test_points_and_boxes_of_what_moves() -> None:
    mapping = Mapping()
    assert mapping.gate.last is None and mapping.gate.things(np.array([0.0, -1, 0])) == []
    mapping.add(0, None)
    mapping.add(0.5, board_at(10, width=30) | board_at(100, width=40))
    points = mapping.gate.points()
    assert points[:, 2] == pytest.approx(BOARD, abs=1e-3)
    large, small = mapping.gate.things(np.array([0.0, -1, 0]))
    metre = BOARD / 140.0
    assert large.box.center == pytest.approx([(119.5 - 79.5) * metre, (64.5 - 59.5) * metre, BOARD], abs=0.04)
    assert np.sort(large.box.size)[1:] == pytest.approx([40 * metre, 50 * metre], abs=0.08)
    assert len(large.points) > len(small.points) and small.box.center[0] < 0


def test_a_loaded_map_recalls_what_its_keyframes_saw() -> None:
    mapping, again = Mapping(), Mapping()
    mapping.add(0, None)
    again.gate.load_state(mapping.gate.state())
    again.gate.recall([Keyframe.of(frame(0))])
    again.add(0.5, board_at(60))
    assert again.gate.last.mask[board_at(60)].mean() > 0.9


def test_an_older_map_without_a_head_begins_anew() -> None:
    mapping = Mapping()
    mapping.add(0, None)
    mapping.gate.load_state({})
    mapping.add(0.5, board_at(60))
    assert mapping.gate.last is not None
