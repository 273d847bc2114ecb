"""How alike two images are, and how far off a rendered depth is; each over the pixels that a mask names."""

from __future__ import annotations

import cv2
import numpy as np

# Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004:
# 11x11 Gaussian window with sigma 1.5, K1 = 0.01, K2 = 0.03, dynamic range 1.
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_C1 = 0.01**2
SSIM_C2 = 0.03**2


def psnr(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of (H, W, 3) uint8 images over the True pixels of the (H, W) mask; NaN without any.

    10 log10(255^2 / mean squared error), the mean over pixels and channels; identical images give infinity.
    """
    if not mask.any():
        return float("nan")
    difference = image[mask].astype(np.float32) - reference[mask].astype(np.float32)
    error = float(np.mean(difference * difference))
    return float("inf") if error == 0 else float(10.0 * np.log10(255.0**2 / error))


def ssim(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Structural similarity of the luma of (H, W, 3) uint8 RGB images, averaged over the True pixels of the (H, W) mask; NaN
    without any.

    Window and constants of Wang et al. 2004. Local means and variances are taken over the masked pixels of the window only,
    so what lies in a hole of a rendering does not leak into its border.
    """
    if not mask.any():
        return float("nan")
    inside = mask.astype(np.float32)
    share = np.maximum(_blur(inside), 1e-6)
    a, b = _luma(image) * inside, _luma(reference) * inside
    mean_a, mean_b = _blur(a) / share, _blur(b) / share
    variance_a = _blur(a * a) / share - mean_a * mean_a
    variance_b = _blur(b * b) / share - mean_b * mean_b
    covariance = _blur(a * b) / share - mean_a * mean_b
    similarity = ((2 * mean_a * mean_b + SSIM_C1) * (2 * covariance + SSIM_C2)
                  / ((mean_a**2 + mean_b**2 + SSIM_C1) * (variance_a + variance_b + SSIM_C2)))
    return float(similarity[mask].mean())


def depth_within(depth: np.ndarray, reference: np.ndarray, tolerance: float, mask: np.ndarray) -> float:
    """Share of the True pixels of the (H, W) mask whose depth lies within `tolerance` metres of the reference; 0 (no depth)
    is wrong.

    NaN when the mask is empty.
    """
    if not mask.any():
        return float("nan")
    right = (depth > 0) & (np.abs(depth - reference) <= tolerance)
    return float(right[mask].mean())


def depth_error(depth: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Median absolute depth error in metres over the True pixels of the mask that have a depth; NaN without any."""
    both = mask & (depth > 0)
    return float(np.median(np.abs(depth[both] - reference[both]))) if both.any() else float("nan")


def _luma(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255.0  # ITU-R BT.601


def _blur(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA, borderType=cv2.BORDER_REFLECT_101)
