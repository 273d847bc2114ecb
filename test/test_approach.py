"""Approach poses on a floor drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.approach import approach_poses
from magic3d_ros.mapping.free_space import OccupancyGrid

RESOLUTION = 0.1


def grid_of(cells: np.ndarray, origin=(0.0, 0.0, 0.0)) -> OccupancyGrid:
    return OccupancyGrid(cells=cells.astype(np.int8), resolution=RESOLUTION, origin=np.array(origin, float), rotation=np.eye(3))


def thing(row: int, column: int) -> np.ndarray:
    """Points above one cell."""
    return np.array([[(column + 0.5) * RESOLUTION, (row + 0.5) * RESOLUTION, z] for z in (0.1, 0.2, 0.3)])


def test_stands_on_free_floor_near_the_thing_and_faces_it() -> None:
    cells = np.zeros((40, 40))
    cells[20, 20] = 100
    poses = approach_poses(grid_of(cells), thing(20, 20), robot_radius=0.3, reach=0.8)
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
    assert approach_poses(grid_of(cells), thing(20, 20), 0.3, 0.8) == []
    cells[:, 23:] = 0  # free floor only on the right
    poses = approach_poses(grid_of(cells), thing(20, 20), 0.2, 1.2)
    assert poses
    assert all(p[0, 3] > 2.3 + 0.15 for p in poses)


def test_does_not_look_through_a_wall() -> None:
    cells = np.zeros((40, 40))
    cells[20, 20] = 100
    cells[:, 23] = 100  # a wall right of the thing
    poses = approach_poses(grid_of(cells), thing(20, 20), 0.2, 1.5, max_poses=8)
    assert poses
    assert all(p[0, 3] < 2.3 for p in poses)


def test_a_tilted_world_keeps_the_robot_on_its_floor() -> None:
    rotation = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # up is +y
    cells = np.zeros((40, 40))
    grid = OccupancyGrid(cells=cells.astype(np.int8), resolution=RESOLUTION, origin=np.array([0.0, 5.0, 0.0]), rotation=rotation)
    local = thing(20, 20)
    pose = approach_poses(grid, grid.origin + local @ rotation.T, 0.2, 0.8)[0]
    assert pose[1, 3] == pytest.approx(5.0)
    assert np.allclose(pose[:3, 2], rotation[:, 2])


def test_nothing_to_approach() -> None:
    assert approach_poses(grid_of(np.zeros((5, 5))), np.zeros((0, 3)), 0.2, 1.0) == []
    assert approach_poses(grid_of(np.zeros((5, 5))), np.full((3, 3), 100.0), 0.2, 1.0) == []
