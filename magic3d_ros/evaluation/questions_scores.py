"""How good answers are: ranking, honesty about what is not there, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from magic3d_ros.evaluation.questions import KnownQuestion
from magic3d_ros.language.answer import Status

BINS = 10
"""Of the reliability curve: tenths of probability (Guo et al. 2017 use 15; here there are hundreds of answers, not thousands)."""


_NOTHING = (float("nan"), float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Outcome:
    """What came of a question. relevant (n,) bool: for each thing of the map, in the order of the answer, whether it is right.
    status: None of baselines that only rank. probability: of the first."""

    scene: str
    question: KnownQuestion
    relevant: np.ndarray
    status: Status | None
    probability: float

    @property
    def held(self) -> bool:
        """Whether the map holds a right answer at all."""
        return bool(self.relevant.any())

    @property
    def first_right(self) -> bool:
        """Whether the first answer is right."""
        return bool(self.relevant[:1].any())


@dataclass(frozen=True)
class Ranking:
    """Means over questions whose thing is in the scene; what the map does not hold counts as missed. held: share it does hold.
    chance: the same three figures, expected of a random order."""

    count: int
    held: float
    first: float
    three: float
    average_precision: float
    chance: tuple[float, float, float]


@dataclass(frozen=True)
class Rejection:
    """NOT_FOUND as a detector of what is absent; present things that the map does not hold are left out, and counted apart:
    missing of them, rejected of these."""

    absent: int
    precision: float
    recall: float
    f1: float
    always: float
    missing: int
    rejected: int


def ranking(outcomes: Iterable[Outcome]) -> Ranking:
    """Of all outcomes whose question has an answer in the scene."""
    rows = [o for o in outcomes if o.question.right]
    if not rows:
        return Ranking(0, *_NOTHING, _NOTHING[:3])
    chance = np.mean([_chance(len(o.relevant), int(o.relevant.sum())) for o in rows], axis=0)
    return Ranking(len(rows), float(np.mean([o.held for o in rows])), float(np.mean([o.first_right for o in rows])),
                   float(np.mean([o.relevant[:3].any() for o in rows])),
                   float(np.mean([average_precision(o.relevant) for o in rows])), (chance[0], chance[1], chance[2]))


def average_precision(relevant: np.ndarray) -> float:
    """Mean over the right things of the precision at their rank; 0 where there is none."""
    ranks = np.flatnonzero(relevant) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else 0.0


def _chance(things: int, right: int) -> tuple[float, float, float]:
    """P@1, hit@3 and average precision expected of a random order of `things`, of which `right` are right (Bestgen 2015)."""
    if right == 0:
        return 0.0, 0.0, 0.0
    harmonic = sum(1 / i for i in range(1, things + 1))
    expected = 1.0 if things == right else ((right - 1) / (things - 1) * (things - harmonic) + harmonic) / things
    return right / things, 1 - comb(things - right, 3) / comb(things, 3) if things >= 3 else 1.0, expected


def rejection(outcomes: Iterable[Outcome]) -> Rejection:
    """How well NOT_FOUND tells what is absent. always: F1 of a system that says NOT_FOUND to everything."""
    rows = [o for o in outcomes if o.status is not None]
    absent = [o for o in rows if not o.question.right]
    there = [o for o in rows if o.question.right and o.held]
    missing = [o for o in rows if o.question.right and not o.held]
    right, wrong = _rejected(absent), _rejected(there)
    precision, recall = right / max(right + wrong, 1), right / max(len(absent), 1)
    always = len(absent) / max(len(absent) + len(there), 1)
    return Rejection(len(absent), precision, recall, _harmonic(precision, recall), _harmonic(always, 1.0 if absent else 0.0),
                     len(missing), _rejected(missing))


def _rejected(outcomes: Sequence[Outcome]) -> int:
    return sum(o.status == Status.NOT_FOUND for o in outcomes)


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0


def reliability(outcomes: Iterable[Outcome]) -> tuple[float, np.ndarray]:
    """Expected calibration error (Naeini et al. 2015) of the first answer's probability, and (BINS, 3) a row for each tenth of
    it: how many answers, their mean probability, the share that is right. Absent things have no right answer."""
    rows = [o for o in outcomes if o.status is not None]
    table = np.zeros((BINS, 3))
    if not rows:
        return float("nan"), table
    chances, right = np.array([(o.probability, o.first_right) for o in rows], np.float64).T
    place = np.clip((chances * BINS).astype(int), 0, BINS - 1)
    table[:, 0] = np.bincount(place, minlength=BINS)
    many = np.maximum(table[:, 0], 1)
    table[:, 1], table[:, 2] = np.bincount(place, chances, BINS) / many, np.bincount(place, right, BINS) / many
    return float((table[:, 0] * np.abs(table[:, 1] - table[:, 2])).sum() / len(rows)), table
