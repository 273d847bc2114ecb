"""How good depth and normals guessed from one image are. Every image counts alike, whatever share of it has truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SMALLEST = 0.05
"""Metres: aligned depth below it is cut, as benchmarks of affine-invariant depth do; a shift can make depth negative."""

MOST_TRUE = 20.0
"""Metres: what is farther in a room is a failed reading."""


class DepthScores(NamedTuple):
    """abs_rel: mean |d - t| / t. delta1: share of pixels with max(d / t, t / d) < 1.25. aligned_abs_rel: abs_rel after the scale
    and shift of the depth that fit this image best in least squares."""

    abs_rel: float
    delta1: float
    aligned_abs_rel: float


def depth_scores(predicted: np.ndarray, true: np.ndarray) -> DepthScores | None:
    """Maps (h, w) in metres; in `true` 0 = unknown. None when less than 2 % of the pixels have truth."""
    known = (true > 0) & (true < MOST_TRUE) & np.isfinite(predicted)
    if known.mean() < 0.02:
        return None
    d, t = predicted[known].astype(np.float64), true[known].astype(np.float64)
    ratio = np.maximum(d, SMALLEST) / t
    aligned = aligned_depth(d, t)
    return DepthScores(float((np.abs(d - t) / t).mean()), float((np.maximum(ratio, 1 / ratio) < 1.25).mean()),
                       float((np.abs(aligned - t) / t).mean()))


def aligned_depth(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(n,) predicted depth with the scale and shift that bring it nearest to the true one."""
    system = np.stack([predicted, np.ones_like(predicted)], 1)
    solution = np.linalg.lstsq(system, true, rcond=None)[0]
    return np.maximum(system @ solution, SMALLEST)


def normal_error(predicted: np.ndarray, true: np.ndarray) -> tuple[float, float] | None:
    """Mean and median angle in degrees between maps (h, w, 3) of unit normals, where both are known (neither zero nor NaN); None
    when that is less than 2 % of the pixels."""
    known = (np.linalg.norm(predicted, axis=-1) > 0.5) & (np.linalg.norm(true, axis=-1) > 0.5)
    if known.mean() < 0.02:
        return None
    cosine = (predicted[known] * true[known]).sum(1)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return float(angle.mean()), float(np.median(angle))


def at_cells(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The values of an image (H, W, ...) in the middle of each cell of a (height, width) map that covers it evenly."""
    rows = ((np.arange(height) + 0.5) * image.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * image.shape[1] / width).astype(int)
    return image[rows[:, None], columns[None]]
