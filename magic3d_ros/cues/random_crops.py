"""Arbitrary views out of an image: what a scene looks like in general."""

from __future__ import annotations

import numpy as np


def random_crops(rgb: np.ndarray, count: int) -> list[np.ndarray]:
    """Parts of an image (H, W, 3), a tenth to a half of it in each direction; the same for the same image."""
    generator = np.random.default_rng(int(rgb[::16, ::16].sum()))
    height, width = rgb.shape[:2]
    crops = []
    for _ in range(count):
        h, w = (max(1, int(side * generator.uniform(0.1, 0.5))) for side in (height, width))
        y, x = generator.integers(0, height - h + 1), generator.integers(0, width - w + 1)
        crops.append(rgb[y:y + h, x:x + w])
    return crops
