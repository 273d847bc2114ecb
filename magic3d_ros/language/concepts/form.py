"""How large a thing is, how high it is, what shape it has; and how well that fits each concept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.language.concepts.bank import SHAPES, ConceptBank

# Tolerances and caps: measured beforehand on perfect instances of two rooms (docs/language.md).
_LENGTH_TOLERANCE = 0.35
"""of the natural logarithm of the longest side."""
_HEIGHT_TOLERANCE = 0.2
"""m"""
_CAP = 8.0
"""A range that does not fit costs at most this: a concept's range can be wrong, and a thing can be cut in two."""
WEIGHTS = (1.7, 0.1, 0.75, 0.95)
"""Of form_terms. Fitted by `bench query_weights`, but for too short: the fit gives 0, as things are often seen in part; a tenth
costs nothing and keeps a cup from being a wardrobe."""
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
    """(M, C) log of how well things' forms fit the concepts', 0 = fully."""
    return form_terms(bank, things) @ np.array(WEIGHTS)


def form_terms(bank: ConceptBank, things: Forms) -> np.ndarray:
    """(M, C, 4) how badly things' forms fit the concepts', 0 = fully, else negative: too long, too short, at another height, of
    another shape.

    Gaussian in the logarithm of the length and in the metres of the height beyond the usual ranges; another shape is -1.
    """
    length = np.log(np.maximum(things.length, 1e-3))[:, None]
    shortest, longest = np.log(bank.lengths.T)
    height = things.height[:, None]
    offset = np.maximum(height - bank.heights[:, 1], 0) + np.maximum(bank.heights[:, 0] - height, 0)
    beyond = [np.maximum(length - longest, 0) / _LENGTH_TOLERANCE, np.maximum(shortest - length, 0) / _LENGTH_TOLERANCE,
              offset / _HEIGHT_TOLERANCE]
    other = (things.shape[:, None] >= 0) & ~bank.shapes[:, things.shape].T
    return np.stack([*(-np.minimum(0.5 * b**2, _CAP) for b in beyond), -other.astype(np.float64)], axis=-1)
