"""Where on the floor of an exact mesh a robot can stand."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, label

CELL = 0.025
"""Metres a cell: a tenth of a small robot's radius."""


class FreeFloor:
    """The floor of a room with z up and the floor at z = 0, in cells of CELL metres.

    vertices: (V, 3) of a mesh whose edges are short beside the robot (3 cm). radius: metres, of an upright cylinder that clears
    what is lower than `step` and passes under what is higher than `height`, both metres.
    """

    def __init__(self, vertices: np.ndarray, radius: float, step: float, height: float) -> None:
        obstacles = vertices[(vertices[:, 2] > step) & (vertices[:, 2] < height), :2]
        self.low = vertices[:, :2].min(0) - CELL
        shape = tuple(np.ceil((vertices[:, :2].max(0) + CELL - self.low) / CELL).astype(int) + 1)
        free = np.ones(shape, bool)
        free[tuple(self.cells(obstacles).T)] = False
        self.parts: np.ndarray = label(distance_transform_edt(free) * CELL >= radius)[0]
        """(X, Y) int: 0 where the robot's axis cannot be, else the number of the connected part."""

    def cells(self, places: np.ndarray) -> np.ndarray:
        """(n, 2) int cells of places (n, 2) in metres."""
        return np.floor((places - self.low) / CELL).astype(int)

    def largest(self) -> np.ndarray:
        """(n, 2) places of the largest part; outside of the walls is no floor."""
        outside = np.unique(np.concatenate([self.parts[0], self.parts[-1], self.parts[:, 0], self.parts[:, -1]]))
        size = np.bincount(self.parts.ravel())
        size[outside] = 0
        size[0] = 0
        return (np.argwhere(self.parts == size.argmax()) + 0.5) * CELL + self.low if size.any() else np.zeros((0, 2))
