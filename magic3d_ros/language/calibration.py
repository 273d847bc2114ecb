"""From evidence to probability.

Cosines of the joint class space mean little by themselves: some questions are close to everything. What tells is how likely a
thing is of the concepts asked for, and how close in meaning the question is to what the thing may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SPREAD_FLOOR = 0.02
"""Added to the spread of scores: a question that fits nothing must not make noise stand out. The spread is the robust one, but no
less than half the plain one: in a small scene most scores can be equal."""

# `magic3d bench query_weights`: the relation of the weights by the likelihood of the right thing among all things (a conditional
# logit), slope and offset then by whether the best thing was right (docs/language.md).
BIAS = -1.3
FIT = 0.47
SIMILARITY = 1.5
CLOSENESS = 4.2
VOLUME = 0.2
"""Of the logarithm of cubic metres: what is in pieces answers by the largest, and scraps do not stand before whole things."""
_ATTRIBUTES = FIT
"""Set by hand: colours and sizes are probabilities already, as the fit is. The questions fitted to hold few such words."""
_STRANGE = -2.8
"""Set by hand, a tenth of cosine: the questions fitted to hold no words without meaning."""
_PICTURE_BIAS, _PICTURE_STANDOUT, _PICTURE_SIMILARITY = -2.7, 0.74, 5.1
"""For a picture: as fitted for words before there were concepts (replica_office0, ground-truth instances, AUC .87)."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for each of M things being what was asked for in words; the fields are those of space.Asked. similarity (M,):
    cosine of words and pictures."""

    fit: np.ndarray
    similarity: np.ndarray
    closeness: np.ndarray
    attributes: np.ndarray
    volume: np.ndarray
    strangeness: float = 0.0

    def probability(self) -> np.ndarray:
        """(M,) in 0..1."""
        score = (BIAS + FIT * self.fit + SIMILARITY * self.similarity + CLOSENESS * self.closeness
                 + VOLUME * self.volume + _ATTRIBUTES * self.attributes + _STRANGE * self.strangeness / 0.1)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -50, 50))))


def standout(similarity: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(M,) robust z-scores of things' similarity among all things and random views of this scene (K,)."""
    everything = np.concatenate([similarity, background])
    if len(everything) == 0:
        return similarity
    middle = float(np.median(everything))
    spread = max(1.4826 * float(np.median(np.abs(everything - middle))), 0.5 * float(everything.std())) + _SPREAD_FLOOR
    return (similarity - middle) / spread


def picture_probability(similarity: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(M,) in 0..1, of things' similarity to a picture."""
    score = _PICTURE_BIAS + _PICTURE_STANDOUT * standout(similarity, background) + _PICTURE_SIMILARITY * similarity
    return 1.0 / (1.0 + np.exp(-score))
