"""Random rooms as sources of frames, and the free floor that the camera stands on."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room
from magic3d_ros.sources.room.assembly import assemble
from magic3d_ros.sources.room.description import parse_description
from magic3d_ros.sources.room.random.free_floor import FreeFloor
from magic3d_ros.sources.room.random.layout import random_room
from magic3d_ros.sources.room.random.stops import EYE, stops
from magic3d_ros.sources.room.random.varied import KINDS_A_ROOM, kinds_of, varied_room
from magic3d_ros.sources.room.shapes.varied.kinds import KINDS
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


@pytest.mark.parametrize(("number", "digest"), [(0, "4a397a050bc2"), (7, "b53bb833fc1a"), (1003, "918e129c2411")])
def test_a_random_room_stays_what_it_is(number: int, digest: str) -> None:
    """Networks were trained on them, and reports name them."""
    assert hashlib.sha256(json.dumps(random_room((number,), False)).encode()).hexdigest().startswith(digest)


def test_rooms_in_a_row_show_every_kind() -> None:
    rooms = -(-len(KINDS) // KINDS_A_ROOM)
    assert set().union(*(kinds_of(number) for number in range(rooms))) == set(KINDS)


def test_a_varied_room_holds_most_of_its_kinds_apart_from_each_other() -> None:
    scene = varied_room(3)
    assert scene == varied_room(3)
    named = [thing["class"] for thing in scene["furniture"] if "class" in thing]
    assert len(set(named)) == len(named) >= 0.8 * KINDS_A_ROOM
    instances = assemble(parse_description(scene, "varied:3", "test"), False).instances
    boxes = [instance.box for instance in instances if instance.name in set(named)]
    assert len(boxes) == len(named)
    low, high = -np.array(scene["room"]["size"]) / 2, np.array(scene["room"]["size"]) / 2
    for box in boxes:
        assert box is not None
        reach = np.abs(box.rotation) @ box.size / 2
        assert (box.center - reach > [low[0] - 0.02, low[1] - 0.02, -0.02]).all()
        assert (box.center + reach < [high[0] + 0.02, high[1] + 0.02, 2 * high[2] + 0.02]).all()


@pytest.mark.parametrize("name", ["varied:x", "random:", "random:-1", "random:x", "random:1234567890"])
def test_a_random_room_without_a_number_is_named(name: str) -> None:
    with pytest.raises(SourceError, match="named by a number"):
        open_room(name, Settings())
