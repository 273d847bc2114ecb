"""Overlapping masks that a promptable network proposed for one image, and which of them are duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

DUPLICATE_OVERLAP = 0.7
"""IoU of two masks' boxes from which the worse one is dropped (segment-anything's SamAutomaticMaskGenerator, box_nms_thresh)."""
WHOLE = 2
"""Level of the answers that mean whole things: SAM's three answers to a point are trained as subpart, part and whole (Kirillov et
al. 2023), and Segment3D takes the third for whole objects."""


@dataclass(frozen=True)
class MaskProposals:
    """N masks of one image, duplicates and all. Masks are held eight pixels a byte: a frame proposes up to thousands.

    packed: (N, ceil(height * width / 8)) uint8. scores: (N,) float32, the quality that the network predicts (an IoU).
    boxes: (N, 4) float32 x0 y0 x1 y1, pixel indices of the outermost pixels. levels: (N,) int, which of its answers to a point.
    """

    height: int
    width: int
    packed: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    levels: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def mask(self, index: int) -> np.ndarray:
        """(height, width) bool."""
        bits = np.unpackbits(self.packed[index], count=self.height * self.width)
        return bits.reshape(self.height, self.width).view(bool)

    def distinct(self, chosen: np.ndarray | None = None) -> np.ndarray:
        """Indices of the masks that remain when, among the chosen (a bool (N,), all by default), of two whose boxes overlap the
        worse one goes; best first."""
        candidates = np.arange(len(self)) if chosen is None else np.flatnonzero(chosen)
        kept = without_duplicates(self.boxes[candidates], self.scores[candidates])
        return candidates[kept]

    @staticmethod
    def pack(masks: torch.Tensor, scores: torch.Tensor, levels: torch.Tensor) -> MaskProposals:
        """(N, H, W) bool, (N,) and (N,) on any device."""
        _, height, width = masks.shape
        boxes = mask_boxes(masks).float().cpu().numpy()
        packed = np.packbits(masks.flatten(1).cpu().numpy(), axis=1)
        return MaskProposals(height, width, packed, scores.float().cpu().numpy(), boxes, levels.cpu().numpy())

    @staticmethod
    def joined(parts: list[MaskProposals]) -> MaskProposals:
        """The masks of several batches of one image."""
        first = parts[0]
        return MaskProposals(first.height, first.width, *(np.concatenate([getattr(part, name) for part in parts])
                                                          for name in ("packed", "scores", "boxes", "levels")))


def mask_boxes(masks: torch.Tensor) -> torch.Tensor:
    """(N, H, W) bool -> (N, 4) int64: x0 y0 x1 y1 of the outermost pixels; zeros for an empty mask."""
    sides = []
    for occupied in (masks.any(1), masks.any(2)):  # columns, rows
        length = occupied.shape[1]
        sides += [occupied.int().argmax(1), length - 1 - occupied.flip(1).int().argmax(1)]
    left, right, top, bottom = sides
    return torch.stack([left, top, right, bottom], 1) * masks.flatten(1).any(1)[:, None]


def without_duplicates(boxes: np.ndarray, scores: np.ndarray, overlap: float = DUPLICATE_OVERLAP) -> np.ndarray:
    """Greedy non-maximum suppression as torchvision's, which is not needed for it: (N, 4) float32 and (N,) -> indices that stay,
    best first. Boxes are x0 y0 x1 y1, their area (x1 - x0)(y1 - y0)."""
    remaining = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(remaining):
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[remaining, :2]), np.minimum(boxes[best, 2:], boxes[remaining, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        remaining = remaining[~(shared > overlap * (areas[best] + areas[remaining] - shared))]
    return np.array(kept, np.int64)
