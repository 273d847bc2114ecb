"""What the segmenter is trained to make small. Superpoints without a label are unknown: they count nowhere, for or against."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

from magic3d_ros.instances.segmenter.decoder import OBJECT, Prediction
from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.matching import CLASS_COST, DICE_COST, ENTROPY_COST, matched, pair_dice, pair_entropy

NOTHING_WEIGHT = 0.1
"""Of queries that answer for no mask, in the class loss (Segment3D, Mask3D: eos)."""

AFFINITY_WEIGHT, OVERLAP_WEIGHT = 2.0, 1.0
"""Of the affinity of neighbours and of the predicted IoU, not in the paper; not compared with others."""


class Losses(NamedTuple):
    """total: weighted sum. affinity, entropy, dice, overlap: unweighted, of the last layer. iou: mean of queries' masks with
    those they answer for."""

    total: torch.Tensor
    affinity: torch.Tensor
    entropy: torch.Tensor
    dice: torch.Tensor
    overlap: torch.Tensor
    iou: torch.Tensor


def true_masks(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, S) float32 masks of 0 and 1 from (S,) labels, and (S,) int64 which mask each superpoint is in; -1 = in none."""
    values = torch.unique(labels)
    values = values[values >= 0]
    number = torch.where(labels >= 0, torch.searchsorted(values, labels.clamp(min=0)), -1)
    return (labels == values[:, None]).float(), number


def affinity_loss(logits: torch.Tensor, pairs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean entropy of (P,) logits against whether both of a pair have one label; pairs of which one has none do not count."""
    one, other = labels[pairs[:, 0]], labels[pairs[:, 1]]
    known = (one >= 0) & (other >= 0)
    if not known.any():
        return 0.0 * logits.sum()
    return functional.binary_cross_entropy_with_logits(logits[known], (one == other)[known].float())


def losses(prediction: Prediction, affinity: torch.Tensor, graph: GraphTensors, labels: torch.Tensor) -> Losses:
    """Of one cloud. affinity: (P,) logits of the encoder. labels: (S,) int64 mask of each superpoint, -1 = unknown.

    A query answers for the mask that it starts in, in every layer; of those that start in one mask, Hungarian matching chooses
    the one whose class is object. Queries that start in none do not count.
    """
    truth, number = true_masks(labels)
    size = graph.size * (labels >= 0)
    of_pairs = affinity_loss(affinity, graph.pairs, labels)
    known = number[prediction.seeds] >= 0
    if not known.any():
        nothing = 0.0 * (prediction.masks.sum() + prediction.classes.sum() + prediction.overlaps.sum())
        return Losses(AFFINITY_WEIGHT * of_pairs + nothing, of_pairs, nothing, nothing, nothing, nothing)
    wanted = number[prediction.seeds[known]]
    row = torch.arange(len(wanted), device=wanted.device)
    total, entropy, dice = AFFINITY_WEIGHT * of_pairs, of_pairs, of_pairs
    for logits in prediction.layers:
        entropy = pair_entropy(logits[known], truth, size.sqrt())[row, wanted].mean()
        dice = pair_dice(logits[known], truth, size)[row, wanted].mean()
        total = total + ENTROPY_COST * entropy + DICE_COST * dice
    iou = overlap_with(prediction.masks[known].detach(), truth[wanted], size)
    overlap = functional.binary_cross_entropy_with_logits(prediction.overlaps[known], iou)
    classes = _class_loss(prediction, truth, size, known)
    return Losses(total + OVERLAP_WEIGHT * overlap + CLASS_COST * classes, of_pairs, entropy, dice, overlap, iou.mean())


def overlap_with(logits: torch.Tensor, truth: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """(K,) IoU of (K, S) masks with the (K, S) masks they answer for, over the points of superpoints."""
    inside = (logits > 0).float()
    return (inside * truth * size).sum(1) / (torch.maximum(inside, truth) * size).sum(1).clamp(min=1)


def _class_loss(prediction: Prediction, truth: torch.Tensor, size: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    query, _ = matched(prediction, truth, size)
    wanted = torch.full((len(prediction.classes),), 1 - OBJECT, device=truth.device)
    wanted[query] = OBJECT
    weight = prediction.classes.new_tensor([1.0, NOTHING_WEIGHT])
    return functional.cross_entropy(prediction.classes[known], wanted[known], weight)
