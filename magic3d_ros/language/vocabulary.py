"""The words that objects are named by and questions are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Vocabulary:
    """As vocabulary.yaml describes."""

    things: tuple[str, ...]
    elsewhere: tuple[str, ...]
    structure: dict[str, tuple[str, ...]]
    supports: tuple[str, ...]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary that ships."""
    content = yaml.safe_load(Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8"))
    return Vocabulary(tuple(content["things"]), tuple(content["elsewhere"]),
                      {name: tuple(words) for name, words in content["structure"].items()}, tuple(content["supports"]))
