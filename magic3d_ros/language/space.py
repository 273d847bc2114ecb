"""What the cosines of a language model mean: in the joint class space, and in a space learned by contrast.

Both answer the same questions, so nothing else knows which one runs: what is subtracted from images, how likely a label is, how
likely each thing is what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from magic3d_ros.cues.contrast import Contrast
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.calibration import weigh
from magic3d_ros.language.vectors import unit

_SOME_VIEWS = 0.95
"""A picture must fit better than this share of random views of the scene: a few of those may show the thing itself."""


@dataclass(frozen=True)
class Asked:
    """One question: vectors (D,) of its words and of its picture, None where it has none; what else speaks for and against.

    elsewhere: how close the words are to things seldom indoors, beyond those that often are. shape (M,): log of how well the
    things' sizes and heights fit, or None.
    """

    words: np.ndarray | None
    picture: np.ndarray | None
    elsewhere: float
    shape: np.ndarray | None


class Space(Protocol):
    """vectors (M, D): things, centred and of unit length. background (K, D): random views, the same. words (W, D): vocabulary."""

    @property
    def temperature(self) -> float:
        """Softmax over cosines with labels, divided by it, gives their probabilities."""
        ...

    @property
    def negative_temperature(self) -> float:
        """The same between a question and what is not meant."""
        ...

    def center(self, background: np.ndarray, views: np.ndarray, dimension: int) -> np.ndarray:
        """(D,) what is subtracted from raw image vectors, given those of random views (K, D) and of things (V, D)."""
        ...

    def usual(self, cosines: np.ndarray) -> np.ndarray:
        """(L,) what labels' cosines (n, L) with all that was seen have in common and says nothing."""
        ...

    def voxels(self, features: np.ndarray) -> np.ndarray:
        """(V, C) features of the voxel layer, made comparable with what `compressed` gives by a dot product."""
        ...

    def compressed(self, embeddings: np.ndarray) -> np.ndarray:
        """(n, C) compressed embeddings of questions, made comparable with what `voxels` gives."""
        ...

    def familiar_words(self, model: LanguageModel, text: str, things: tuple[str, ...], words: np.ndarray) -> np.ndarray:
        """(W,) how close a text is to each of the vocabulary's things, whose vectors are `words`."""
        ...

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray, words: np.ndarray) -> np.ndarray:
        """(M,) probability of each thing that it is what was asked for."""
        ...


def space_of(model: LanguageModel) -> Space:
    """The space that a model's vectors live in."""
    return JointClasses() if model.contrast is None else Contrastive(model.contrast)


class JointClasses:
    """Images are a classifier's logits: they need centring, and constants fitted to what was seen (calibration.py)."""

    temperature = 0.04
    negative_temperature = 0.03

    def center(self, background: np.ndarray, views: np.ndarray, dimension: int) -> np.ndarray:
        """Half the mean of random views, half that of the things (measured: either alone is worse)."""
        means = [m.mean(0) for m in (background, views) if len(m)]
        return np.mean(means, axis=0) if means else np.zeros(dimension, np.float32)

    def usual(self, cosines: np.ndarray) -> np.ndarray:
        """Some labels are close to everything."""
        return cosines.mean(0) if len(cosines) else np.zeros(cosines.shape[1], np.float32)

    def voxels(self, features: np.ndarray) -> np.ndarray:
        """For cosines, after the mean voxel was subtracted."""
        return unit(features - features.mean(0)) if len(features) else features

    def compressed(self, embeddings: np.ndarray) -> np.ndarray:
        """For cosines."""
        return unit(embeddings)

    def familiar_words(self, model: LanguageModel, text: str, things: tuple[str, ...], words: np.ndarray) -> np.ndarray:
        """In the class space itself."""
        return words @ model.encode_text([text])[0]

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Words and picture count equally."""
        parts = [part for part in (asked.words, asked.picture) if part is not None]
        things, views = (np.mean([v @ part for part in parts], axis=0) for v in (vectors, background))
        best_word = (vectors @ words.T).max(1) if len(vectors) else np.zeros(0, np.float32)
        return weigh(things, views, best_word, asked.elsewhere, asked.shape).probability()


class Contrastive:
    """Images and texts were trained to fit: cosines need no centring, and the model's own scale makes them odds."""

    def __init__(self, contrast: Contrast) -> None:
        self._scale = contrast.logit_scale
        self._negatives = contrast.negatives
        self.temperature = self.negative_temperature = 1.0 / contrast.logit_scale

    def center(self, background: np.ndarray, views: np.ndarray, dimension: int) -> np.ndarray:
        """Nothing."""
        return np.zeros(dimension, np.float32)

    def usual(self, cosines: np.ndarray) -> np.ndarray:
        """Nothing: zero-shot classification as its authors do it."""
        return np.zeros(cosines.shape[1], np.float32)

    def voxels(self, features: np.ndarray) -> np.ndarray:
        """As they are: the directions kept are those of texts, so unit vectors of images are short in them, and stretching them
        to unit length would make all cosines too large."""
        return features

    def compressed(self, embeddings: np.ndarray) -> np.ndarray:
        """As they are."""
        return embeddings

    def familiar_words(self, model: LanguageModel, text: str, things: tuple[str, ...], words: np.ndarray) -> np.ndarray:
        """By the text tower alone, with what all texts share subtracted."""
        return model.text_similarity([text], things)[0]

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray, words: np.ndarray) -> np.ndarray:
        """For words LERF's relevancy: the least, over phrases that fit everything, of the softmax of question and phrase. For a
        picture the same against random views of the scene. Both: their mean. Size and height then shift the odds."""
        parts = []
        if asked.words is not None:
            parts.append(self._against(vectors @ asked.words, (vectors @ self._negatives.T).max(1, initial=-1.0)))
        if asked.picture is not None:
            usual = float(np.quantile(background @ asked.picture, _SOME_VIEWS)) if len(background) else 0.0
            parts.append(self._against(vectors @ asked.picture, usual))
        chance = np.mean(parts, axis=0)
        if asked.shape is None:
            return chance
        odds = chance / np.maximum(1 - chance, 1e-9) * np.exp(asked.shape)
        return odds / (1 + odds)

    def _against(self, similarity: np.ndarray, rival: np.ndarray | float) -> np.ndarray:
        return 1 / (1 + np.exp(np.clip((rival - similarity) * self._scale, -50, 50)))
