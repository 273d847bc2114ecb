"""Questions to a scene and the answers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """What came of a question; the numbers are those of srv/QueryScene."""

    NOT_READY = 0
    FOUND = 1
    AMBIGUOUS = 2
    NOT_FOUND = 3
    INVALID = 4


@dataclass(frozen=True)
class Question:
    """text: at most 1000 characters, never a path. image: (H, W, 3) uint8 or None. negatives: what is not meant.
    region: (2, 3) lowest and highest corner in the world frame in which an object's centre lies, or None. max_results: how many
    objects at most. seen_after: ns, only what was seen at that time or later. max_age: seconds, only what was seen no longer than
    that before the newest sight of anything; 0 = all.
    relations: whether "on the table", "left of", "near" ... in the text place what is asked for, see relation_words; left, right,
    in front of and behind are meant as seen from viewpoint, (3,) in the world frame, or where that is None from where the camera
    came nearest to what they refer to."""

    text: str = ""
    image: np.ndarray | None = None
    negatives: tuple[str, ...] = ()
    region: np.ndarray | None = None
    max_results: int = 5
    seen_after: int = 0
    max_age: float = 0.0
    relations: bool = False
    viewpoint: np.ndarray | None = None


@dataclass(frozen=True)
class Match:
    """One object of an answer. score: raw similarity. probability: calibrated. label: the concept it matched as."""

    id: int
    score: float
    probability: float
    label: str = ""


@dataclass(frozen=True)
class Answer:
    """status and why (one sentence for a person), the matching objects best first, and the similarity of every surface vertex
    to the question ((N,) float32 in 0..1, None when the scene has no language layer)."""

    status: Status
    why: str
    matches: list[Match] = field(default_factory=list)
    heat: np.ndarray | None = None
