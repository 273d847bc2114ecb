"""The exact floor on a room of known walls, and approach poses of a mapped room against its mesh."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from magic3d_ros.commands.measuring import bench_folder, load_bench
from magic3d_ros.config import Settings
from magic3d_ros.evaluation.exact_floor import ExactFloor


def wall(start: tuple[float, float], end: tuple[float, float], high: float = 1.5) -> np.ndarray:
    length = np.hypot(end[0] - start[0], end[1] - start[1])
    along = np.linspace(0, 1, int(length / 0.02) + 1)[:, None]
    line = np.array(start) + along * (np.array(end) - np.array(start))
    return np.concatenate([np.column_stack([line, np.full(len(line), z)]) for z in np.arange(0.0, high, 0.1)])


def divided_room() -> np.ndarray:
    """4 x 2 m, a wall across the middle with a gap of .4 m, a pillar at (1, 1)."""
    x, y = np.meshgrid(np.arange(0, 4, 0.03), np.arange(0, 2, 0.03))
    floor = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    return np.concatenate([floor, wall((0, 0), (4, 0)), wall((0, 2), (4, 2)), wall((0, 0), (0, 2)), wall((4, 0), (4, 2)),
                           wall((2, 0), (2, 1.6)), wall((1, 1), (1.02, 1))])


def pose(x: float, y: float, heading: float) -> np.ndarray:
    result = np.eye(4)
    c, s = np.cos(heading), np.sin(heading)
    result[:2, :2] = [[c, -s], [s, c]]
    result[:2, 3] = x, y
    return result


PILLAR = np.array([[1.0, 1.0, 0.5], [1.02, 1.0, 0.5]])


def test_what_is_asked_of_a_pose() -> None:
    floor = ExactFloor(divided_room(), 0.25, np.array([[0.5, 0.5]]))
    fine = floor.check(pose(0.4, 1.0, 0.0), PILLAR)
    assert fine.clearance == pytest.approx(0.4, abs=0.02)
    assert fine.distance == pytest.approx(0.6, abs=1e-6)
    assert fine.on_floor
    assert fine.reachable
    assert fine.off == pytest.approx(0.0, abs=1e-6)
    assert floor.check(pose(0.4, 1.0, np.pi / 2), PILLAR).off == pytest.approx(np.pi / 2, abs=0.01)
    close = floor.check(pose(0.85, 1.0, 0.0), PILLAR)
    assert close.clearance == pytest.approx(0.15, abs=0.01)
    assert not close.reachable
    assert not floor.check(pose(5.0, 1.0, 0.0), PILLAR).on_floor


def test_a_gap_lets_only_a_slim_robot_through() -> None:
    beyond = pose(3.0, 1.0, np.pi)
    assert not ExactFloor(divided_room(), 0.25, np.array([[0.5, 0.5]])).check(beyond, PILLAR).reachable
    assert ExactFloor(divided_room(), 0.15, np.array([[0.5, 0.5]])).check(beyond, PILLAR).reachable
    assert ExactFloor(divided_room(), 0.25, np.array([[3.5, 0.5]])).check(beyond, PILLAR).reachable


@pytest.mark.slow
def test_every_approach_pose_of_a_mapped_room_is_free_reachable_and_faces_the_thing() -> None:
    bench = load_bench(bench_folder() / "approach.py")
    result = bench.measure("random:2", Settings(), 160)
    assert result.with_pose >= 0.5 * result.possible > 0
    assert [check for check in result.checks if not bench.good(check, Settings().query.robot_radius)] == []
    sys.modules.pop("magic3d_bench_approach", None)
