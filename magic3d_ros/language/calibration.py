"""From evidence to probability.

Cosines of the joint class space mean little by themselves: some questions are close to everything. What tells is how likely a
thing is of the concepts asked for, in relation to how likely things here are of concepts that mostly are not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SPREAD_FLOOR = 0.02
"""Added to the spread of scores: a question that fits nothing must not make noise stand out. The spread is the robust one, but no
less than half the plain one: in a small scene most scores can be equal."""

# Logistic regression (L2 .03 on standardised features) on the maps of two rendered rooms, living_room and procedural_room: 172
# questions about things that are there and 120 about things that are not, counting equally, the five best things of each. Fitted
# on one room and tried on the other: AUC of "it is there" .86 and .91. Slope and offset then come from whether the best thing was
# right, for these questions and those of bench/queries_redkitchen.yaml (docs/language.md).
_BIAS = -2.0
_FIT = 0.46
_SURPRISE = 0.75
_SIMILARITY = 13.3
_ELSEWHERE = -1.1
_ATTRIBUTES = 1.4
"""Set by hand, as colours and sizes are probabilities already: the questions fitted to hold no such words."""
_STRANGE = -2.8
"""Set by hand, a tenth of cosine: the questions fitted to hold no words without meaning."""
_PICTURE_BIAS, _PICTURE_STANDOUT, _PICTURE_SIMILARITY = -2.7, 0.74, 5.1
"""For a picture: as fitted for words before there were concepts (replica_office0, ground-truth instances, AUC .87)."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for each of M things being what was asked for in words; the fields are those of space.Asked. similarity (M,):
    cosine of words and pictures."""

    fit: np.ndarray
    rivals: np.ndarray
    similarity: np.ndarray
    attributes: np.ndarray
    elsewhere: float
    strangeness: float = 0.0

    def probability(self) -> np.ndarray:
        """(M,) in 0..1."""
        score = (_BIAS + _FIT * self.fit + _SURPRISE * self.surprise() + _SIMILARITY * self.similarity
                 + _ATTRIBUTES * self.attributes + _ELSEWHERE * self.elsewhere + _STRANGE * self.strangeness / 0.1)
        return 1.0 / (1.0 + np.exp(-np.clip(score, -50, 50)))

    def surprise(self) -> np.ndarray:
        """(M,) how far the fit stands out among the best fits of other concepts, most of which are not here."""
        if len(self.rivals) == 0:
            return np.zeros(len(self.fit))
        return (self.fit - float(np.median(self.rivals))) / (float(self.rivals.std()) + _SPREAD_FLOOR)


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
