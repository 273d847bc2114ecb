"""The affordance lexicon: what people say they want to do, and the nouns of things that serve."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from magic3d_ros.config import SettingsError

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.ya?ml)?")


@dataclass(frozen=True)
class Lexicon:
    """openings: words cut off the beginning of a question. groups: (phrases, nouns) pairs."""

    openings: tuple[str, ...]
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def stripped(self, text: str) -> str:
        """The question without its opening words, punctuation at the ends and runs of spaces, in lower case."""
        words = " ".join(text.lower().split()).strip(" ?!.,;:\"'")
        for opening in sorted(self.openings, key=len, reverse=True):
            words = words.removeprefix(opening + " ")
        return words


def load_lexicon(name: str = "") -> Lexicon:
    """The lexicon of that name in a config directory; the one that ships for an empty name.

    Raises SettingsError when it is not there, too large, or not of the form that lexicon.yaml shows.
    """
    path = Path(__file__).with_name("lexicon.yaml") if not name else _find(name)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingsError(f"cues.lexicon: {path.name} is larger than {_MAX_BYTES >> 20} MB")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"cues.lexicon: cannot read {path.name}: {error}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("groups"), list):
        raise SettingsError(f"cues.lexicon: {path.name} must hold 'groups', a list of phrases and nouns")
    groups = tuple((_words(group, "phrases", path.name), _words(group, "nouns", path.name)) for group in content["groups"])
    openings = _words(content, "openings", path.name) if content.get("openings") else ()
    return Lexicon(tuple(o.lower() for o in openings), groups)


def config_directories() -> list[Path]:
    """Where config/ may lie: beside the sources, in each ament prefix, in this Python's prefix."""
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    shared = [Path(p) / "share" / "magic3d_ros" / "config" for p in [*prefixes, sys.prefix]]
    return [Path(__file__).resolve().parents[3] / "config", *shared]


def _find(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise SettingsError(f"cues.lexicon is the name of a YAML file in config/, not a path: '{name}'")
    file = name if name.endswith((".yaml", ".yml")) else name + ".yaml"
    for directory in config_directories():
        if (directory / file).is_file():
            return directory / file
    raise SettingsError(f"cues.lexicon: there is no {file} in config/")


def _words(holder: Any, key: str, file: str) -> tuple[str, ...]:
    values = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v.strip() for v in values):
        raise SettingsError(f"cues.lexicon: in {file}, '{key}' must be a list of words, not {values!r}")
    return tuple(values)
