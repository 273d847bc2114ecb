"""What a frame's distractors are: the detector's answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.frames import RGBDFrame


@dataclass(frozen=True)
class DistractorVerdict:
    """stamp: of the frame (ns). uncertainty: (H, W) float32 beta; above 1 is a distractor. mask: (H, W) bool, True = distractor.
    weights: (H, W) float32 trust 0..1 for fusing: 0 on distractors and on the mixed pixels of their edges."""

    stamp: int
    uncertainty: np.ndarray
    mask: np.ndarray
    weights: np.ndarray

    @staticmethod
    def trusting(frame: RGBDFrame) -> DistractorVerdict:
        """Nothing moves: beta is .5 everywhere, at which 1 / (2 beta^2) passes full trust."""
        shape = frame.depth.shape
        return DistractorVerdict(frame.stamp, np.full(shape, 0.5, np.float32), np.zeros(shape, bool), np.ones(shape, np.float32))

    def trust(self) -> np.ndarray | None:
        """(H, W) uint8 as keyframes remember it, 255 = fully trusted; None where nothing moves."""
        return np.round(255.0 * self.weights).astype(np.uint8) if self.mask.any() else None

    def grey(self) -> np.ndarray:
        """(H, W) uint8: 255 beta^2 / (1 + beta^2), so that more than 127 is a distractor."""
        square = self.uncertainty**2
        grey = np.round(255.0 * square / (1.0 + square))
        return np.where(self.mask, np.maximum(grey, 128), np.minimum(grey, 127)).astype(np.uint8)
