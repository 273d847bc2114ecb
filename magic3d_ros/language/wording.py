"""What the words of a question are about, told by the words they are closest to in meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.vocabulary import vocabulary

WORD_TEMPERATURE = 0.05
"""Softmax over cosines of meaning gives what a question is about (measured beforehand with a larger bank of concepts)."""
FAMILIAR = 0.35
"""Cosine of meaning with the nearest known word below which a question is said to share little with anything known; questions
in other languages stay around .2-.3, English ones about household things above .4."""


def closeness_of(model: LanguageModel, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """How close in meaning (N,) texts are to the nearest word of each group: things, elsewhere, supports, each structure."""
    groups = vocabulary().groups()
    closeness = model.text_similarity(texts, [word for words in groups.values() for word in words])
    ends = np.cumsum([len(words) for words in groups.values()])
    return {name: part.max(1) for name, part in zip(groups, np.split(closeness, ends[:-1], axis=1), strict=True)}


def share_of(closeness: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """(N,) 0..1, how much each text is about that group of words rather than the others, or than nothing known."""
    rivals = np.max([c for group, c in closeness.items() if group != name], axis=0)
    return 1 / (1 + np.exp((np.maximum(rivals, FAMILIAR) - closeness[name]) / WORD_TEMPERATURE))


def word_vectors(model: LanguageModel) -> np.ndarray:
    """(W, D) vocabulary().things as text."""
    return model.encode_text(list(vocabulary().things), kept=True)
