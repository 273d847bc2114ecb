"""The losses of NeRF On-the-go (Ren et al., CVPR 2024; repository cvg/nerf-on-the-go, internal/train_utils.py), on patches.

They know images, features and uncertainties, nothing of the field that rendered. Gradients stop in both directions: what the
structural residual says of a rendered colour never moves the field, what the weighted colour loss says never moves the
uncertainty.
"""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d, normalize

WINDOW = 5
C1 = 0.01**2
C2 = 0.03**2
C3 = C2 / 2
CLIP = 0.98  # contrast and structure count as perfect from here on, so that their factors never vanish altogether
MAX_RESIDUAL = 5.0
RATE = (100.0, 1000.0)  # of the structural residual, at the beginning and at the end of training
LAMBDA = 0.5  # weight of log beta, which keeps the uncertainty from growing where nothing is wrong
SIMILARITY = 0.75  # cosine from which two features are neighbours
NEIGHBOURS = 128  # at most, the most similar ones
VARIANCE_WEIGHT = 0.1


def similarity_terms(rendered: torch.Tensor, observed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Luminance, contrast and structure (n, h, w) of SSIM (Wang et al. 2004), means over the channels.

    rendered, observed: (n, h, w, c) in 0..1. Statistics over 5x5 samples; windows at the border are smaller.
    """
    x, y = rendered.permute(0, 3, 1, 2), observed.permute(0, 3, 1, 2)
    # All five at once: calls, not pixels, take the time.
    mean_x, mean_y, square_x, square_y, product = avg_pool2d(
        torch.cat([x, y, x * x, y * y, x * y]), WINDOW, stride=1, padding=WINDOW // 2, count_include_pad=False).chunk(5)
    variance_x = (square_x - mean_x**2).clamp_min(0.0)
    variance_y = (square_y - mean_y**2).clamp_min(0.0)
    covariance = product - mean_x * mean_y
    deviation = (variance_x * variance_y).sqrt()
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    contrast = (2 * deviation + C2) / (variance_x + variance_y + C2)
    structure = (covariance + C3) / (deviation + C3)
    return luminance.mean(1), contrast.mean(1), structure.mean(1)


def structural_residual(rendered: torch.Tensor, observed: torch.Tensor, rate: float) -> torch.Tensor:
    """min(rate (1 - l)(1 - c)(1 - s), 5), (n, h, w); contrast and structure are clipped at .98.

    rendered, observed: patches (n, h, w, c) in 0..1. The rendered colour is detached: the field never learns from this.
    """
    luminance, contrast, structure = similarity_terms(rendered.detach(), observed.detach())
    product = (1.0 - luminance) * (1.0 - contrast.clamp_max(CLIP)) * (1.0 - structure.clamp_max(CLIP))
    return (rate * product).clamp(0.0, MAX_RESIDUAL)


def rate_at(progress: float) -> float:
    """The rate after a share of the training, 0..1; it grows evenly on a logarithmic scale."""
    share = min(max(progress, 0.0), 1.0)
    return RATE[0] * (RATE[1] / RATE[0]) ** share


def uncertainty_loss(residual: torch.Tensor, beta: torch.Tensor, weight: float = LAMBDA) -> torch.Tensor:
    """residual / (2 beta^2) + weight log beta, elementwise. Least where beta^2 = residual / weight. The residual is detached."""
    return residual.detach() / (2.0 * beta**2) + weight * torch.log(beta)


def neighbours(features: torch.Tensor) -> torch.Tensor:
    """(n, n) float32 rows of equal shares: the samples with a cosine above .75 to each one, at most the 128 most similar.

    features: (n, c). A sample is its own neighbour.
    """
    unit = normalize(features.detach().float(), dim=1)
    cosine = unit @ unit.T
    cosine.fill_diagonal_(1.0)
    near = (cosine > SIMILARITY).float()
    count = near.sum(1, keepdim=True)
    crowded = (count[:, 0] > NEIGHBOURS).nonzero()[:, 0]  # rarely any: sorting all rows took half the time of a training step
    if len(crowded):
        least = cosine[crowded].topk(NEIGHBOURS, dim=1).values[:, -1:]
        near[crowded] *= cosine[crowded] >= least
        count = near.sum(1, keepdim=True)
    return near.div_(count)


def neighbour_consistency(beta: torch.Tensor, shares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of beta over each sample's neighbours (n,), which takes its place, and .1 of their mean variance (a scalar).

    beta: (n,). shares: as `neighbours` gives them.
    """
    mean = shares @ beta
    variance = (shares @ beta**2 - mean**2).clamp_min(0.0)
    return mean, VARIANCE_WEIGHT * variance.mean()


def color_weight(beta: torch.Tensor) -> torch.Tensor:
    """1 / (2 beta^2), detached: what a field's colour loss is multiplied with; it never trains the uncertainty. At most 1, which
    is what a pixel counts without uncertainty; the paper's floor of beta lets it count 50."""
    return (0.5 / beta.detach() ** 2).clamp_max(1.0)
