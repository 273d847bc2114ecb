"""The words that objects are named by and questions are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Vocabulary:
    """As vocabulary.yaml describes. sizes, heights: of each of `things`, lowest and highest usual value, metres."""

    things: tuple[str, ...]
    sizes: tuple[tuple[float, float], ...]
    heights: tuple[tuple[float, float], ...]
    elsewhere: tuple[str, ...]
    purposes: tuple[str, ...]
    structure: dict[str, tuple[str, ...]]
    supports: tuple[str, ...]

    def groups(self) -> dict[str, tuple[str, ...]]:
        """All words, by group: things that are no supports, elsewhere, purposes, supports, and each structure by name."""
        return {"things": tuple(t for t in self.things if t not in self.supports), "elsewhere": self.elsewhere,
                "purposes": self.purposes, "supports": self.supports, **self.structure}


@lru_cache(maxsize=1)
def known_names() -> frozenset[str]:
    """Every word and phrase of the vocabulary, lower case: what names one thing, whatever prepositions it holds."""
    return frozenset(word.lower() for words in vocabulary().groups().values() for word in words)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary that ships."""
    content = yaml.safe_load(Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8"))
    things = [(word, tuple(group["size"]), tuple(group["height"])) for group in content["things"] for word in group["words"]]
    return Vocabulary(
        tuple(t[0] for t in things), tuple(t[1] for t in things), tuple(t[2] for t in things),
        tuple(content["elsewhere"]), tuple(content["purposes"]),
        {name: tuple(words) for name, words in content["structure"].items()}, tuple(content["supports"]))
