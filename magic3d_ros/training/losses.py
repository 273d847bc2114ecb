"""What the compact predictor is trained to make small. Errors are those of the log of the canonical depth."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, Prediction

MEAN_SHARE = 0.15
"""Weight of an image's mean error squared beside the variance of its error: scale is guesswork, shape is not (Eigen et al. 2014;
.15 as in AdaBins, Bhat et al. 2021)."""

GRADIENT_SCALES = 3
"""Neighbours 1, 2 and 4 pixels apart (MiDaS, Ranftl et al. 2020, uses four scales of larger images)."""

GRADIENT_WEIGHT, NORMAL_WEIGHT, CONFIDENCE_WEIGHT = 0.5, 1.0, 0.1
"""Of the parts beside the scale-invariant one; the parts start at about .5, .15, .5 and 1."""


class Losses(NamedTuple):
    """Means over the batch. total: what is minimised. scale_invariant: root of the mixed square. gradient, normal (1 - cosine),
    confidence (Laplace negative log likelihood)."""

    total: torch.Tensor
    scale_invariant: torch.Tensor
    gradient: torch.Tensor
    normal: torch.Tensor
    confidence: torch.Tensor


def losses(prediction: Prediction, depth: torch.Tensor, normals: torch.Tensor, focal: torch.Tensor) -> Losses:
    """depth: (N, h, w) metres, 0 = unknown. normals: (N, 3, h, w). focal: (N,) pixels of the network's input."""
    known = depth > 0
    true = torch.log(depth.clamp(min=1e-3) * (CANONICAL_FOCAL / focal)[:, None, None])
    error = torch.where(known, prediction.log_depth - true, torch.zeros_like(true))
    shape = scale_invariant(error, known)
    edges = gradient(error, known)
    cosine = (prediction.normals * normals).sum(1)
    facing = ((1 - cosine) * known).sum() / known.sum().clamp(min=1)
    confidence = laplace(error.detach(), prediction.log_scale, known)
    total = shape + GRADIENT_WEIGHT * edges + NORMAL_WEIGHT * facing + CONFIDENCE_WEIGHT * confidence
    return Losses(total, shape, edges, facing, confidence)


def scale_invariant(error: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean over images of sqrt(variance of the error + MEAN_SHARE x squared mean)."""
    count = known.sum((1, 2)).clamp(min=1)
    mean = error.sum((1, 2)) / count
    square = (error**2).sum((1, 2)) / count
    return torch.sqrt((square - (1 - MEAN_SHARE) * mean**2).clamp(min=1e-6)).mean()


def gradient(error: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the error between neighbours: small where depth steps and slopes are as in truth."""
    total = error.new_zeros(())
    for scale in range(GRADIENT_SCALES):
        step = 2**scale
        for a, b, both in ((error[:, step:], error[:, :-step], known[:, step:] & known[:, :-step]),
                           (error[:, :, step:], error[:, :, :-step], known[:, :, step:] & known[:, :, :-step])):
            total = total + ((a - b).abs() * both).sum() / both.sum().clamp(min=1)
    return total / GRADIENT_SCALES


def laplace(error: torch.Tensor, log_scale: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean negative log likelihood of the error under Laplace distributions of the predicted scales."""
    likelihood = error.abs() * torch.exp(-log_scale) + log_scale + math.log(2)
    return (likelihood * known).sum() / known.sum().clamp(min=1)
