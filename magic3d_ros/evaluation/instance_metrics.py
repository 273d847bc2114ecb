"""Average precision of class-agnostic 3D instances, as the ScanNet benchmark computes it.

Follows the matching and the precision-recall integration of ScanNet's evaluate_semantic_instance.py (Dai et al. 2017) with
one class for everything, as Segment3D's evaluator does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

MIN_REGION = 100  # ground-truth things and predictions of fewer points do not count (ScanNet)
OVERLAPS = tuple(np.round(np.arange(0.50, 0.95, 0.05), 2).tolist())  # .50, .55, ... .90
TRANSFER_DISTANCE = 0.05  # metres
SUBSTANCE, HELD = 0.2, 0.5
"""Shares of a thing from which a piece of it is a part that matters, and from which it is held as a whole."""


@dataclass(frozen=True)
class AveragePrecision:
    """ap: mean over IoU .50 ... .90; ap50, ap25: at one IoU. predicted, truth: how many of either counted."""

    ap: float
    ap50: float
    ap25: float
    predicted: int
    truth: int

    def __str__(self) -> str:
        return f"{self.ap:.3f} / {self.ap50:.3f} / {self.ap25:.3f}"


def transfer_labels(points: np.ndarray, labels: np.ndarray, onto: np.ndarray, distance: float = TRANSFER_DISTANCE) -> np.ndarray:
    """(M,) label of the nearest of (N, 3) points for each of (M, 3) other points; -1 where none is within `distance` metres."""
    if len(points) == 0:
        return np.full(len(onto), -1, np.int64)
    far, nearest = cKDTree(points).query(onto, distance_upper_bound=distance)
    return np.where(np.isfinite(far), np.append(labels, -1)[nearest], -1).astype(np.int64)


def average_precision(truth: np.ndarray, predicted: np.ndarray, confidence: dict[int, float] | None = None,
                      min_region: int = MIN_REGION) -> AveragePrecision:
    """Score a labelling of points against the true one.

    truth, predicted: (N,) int instance of each point, -1 = none. confidence: of each predicted instance, by which they are
    ranked; None takes all as equally sure ("confidence 1", as the evaluator of class-agnostic papers).
    Points without a true instance, and true instances under `min_region` points, are void: predictions that mostly cover them
    are not counted as wrong.
    """
    table = _Overlaps(np.asarray(truth), np.asarray(predicted), min_region)
    scores = np.array([1.0 if confidence is None else float(confidence.get(int(i), 0.0)) for i in table.predicted])
    at = {overlap: _at_overlap(table, scores, overlap) for overlap in (*OVERLAPS, 0.25)}
    return AveragePrecision(float(np.mean([at[o] for o in OVERLAPS])), at[0.5], at[0.25], len(table.predicted), len(table.truth))


def best_overlaps(truth: np.ndarray, predicted: np.ndarray, min_region: int = MIN_REGION) -> dict[int, tuple[int, float]]:
    """For each true instance that counts: its points, and the largest IoU that a prediction of enough points has with it."""
    table = _Overlaps(np.asarray(truth), np.asarray(predicted), min_region)
    return {int(i): (int((truth == i).sum()), float(row.max(initial=0.0))) for i, row in zip(table.truth, table.iou, strict=True)}


@dataclass(frozen=True)
class SegmentationErrors:
    """split: true things of which two or more predictions hold a part of substance. joined: predictions that hold two or more
    true things. missed: true things of which no prediction holds half."""

    split: int
    joined: int
    missed: int


def segmentation_errors(truth: np.ndarray, predicted: np.ndarray, min_region: int = MIN_REGION) -> SegmentationErrors:
    """Count what is cut and what is thrown together. truth, predicted: (N,) int, -1 = none; both of at least `min_region` points.

    A part of substance: a fifth of the thing or more, in a prediction that lies in it by half or more. A prediction holds a thing
    with half of the thing's points or more.
    """
    table = _Overlaps(np.asarray(truth), np.asarray(predicted), min_region)
    parts = (table.of_true >= SUBSTANCE) & (table.of_predicted >= HELD)
    held = table.of_true >= HELD
    return SegmentationErrors(int((parts.sum(1) >= 2).sum()), int((held.sum(0) >= 2).sum()), int((~held.any(1)).sum()))


class _Overlaps:
    """iou (T, P) of the true and predicted instances that are large enough, and the shares of both that they have in common,
    of_true and of_predicted (T, P); void (P,) share of a prediction on void points."""

    def __init__(self, truth: np.ndarray, predicted: np.ndarray, min_region: int) -> None:
        true_ids, true_index, true_size = np.unique(truth, return_inverse=True, return_counts=True)
        ids, index, size = np.unique(predicted, return_inverse=True, return_counts=True)
        shared = np.zeros((len(true_ids), len(ids)), np.int64)
        np.add.at(shared, (true_index.ravel(), index.ravel()), 1)
        kept_true = (true_ids >= 0) & (true_size >= min_region)
        kept = (ids >= 0) & (size >= min_region)
        self.truth, self.predicted = true_ids[kept_true], ids[kept]
        both = shared[np.ix_(kept_true, kept)]
        self.iou = both / np.maximum(true_size[kept_true][:, None] + size[kept][None] - both, 1)
        self.of_true = both / np.maximum(true_size[kept_true][:, None], 1)
        self.of_predicted = both / np.maximum(size[kept][None], 1)
        self.void = shared[np.ix_(~kept_true, kept)].sum(0) / np.maximum(size[kept], 1)


def _at_overlap(table: _Overlaps, scores: np.ndarray, overlap: float) -> float:
    """Average precision at one IoU threshold (a match needs more than it, as in ScanNet); NaN without any true instance."""
    if len(table.truth) == 0:
        return float("nan")
    hit = table.iou > overlap
    is_true: list[bool] = []
    ranked: list[float] = []
    taken = np.zeros(len(table.predicted), bool)
    missed = 0
    for row in hit:
        candidates = np.flatnonzero(row & ~taken)
        if len(candidates) == 0:
            missed += 1
            continue
        # ScanNet: of several predictions on one true instance the surest counts as right, the others as wrong; only the
        # first of them is marked as used
        taken[candidates[0]] = True
        order = np.sort(scores[candidates])[::-1]
        is_true += [True] + [False] * (len(order) - 1)
        ranked += order.tolist()
    unmatched = ~hit.any(0) & (table.void <= overlap)
    is_true += [False] * int(unmatched.sum())
    ranked += scores[unmatched].tolist()
    return _integrated(np.array(is_true, bool), np.array(ranked), missed)


def _integrated(is_true: np.ndarray, scores: np.ndarray, missed: int) -> float:
    """Area under precision over recall, by ScanNet's centred steps."""
    if len(scores) == 0 or not is_true.any():
        return 0.0
    order = np.argsort(scores, kind="stable")
    is_true, scores = is_true[order], scores[order]
    first = np.unique(scores, return_index=True)[1]  # of each threshold, lowest score first
    right = is_true.sum() - np.concatenate([[0], np.cumsum(is_true)])[first]
    precision = np.append(right / (len(scores) - first), 1.0)
    recall = np.append(right / (is_true.sum() + missed), 0.0)
    steps = np.convolve(np.concatenate([recall[:1], recall, [0.0]]), [-0.5, 0.0, 0.5], "valid")
    return float(precision @ steps)
