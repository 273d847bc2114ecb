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
from magic3d_ros.language.calibration import Evidence, picture_probability
from magic3d_ros.language.vectors import unit

_SOME_VIEWS = 0.95
"""A picture must fit better than this share of random views of the scene: a few of those may show the thing itself."""
LOOK_WEIGHT = 17.0
"""Of a thing's cosine with a concept's vector in the joint class space, fitted with the other evidence (concepts/evidence.py)."""


@dataclass(frozen=True)
class Asked:
    """One question to M things: similarity (M,), cosine of its words with each, and picture (D,), its vector, None where it has
    none; what else speaks for and against.

    fit (M,): log of how likely each thing is of the concepts asked for, in relation to a thing that surely is of the first of
    them. form (M,): log of how well its size, height and shape fit them, 0 = fully. attributes (M,): the same of colour and size
    words. closeness (M,): cosine of meaning of the words with the nearest phrase of what each thing is, expected over what it may
    be. volume (M,): logarithm of the boxes' cubic metres. strangeness: by how much the words' closeness to anything known stays
    below knowledge.FAMILIAR.
    """

    similarity: np.ndarray | None
    picture: np.ndarray | None
    fit: np.ndarray | None = None
    form: np.ndarray | None = None
    attributes: np.ndarray | None = None
    closeness: np.ndarray | None = None
    volume: np.ndarray | None = None
    strangeness: float = 0.0


class Space(Protocol):
    """vectors (M, D): things, centred and of unit length, zeros where no picture shows one. background (K, D): random views."""

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

    def looks(self, vectors: np.ndarray, concepts: np.ndarray) -> np.ndarray:
        """(M, C) log-evidence of what things look like for concepts, whose vectors are (C, D)."""
        ...

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray) -> np.ndarray:
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

    def looks(self, vectors: np.ndarray, concepts: np.ndarray) -> np.ndarray:
        """Cosines, weighed against size, height, shape and colour. (z-scores of them among all that was seen here were worse.)"""
        return vectors @ concepts.T * LOOK_WEIGHT

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Of words by all that calibration.py weighs; of a picture by how far things stand out; both: their mean."""
        parts = []
        if asked.similarity is not None:
            assert asked.fit is not None and asked.attributes is not None and asked.closeness is not None
            assert asked.volume is not None
            evidence = Evidence(asked.fit, asked.similarity, asked.closeness, asked.attributes, asked.volume, asked.strangeness)
            parts.append(evidence.probability())
        if asked.picture is not None:
            parts.append(picture_probability(vectors @ asked.picture, background @ asked.picture))
        return np.mean(parts, axis=0)


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

    def looks(self, vectors: np.ndarray, concepts: np.ndarray) -> np.ndarray:
        """Zero-shot classification as its authors do it: cosines times the model's own scale."""
        return vectors @ concepts.T * self._scale

    def chances(self, asked: Asked, vectors: np.ndarray, background: np.ndarray) -> np.ndarray:
        """For words LERF's relevancy: the least, over phrases that fit everything, of the softmax of question and phrase. For a
        picture the same against random views of the scene. Both: their mean. Size, height,
        shape and words for colour and size then shift the odds."""
        parts = []
        if asked.similarity is not None:
            parts.append(self._against(asked.similarity, (vectors @ self._negatives.T).max(1, initial=-1.0)))
        if asked.picture is not None:
            usual = float(np.quantile(background @ asked.picture, _SOME_VIEWS)) if len(background) else 0.0
            parts.append(self._against(vectors @ asked.picture, usual))
        chance = np.mean(parts, axis=0)
        if asked.form is None or asked.attributes is None:
            return chance
        odds = chance / np.maximum(1 - chance, 1e-9) * np.exp(asked.form + asked.attributes)
        return odds / (1 + odds)

    def _against(self, similarity: np.ndarray, rival: np.ndarray | float) -> np.ndarray:
        return 1 / (1 + np.exp(np.clip((rival - similarity) * self._scale, -50, 50)))
