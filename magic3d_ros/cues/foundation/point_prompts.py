"""Masks of everything in an image from a network that answers points: a grid of points, thresholds, a time budget."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.foundation.images import check_image
from magic3d_ros.cues.foundation.label_image import enlarged, label_image
from magic3d_ros.cues.foundation.mask_proposals import MaskProposals

POINTS_AT_ONCE = 64
"""of segment-anything's SamAutomaticMaskGenerator (points_per_batch)"""
MIN_STABILITY = 0.95
"""A mask's IoU between cuts one logit above and one below its edge must reach this (segment-anything and SAM 2)."""
_STABILITY_OFFSET = 1.0

_log = logging.getLogger(__name__)


class PointPrompted(ABC):
    """A MaskModel around a network that answers a point with three masks: subpart, part and whole.

    points_per_side: a grid of so many by so many points is asked (segment-anything: 32). granularity: objects, parts or all,
    see label_image. time_budget: seconds an image; when they are over no further points are asked, and since the grid is walked
    from coarse to fine, those that were cover the image evenly; 0 = no limit. max_width: pixels; masks of larger images are
    cut at this resolution. min_quality: IoU that the network must predict for a mask.
    """

    def __init__(self, name: str, min_quality: float, points_per_side: int, granularity: str, time_budget: float,
                 max_width: int) -> None:
        self.name = name
        self.min_quality = min_quality
        self.granularity = granularity
        self.time_budget = time_budget
        self.max_width = max_width
        self.points_at_once = POINTS_AT_ONCE
        """may be lowered where memory does not suffice: 64 answers enlarged to SAM's 1024 x 1024 take 270 MB"""
        self.cut_short = 0
        """images whose time was over before all points were asked, for diagnostics"""
        self._points = point_grid(points_per_side)

    def masks(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(H, W, 3) uint8 images of any sizes -> per image (H, W) int32 labels, -1 = none.

        Raises FrameError for an image that is not (H, W, 3) uint8.
        """
        for rgb in images:
            check_image(rgb)
        return [enlarged(label_image(self.propose(rgb), self.granularity), *rgb.shape[:2]) for rgb in images]

    @torch.inference_mode()
    def propose(self, rgb: np.ndarray) -> MaskProposals:
        """All masks of an image that pass the thresholds, at most max_width pixels wide or high."""
        start = time.monotonic()
        height, width = rgb.shape[:2]
        scale = min(1.0, self.max_width / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        embedding = self._embed(rgb)
        parts: list[MaskProposals] = []
        points = self._points * (width, height)
        for first in range(0, len(points), self.points_at_once):
            if parts and 0 < self.time_budget < time.monotonic() - start:
                self._say_cut_short(first)
                break
            logits, quality = self._answer(embedding, points[first:first + self.points_at_once])
            parts.append(self._passing(logits, quality, embedding, size))
        return MaskProposals.joined(parts)

    @abstractmethod
    def _embed(self, rgb: np.ndarray) -> Any:
        """What the network knows of the image."""

    @abstractmethod
    def _answer(self, embedding: Any, points: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 2) float64 x y, in pixels whose edges are at integers as SAM counts them -> mask logits (N, 3, h, w) at the
        network's resolution and the IoU (N, 3) it predicts for them, float32."""

    @abstractmethod
    def _enlarge(self, logits: torch.Tensor, embedding: Any, size: tuple[int, int]) -> torch.Tensor:
        """(M, h, w) logits at the network's resolution -> (M, H, W), the padding cut off."""

    def _passing(self, logits: torch.Tensor, quality: torch.Tensor, embedding: Any, size: tuple[int, int]) -> MaskProposals:
        levels = torch.arange(logits.shape[1], device=logits.device).repeat(len(logits))
        logits, quality = logits.flatten(0, 1), quality.flatten()
        good = torch.nonzero(quality > self.min_quality)[:, 0]
        masks, kept = [torch.zeros((0, *size), dtype=torch.bool, device=logits.device)], [good[:0]]
        for chosen in good.split(self.points_at_once):
            large = self._enlarge(logits[chosen], embedding, size)
            inner, outer = ((large > cut).flatten(1).sum(1) for cut in (_STABILITY_OFFSET, -_STABILITY_OFFSET))
            stable = inner / outer >= MIN_STABILITY
            masks.append(large[stable] > 0)
            kept.append(chosen[stable])
        passed = torch.cat(kept)
        return MaskProposals.pack(torch.cat(masks), quality[passed], levels[passed])

    def _say_cut_short(self, asked: int) -> None:
        self.cut_short += 1
        level = logging.WARNING if self.cut_short == 1 else logging.DEBUG  # once is enough, diagnostics carry the count
        _log.log(level, "%s: %.2f s were over after %d of %d points, the masks of this image are those so far; raise "
                 "masks.time_budget or lower masks.points_per_side", self.name, self.time_budget, asked, len(self._points))


def point_grid(side: int) -> np.ndarray:
    """(side * side, 2) x y in 0..1, the centres of a regular grid's cells, from coarse to fine: any first part of them covers the
    image evenly (order of the bit-reversed cell numbers)."""
    rows, columns = np.divmod(np.arange(side * side), side)
    order = np.zeros(side * side, np.int64)
    for bit in range(max(1, (side - 1).bit_length())):
        order = order * 4 + 2 * (rows >> bit & 1) + (columns >> bit & 1)
    walk = np.argsort(order, kind="stable")
    return np.stack([(columns[walk] + 0.5) / side, (rows[walk] + 0.5) / side], 1)
