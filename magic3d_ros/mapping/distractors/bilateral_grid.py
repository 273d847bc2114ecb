"""Spreading sparse opinions over an image so that they stop at depth edges: a grid over row, column and depth.

The bilateral grid of Chen, Paris and Durand (2007), solved as in Barron and Poole's fast bilateral solver (2016): cells that
touch in image and depth agree, cells before and behind an edge do not know each other. Only cells with pixels exist.
"""

from __future__ import annotations

import numpy as np

CELL = 4  # pixels of the small image each way
DEPTH_STEP = 0.06  # cells are that share of the depth long: 12 cm at 2 m; .045 was no better
MAX_DEPTHS = 64
_CORNERS = np.stack(np.unravel_index(np.arange(8), (2, 2, 2)), 1)


class BilateralGrid:
    """The grid over one (h, w) depth image; pixels of depth 0 are in no cell."""

    def __init__(self, depth: np.ndarray) -> None:
        height, width = depth.shape
        self._valid = depth > 0
        rows, columns = np.nonzero(self._valid)
        place = np.log(depth[rows, columns]) / np.float32(DEPTH_STEP)
        self._first = float(place.min()) if len(place) else 0.0
        deep = min(MAX_DEPTHS, int(place.max() - self._first) + 2) if len(place) else 1
        # One empty cell around, so that every cell has six neighbours.
        self._shape = (height // CELL + 4, width // CELL + 4, deep + 2)
        self._strides = np.array([self._shape[1] * self._shape[2], self._shape[2], 1])
        at = np.stack([rows / CELL, columns / CELL, np.minimum(place - self._first, deep - 1)], 1)
        flat = (np.round(at).astype(np.int64) + 1) @ self._strides
        there = np.zeros(int(np.prod(self._shape)), bool)
        there[flat] = True
        cells = np.flatnonzero(there)
        self._number = np.full(len(there), len(cells), np.int64)  # cells that are not there are cell n
        self._number[cells] = np.arange(len(cells))
        self._cell = self._number[flat]
        # (6, n): sums over the first axis are several times as fast as over a last one of six.
        self._touching = self._number[cells + np.concatenate([self._strides, -self._strides])[:, None]]
        self._count = len(cells)

    def solve(self, opinion: np.ndarray, confidence: np.ndarray, smoothness: float, iterations: int) -> np.ndarray:
        """(n,) values of the cells that minimise sum confidence (v - opinion)^2 + smoothness * sum of (v - v')^2 over touching
        cells, these weighted by the root of the pixels in v'.

        opinion, confidence: (h, w) float32. Jacobi iterations from the confident pixels' mean; a value travels one cell each.
        """
        weight, anchor = self._sum(confidence[self._valid]), self._sum((confidence * opinion)[self._valid])
        strength = np.append(np.sqrt(self._sum(np.ones(len(self._cell), np.float32))), np.float32(0))
        total = np.maximum(weight + smoothness * strength[self._touching].sum(0), 1e-6)
        value = np.append(anchor / np.maximum(weight, 1e-6), np.float32(0))
        for _ in range(iterations):
            value[:-1] = (anchor + smoothness * (strength * value)[self._touching].sum(0)) / total
        return value[:-1]

    def read(self, value: np.ndarray, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Values (m,) float32 at places (m,) in pixels of the image and depths (m,) > 0, by linear interpolation between the
        cells that are there."""
        limits = np.array(self._shape)[:, None] - 2.001
        place = np.stack([rows / CELL, columns / CELL, np.log(depth) / DEPTH_STEP - self._first]) + 1
        place = np.clip(place, 0, limits).astype(np.float32)
        low = place.astype(np.int64)
        share = place - low
        base = self._strides @ low
        known, values = np.append(np.ones(self._count, np.float32), np.float32(0)), np.append(value, 0.0).astype(np.float32)
        total, result = np.zeros(len(depth), np.float32), np.zeros(len(depth), np.float32)
        for corner in _CORNERS:
            cell = self._number[base + corner @ self._strides]
            part = known[cell]
            for axis in range(3):
                part = part * (share[axis] if corner[axis] else 1 - share[axis])
            total += part
            result += part * values[cell]
        return result / np.maximum(total, 1e-6)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._cell, values, self._count).astype(np.float32)
