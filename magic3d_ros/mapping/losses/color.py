"""Rendered against photographed colour."""

from __future__ import annotations

import torch

from magic3d_ros.mapping.losses.masked_mean import masked_mean


def color_loss(rendered: torch.Tensor, photographed: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean absolute difference of (..., 3) colours, 0..1, over rays and channels: MonoSDF's colour term.

    weights: (...) trust in each ray, 0..1. The paper's repository (model/loss.py, L1 with reduction 'mean') and sdfstudio agree.
    """
    return masked_mean((rendered - photographed).abs(), None if weights is None else weights[..., None])
