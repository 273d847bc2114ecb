"""How far predicted features are from those fused from images: OpenScene's distillation loss (Peng et al. 2023)."""

from __future__ import annotations

import torch


def distillation_loss(predicted: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean of 1 - cosine over voxels, a scalar; gradients go to the prediction alone.

    predicted, target: (V, C). weights: (V,), 0 = no camera saw the voxel. Zero where nothing weighs. Raises ValueError for shapes
    that do not fit.
    """
    if predicted.shape != target.shape or weights.shape != predicted.shape[:1]:
        raise ValueError(f"predicted features are {tuple(predicted.shape)}, those to learn {tuple(target.shape)}, their weights "
                         f"{tuple(weights.shape)}: one row a voxel, of the same width")
    known, trust = target.detach(), weights.detach()
    cosine = torch.nn.functional.cosine_similarity(predicted, known, dim=1)
    return (trust * (1.0 - cosine)).sum() / trust.sum().clamp(min=1e-9)
