"""Words of a question that say what a thing is like: checked against what was measured, not against pictures."""

from __future__ import annotations

import re

import numpy as np

from magic3d_ros.language.concepts.colours import COLOURS

_COLOUR_WORDS = {name: (name,) for name in COLOURS} | {
    "gray": ("grey",), "silver": ("grey",), "golden": ("yellow", "orange", "brown"), "beige": ("brown", "white", "orange"),
    "cream": ("white", "yellow"), "dark": ("black", "brown", "grey"), "violet": ("purple",), "turquoise": ("blue", "green"),
    "cyan": ("blue",), "magenta": ("pink", "purple"), "wooden": ("brown", "orange"), "reddish": ("red", "brown", "pink"),
    "light": (), "colourful": ("red", "orange", "yellow", "green", "blue", "purple", "pink"),
    "colorful": ("red", "orange", "yellow", "green", "blue", "purple", "pink")}
_SMALL, _LARGE = {"small", "little", "tiny", "mini"}, {"big", "large", "huge", "giant", "long", "tall"}
_ENOUGH, _LEAST = 0.3, 0.1
"""Share of a thing in a colour that makes it of that colour: the body of a mug whose inside and handle are in shade."""


def attribute_fit(text: str, colours: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(M,) log of how well things fit the colour and size words in a text, 0 = fully, or the text has none.

    colours (M, 11): shares. lengths (M,): longest sides, metres; small and large are meant among this scene's things.
    """
    words = re.findall(r"[a-z]+", text.lower())
    fit = np.zeros(len(lengths))
    for word in words:
        meant = _COLOUR_WORDS.get(word, ())
        if meant:
            share = colours[:, [COLOURS.index(name) for name in meant]].sum(1)
            fit += np.log((np.minimum(share, _ENOUGH) + _LEAST) / (_ENOUGH + _LEAST))
    sizes = {-1.0 for word in words if word in _SMALL} | {1.0 for word in words if word in _LARGE}
    if len(sizes) == 1 and len(lengths) > 1:
        logarithm = np.log(np.maximum(lengths, 1e-3))
        beyond = (logarithm - np.median(logarithm)) / (logarithm.std() + 1e-6) * sizes.pop()
        fit += np.minimum(0.0, beyond)
    return fit
