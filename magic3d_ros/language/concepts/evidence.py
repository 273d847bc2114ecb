"""How likely each thing of a scene is of each concept: what it looks like, its form and its colours together.

A product of experts in the logarithm: the image network says what a thing looks like, its size, height and shape what it can be
at all, its colours what is usual.
"""

from __future__ import annotations

import numpy as np

from magic3d_ros.language.concepts.bank import FREQUENCIES, ConceptBank
from magic3d_ros.language.concepts.form import Forms, form_fit
from magic3d_ros.language.vectors import softmax

# Weights of what speaks for a concept: fitted by `bench query_weights` (docs/language.md).
COLOUR_WEIGHT = 0.6
_COLOUR_LEAST, _COLOUR_ENOUGH = 0.1, 0.6
"""Share in usual colours that is enough; how much a thing without any loses."""
RARITY = (0.0, -2.6, -3.7, -3.7)
"""Logarithm of the prior of FREQUENCIES: rooms hold chairs before they hold wheelchairs. Of "elsewhere" at least as
strict as of "rare"."""
STRUCTURE_PROBABILITY = 0.9
"""Geometry says what is floor, wall and ceiling; large flat things are rarely something else."""
TABLE_PROBABILITY = 0.9
"""A thing that is in full a horizontal surface at the height of a table is one with this probability; what else it could be
shares the rest."""
FLOOR_PROBABILITY = 0.7
"""The same for pieces on the floor that were not told as structure (mats, floor behind furniture). The floor comes first."""
_NEVER = -1e3


def colour_fit(bank: ConceptBank, shares: np.ndarray) -> np.ndarray:
    """(M, C) log of how well things' colours (M, 11) fit the concepts', about 0 = fully or any colour."""
    usual = shares @ bank.colours.T.astype(np.float64)
    return COLOUR_WEIGHT * (np.log(np.minimum(1.0, usual) + _COLOUR_LEAST) - np.log(_COLOUR_ENOUGH))


def recognised(bank: ConceptBank, looks: np.ndarray, things: Forms, colours: np.ndarray, tables: np.ndarray,
               floors: np.ndarray) -> np.ndarray:
    """(M, C) probability of each concept for each of M things that are no structure; a thing's sum is 1.

    looks (M, C): log-evidence of pictures, 0 for what no picture shows. colours (M, 11): shares. tables, floors (M,): how much
    of each is a horizontal surface at the height of a table, or on the floor, 0..1 (places.levels).
    """
    score = looks + form_fit(bank, things) + colour_fit(bank, colours) + np.array(RARITY)[bank.frequencies]
    chances = softmax(np.where(bank.structure, _NEVER, score))
    for share, those in ((TABLE_PROBABILITY * tables, bank.surfaces), (FLOOR_PROBABILITY * floors, bank.floor)):
        if those.any():
            among = softmax(np.where(those, score, _NEVER))
            chances = chances + share[:, None] * (among - chances)
    return chances


def as_asked(bank: ConceptBank, chances: np.ndarray) -> np.ndarray:
    """(M, C) probabilities of concepts that were asked for, given those of `recognised`: being asked for says more than being
    rare, so each counts as common on its own, the others staying what they are. What is never indoors stays so."""
    rarity = np.where(bank.frequencies == FREQUENCIES.index("elsewhere"), 0.0, np.array(RARITY)[bank.frequencies])
    more = chances * np.exp(-rarity)
    return more / (1 - chances + more)


def structure_chances(bank: ConceptBank, name: str) -> np.ndarray:
    """(C,) of a piece of floor, wall or ceiling, as geometry tells it; what else it could be shares the rest."""
    chances = np.full(len(bank), (1 - STRUCTURE_PROBABILITY) / max(1, len(bank) - 1))
    if name in bank.row_of:
        chances[bank.row_of[name]] = STRUCTURE_PROBABILITY
    return chances
