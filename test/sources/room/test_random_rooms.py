"""Random rooms as sources of frames, and the free floor that the camera stands on."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.room.random.free_floor import FreeFloor
from magic3d_ros.sources.room.random.stops import EYE, stops
from magic3d_ros.sources.source import SourceError


def fence(low: float, high: float) -> np.ndarray:
    """Walls 1 m high on the outline of a square."""
    along = np.arange(low, high + 0.01, 0.02)
    sides = [np.column_stack([along, np.full_like(along, side)]) for side in (low, high)]
    line = np.concatenate([*sides, *(side[:, ::-1] for side in sides)])
    return np.concatenate([np.column_stack([line, np.full(len(line), z)]) for z in np.arange(0.0, 1.0, 0.1)])


def test_free_floor_keeps_the_radius_from_walls() -> None:
    places = FreeFloor(fence(0.0, 2.0), 0.5, 0.05, 1.8).largest()
    assert places.min() == pytest.approx(0.5, abs=0.05)
    assert places.max() == pytest.approx(1.5, abs=0.05)


def test_what_is_low_or_overhead_is_no_obstacle() -> None:
    step, lamp = np.array([[1.0, 1.0, 0.04]]), np.array([[1.0, 1.0, 1.9]])
    bare = len(FreeFloor(fence(0.0, 2.0), 0.5, 0.05, 1.8).largest())
    assert len(FreeFloor(np.concatenate([fence(0.0, 2.0), step, lamp]), 0.5, 0.05, 1.8).largest()) == bare
    assert len(FreeFloor(np.concatenate([fence(0.0, 2.0), [[1.0, 1.0, 0.5]]]), 0.5, 0.05, 1.8).largest()) < bare


def test_the_camera_stands_on_free_floor() -> None:
    poses = stops(np.random.default_rng(0), fence(0.0, 2.0), 20)
    assert poses.shape == (20, 4, 4)
    assert (poses[:, 2, 3] == EYE).all()
    assert (np.abs(poses[:, :2, 3] - 1.0) <= 0.77).all()  # 1 m less the radius of .25 and a cell


def test_a_random_room_is_a_source() -> None:
    room = open_source("room:random:1003", Settings())
    assert room.name == "room:random:1003"
    assert len(room) == 96
    again = open_room("random:1003", Settings(), frames=4, width=80)
    first = again.render(0)
    assert first.frame.rgb.shape == (60, 80, 3)
    assert (first.truth.depth > 0.2).mean() > 0.9
    assert len(again.instances) > 8


@pytest.mark.parametrize("name", ["random:", "random:-1", "random:x", "random:1234567890"])
def test_a_random_room_without_a_number_is_named(name: str) -> None:
    with pytest.raises(SourceError, match="named by a number"):
        open_room(name, Settings())
