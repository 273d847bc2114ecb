"""Where a robot can stand to reach or see a thing: free floor near it, facing it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from magic3d_ros.mapping.free_space import OccupancyGrid

_SPREAD = np.radians(60.0)
"""Two poses on the same side of a thing are one choice to a planner; sixty degrees apart they are two."""


def approach_poses(grid: OccupancyGrid, points: np.ndarray, robot_radius: float, reach: float,
                   max_poses: int = 3) -> list[np.ndarray]:
    """Poses on free floor within `reach` of a thing, facing it; best first, at most `max_poses`.

    grid: the map's occupancy. points: (N, 3) surface points of the thing, world frame, metres. robot_radius, reach: metres.
    Returns (4, 4) robot-to-world poses as REP-103 has them: x forward to the thing, z up, on the floor. Empty when no free floor
    is known there: unknown floor counts as not free, because nobody has looked.

    A place must be `robot_radius` away from everything that is not free and see the thing (no foreign obstacle between). Places
    are ranked by distance to the thing, the nearest that leaves the robot room first.
    """
    if len(points) == 0:
        return []
    rows, columns = grid.cells.shape
    floor = (points - grid.origin) @ grid.rotation[:, :2] / grid.resolution
    footprint = np.zeros((rows, columns), bool)
    cell = np.floor(floor).astype(int)
    inside = (cell[:, 0] >= 0) & (cell[:, 0] < columns) & (cell[:, 1] >= 0) & (cell[:, 1] < rows)
    if not inside.any():
        return []
    footprint[cell[inside, 1], cell[inside, 0]] = True
    clearance = distance_transform_edt(np.pad(grid.cells == 0, 1))[1:-1, 1:-1] * grid.resolution
    gap = distance_transform_edt(~footprint) * grid.resolution
    candidates = np.argwhere((clearance >= robot_radius) & (gap <= reach))
    if len(candidates) == 0:
        return []
    center = floor.mean(0)
    order = np.argsort(gap[candidates[:, 0], candidates[:, 1]], kind="stable")
    chosen: list[np.ndarray] = []
    headings: list[float] = []
    blocked = (grid.cells == 100) & ~footprint
    for row, column in candidates[order]:
        toward = center - (column + 0.5, row + 0.5)
        heading = float(np.arctan2(toward[1], toward[0]))
        if any(abs(np.angle(np.exp(1j * (heading - other)))) < _SPREAD for other in headings):
            continue
        if not _sees(blocked, footprint, (column + 0.5, row + 0.5), center):
            continue
        headings.append(heading)
        chosen.append(_pose(grid, column, row, heading))
        if len(chosen) == max_poses:
            break
    return chosen


def _sees(blocked: np.ndarray, footprint: np.ndarray, start: tuple[float, float], end: np.ndarray) -> bool:
    """Whether a straight line meets the thing's footprint before any other obstacle (half-cell steps)."""
    steps = max(2, int(np.ceil(np.hypot(end[0] - start[0], end[1] - start[1]) * 2)))
    line = np.array(start) + np.linspace(0, 1, steps)[:, None] * (end - np.array(start))
    columns = np.clip(np.floor(line[:, 0]).astype(int), 0, footprint.shape[1] - 1)
    rows = np.clip(np.floor(line[:, 1]).astype(int), 0, footprint.shape[0] - 1)
    hit = np.flatnonzero(footprint[rows, columns])
    return not blocked[rows, columns][: hit[0] if len(hit) else steps].any()


def _pose(grid: OccupancyGrid, column: int, row: int, heading: float) -> np.ndarray:
    cosine, sine = np.cos(heading), np.sin(heading)
    pose = np.eye(4)
    pose[:3, :3] = grid.rotation @ np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    pose[:3, 3] = grid.origin + grid.rotation @ np.array(
        [(column + 0.5) * grid.resolution, (row + 0.5) * grid.resolution, 0.0])
    return pose
