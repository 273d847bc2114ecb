"""What a thing stands on: the level surface at its foot, of another thing or of the floor."""

from __future__ import annotations

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


def support_of(vertices: np.ndarray, normals: np.ndarray, labels: np.ndarray, thing_id: int, up: np.ndarray) -> int:
    """Id of what a thing stands or lies on; -1 where nothing level was seen at its foot: it hangs, or its foot was not seen.

    vertices, normals: (N, 3) of the surface, metres, world frame. labels: (N,) id of each vertex, -1 = none. up: (3,) unit.
    """
    own = np.flatnonzero(labels == thing_id)
    if len(own) == 0:
        return -1
    up = np.asarray(up, np.float64)
    axis = np.eye(3)[int(np.argmin(np.abs(up)))]
    first = np.cross(up, axis) / np.linalg.norm(np.cross(up, axis))
    plane = np.stack([first, np.cross(up, first)], 1)
    height = vertices @ up
    foot = float(np.percentile(height[own], _FOOT))
    others = np.flatnonzero((labels >= 0) & (labels != thing_id) & (height > foot + _FAR[0]) & (height < foot + _FAR[1])
                            & (normals @ up > _LEVEL))
    cell = np.floor(vertices[own] @ plane / _CELL).astype(int)
    low = cell.min(0) - _BESIDE
    footprint = np.zeros(cell.max(0) - low + _BESIDE + 1, bool)
    footprint[tuple((cell - low).T)] = True
    footprint = binary_dilation(footprint, np.ones((2 * _BESIDE + 1,) * 2))
    place = np.floor(vertices[others] @ plane / _CELL).astype(int) - low
    inside = ((place >= 0) & (place < footprint.shape)).all(1)
    near = others[inside][footprint[tuple(place[inside].T)]]
    for window in (_NEAR, _FAR):
        counts = np.bincount(labels[near[height[near] > foot + window[0]]], minlength=1)
        if counts.max() >= _LEAST:
            return int(counts.argmax())
    return -1
