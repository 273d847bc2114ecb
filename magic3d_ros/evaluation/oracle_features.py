"""A teacher that knows the truth, and sees it as badly as asked: shows what fusion and distillation are worth by themselves."""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.frames import FeatureGrid

CELL = 16
"""Pixels; half the stride of the embedded tier's network, about that of a ViT of patch 14."""


class OracleFeatures:
    """Dense features of images whose classes are known: each class is a random direction, each cell is off by noise of its own.

    classes: how many. dimension: of the features. noise: length of the noise vector beside a class vector of length 1.
    confused: share of cells, in every image others, that are taken for another class altogether.
    """

    def __init__(self, classes: int, dimension: int, noise: float, confused: float, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        directions = self._random.normal(size=(classes, dimension))
        self.texts = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
        self._noise, self._confused = noise, confused

    def features(self, classes: np.ndarray) -> FeatureGrid:
        """Of one image. classes: (H, W) int class of each pixel, -1 = none, which becomes noise alone."""
        height, width = classes.shape
        rows, columns = max(1, height // CELL), max(1, width // CELL)
        cells = cv2.resize(classes.astype(np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST).astype(int)
        wrong = self._random.random(cells.shape) < self._confused
        cells = np.where(wrong & (cells >= 0), self._random.integers(0, len(self.texts), cells.shape), cells)
        known = np.where(cells[..., None] >= 0, self.texts[np.maximum(cells, 0)], 0.0)
        noise = self._random.normal(size=known.shape) * self._noise / np.sqrt(self.texts.shape[1])
        across, down = width / columns, height / rows
        return FeatureGrid((known + noise).astype(np.float16), across, down, (across - 1) / 2, (down - 1) / 2)
