"""What a ray sees, from weights along it."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class RenderedRays:
    """distance (r,) metres along rays of unit length; opacity (r,) sum of the weights; color (r, 3), None where it was not asked
    for."""

    distance: torch.Tensor
    opacity: torch.Tensor
    color: torch.Tensor | None = None


def composite(weights: torch.Tensor, depths: torch.Tensor, colors: torch.Tensor | None = None) -> RenderedRays:
    """Sum samples along rays.

    weights, depths: (r, s). colors: (r, s, 3). Distance is divided by the opacity, so that a ray that passes a thin
    haze has the depth of the haze and not half of it (MonoSDF, model/network.py).
    """
    opacity = weights.sum(-1)
    distance = (weights * depths).sum(-1) / opacity.clamp_min(1e-8)
    color = None if colors is None else (weights[..., None] * colors).sum(-2)
    return RenderedRays(distance, opacity, color)
