"""Which samples of an image are trained on together: patches whose samples lie apart (NeRF On-the-go, section 3.3).

A dilated patch covers dilation times the side of a contiguous one with the same number of samples: more of a thing and of its
surroundings at once. Random samples have no neighbourhood, and so no structure to compare.
"""

from __future__ import annotations

import numpy as np

SIDE = 8  # samples a side: a patch of 32x32 pixels with dilation 4


def patches(height: int, width: int, count: int, dilation: int, random: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """(count, side, side) int64 flat pixels of randomly placed patches with samples `dilation` pixels apart.

    An image that is smaller than a patch gets a smaller dilation, or, below `side` pixels, its border repeated.
    """
    if height < 1 or width < 1 or dilation < 1:
        raise ValueError(f"patches need an image and a dilation of at least one pixel, not {width}x{height} and {dilation}")
    dilation = max(1, min(dilation, (min(height, width) - 1) // max(1, side - 1)))
    span = dilation * (side - 1)
    top = random.integers(0, max(1, height - span), count)
    left = random.integers(0, max(1, width - span), count)
    steps = dilation * np.arange(side)
    rows = np.minimum(top[:, None] + steps, height - 1)
    columns = np.minimum(left[:, None] + steps, width - 1)
    return rows[:, :, None] * width + columns[:, None, :]


def random_samples(height: int, width: int, count: int, random: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """(count, side, side) int64 flat pixels without any order: the baseline that patches are compared with."""
    return random.integers(0, height * width, (count, side, side))
