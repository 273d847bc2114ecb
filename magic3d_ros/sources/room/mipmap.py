"""Textures of all materials in one flat array with their mip-map levels, looked up for many pixels at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.sources.room.material import Material

MAX_LEVELS = 12
"""Levels of a 2048-pixel texture down to one pixel."""

DISPLAY_GAMMA = 2.2
"""Exponent between texture files and linear light (the usual approximation of sRGB)."""

SHARPNESS = 0.4
"""Added before the level is rounded down: prefers the sharper level up to .6 of the way, as trilinear filtering would on average;
chosen by eye on the floor's planks, where 0.5 shimmered and 0.2 blurred."""


@dataclass(frozen=True)
class TextureAtlas:
    """texels: (T, 3) uint8, the square root of linear reflectance x 255 (a gamma of 2 costs one multiplication to undo).

    offset, width, height: (M, MAX_LEVELS) where each material's levels lie; levels (M,) how many there are.
    tint (M, 3), emission (M,), repeat (M,), glass (M,) and mean reflectance `albedo` (M, 3) of the materials.
    """

    texels: np.ndarray
    offset: np.ndarray
    width: np.ndarray
    height: np.ndarray
    levels: np.ndarray
    tint: np.ndarray
    emission: np.ndarray
    repeat: np.ndarray
    glass: np.ndarray
    albedo: np.ndarray

    def sample(self, material: np.ndarray, uv: np.ndarray, texels_per_pixel: np.ndarray) -> np.ndarray:
        """(n, 3) float32 linear colour at texture coordinates uv (n, 2), bilinear in the level that fits the pixel's size."""
        level = np.log2(np.maximum(texels_per_pixel, 1e-3)) + SHARPNESS
        level = np.clip(np.floor(level), 0, self.levels[material] - 1).astype(np.int32)
        cell = material * MAX_LEVELS + level
        width, height, offset = (table.ravel()[cell] for table in (self.width, self.height, self.offset))
        x, y = (uv[:, axis] * size.astype(np.float32) - np.float32(0.5) for axis, size in enumerate((width, height)))
        left, top = np.floor(x), np.floor(y)
        right_share, low_share = (x - left)[:, None], (y - top)[:, None]
        left, top = left.astype(np.int32) % width, top.astype(np.int32) % height
        right, low = left + 1, top + 1
        right[right == width] = 0
        low[low == height] = 0
        top, low = offset + top * width, offset + low * width
        upper = self._linear(top + left) * (1 - right_share) + self._linear(top + right) * right_share
        lower = self._linear(low + left) * (1 - right_share) + self._linear(low + right) * right_share
        return (upper * (1 - low_share) + lower * low_share) * self.tint[material]

    def _linear(self, index: np.ndarray) -> np.ndarray:
        root = self.texels[index].astype(np.float32)
        return root * root * np.float32(1 / 65025)


def build_atlas(materials: Sequence[Material], load: Callable[[str], np.ndarray]) -> TextureAtlas:
    """Lay out the textures of `materials`; load(name) -> (H, W, 3) uint8 RGB in display gamma, called once a name."""
    layout: dict[str, tuple[list[tuple[int, int, int]], np.ndarray]] = {}
    texels: list[np.ndarray] = []
    filled = 0
    for name in dict.fromkeys(m.texture for m in materials):
        image = load(name) if name else np.full((1, 1, 3), 255, np.uint8)
        linear = ((image.astype(np.float32) / 255) ** DISPLAY_GAMMA).astype(np.float32)
        mean = linear.mean((0, 1))
        rows: list[tuple[int, int, int]] = []
        while len(rows) < MAX_LEVELS:
            height, width = linear.shape[:2]
            rows.append((filled, width, height))
            texels.append(np.round(np.sqrt(np.clip(linear, 0, 1)) * 255).astype(np.uint8).reshape(-1, 3))
            filled += width * height
            if max(height, width) == 1:
                break
            smaller = (max(1, width // 2), max(1, height // 2))
            halved = np.asarray(cv2.resize(linear, smaller, interpolation=cv2.INTER_AREA), np.float32)
            linear = halved.reshape(smaller[1], smaller[0], 3)
        layout[name] = (rows, mean)
    table = np.zeros((3, len(materials), MAX_LEVELS), np.int32)
    for i, material in enumerate(materials):
        rows = layout[material.texture][0]
        table[:, i, :len(rows)] = np.array(rows).T
    tint = np.array([m.tint for m in materials], np.float32)
    return TextureAtlas(
        np.concatenate(texels), table[0], table[1], table[2],
        np.array([len(layout[m.texture][0]) for m in materials], np.int32), tint,
        np.array([m.emission for m in materials], np.float32), np.array([m.repeat for m in materials], np.float32),
        np.array([m.glass for m in materials], bool),
        tint * np.array([layout[m.texture][1] for m in materials], np.float32))
