"""Lists of labels to name every point by: those of benchmarks, shipped as YAML, and one's own; and a colour for every label."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

_FOLDER = Path(__file__).with_name("label_sets")
UNNAMED = (128, 128, 128)
"""Colour of points that none of the labels was given to."""


class LabelSetError(ValueError):
    """There is no such list, or none that can be used; the message says what there is."""


@dataclass(frozen=True)
class LabelSet:
    """names: as the benchmark writes them. texts: what the model is asked, one for each name."""

    names: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def colors(self) -> np.ndarray:
        """(N, 3) uint8, see label_colors."""
        return label_colors(self.names)


def label_set_names() -> list[str]:
    """The lists that ship."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def label_set(name: str) -> LabelSet:
    """A list that ships, by its name; never read as a path. Raises LabelSetError."""
    if name not in label_set_names():
        raise LabelSetError(f"there is no list of labels '{name}': there are {', '.join(label_set_names())}")
    entries = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    pairs = [(entry, entry) if isinstance(entry, str) else (entry["name"], entry["text"]) for entry in entries]
    return LabelSet(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def own_labels(text: str) -> LabelSet:
    """Labels of one's own, separated by commas. Raises LabelSetError when there is none, or one comes twice."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names or len(set(names)) < len(names):
        raise LabelSetError(f"give labels that differ, separated by commas, not '{text}'")
    return LabelSet(names, names)


def label_colors(names: Sequence[str]) -> np.ndarray:
    """(N, 3) uint8: a label has the same colour in every list, every map and on every machine.

    Hue, saturation and brightness are drawn from the name's SHA-256; none is grey, which is UNNAMED's.
    """
    colors = []
    for name in names:
        digest = hashlib.sha256(name.strip().lower().encode()).digest()
        hue, saturation, value = int.from_bytes(digest[:2], "big") / 65536, digest[2] / 255, digest[3] / 255
        colors.append([round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.45 + 0.5 * saturation, 0.55 + 0.45 * value)])
    return np.array(colors, np.uint8).reshape(-1, 3)


def painted(names: Sequence[str], index: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 colours of points by the index of their label, -1 = none."""
    return np.concatenate([label_colors(names), np.array([UNNAMED], np.uint8)])[index]
