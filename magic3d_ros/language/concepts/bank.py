"""The concept bank: what things of homes, offices, kitchens, corridors and laboratories are like, as data.

Everybody knows that a mug is as long as a hand and nobody hangs it at the ceiling; image networks do not. The bank says it once,
in `data/*.yaml`, and questions, names and probabilities all follow from it. What the keys mean: docs/language.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from magic3d_ros.config import SettingsError
from magic3d_ros.language.concepts.colours import COLOURS
from magic3d_ros.language.concepts.data_file import find_in_config, read_mapping
from magic3d_ros.language.vectors import unit

SHAPES = "VHBT"
"""Vertical sheet, horizontal sheet, block, tall thing (form.py)."""
FREQUENCIES = ("common", "occasional", "rare", "elsewhere")
"""How often such a thing stands in rooms; elsewhere: hardly ever."""
STRUCTURE = ("floor", "wall", "ceiling")
"""Concepts that geometry tells."""
LOOK_ALIKE_DECAY = 0.85
"""The n-th look-alike class counts .85^n (measured beforehand on perfect instances of two rooms)."""
_KEYS = {"synonyms", "uses", "materials", "looks_like", "length", "height", "shape", "colours", "frequency", "surface"}
_NEEDED = {"looks_like", "length", "height", "shape"}
_SETTING = "language.concepts"
_MAX_LOOK_ALIKES = 9


@dataclass(frozen=True)
class Concept:
    """One kind of thing.

    looks_like: classes of the image network that such things are taken for, the best first. length: range of the longest side;
    height: range of the middle's height above the floor; metres. shapes: letters of SHAPES. colours: usual ones, empty for any.
    surface: it is above all a horizontal surface to put things on.
    """

    name: str
    synonyms: tuple[str, ...]
    uses: tuple[str, ...]
    materials: tuple[str, ...]
    looks_like: tuple[str, ...]
    length: tuple[float, float]
    height: tuple[float, float]
    shapes: str
    colours: tuple[str, ...]
    frequency: str
    surface: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What people call it."""
        return (self.name, *self.synonyms)

    @property
    def phrases(self) -> tuple[str, ...]:
        """What people say for it: its names, what it is for, what it is made of."""
        return (*self.names, *self.uses, *(f"made of {material}" for material in self.materials))


