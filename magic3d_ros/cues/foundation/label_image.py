"""Overlapping masks to one label image, by granularity."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from magic3d_ros.cues.foundation.mask_proposals import WHOLE, MaskProposals

GRANULARITIES = ("objects", "parts", "all")
_INSIDE = 0.9
"""A region with a larger share than this inside one whole object is a part of it (Segment3D, its released mask preprocessing)."""


def label_image(proposals: MaskProposals, granularity: str) -> np.ndarray:
    """(height, width) int32: which mask a pixel belongs to, 0..n-1 without gaps, -1 = none.

    granularity: "objects" puts whole objects first and keeps of the rest what is not inside one of them (Segment3D, Huang et al.
    2024); "parts" lets the smaller of two masks win; "all" the one of which the network is surer (SAM3D, Yang et al. 2023).
    Raises ValueError for another one.
    """
    if granularity not in GRANULARITIES:
        raise ValueError(f"granularity is one of {', '.join(GRANULARITIES)}, not '{granularity}'")
    best_first = proposals.distinct()
    if granularity == "parts":
        areas = np.array([proposals.mask(index).sum() for index in best_first])
        return renumbered(_painted(proposals, best_first[np.argsort(-areas, kind="stable")]))
    surest_on_top = _painted(proposals, best_first[::-1])
    if granularity == "all":
        return renumbered(surest_on_top)
    whole = _painted(proposals, proposals.distinct(proposals.levels == WHOLE)[::-1])
    return renumbered(whole_first(whole, surest_on_top))


def whole_first(whole: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Label images of whole objects and of all masks -> the objects, and over them the regions that are no part of one."""
    n_whole, n_regions = whole.max(initial=-1) + 1, regions.max(initial=-1) + 1
    counts = np.bincount(((regions + 1) * (n_whole + 1) + whole + 1).ravel(), minlength=(n_regions + 1) * (n_whole + 1))
    counts = counts.reshape(n_regions + 1, n_whole + 1)
    stays = counts[:, 1:].max(1, initial=0) <= _INSIDE * counts.sum(1)
    stays[0] = False  # pixels of no region
    return np.where(stays[regions + 1], n_whole + regions, whole)


def renumbered(labels: np.ndarray) -> np.ndarray:
    """The same regions as int32 0..n-1 without gaps; -1 stays."""
    present, place = np.unique(labels, return_inverse=True)
    first = int(len(present) > 0 and present[0] == -1)
    return (place.reshape(labels.shape) - first).astype(np.int32)


def enlarged(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    """A label image at another size: every pixel takes the label under its centre."""
    if labels.shape == (height, width):
        return labels
    rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(np.int64)
    columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(np.int64)
    return labels[rows[:, None], columns]


def _painted(proposals: MaskProposals, order: Iterable[int]) -> np.ndarray:
    """The masks one over the other, the last on top."""
    labels = np.full((proposals.height, proposals.width), -1, np.int32)
    for number, index in enumerate(order):
        labels[proposals.mask(index)] = number
    return labels
