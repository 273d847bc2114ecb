"""The mean that all losses share."""

from __future__ import annotations

import torch


def masked_mean(values: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Weighted mean of a tensor, a scalar; weights are a mask or non-negative numbers of a shape that broadcasts to it.

    An entry of weight 0 has no influence, NaN and infinity included. Without any weight the result is a 0 that can still be
    differentiated. A mean, not a sum over a fixed batch: a loss keeps its size however much of a batch a mask leaves.
    """
    if weights is None:
        return values.mean() if values.numel() else values.sum()
    weights = weights.to(values.dtype).expand_as(values)
    total = torch.where(weights > 0, values, torch.zeros_like(values)) * weights
    return total.sum() / weights.sum().clamp_min(torch.finfo(values.dtype).tiny)
