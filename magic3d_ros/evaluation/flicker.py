"""How steady monocular depth is over time: what one place of a surface is said to be at, image after image.

Places are picked on a grid in some of the frames and followed into all others by true depth and poses. At each sight of a place
the depth that is judged is compared with the true one there:

- flicker: standard deviation of that difference over the sights of a place; the median over the places, in metres.
- error: median of its absolute value over all sights, metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame

FROM_EVERY = 5  # one of so many frames gives places
GRID = (12, 16)  # places that such a frame gives, rows and columns
FEWEST_SIGHTS = 5  # of a place, or its deviation is not counted
SAME = 0.02  # relative difference of true depths up to which it is the same place


@dataclass(frozen=True)
class FlickerReport:
    """Figures as the module defines them. places: how many were seen often enough."""

    flicker: float
    error: float
    places: int


def measure_flicker(frames: Sequence[RGBDFrame], depths: Sequence[np.ndarray | None], beyond: float = 0.0) -> FlickerReport:
    """Judge depth images (h, w), metres, 0 = unknown, of frames with true depth, by time; None = a frame without one.

    beyond: only sights from farther than that many metres. Raises ValueError when no place is seen often enough.
    """
    shown = [None if depth is None else cv2.resize(depth, (frame.camera.width, frame.camera.height))
             for frame, depth in zip(frames, depths, strict=True)]
    deviations, errors = [], []
    for source in frames[::FROM_EVERY]:
        points = _places(source)
        sights = np.full((len(frames), len(points)), np.nan)
        for number, (frame, depth) in enumerate(zip(frames, shown, strict=True)):
            if depth is not None:
                sights[number] = _differences(frame, depth, points, beyond)
        often = np.isfinite(sights).sum(0) >= FEWEST_SIGHTS
        if often.any():
            deviations.append(np.nanstd(sights[:, often], axis=0))
            errors.append(np.abs(sights[:, often][np.isfinite(sights[:, often])]))
    if not deviations:
        raise ValueError(f"no place is seen {FEWEST_SIGHTS} times: more frames of the same surface are needed")
    every = np.concatenate(deviations)
    return FlickerReport(float(np.median(every)), float(np.median(np.concatenate(errors))), len(every))


def _places(frame: RGBDFrame) -> np.ndarray:
    """(n, 3) world points on a grid over a frame, where it has depth."""
    height, width = frame.depth.shape
    rows = ((np.arange(GRID[0]) + 0.5) * height / GRID[0]).astype(int)
    columns = ((np.arange(GRID[1]) + 0.5) * width / GRID[1]).astype(int)
    at = np.ix_(rows, columns)
    depth = frame.depth[at]
    points = (frame.camera.rays()[at] * depth[..., None])[depth > 0].astype(np.float64)
    return points @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]


def _differences(frame: RGBDFrame, depth: np.ndarray, points: np.ndarray, beyond: float) -> np.ndarray:
    """(n,) depth minus true depth at the pixels that see the (n, 3) points; NaN where one is not seen."""
    world_to_camera = np.linalg.inv(frame.camera_to_world)
    u, v, z = frame.camera.project(points @ world_to_camera[:3, :3].T + world_to_camera[:3, 3])
    with np.errstate(invalid="ignore"):
        column, row = np.round(u), np.round(v)
        inside = (z > max(beyond, 0.05)) & (column >= 0) & (row >= 0)
        inside &= (column < frame.camera.width) & (row < frame.camera.height)
    out = np.full(len(points), np.nan)
    at = np.flatnonzero(inside)
    row, column = row[at].astype(int), column[at].astype(int)
    true, said = frame.depth[row, column], depth[row, column]
    seen = (np.abs(true - z[at]) < SAME * z[at]) & (said > 0)
    out[at[seen]] = (said - true)[seen]
    return out
