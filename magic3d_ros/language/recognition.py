"""Which concept each thing of a scene is, by pictures, form and colours: names and answers follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.concepts.colours import COLOURS, colour_shares
from magic3d_ros.language.concepts.evidence import recognised, structure_chances
from magic3d_ros.language.concepts.form import Forms, forms
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.places import KnownObject, Levels
from magic3d_ros.language.space import space_of
from magic3d_ros.mapping.surface import Surface

_THICKNESS = 0.01


def colours_of(surface: Surface, labels: np.ndarray, ids: Sequence[int]) -> dict[int, np.ndarray]:
    """By id, the (11,) shares of colours of each thing. labels (N,): thing of each surface vertex."""
    size = max([int(labels.max(initial=-1)), *ids], default=-1) + 1
    row_of = np.full(size + 1, -1, np.int64)  # label -1 is the last, which stays nobody's
    row_of[list(ids)] = np.arange(len(ids))
    shares = colour_shares(surface.colors, row_of[labels], len(ids)).astype(np.float32)  # as saved maps keep them
    return {int(i): row for i, row in zip(ids, shares, strict=True)}


def forms_of(things: Sequence[KnownObject], up: np.ndarray, floor: float) -> Forms:
    """Sizes and heights by the things' boxes. up: (3,) unit; floor: its height along `up`, metres."""
    sizes = np.array([thing.box.size for thing in things]).reshape(-1, 3)
    return forms(sizes, np.array([float(thing.box.center @ up) - floor for thing in things]))


def volume(box: OrientedBox) -> float:
    """m^3, of a box at least a centimetre thick each way: what is seen from one side has no thickness."""
    return float(np.prod(np.maximum(box.size, _THICKNESS)))


def recognise(knowledge: Knowledge, things: Sequence[KnownObject], structure: Sequence[str], vectors: np.ndarray,
              levels: Mapping[int, Levels], colours: Mapping[int, np.ndarray], up: np.ndarray, floor: float) -> np.ndarray:
    """(M, C) probability of each concept of the bank for each thing; a thing's sum is 1.

    structure: floor, wall, ceiling, or "" of each. vectors (M, D): what pictures say, zeros where none does. levels,
    colours: by id. up (3,), floor: as in forms_of.
    """
    bank = knowledge.bank
    shown = np.abs(vectors).max(1, initial=0.0) > 0
    looks = np.zeros((len(things), len(bank)))
    looks[shown] = space_of(knowledge.model).looks(knowledge.corrected(vectors[shown]), knowledge.vectors)
    even = np.full(len(COLOURS), 1 / len(COLOURS))
    flat = [levels.get(thing.id, Levels(0.0, 0.0)) for thing in things]
    chances = recognised(bank, looks, forms_of(things, up, floor),
                         np.array([colours.get(thing.id, even) for thing in things]).reshape(-1, len(COLOURS)),
                         np.array([level.table for level in flat]), np.array([level.floor for level in flat]))
    for row, name in enumerate(structure):
        if name:
            chances[row] = structure_chances(bank, name)
    return chances
