"""Which query answers for which true mask: the assignment of least cost (Carion et al. 2020)."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import functional

from magic3d_ros.instances.segmenter.decoder import OBJECT, Prediction

CLASS_COST, ENTROPY_COST, DICE_COST = 2.0, 5.0, 2.0
"""Of matching, and weights of the losses alike (Segment3D, Mask3D)."""


def pair_entropy(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(Q, T) mean binary cross entropy over voxels of (Q, V) logits and (T, V) masks of 0 and 1."""
    # softplus(-x) where the mask is, softplus(x) where not, and softplus(-x) = softplus(x) - x
    return (functional.softplus(logits).sum(1, keepdim=True) - logits @ truth.T) / logits.shape[1]


def pair_dice(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(Q, T) 1 - (2 sum p t + 1) / (sum p + sum t + 1), as Mask2Former has it."""
    probability = logits.sigmoid()
    return 1 - (2 * probability @ truth.T + 1) / (probability.sum(1, keepdim=True) + truth.sum(1) + 1)


@torch.no_grad()
def matched(prediction: Prediction, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(K,) queries and (K,) true masks that belong together, K = min(Q, T). truth: (T, V) masks of 0 and 1, float32."""
    cost = (ENTROPY_COST * pair_entropy(prediction.masks, truth) + DICE_COST * pair_dice(prediction.masks, truth)
            - CLASS_COST * prediction.classes.softmax(1)[:, OBJECT, None])
    query, mask = linear_sum_assignment(cost.cpu().numpy())
    return torch.from_numpy(query).to(truth.device), torch.from_numpy(mask).to(truth.device)
