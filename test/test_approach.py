"""Approach poses on a floor drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.approach import approach_poses, body_room, feet, standing_room
from magic3d_ros.mapping.free_space import OccupancyGrid

RESOLUTION = 0.1


def grid_of(cells: np.ndarray, origin=(0.0, 0.0, 0.0)) -> OccupancyGrid:
    return OccupancyGrid(cells=cells.astype(np.int8), resolution=RESOLUTION, origin=np.array(origin, float), rotation=np.eye(3))


def thing(row: int, column: int) -> np.ndarray:
    """Points above one cell."""
    return np.array([[(column + 0.5) * RESOLUTION, (row + 0.5) * RESOLUTION, z] for z in (0.1, 0.2, 0.3)])


def poses_at(grid: OccupancyGrid, points: np.ndarray, robot_radius: float, reach: float, max_poses: int = 3,
             surface: np.ndarray | None = None) -> list[np.ndarray]:
    surface = points if surface is None else np.concatenate([points, surface])
    return approach_poses(grid, standing_room(grid, robot_radius), surface, points, reach, max_poses)


def box(rows: slice, columns: slice, low: float, high: float) -> np.ndarray:
    """Surface that fills cells from one height to another."""
    y, x, z = np.meshgrid(np.arange(rows.start, rows.stop, 0.5), np.arange(columns.start, columns.stop, 0.5),
                          np.arange(low, high, 0.02), indexing="ij")
    return np.stack([(x + 0.25) * RESOLUTION, (y + 0.25) * RESOLUTION, z], -1).reshape(-1, 3)


def test_stands_on_free_floor_near_the_thing_and_faces_it() -> None:
    cells = np.zeros((40, 40))
    cells[20, 20] = 100
    poses = poses_at(grid_of(cells), thing(20, 20), robot_radius=0.3, reach=0.8)
    assert len(poses) == 3
    center = thing(20, 20).mean(0)[:2]
    for pose in poses:
        to_thing = center - pose[:2, 3]
        assert 0.3 - 1e-6 <= np.linalg.norm(to_thing) <= 0.8 + 1e-6
        assert pose[:2, 0] @ to_thing / np.linalg.norm(to_thing) == pytest.approx(1.0, abs=1e-6)
        assert pose[2, 3] == 0.0


def test_unknown_floor_and_walls_are_no_place_to_stand() -> None:
    cells = np.full((40, 40), -1)
    cells[20, 20] = 100
    assert poses_at(grid_of(cells), thing(20, 20), 0.3, 0.8) == []
    cells[:, 23:] = 0  # free floor only on the right
    poses = poses_at(grid_of(cells), thing(20, 20), 0.2, 1.2)
    assert poses
    assert all(p[0, 3] > 2.3 + 0.15 for p in poses)


def test_does_not_look_through_a_wall() -> None:
    cells = np.zeros((40, 40))
    cells[20, 20] = 100
    cells[:, 23] = 100  # a wall right of the thing
    poses = poses_at(grid_of(cells), thing(20, 20), 0.2, 1.5, 8, box(slice(0, 40), slice(23, 24), 0.1, 1.8))
    assert poses
    assert all(p[0, 3] < 2.3 for p in poses)


def test_a_tilted_world_keeps_the_robot_on_its_floor() -> None:
    rotation = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # up is +y
    cells = np.zeros((40, 40))
    grid = OccupancyGrid(cells=cells.astype(np.int8), resolution=RESOLUTION, origin=np.array([0.0, 5.0, 0.0]), rotation=rotation)
    local = thing(20, 20)
    pose = poses_at(grid, grid.origin + local @ rotation.T, 0.2, 0.8)[0]
    assert pose[1, 3] == pytest.approx(5.0)
    assert np.allclose(pose[:3, 2], rotation[:, 2])


def test_nothing_to_approach() -> None:
    assert poses_at(grid_of(np.zeros((5, 5))), np.zeros((0, 3)), 0.2, 1.0) == []
    assert poses_at(grid_of(np.zeros((5, 5))), np.full((3, 3), 100.0), 0.2, 1.0) == []


def test_a_robot_needs_its_radius_to_the_edge_of_a_cell_not_to_its_middle() -> None:
    cells = np.zeros((9, 9))
    cells[4, 4] = 100
    room = standing_room(grid_of(np.pad(cells, 10)), 0.2)[10:-10, 10:-10]
    assert not room[4, 2]  # 15 cm to the occupied cell's edge
    assert room[4, 1]  # 25 cm
    assert not room[2, 3]  # 15.8 cm to its corner
    assert room[2, 2]  # 21.2 cm to its corner


def test_floor_that_cannot_be_driven_to_is_no_place_to_stand() -> None:
    cells = np.zeros((40, 40))
    cells[:, 23] = 100  # a wall from side to side: beyond it 1.6 m of free floor
    cells[20, 27] = 100
    grid, far = grid_of(cells), thing(20, 27)
    seen = np.concatenate([far, box(slice(0, 40), slice(23, 24), 0.1, 1.8)])
    here, there = np.array([[1.0, 1.0, 1.2]]), np.array([[3.6, 1.0, 1.2]])
    assert approach_poses(grid, standing_room(grid, 0.2, here), seen, far, 0.8) == []
    poses = approach_poses(grid, standing_room(grid, 0.2, there), seen, far, 0.8)
    assert poses
    assert all(p[0, 3] > 2.4 for p in poses)


def test_the_larger_floor_counts_where_the_camera_was_over_none() -> None:
    cells = np.zeros((40, 40))
    cells[:, 10] = 100
    room = standing_room(grid_of(cells), 0.2, np.array([[1.05, 2.0, 1.0], [50.0, 0.0, 1.0]]))
    assert room[20, 30]
    assert not room[20, 4]


def test_a_table_does_not_hide_the_cup_on_it_and_a_shelf_not_the_book_below() -> None:
    cells = np.zeros((40, 40))
    cells[17:24, 17:24] = 100
    cup = thing(20, 20) + np.array([0.0, 0.0, 0.7])
    table = box(slice(17, 24), slice(17, 24), 0.7, 0.74)
    assert len(poses_at(grid_of(cells), cup, 0.2, 0.9, surface=table)) == 3
    shelf = box(slice(17, 24), slice(17, 24), 1.4, 1.44)
    assert len(poses_at(grid_of(cells), cup, 0.2, 0.9, surface=np.concatenate([table, shelf]))) == 3
    cabinet = box(slice(17, 18), slice(17, 24), 0.1, 1.8)  # a door towards -y, and nothing else
    poses = poses_at(grid_of(cells), cup, 0.2, 0.9, 8, surface=np.concatenate([table, shelf, cabinet]))
    assert poses
    assert all(p[1, 3] > 1.7 for p in poses)


def test_a_rocker_below_the_plans_obstacles_is_in_the_way_and_a_rug_on_a_tilted_floor_is_not() -> None:
    grid = grid_of(np.zeros((40, 40)))
    floor = box(slice(0, 40), slice(0, 40), 0.0, 0.02)
    rocker, rug = box(slice(20, 21), slice(10, 11), 0.0, 0.09), box(slice(5, 9), slice(5, 9), 0.0, 0.03)
    surface = np.concatenate([floor, rocker, rug])
    surface[:, 2] += 0.02 * (surface[:, 0] - 2.0)
    taken = feet(grid, surface)
    assert taken[20, 10]
    assert taken.sum() == 1
    assert not standing_room(grid, 0.3, taken=taken)[20, 11]
    assert standing_room(grid, 0.3, taken=taken)[7, 7]


def test_a_body_stands_only_where_its_air_was_seen_up_to_the_cameras_height() -> None:
    grid = grid_of(np.zeros((1, 5)), (0.0, 0.0, 0.5))
    assert body_room(grid, np.zeros((0, 3))).all()  # a plan that says nothing of the air
    seen = replace(grid, clear=np.array([[0.0, 0.1, 1.1, 1.2, 1.8]], np.float32))
    eyes = np.array([[9.0, 9.0, 1.6], [0.0, 0.0, 1.75], [0.0, 0.0, 5.0]])  # mostly 1.25 m above the floor
    assert body_room(seen, eyes).tolist() == [[False, False, False, True, True]]
    far_up = eyes + np.array([0.0, 0.0, 9.0])  # a robot is 1.8 m high
    assert body_room(seen, far_up).tolist() == [[False, False, False, False, True]]
    assert body_room(seen, np.zeros((0, 3))).tolist() == [[False, True, True, True, True]]
