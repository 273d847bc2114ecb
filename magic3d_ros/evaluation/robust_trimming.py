"""RobustNeRF's trimming (Sabour et al., CVPR 2023, section 4): outliers by the size of the colour residual alone.

The baseline that uncertainty on features is compared with: it knows no features, no geometry and no memory.
"""

from __future__ import annotations

import cv2
import numpy as np

QUANTILE = 0.5  # of the residuals: smaller ones are inliers (T_epsilon is their median)
NEIGHBOURS = 0.5  # share of inliers in the 3x3 pixels around, from which a pixel is one
PATCH, AROUND = 8, 16
PATCH_SHARE = 0.6  # of inliers in the 16x16 pixels around an 8x8 patch, from which all of the patch is kept (T_R)


def outliers(rendered: np.ndarray, observed: np.ndarray, shown: np.ndarray, quantile: float = QUANTILE) -> np.ndarray:
    """(H, W) bool: pixels that are trimmed. rendered, observed: (H, W, 3) uint8. shown: (H, W) bool where something is rendered;
    the rest is neither trimmed nor counted."""
    if not shown.any():
        return np.zeros(shown.shape, bool)
    residual = np.linalg.norm(rendered.astype(np.float32) - observed.astype(np.float32), axis=2)
    inlier = (residual <= np.quantile(residual[shown], quantile)) & shown
    known = shown.astype(np.float32)
    inlier |= _share(inlier, known, 3) >= NEIGHBOURS
    kept = _share(inlier & shown, known, AROUND)
    # the value at the middle of each 8x8 patch holds for all of it
    rows, columns = (np.minimum(np.arange(size) // PATCH * PATCH + PATCH // 2, size - 1) for size in shown.shape)
    return shown & ~(inlier | (kept[np.ix_(rows, columns)] >= PATCH_SHARE))


def _share(inlier: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    count = cv2.boxFilter(known, -1, (size, size), borderType=cv2.BORDER_REPLICATE)
    return cv2.boxFilter(inlier.astype(np.float32), -1, (size, size), borderType=cv2.BORDER_REPLICATE) / np.maximum(count, 1e-6)
