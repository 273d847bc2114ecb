"""Where a robot can really stand and drive: the floor of an exact mesh, as the yardstick of approach poses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.mapping.free_space import FLOOR_TOLERANCE, ROBOT_HEIGHT
from magic3d_ros.sources.room.random.free_floor import CELL, FreeFloor


@dataclass(frozen=True)
class PoseCheck:
    """One approach pose against the truth. clearance: metres from the robot's axis to the nearest surface that its body could
    meet. reachable: a body of its radius gets there from where the camera was. distance: metres in plan from there to the thing.
    off: radians between its heading and the nearest part of the thing's outline in plan, 0 where it points at it."""

    clearance: float
    on_floor: bool
    reachable: bool
    distance: float
    off: float


class ExactFloor:
    """The floor of a room with z up and the floor at z = 0; the robot is a cylinder that clears what is below FLOOR_TOLERANCE.

    vertices: (V, 3) of a mesh whose edges are short beside the robot (3 cm). robot_radius: metres. been: (n, 2 or 3) places of
    the camera; the robot can be wherever it gets from there.
    """

    def __init__(self, vertices: np.ndarray, robot_radius: float, been: np.ndarray) -> None:
        height = vertices[:, 2]
        obstacles = vertices[(height > FLOOR_TOLERANCE) & (height < ROBOT_HEIGHT), :2]
        self._obstacles = cKDTree(obstacles)
        self._ground = cKDTree(vertices[np.abs(height) <= FLOOR_TOLERANCE, :2])
        self.grid = FreeFloor(vertices, robot_radius, FLOOR_TOLERANCE, ROBOT_HEIGHT)
        inside = self.grid.cells(np.asarray(been, np.float64)[:, :2])
        started = np.unique(self.grid.parts[tuple(inside.T)])
        self.reachable = np.isin(self.grid.parts, started[started > 0])
        """(X, Y) bool: where the robot's axis can be."""

    def check(self, pose: np.ndarray, thing: np.ndarray) -> PoseCheck:
        """pose: (4, 4) robot-to-world, x forward. thing: (n, 3) points of the true thing."""
        place = pose[:2, 3]
        clearance, ground = float(self._obstacles.query(place)[0]), float(self._ground.query(place)[0])
        x, y = self.grid.cells(place[None])[0]
        near = self.reachable[max(0, x - 1):x + 2, max(0, y - 1):y + 2]  # places lie between cells
        to_thing = thing[:, :2] - place
        angle = np.arctan2(to_thing[:, 1], to_thing[:, 0]) - np.arctan2(pose[1, 0], pose[0, 0])
        angle = (angle + np.pi) % (2 * np.pi) - np.pi
        off = 0.0 if angle.min() < 0 < angle.max() and np.ptp(angle) < np.pi else float(np.abs(angle).min())
        return PoseCheck(clearance, ground < 2 * CELL, bool(near.any()), float(np.linalg.norm(to_thing, axis=1).min()), off)
