"""How large a thing is, how high it is, what shape it has; and how well that fits each concept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.language.concepts.bank import SHAPES, ConceptBank

# Tolerances, strictness and caps: measured beforehand on perfect instances of two rooms (docs/language.md).
_LENGTH_TOLERANCE = 0.35
"""of the natural logarithm of the longest side."""
_HEIGHT_TOLERANCE = 0.2
"""m"""
_CAP = 8.0
"""A range that does not fit costs at most this: a concept's range can be wrong, and a thing can be cut in two."""
_SHAPE_COST = 1.5
_SHORT = 0.5
"""Excess of what is too short counts half: things are often seen in part."""
_THIN, _TALL = 0.3, 1.8
_BLOCK_DEPTH, _BLOCK_HEIGHT = 0.25, 0.2
"""of the longest side: the least that makes a block."""


@dataclass(frozen=True)
class Forms:
    """Of M things: length (M,) longest side and height (M,) of the middle above the floor, metres; shape (M,) index into
    bank.SHAPES, -1 = none of them."""

    length: np.ndarray
    height: np.ndarray
    shape: np.ndarray


def forms(sizes: np.ndarray, heights: np.ndarray) -> Forms:
    """sizes (M, 3): sides of upright boxes, the third vertical; heights (M,) of their middles above the floor; metres."""
    sizes = np.maximum(np.asarray(sizes, np.float64).reshape(-1, 3), 1e-3)
    narrow, wide, tall = sizes[:, :2].min(1), sizes[:, :2].max(1), sizes[:, 2]
    length = sizes.max(1)
    block = (narrow >= _BLOCK_DEPTH * length) & (tall >= _BLOCK_HEIGHT * length)
    shape = np.select([narrow < _THIN * np.minimum(wide, tall), tall < _THIN * narrow, tall > _TALL * wide, block],
                      [SHAPES.index(letter) for letter in "VHTB"], -1)
    return Forms(length, np.asarray(heights, np.float64).reshape(-1), shape)


def form_fit(bank: ConceptBank, things: Forms) -> np.ndarray:
    """(M, C) log of how well things' forms fit the concepts', 0 = fully.

    Gaussian in the logarithm of the length and in the metres of the height beyond the usual ranges; another shape costs the same
    for all.
    """
    length = np.log(np.maximum(things.length, 1e-3))[:, None]
    shortest, longest = np.log(bank.lengths.T)
    excess = np.maximum(length - longest, 0) + _SHORT * np.maximum(shortest - length, 0)
    height = things.height[:, None]
    offset = np.maximum(height - bank.heights[:, 1], 0) + np.maximum(bank.heights[:, 0] - height, 0)
    fit = -np.minimum(0.5 * (excess / _LENGTH_TOLERANCE) ** 2, _CAP) - np.minimum(0.5 * (offset / _HEIGHT_TOLERANCE) ** 2, _CAP)
    other = (things.shape[:, None] >= 0) & ~bank.shapes[:, things.shape].T
    return fit - _SHAPE_COST * other
