"""Rendered against photographed colour."""

from __future__ import annotations

import torch

from magic3d_ros.mapping.losses.masked_mean import masked_mean


def color_loss(rendered: torch.Tensor, photographed: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean absolute difference of (..., 3) colours, 0..1, over rays and channels: MonoSDF's colour term.

    weights: (...) trust in each ray, 0..1. The paper's repository (model/loss.py, L1 with reduction 'mean') and sdfstudio agree.
    """
    return masked_mean((rendered - photographed).abs(), None if weights is None else weights[..., None])


def squared_color_loss(rendered: torch.Tensor, photographed: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared difference of (..., 3) colours, as Co-SLAM has it (weight 5). weights: (...) trust in each ray, 0..1."""
    return masked_mean((rendered - photographed) ** 2, None if weights is None else weights[..., None])


def uncertain_color_loss(rendered: torch.Tensor, photographed: torch.Tensor, uncertainty: torch.Tensor) -> torch.Tensor:
    """Squared difference of (..., 3) colours divided by 2 beta^2, beta the (...) uncertainty of each ray (NeRF On-the-go).

    The uncertainty is a constant here: colour must never train it, or it would learn to excuse every error. The paper writes a
    squared norm over the channels; the mean over channels used here differs by a factor of 3, as a weight would.
    """
    beta = uncertainty.detach()[..., None]
    return ((rendered - photographed) ** 2 / (2.0 * beta * beta)).mean()
