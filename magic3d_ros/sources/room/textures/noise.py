"""Periodic noise images: the raw material of procedural textures."""

from __future__ import annotations

import numpy as np


def cloud(size: int, roughness: float, seed: int, stretch: float = 1.0) -> np.ndarray:
    """(size, size) float32 noise that tiles, zero mean, unit deviation.

    Filtered white noise with the spectrum 1 / f^roughness (1/f noise: Perlin-like clouds at 1.5 to 2, grain at 0.5);
    stretch > 1 draws it out along the columns' direction (x) as wood grain is.
    """
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(random.standard_normal((size, size)))
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None] * size
    frequency = np.sqrt((fx * stretch) ** 2 + fy**2)
    frequency[0, 0] = np.inf
    image = np.fft.irfft2(spectrum / frequency**roughness, s=(size, size))
    return (image / image.std()).astype(np.float32)


def mixed(first: tuple[float, ...], second: tuple[float, ...], share: np.ndarray) -> np.ndarray:
    """Two RGB colours (0..255) blended by a share image in 0..1 -> (..., 3) float32."""
    share = np.clip(share, 0, 1)[..., None].astype(np.float32)
    return np.array(first, np.float32) * (1 - share) + np.array(second, np.float32) * share


def image(colours: np.ndarray) -> np.ndarray:
    """Float colours 0..255 as an image."""
    return np.clip(np.round(colours), 0, 255).astype(np.uint8)