@dataclass(frozen=True)
class ConceptBank:
    """All concepts, in the order of their files."""

    concepts: tuple[Concept, ...]

    def __len__(self) -> int:
        return len(self.concepts)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each concept by its name."""
        return {concept.name: row for row, concept in enumerate(self.concepts)}

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """All phrases of all concepts, each once."""
        return tuple(dict.fromkeys(phrase for concept in self.concepts for phrase in concept.phrases))

    @cached_property
    def _phrases_of(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of `phrases`, concept after concept, and where each concept's begin."""
        row = {phrase: index for index, phrase in enumerate(self.phrases)}
        return (np.array([row[phrase] for concept in self.concepts for phrase in concept.phrases], np.int64),
                np.cumsum([0, *(len(concept.phrases) for concept in self.concepts[:-1])]))

    def best_phrase(self, closeness: np.ndarray) -> np.ndarray:
        """(N, C) of texts' closeness (N, P) to `phrases`, that to each concept's closest."""
        rows, starts = self._phrases_of
        return np.maximum.reduceat(closeness[:, rows], starts, axis=1)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(C, 2) metres."""
        return np.array([concept.length for concept in self.concepts])

    @cached_property
    def heights(self) -> np.ndarray:
        """(C, 2) metres."""
        return np.array([concept.height for concept in self.concepts])

    @cached_property
    def shapes(self) -> np.ndarray:
        """(C, 4) bool, which of SHAPES fit."""
        return np.array([[letter in concept.shapes for letter in SHAPES] for concept in self.concepts])

    @cached_property
    def colours(self) -> np.ndarray:
        """(C, 11) bool, which of COLOURS are usual; all for concepts without usual colours."""
        return np.array([[not concept.colours or name in concept.colours for name in COLOURS] for concept in self.concepts])

    @cached_property
    def frequencies(self) -> np.ndarray:
        """(C,) index into FREQUENCIES."""
        return np.array([FREQUENCIES.index(concept.frequency) for concept in self.concepts])

    @cached_property
    def surfaces(self) -> np.ndarray:
        """(C,) bool, concepts that are above all a surface to put things on."""
        return np.array([concept.surface for concept in self.concepts])

    @cached_property
    def structure(self) -> np.ndarray:
        """(C,) bool, concepts that only geometry tells."""
        return np.array([concept.name in STRUCTURE for concept in self.concepts])

    @cached_property
    def floor(self) -> np.ndarray:
        """(C,) bool, the concept of the floor."""
        return np.array([concept.name == "floor" for concept in self.concepts])

    def class_vectors(self, classes: Sequence[str]) -> np.ndarray:
        """(C, len(classes)) float32, unit length: each concept's look-alikes, the n-th by LOOK_ALIKE_DECAY^n.

        Raises SettingsError naming the concept whose look-alike is no class.
        """
        column = {name: index for index, name in enumerate(classes)}
        vectors = np.zeros((len(self.concepts), len(classes)), np.float32)
        for row, concept in enumerate(self.concepts):
            for place, name in enumerate(concept.looks_like):
                if name not in column:
                    raise SettingsError(f"{_SETTING}: {concept.name}: looks_like: the image network has no class '{name}' "
                                        "(cues/embedded/class_names.yaml lists them)")
                vectors[row, column[name]] = LOOK_ALIKE_DECAY**place
        return unit(vectors)


@lru_cache(maxsize=8)
def load_bank(name: str = "") -> ConceptBank:
    """The bank that ships; with the name of a YAML file in a config directory, its concepts are added, and replace those of the
    same name. Raises SettingsError naming file, concept and key of what is wrong."""
    files = sorted((Path(__file__).parent / "data").glob("*.yaml"))
    concepts: dict[str, Concept] = {}
    for file in files + ([find_in_config(_SETTING, name)] if name else []):
        concepts |= {str(key): _concept(str(key), values, file.name) for key, values in read_mapping(_SETTING, file).items()}
    return ConceptBank(tuple(concepts.values()))


def _concept(name: str, values: Any, file: str) -> Concept:
    where = f"{_SETTING}: {file}: {name}"
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where}: must hold keys and values, not {values!r}")
    unknown, missing = set(values) - _KEYS, _NEEDED - set(values)
    if unknown or missing:
        raise SettingsError(f"{where}: " + (f"there is no key '{min(map(str, unknown))}'" if unknown else
                                            f"the key '{min(missing)}' is missing"))
    looks_like, colours = _words(values, "looks_like", where), _words(values, "colours", where)
    if not 1 <= len(looks_like) <= _MAX_LOOK_ALIKES:
        raise SettingsError(f"{where}: looks_like: 1 to {_MAX_LOOK_ALIKES} classes, not {len(looks_like)}")
    if strange := [colour for colour in colours if colour not in COLOURS]:
        raise SettingsError(f"{where}: colours: '{strange[0]}' is none of {', '.join(COLOURS)}")
    shapes, frequency = values["shape"], values.get("frequency", "occasional")
    if not isinstance(shapes, str) or not shapes or set(shapes) - set(SHAPES):
        raise SettingsError(f"{where}: shape: letters of {SHAPES}, not {shapes!r}")
    surface = values.get("surface", False)
    if not isinstance(surface, bool):
        raise SettingsError(f"{where}: surface: must be true or false, not {surface!r}")
    if frequency not in FREQUENCIES:
        raise SettingsError(f"{where}: frequency: one of {', '.join(FREQUENCIES)}, not {frequency!r}")
    return Concept(name, _words(values, "synonyms", where), _words(values, "uses", where), _words(values, "materials", where),
                   looks_like, _range(values, "length", where, 0.001), _range(values, "height", where, -1000.0), shapes, colours,
                   frequency, surface)


def _words(values: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    words = values.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise SettingsError(f"{where}: {key}: must be a list of words, not {words!r}")
    return tuple(words)


def _range(values: Mapping[str, Any], key: str, where: str, least: float) -> tuple[float, float]:
    pair = values[key]
    if not (isinstance(pair, list) and len(pair) == 2 and all(type(x) in (int, float) for x in pair)
            and least <= pair[0] <= pair[1] < 1e6):
        raise SettingsError(f"{where}: {key}: must be [lowest, highest] in metres, not {pair!r}")
    return float(pair[0]), float(pair[1])
