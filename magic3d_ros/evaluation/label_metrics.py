"""How well points are named: mean intersection over union and mean accuracy over classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class LabelScores(NamedTuple):
    """miou, macc: means over the classes that are there. accuracy: share of points named right."""

    miou: float
    macc: float
    accuracy: float


def label_scores(truth: np.ndarray, predicted: np.ndarray, among: np.ndarray | None = None) -> LabelScores:
    """Scores of (N,) predicted classes, -1 = none, against the (N,) true ones, -1 = not labelled and left out.

    among: classes to take means over, None = all that the truth has; points of others still count as false where they are named
    one of these. A point without a name is wrong. NaN where there is nothing to score. Raises ValueError for sizes that differ.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"{truth.shape} true and {predicted.shape} predicted labels: one of each for every point")
    known = truth >= 0
    truth, predicted = truth[known], predicted[known]
    present = np.unique(truth)
    classes = present if among is None else np.intersect1d(present, among)
    if len(classes) == 0:
        return LabelScores(float("nan"), float("nan"), float("nan"))
    right = np.array([((truth == c) & (predicted == c)).sum() for c in classes], np.float64)
    there = np.array([(truth == c).sum() for c in classes], np.float64)
    either = there + np.array([(predicted == c).sum() for c in classes]) - right
    counted = np.isin(truth, classes)
    return LabelScores(float((right / either).mean()), float((right / there).mean()),
                       float((predicted == truth)[counted].mean()))
