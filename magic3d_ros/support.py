"""What a thing stands on: the level surface at its foot, of another thing or of the floor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_dilation

_CELL = 0.04
"""Metres a cell in plan: two voxels of the map."""
_BESIDE = 2
"""Cells around a thing's own in which its support is looked for: what lies under it was never seen, its surroundings were."""
_LEVEL = 0.8
"""Cosine with up of level surface: within 37 degrees, because small tops are round at their edges in a map."""
_NEAR = (-0.10, 0.05)
"""Metres from a thing's lowest seen part within which its support is first looked for: feet are joined to what they stand on."""
_FAR = (-0.5, 0.05)
"""The same where nothing level is that near: legs, and the lower half of what stands behind other things, are often unseen."""
_FOOT = 5.0
"""Percentile of a thing's heights that is its lowest part: single stray vertices are lower."""
_LEAST = 6
"""Level vertices that make a support: 6 of 2 cm are 24 square centimetres, a coaster's edge."""


def supports(vertices: np.ndarray, normals: np.ndarray, labels: np.ndarray, things: Sequence[int],
             up: np.ndarray) -> dict[int, int]:
    """By thing, the id of what it stands or lies on; -1 where nothing level was seen at its foot: it hangs, or its foot was not
    seen.

    vertices, normals: (N, 3) of the surface, metres, world frame. labels: (N,) id of each vertex, -1 = none. up: (3,) unit.
    """
    up = np.asarray(up, np.float64)
    axis = np.eye(3)[int(np.argmin(np.abs(up)))]
    first = np.cross(up, axis) / np.linalg.norm(np.cross(up, axis))
    plane = np.stack([first, np.cross(up, first)], 1)
    height = vertices @ up
    cell = np.floor(vertices @ plane / _CELL).astype(int)
    level = np.flatnonzero((labels >= 0) & (normals @ up > _LEVEL))
    level = level[np.argsort(cell[level, 0], kind="stable")]
    by_label = np.argsort(labels, kind="stable")
    start, end = (np.searchsorted(labels[by_label], list(things), side) for side in ("left", "right"))
    found = {}
    for thing, own in zip(things, map(slice, start, end), strict=True):
        found[thing] = _support(thing, by_label[own], cell, height, labels, level)
    return found


def _support(thing: int, own: np.ndarray, cell: np.ndarray, height: np.ndarray, labels: np.ndarray, level: np.ndarray) -> int:
    """own: vertices of the thing. cell: (N, 2) of each vertex. level: level vertices by the first number of their cells."""
    if len(own) == 0:
        return -1
    foot = float(np.percentile(height[own], _FOOT))
    low, high = cell[own].min(0) - _BESIDE, cell[own].max(0) + _BESIDE
    footprint = np.zeros(high - low + 1, bool)
    footprint[tuple((cell[own] - low).T)] = True
    footprint = binary_dilation(footprint, np.ones((2 * _BESIDE + 1,) * 2))
    near = level[slice(*np.searchsorted(cell[level, 0], [low[0], high[0] + 1]))]
    near = near[(labels[near] != thing) & (height[near] > foot + _FAR[0]) & (height[near] < foot + _FAR[1])]
    near = near[(cell[near, 1] >= low[1]) & (cell[near, 1] <= high[1])]
    near = near[footprint[tuple((cell[near] - low).T)]]
    for window in (_NEAR, _FAR):
        counts = np.bincount(labels[near[height[near] > foot + window[0]]], minlength=1)
        if counts.max() >= _LEAST:
            return int(counts.argmax())
    return -1
