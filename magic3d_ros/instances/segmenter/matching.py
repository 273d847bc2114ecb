"""Which query is the one for which true mask: the assignment of least cost (Carion et al. 2020). Superpoints count by points."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import functional

from magic3d_ros.instances.segmenter.decoder import OBJECT, Prediction

CLASS_COST, ENTROPY_COST, DICE_COST = 2.0, 5.0, 2.0
"""Of matching, and weights of the losses alike (Segment3D, Mask3D)."""

SMOOTH = 20.0
"""Points added to both sides of dice, in place of Mask2Former's one: a superpoint has at least so many."""


def pair_entropy(logits: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(Q, T) binary cross entropy of (Q, S) logits and (T, S) masks of 0 and 1, a mean by (S,) weight."""
    # softplus(-x) where the mask is, softplus(x) where not, and softplus(-x) = softplus(x) - x
    sums = (functional.softplus(logits) * weight).sum(1, keepdim=True) - (logits * weight) @ truth.T
    return sums / weight.sum().clamp(min=1e-6)


def pair_dice(logits: torch.Tensor, truth: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """(Q, T) 1 - (2 sum p t + s) / (sum p + sum t + s) over the points of superpoints; size: (S,)."""
    value = logits.sigmoid() * size
    return 1 - (2 * value @ truth.T + SMOOTH) / (value.sum(1, keepdim=True) + (truth * size).sum(1) + SMOOTH)


@torch.no_grad()
def matched(prediction: Prediction, truth: torch.Tensor, size: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(K,) queries and (K,) true masks that belong together, K = min(Q, T). truth: (T, S) masks of 0 and 1, float32. size: (S,)
    points, 0 where nothing is known."""
    cost = (ENTROPY_COST * pair_entropy(prediction.masks, truth, size.sqrt())
            + DICE_COST * pair_dice(prediction.masks, truth, size)
            - CLASS_COST * prediction.classes.softmax(1)[:, OBJECT, None])
    query, mask = linear_sum_assignment(cost.cpu().numpy())
    return torch.from_numpy(query).to(truth.device), torch.from_numpy(mask).to(truth.device)
