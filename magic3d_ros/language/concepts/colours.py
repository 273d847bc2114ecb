"""Names of colours, and how much of a thing has each."""

from __future__ import annotations

import numpy as np

COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""The eleven basic colour terms (Berlin and Kay 1969)."""
_BLACK, _WHITE = 0.2, 0.72
"""of full brightness (largest channel). Indoor pictures are dim: white paint in shade is seen at 180 of 255."""
_GREY = 0.18
"""Saturation below which a colour has no hue; three quarters more where it is dark and sensor noise tints it."""
_HUES = ((15, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (258, "blue"), (300, "purple"), (340, "pink"), (361, "red"))
"""Degrees of the hue circle up to which each name goes."""
_BROWN = 0.62
"""Orange and red-orange darker than this, or duller than _VIVID, are called brown."""
_VIVID = 0.55


def colour_names(rgb: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 -> (N,) index into COLOURS."""
    values = np.asarray(rgb, np.float32).reshape(-1, 3) / 255
    high, low = values.max(1), values.min(1)
    spread = high - low
    saturation = spread / np.maximum(high, 1e-6)
    red, green, blue = values.T
    safe = np.maximum(spread, 1e-6)
    hue = 60 * np.select([high == red, high == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2],
                         (red - green) / safe + 4)
    names = np.array([COLOURS.index(name) for _, name in _HUES])
    out = names[np.searchsorted([end for end, _ in _HUES], hue % 360, side="right").clip(0, len(_HUES) - 1)]
    brownish = (hue >= 8) & (hue < 48) & ((high < _BROWN) | (saturation < _VIVID))
    out[brownish] = COLOURS.index("brown")
    colourless = saturation < np.where(high < 0.35, 1.75 * _GREY, _GREY)
    out[colourless] = COLOURS.index("grey")
    out[colourless & (high > _WHITE)] = COLOURS.index("white")
    out[(high < _BLACK) | (colourless & (high < 1.4 * _BLACK))] = COLOURS.index("black")
    return out


def colour_shares(rgb: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """(count, 11) share of each of COLOURS among the points of every owner; even where it has none.

    rgb (N, 3) uint8; owner (N,) 0 ... count-1, or negative for nobody's.
    """
    mine = owner >= 0
    table = np.bincount(owner[mine] * len(COLOURS) + colour_names(rgb[mine]), minlength=count * len(COLOURS)).astype(np.float64)
    table = table.reshape(count, len(COLOURS))
    total = table.sum(1, keepdims=True)
    return np.where(total > 0, table / np.maximum(total, 1), 1 / len(COLOURS))
