"""Spreading sparse opinions over an image so that they stop at depth edges: a grid over column, row and depth.

The bilateral grid of Chen, Paris and Durand (2007), solved as in Barron and Poole's fast bilateral solver (2016): cells that
touch in image and depth agree, cells before and behind an edge do not know each other.
"""

from __future__ import annotations

import numpy as np

CELL = 4  # pixels of the small image each way
DEPTH_STEP = 0.06  # cells are that share of the depth long: 12 cm at 2 m, four times a Kinect's noise there and poses' errors
MAX_DEPTHS = 64


class BilateralGrid:
    """The grid over one (h, w) depth image; pixels of depth 0 are in no cell."""

    def __init__(self, depth: np.ndarray) -> None:
        height, width = depth.shape
        self._valid = depth > 0
        place = np.log(depth[self._valid]) / DEPTH_STEP
        self._first = float(place.min()) if len(place) else 0.0
        deep = min(MAX_DEPTHS, int(place.max() - self._first) + 2) if len(place) else 1
        self._shape = (height // CELL + 2, width // CELL + 2, deep)
        rows, columns = np.nonzero(self._valid)
        self._at = self._flat(rows / CELL, columns / CELL, place - self._first)
        self._count = self._sum(np.ones(len(self._at), np.float32))

    def solve(self, opinion: np.ndarray, confidence: np.ndarray, smoothness: float, iterations: int) -> np.ndarray:
        """Cells' values v that minimise sum confidence (v - opinion)^2 + smoothness * sum over touching cells of (v - v')^2.

        opinion, confidence: (h, w) float32. Jacobi iterations from the confident pixels' mean; a value travels one cell each.
        """
        weight = self._sum(confidence[self._valid])
        anchor = self._sum((confidence * opinion)[self._valid])
        filled = (self._count > 0).astype(np.float32)
        total = weight + smoothness * _around(filled * np.sqrt(self._count))
        total = np.where(filled > 0, np.maximum(total, 1e-6), 1.0)
        value = np.where(weight > 0, anchor / np.maximum(weight, 1e-6), 0.0).astype(np.float32)
        strength = filled * np.sqrt(self._count)
        for _ in range(iterations):
            value = ((anchor + smoothness * _around(strength * value)) / total * filled).astype(np.float32)
        return value

    def read(self, value: np.ndarray, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Values at places (n,) in pixels of the image and depths (n,) > 0, by linear interpolation between filled cells."""
        place = np.clip(np.log(depth) / DEPTH_STEP - self._first, 0, self._shape[2] - 1.001)
        at = [np.clip(rows / CELL, 0, self._shape[0] - 1.001), np.clip(columns / CELL, 0, self._shape[1] - 1.001), place]
        low = [a.astype(np.int64) for a in at]
        share = [(a - b).astype(np.float32) for a, b in zip(at, low, strict=True)]
        flat_value, flat_filled = value.ravel(), (self._count > 0).ravel()
        total, result = np.zeros(len(depth), np.float32), np.zeros(len(depth), np.float32)
        for corner in np.ndindex(2, 2, 2):
            index = np.ravel_multi_index([np.minimum(b + c, n - 1) for b, c, n in zip(low, corner, self._shape, strict=True)],
                                         self._shape)
            part = np.prod([s if c else 1 - s for s, c in zip(share, corner, strict=True)], axis=0) * flat_filled[index]
            total += part
            result += part * flat_value[index]
        return result / np.maximum(total, 1e-6)

    def _flat(self, rows: np.ndarray, columns: np.ndarray, place: np.ndarray) -> np.ndarray:
        _, across, deep = self._shape
        nearest = (np.round(rows).astype(np.int64) * across + np.round(columns).astype(np.int64)) * deep
        return nearest + np.clip(np.round(place), 0, deep - 1).astype(np.int64)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        size = int(np.prod(self._shape))
        return np.bincount(self._at, values, size).astype(np.float32).reshape(self._shape)


def _around(value: np.ndarray) -> np.ndarray:
    """Sum over the six touching cells."""
    result = np.zeros_like(value)
    for axis in range(3):
        ahead = [slice(None)] * 3
        behind = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        result[tuple(ahead)] += value[tuple(behind)]
        result[tuple(behind)] += value[tuple(ahead)]
    return result
