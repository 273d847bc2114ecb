"""The bank and the lexicon as one language model sees them: concepts as vectors, questions as shares of concepts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from magic3d_ros.config import LanguageSettings, SettingsError
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.cues.stored_vectors import cache_directory
from magic3d_ros.language.concepts.bank import ConceptBank, load_bank
from magic3d_ros.language.concepts.examples import Correction, Examples, load_examples
from magic3d_ros.language.concepts.lexicon import Lexicon, load_lexicon
from magic3d_ros.language.vectors import softmax, unit

WORD_TEMPERATURE = 0.05
"""Softmax over cosines of meaning gives what a question is about (measured beforehand on perfect instances of two rooms)."""
FAMILIAR = 0.35
"""Cosine of meaning with the nearest known phrase below which a question is said to share little with anything known; questions
in other languages stay around .2-.3, English ones about household things above .4."""
_LEXICON_THRESHOLD, _LEXICON_SHARE = 0.55, 0.75
"""Closeness to a phrase at which its group applies, and its share (measured beforehand on 108 boxes in a kitchen)."""
_GROUP_DECAY = 0.9
"""The n-th concept of a group counts .9^n: groups list what serves best first."""
_NAMES_FOR_IMAGES = 4
"""Names of a concept whose mean stands for it among images."""


@dataclass(frozen=True)
class Meaning:
    """What texts are about. weights (N, C): shares of concepts, a row's sum is 1. nearest (N, C): cosine of meaning with the
    nearest phrase of each concept. closeness (N,): the same with the nearest phrase known at all."""

    weights: np.ndarray
    nearest: np.ndarray
    closeness: np.ndarray


class Knowledge:
    """Bank, lexicon and examples for one model. kept: folder that remembers what was learned from the examples; None = learn it
    anew.

    Raises SettingsError where the lexicon names what is no concept of the bank.
    """

    def __init__(self, model: LanguageModel, bank: ConceptBank, lexicon: Lexicon | None = None,
                 examples: Examples | None = None, kept: Path | None = None) -> None:
        self.model = model
        self.bank = bank
        self.lexicon = lexicon or Lexicon()
        self.examples = examples
        self._kept = kept
        for phrases, concepts in self.lexicon.groups:
            for name in concepts:
                if name not in bank.row_of:
                    raise SettingsError(f"language.lexicon: the group '{phrases[0]}' names '{name}', no concept of the bank")
        self._heard: dict[tuple[str, ...], Meaning] = {}

    @staticmethod
    def of(model: LanguageModel, settings: LanguageSettings) -> Knowledge:
        """As the settings say: without a lexicon named, English for the embedded tier and none for a model that knows phrases.
        Raises ModelError where the examples cannot be read."""
        lexicon = settings.lexicon or ("en" if model.contrast is None else "")
        examples = load_examples(model.name) if settings.examples else None
        return Knowledge(model, load_bank(settings.concepts), load_lexicon(lexicon), examples, cache_directory())

    @cached_property
    def vectors(self) -> np.ndarray:
        """(C, D) unit vectors of the concepts among the model's image vectors: the mean of their names; of a classifier's classes
        that and the look-alikes in equal parts (top-1 of 303 things of three maps by looks, form and colours .37 with look-alikes
        alone, .37 with names alone, .40 with both)."""
        names = [c.names[:_NAMES_FOR_IMAGES] for c in self.bank.concepts]
        flat = self.model.encode_text([name for group in names for name in group], kept=True)
        starts = np.cumsum([0, *(len(group) for group in names[:-1])])
        named = unit(np.add.reduceat(flat, starts, axis=0))
        return named if self.model.contrast is not None else unit(named + self.bank.class_vectors(self.model.class_names))

    def corrected(self, vectors: np.ndarray) -> np.ndarray:
        """(M, D) unit vectors of things, to be compared with words: as they are, or corrected by the examples."""
        return vectors if self._correction is None else self._correction(vectors)

    def with_examples(self, examples: Examples | None) -> Knowledge:
        """The same with other examples, or none."""
        other = copy(self)
        other.examples, other._kept = examples, None
        other.__dict__.pop("_correction", None)
        return other

    def without_examples_of(self, concepts: Collection[str]) -> Knowledge:
        """The same without the examples that are closest to one of the concepts: as one knows a kind of which one has none."""
        other = copy(self)
        other.__dict__["_correction"] = None if self._correction is None else self._correction.without(concepts)
        return other

    @cached_property
    def _correction(self) -> Correction | None:
        return None if self.examples is None else Correction(self.examples, self.vectors, self.bank.row_of, self._kept)

    @cached_property
    def known_names(self) -> frozenset[str]:
        """Names of concepts and phrases of the lexicon, lower case: what means one thing, whatever prepositions it holds."""
        names = [name for concept in self.bank.concepts for name in concept.names]
        return frozenset(phrase.lower() for phrase in [*names, *(p for group in self.lexicon.groups for p in group[0])])

    def stripped(self, text: str) -> str:
        """A text without the words that only open a question."""
        return self.lexicon.stripped(text)

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(N, D) unit vectors of texts among the model's image vectors; of a classifier's classes by their names and, in equal
        parts, by the concepts that the texts are about."""
        if self.model.contrast is not None:
            return self.model.encode_text(list(texts))
        named = self.model.encode_text([self.stripped(text) for text in texts])
        return unit(named + unit(self.meaning(texts).weights @ self.vectors))

    def meaning(self, texts: Sequence[str]) -> Meaning:
        """What texts are about. Recent ones are remembered."""
        key = tuple(texts)
        if key not in self._heard:
            if len(self._heard) >= 100:
                del self._heard[next(iter(self._heard))]
            self._heard[key] = self._meaning([self.stripped(text) for text in texts])
        return self._heard[key]

    def _meaning(self, texts: list[str]) -> Meaning:
        bank = self.bank
        closeness = self.model.text_similarity(texts, bank.phrases)
        best = bank.best_phrase(closeness)
        weights = softmax(best / WORD_TEMPERATURE)
        known = best.max(1)
        if self.lexicon.groups:
            phrases = [phrase for group in self.lexicon.groups for phrase in group[0]]
            near = self.model.text_similarity(texts, phrases)
            names = np.where(self._is_name, closeness, -1.0).max(1)
            for row in np.flatnonzero(near.max(1) > np.maximum(_LEXICON_THRESHOLD, names)):  # a name means just that
                exactness = (near[row].max() - _LEXICON_THRESHOLD) / (1 - _LEXICON_THRESHOLD)
                share = _LEXICON_SHARE + (1 - _LEXICON_SHARE) * min(1.0, exactness)  # a phrase word for word: nothing else
                weights[row] += share * (self._groups[self._owner[near[row].argmax()]] - weights[row])
            known = np.maximum(known, near.max(1))
        return Meaning(weights, best, known)

    @cached_property
    def _is_name(self) -> np.ndarray:
        """(P,) bool: names among the phrases; the rest are uses and materials."""
        names = {name for concept in self.bank.concepts for name in concept.names}
        return np.array([phrase in names for phrase in self.bank.phrases])

    @cached_property
    def _owner(self) -> np.ndarray:
        return np.array([g for g, group in enumerate(self.lexicon.groups) for _ in group[0]], np.int64)

    @cached_property
    def _groups(self) -> np.ndarray:
        """(G, C) shares of the concepts of each group."""
        groups = np.zeros((len(self.lexicon.groups), len(self.bank)))
        for row, (_, concepts) in enumerate(self.lexicon.groups):
            for place, name in enumerate(concepts):
                groups[row, self.bank.row_of[name]] = _GROUP_DECAY**place
        return groups / groups.sum(1, keepdims=True)
