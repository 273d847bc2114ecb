"""From the masks of queries to things that do not overlap: one label a superpoint, surer masks first, or by the votes of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances.segmenter.linkage import average_linkage

FEWEST_POINTS = 16
"""A mask of 15 points or fewer is dropped (Segment3D)."""

INSIDE = 0.5
"""Mask value from which a superpoint belongs to a mask (Segment3D)."""

LEFT = 0.5
"""Share of a mask that better ones must leave for it to become a thing: what is mostly taken was found already."""

JOINED = 0.5
"""Mean affinity from which two clusters of superpoints are one thing."""


@dataclass(frozen=True)
class Proposals:
    """labels: (N,) int32 thing of each point, -1 = none; things count from 0. scores: (T,) float32 0..1."""

    labels: np.ndarray
    scores: np.ndarray


def painted(values: np.ndarray, scores: np.ndarray, size: np.ndarray, least_score: float) -> Proposals:
    """Things of (Q, S) mask values with (Q,) scores over superpoints of (S,) points: surer masks first, each takes what is left.

    A mask that has less than LEFT of itself or fewer than FEWEST_POINTS left becomes no thing.
    """
    inside = values > INSIDE
    points = inside @ size
    labels = np.full(values.shape[1], -1, np.int32)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] <= least_score:
            break
        free = inside[row] & (labels < 0)
        left = size[free].sum()
        if left >= FEWEST_POINTS and left >= LEFT * points[row]:
            labels[free] = len(kept)
            kept.append(row)
    return Proposals(labels, scores[kept].astype(np.float32))


def consensus(values: np.ndarray, scores: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(P,) 0..1: of the masks that take in either of a pair, the share that takes in both, by score and mask value."""
    both, either = np.zeros(len(pairs)), np.zeros(len(pairs))
    for mask, score in zip(values, scores, strict=True):
        one, other = mask[pairs[:, 0]], mask[pairs[:, 1]]
        both += score * np.minimum(one, other)
        either += score * np.maximum(one, other)
    return both / np.maximum(either, 1e-6)


def grouped(affinity: np.ndarray, border: np.ndarray, pairs: np.ndarray, count: int) -> np.ndarray:
    """(count,) int32 thing of each superpoint: clusters whose mean affinity (P,) 0..1 over their borders is at least JOINED."""
    linkage = average_linkage(affinity, border, pairs, count)
    labels = np.empty(count, np.int32)
    labels[linkage.order] = np.concatenate([[0], np.cumsum(linkage.height < JOINED)])[:count]
    return labels


def scored(labels: np.ndarray, values: np.ndarray, scores: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(T,) float32 how sure each thing of (S,) labels is: the largest score x IoU of a mask with it."""
    inside = (values > INSIDE).astype(np.float32)
    thing = (labels == np.arange(int(labels.max(initial=-1)) + 1)[:, None]).astype(np.float32)
    shared = (thing * size) @ inside.T
    either = (thing @ size)[:, None] + (inside @ size)[None] - shared
    return np.asarray((shared / np.maximum(either, 1) * scores).max(1, initial=0.0), np.float32)
