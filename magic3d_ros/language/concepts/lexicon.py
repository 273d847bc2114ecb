"""The affordance lexicon: what people say they want to do, and the concepts that serve. One file a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from magic3d_ros.config import SettingsError
from magic3d_ros.language.concepts.data_file import find_in_config, read_mapping

OFF = "none"
_SETTING = "language.lexicon"


@dataclass(frozen=True)
class Lexicon:
    """openings: words cut off the beginning of a question. groups: (phrases, names of concepts) pairs."""

    openings: tuple[str, ...] = ()
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()

    def stripped(self, text: str) -> str:
        """The question without its opening words, punctuation at the ends and runs of spaces, in lower case."""
        words = " ".join(text.lower().split()).strip(" ?!.,;:\"'")
        for opening in sorted(self.openings, key=len, reverse=True):
            words = words.removeprefix(opening + " ")
        return words


@lru_cache(maxsize=8)
def load_lexicon(names: str) -> Lexicon:
    """The lexicons of those names, separated by commas, as one: those in a config directory, or that ship (en, de); none without
    a name or for "none".

    Raises SettingsError when one is not there, too large, or not of the form that en.yaml shows.
    """
    openings: list[str] = []
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for name in [n.strip() for n in names.split(",") if n.strip() and n.strip() != OFF]:
        shipped = Path(__file__).parent / "lexicon" / f"{name}.yaml"
        path = shipped if name.isidentifier() and shipped.is_file() else find_in_config(_SETTING, name)
        content = read_mapping(_SETTING, path)
        if not isinstance(content.get("groups"), list):
            raise SettingsError(f"{_SETTING}: {path.name} must hold 'groups', a list of phrases and concepts")
        openings += [o.lower() for o in (_words(content, "openings", path.name) if content.get("openings") else ())]
        groups += [(_words(group, "phrases", path.name), _words(group, "concepts", path.name)) for group in content["groups"]]
    return Lexicon(tuple(openings), tuple(groups))


def _words(holder: Any, key: str, file: str) -> tuple[str, ...]:
    values = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v.strip() for v in values):
        raise SettingsError(f"{_SETTING}: in {file}, '{key}' must be a list of words, not {values!r}")
    return tuple(values)
