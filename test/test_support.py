"""What things stand on, in a room of level surfaces drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.support import supports

UP = np.array([0.0, 0.0, 1.0])
FLOOR, TABLE, CUP, PICTURE, CHAIR = 1, 2, 3, 4, 5


def level(x: tuple[float, float], y: tuple[float, float], z: float) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(*x, 0.02), np.arange(*y, 0.02)), -1).reshape(-1, 2)
    return np.column_stack([grid, np.full(len(grid), z)])


def side(x: float, y: tuple[float, float], z: tuple[float, float]) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(*y, 0.02), np.arange(*z, 0.02)), -1).reshape(-1, 2)
    return np.column_stack([np.full(len(grid), x), grid])


@pytest.fixture
def room() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A table with a cup; a picture on a wall at x = 0; a chair of which only the seat and the back were seen."""
    parts = [(FLOOR, level((0, 3), (0, 3), 0.0), UP), (TABLE, level((1, 2), (1, 2), 0.75), UP),
             (TABLE, side(1.0, (1, 2), (0.02, 0.75)), [-1, 0, 0]), (CUP, side(1.5, (1.5, 1.6), (0.76, 0.86)), [1, 0, 0]),
             (CUP, level((1.5, 1.56), (1.5, 1.6), 0.86), UP), (PICTURE, side(0.01, (1, 2), (1.2, 1.8)), [1, 0, 0]),
             (CHAIR, level((2.3, 2.7), (2.3, 2.7), 0.42), UP), (CHAIR, side(2.7, (2.3, 2.7), (0.42, 0.9)), [-1, 0, 0])]
    normals = [np.tile(np.asarray(normal, float), (len(points), 1)) for _, points, normal in parts]
    labels = [np.full(len(points), thing) for thing, points, _ in parts]
    return np.concatenate([points for _, points, _ in parts]), np.concatenate(normals), np.concatenate(labels)


def test_the_cup_on_the_table_the_table_on_the_floor_the_picture_on_nothing(room) -> None:
    assert supports(*room, (CUP, TABLE, PICTURE, 99), UP) == {
        CUP: TABLE, TABLE: FLOOR, PICTURE: -1, 99: -1}


def test_legs_that_nobody_saw_still_end_on_the_floor(room) -> None:
    assert supports(*room, [CHAIR], UP) == {CHAIR: FLOOR}


def test_up_may_point_anywhere(room) -> None:
    vertices, normals, labels = room
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert supports(vertices @ turn.T + 7.0, normals @ turn.T, labels, [CUP], turn @ UP) == {CUP: TABLE}


def test_a_mapped_box_stands_on_the_box_below_or_the_floor(mapped_room) -> None:
    scene = mapped_room[0].scene
    floors = {o.id for o in scene.objects if o.label == "floor"}
    found = {o.id: o.support for o in scene.objects if o.kind == "object"}
    assert floors & set(found.values())
    assert all(support != thing for thing, support in found.items())
