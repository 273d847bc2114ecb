"""Where a robot can stand to reach or see a thing: free floor near it that can be driven to, facing it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, label, uniform_filter

from magic3d_ros.mapping.free_space import FLOOR_TOLERANCE, MIN_VERTICES, ROBOT_HEIGHT, OccupancyGrid

_SPREAD = np.radians(60.0)
"""Two poses on the same side of a thing are one choice to a planner; sixty degrees apart they are two."""
_SIGHT = (0.03, 0.13)
"""Metres above a level of a thing at which surface hides that level from the side: beyond the noise of the tabletop on which the
thing stands, and less than a shelf's height."""
_LEVELS = (95.0, 50.0)
"""Percentiles of a thing's heights that are looked at from the side: its top without stray vertices, and its middle."""


_FOOT = 0.04
"""Metres above the floor around it from which on surface is in a robot's way (rockers, feet, rims) although the plan takes it for
floor: more than a rug and than the waves of a mapped floor (1 to 2 cm)."""
_AROUND = 1.0
"""Metres across which the floor's height is averaged, so that a plan tilted by a degree or two does not rise by itself."""


def feet(grid: OccupancyGrid, surface: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: cells whose surface rises from the floor around it, though less than an obstacle of the plan.

    surface: (V, 3) vertices in the world frame.
    """
    rows, columns = grid.cells.shape
    height = surface @ grid.rotation[:, 2] - grid.floor_height
    low = np.abs(height) <= FLOOR_TOLERANCE
    cell, inside = _cells(grid, surface[low])
    place, height = cell[inside, 1] * columns + cell[inside, 0], height[low][inside]
    counted, summed = (np.bincount(place, weights, rows * columns).reshape(rows, columns) for weights in (None, height))
    window = 2 * round(_AROUND / grid.resolution / 2) + 1
    count, total = (uniform_filter(part.astype(np.float64), window, mode="constant") for part in (counted, summed))
    around = (total / np.maximum(count, 1e-9)).ravel()
    rising = np.bincount(place[height > around[place] + _FOOT], minlength=rows * columns)
    return (rising >= MIN_VERTICES).reshape(rows, columns)


def body_room(grid: OccupancyGrid, been: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: cells over which a robot's body meets no air that nobody looked at.

    To the height that the camera mostly had the air must have been seen, because a camera sees what lies below it as soon as it
    sees the floor there; above, it may be unseen, but not below air that was seen; see OccupancyGrid.clear. been: (n, 3) places
    of the camera, world frame; none = at no height.
    """
    if grid.clear is None:
        return np.ones(grid.cells.shape, bool)
    eye = float(np.median(been @ grid.rotation[:, 2])) - grid.floor_height if len(been) else 0.0
    return grid.clear >= np.clip(np.floor(eye / grid.resolution) * grid.resolution, grid.resolution, ROBOT_HEIGHT) - 1e-6


def standing_room(grid: OccupancyGrid, robot_radius: float, been: np.ndarray | None = None,
                  taken: np.ndarray | None = None) -> np.ndarray:
    """(rows, columns) bool: cells in whose middle a robot can stand, and to which it can drive from where the camera was.

    robot_radius: metres from the middle to all that is not free; cells count whole, and beyond the plan nothing is known. been:
    (n, 3) places of the camera in the world frame; floor that is connected, for that robot, with none of them is left out. Where
    the robot fits under none of them (a camera held over tables), or without `been`, it is the largest connected floor.
    taken: (rows, columns) bool, cells that are not free though the plan says so, see feet.
    """
    free = np.pad(grid.cells == 0 if taken is None else (grid.cells == 0) & ~taken, 1)
    rows, columns = free.shape
    # Nodes are the middles, edges and corners of cells: the nearest point of a cell to another cell's middle is one of them.
    nodes = np.ones((2 * rows + 1, 2 * columns + 1), bool)
    for row in range(3):
        for column in range(3):
            nodes[row:row + 2 * rows - 1:2, column:column + 2 * columns - 1:2] &= free
    clearance = distance_transform_edt(nodes)[3:-3:2, 3:-3:2] * grid.resolution / 2
    parts, count = label(clearance >= robot_radius)
    if count == 0:
        return parts > 0
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    reached = np.zeros(0, np.int64)
    if been is not None and len(been):
        cells, inside = _cells(grid, np.asarray(been, np.float64))
        reached = np.unique(parts[cells[inside, 1], cells[inside, 0]])
        reached = reached[reached > 0]
    return np.isin(parts, reached if len(reached) else [int(sizes.argmax())])


def approach_poses(grid: OccupancyGrid, standing: np.ndarray, surface: np.ndarray, points: np.ndarray, reach: float,
                   max_poses: int = 3) -> list[np.ndarray]:
    """Poses on free floor within `reach` of a thing, facing it; best first, at most `max_poses`.

    grid: the map's occupancy. standing: what standing_room says of it. surface: (V, 3) vertices of everything, points: (N, 3)
    those of the thing, world frame, metres. reach: metres.
    Returns (4, 4) robot-to-world poses as REP-103 has them: x forward to the thing, z up, on the floor. Empty when no free floor
    is known there: unknown floor counts as not free, because nobody has looked.

    A place must see the thing: at the height of its top or of its middle nothing else stands between. The table below a cup and
    the shelf above a book hide neither.
    Places are ranked by distance to the thing, the nearest that leaves the robot room first.
    """
    if len(points) == 0:
        return []
    cell, inside = _cells(grid, points)
    if not inside.any():
        return []
    footprint = np.zeros(grid.cells.shape, bool)
    footprint[cell[inside, 1], cell[inside, 0]] = True
    gap = distance_transform_edt(~footprint) * grid.resolution
    candidates = np.argwhere(standing & (gap <= reach))
    if len(candidates) == 0:
        return []
    center = ((points - grid.origin) @ grid.rotation[:, :2] / grid.resolution).mean(0)
    order = np.argsort(gap[candidates[:, 0], candidates[:, 1]], kind="stable")
    hidden = [blocked & ~footprint for blocked in _blocked(grid, surface, points)]
    chosen: list[np.ndarray] = []
    headings: list[float] = []
    for row, column in candidates[order]:
        toward = center - (column + 0.5, row + 0.5)
        heading = float(np.arctan2(toward[1], toward[0]))
        if any(abs(np.angle(np.exp(1j * (heading - other)))) < _SPREAD for other in headings):
            continue
        if not any(_sees(blocked, footprint, (column + 0.5, row + 0.5), center) for blocked in hidden):
            continue
        headings.append(heading)
        chosen.append(_pose(grid, column, row, heading))
        if len(chosen) == max_poses:
            break
    return chosen


def _cells(grid: OccupancyGrid, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) column and row of each point, and (N,) whether the plan has them."""
    cell = np.floor((points - grid.origin) @ grid.rotation[:, :2] / grid.resolution).astype(int)
    return cell, ((cell >= 0) & (cell < grid.cells.shape[::-1])).all(1)


def _blocked(grid: OccupancyGrid, surface: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """For each level of the thing (rows, columns) bool: cells with surface just above that level."""
    rows, columns = grid.cells.shape
    up = grid.rotation[:, 2]
    height = surface @ up
    masks = []
    for level in np.percentile(points @ up, _LEVELS):
        cell, inside = _cells(grid, surface[(height > level + _SIGHT[0]) & (height < level + _SIGHT[1])])
        counts = np.bincount(cell[inside, 1] * columns + cell[inside, 0], minlength=rows * columns)
        masks.append((counts >= MIN_VERTICES).reshape(rows, columns))
    return masks


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
