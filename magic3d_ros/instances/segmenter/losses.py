"""What the segmenter is trained to make small: of every decoder layer, matched anew."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

from magic3d_ros.instances.segmenter.decoder import OBJECT, Prediction
from magic3d_ros.instances.segmenter.matching import CLASS_COST, DICE_COST, ENTROPY_COST, matched

NOTHING_WEIGHT = 0.1
"""Of queries that answer for no mask, in the class loss (Segment3D, Mask3D: eos)."""


class Losses(NamedTuple):
    """total: weighted sum over layers. classes, entropy, dice: of the last layer, unweighted."""

    total: torch.Tensor
    classes: torch.Tensor
    entropy: torch.Tensor
    dice: torch.Tensor


def true_masks(labels: torch.Tensor) -> torch.Tensor:
    """(T, V) float32 of 0 and 1, from (V,) labels; -1 is in no mask."""
    values = torch.unique(labels)
    return (labels == values[values >= 0][:, None]).float()


def layer_losses(prediction: Prediction, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Class, entropy and dice loss of one layer. truth: (T, V) float32 masks; with none, queries learn that nothing is there."""
    query, mask = matched(prediction, truth)
    wanted = torch.full((len(prediction.classes),), 1 - OBJECT, device=truth.device)
    wanted[query] = OBJECT
    weight = prediction.classes.new_tensor([1.0, NOTHING_WEIGHT])
    classes = functional.cross_entropy(prediction.classes, wanted, weight)
    if len(query) == 0:
        nothing = 0.0 * prediction.masks.sum()
        return classes, nothing, nothing
    return classes, *_mask_losses(prediction.masks[query], truth[mask])


def seed_loss(prediction: Prediction, labels: torch.Tensor) -> torch.Tensor:
    """Weighted mask loss of queries against the mask that each started in; queries that started in none do not count."""
    values = torch.unique(labels)
    values, of_seed = values[values >= 0], labels[prediction.seeds]
    started = of_seed >= 0
    if not started.any():
        return 0.0 * prediction.masks.sum()
    wanted = torch.searchsorted(values, of_seed[started])
    entropy, dice = _mask_losses(prediction.masks[started], true_masks(labels)[wanted])
    return ENTROPY_COST * entropy + DICE_COST * dice


def _mask_losses(logits: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean entropy and dice loss of (K, V) logits and the masks they belong to."""
    probability = logits.sigmoid()
    dice = 1 - (2 * (probability * truth).sum(1) + 1) / (probability.sum(1) + truth.sum(1) + 1)
    return functional.binary_cross_entropy_with_logits(logits, truth), dice.mean()


def losses(layers: list[Prediction], labels: torch.Tensor) -> Losses:
    """Of one cloud. layers: predictions of every decoder layer, with that of the untouched queries first. labels: (V,) int mask
    of each voxel, -1 = none.

    Untouched queries answer for the mask they lie in (not so in the paper; it learns several times faster,
    docs/segmenter.md).
    """
    truth = true_masks(labels)
    parts = [layer_losses(prediction, truth) for prediction in layers[1:]]
    of_layers = [CLASS_COST * classes + ENTROPY_COST * entropy + DICE_COST * dice for classes, entropy, dice in parts]
    return Losses(torch.stack([seed_loss(layers[0], labels), *of_layers]).sum(), *parts[-1])
