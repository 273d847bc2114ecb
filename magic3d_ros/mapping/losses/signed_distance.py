"""What measured depth says of rendered depth and of signed distances at samples along a ray.

Signed distances are metres, positive in free space. `ahead` is how far the measured surface lies beyond a sample, metres:
measured minus sampled depth, negative behind the surface. Rays without a reading are left out by `weights`.
"""

from __future__ import annotations

import torch

from magic3d_ros.mapping.losses.masked_mean import masked_mean

FREE_SPACE_SHARPNESS = 5.0  # beta of iSDF's free-space loss (Ortiz et al. 2022, section III.C)


def sensor_depth_loss(rendered: torch.Tensor, measured: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared difference of (r,) depths in metres, over rays with a reading (> 0); Co-SLAM's depth term (weight 0.1).

    weights: (r,) trust in each ray, 0..1.
    """
    known = torch.isfinite(measured) & (measured > 0)
    error = rendered - torch.where(known, measured, torch.zeros_like(measured))
    return masked_mean(error**2, _counting(known, rendered, weights))


def truncated_sdf_loss(sdf: torch.Tensor, ahead: torch.Tensor, truncation: float,
                       weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of ((sdf - ahead) / truncation)^2 over samples within the truncation of the measured surface.

    sdf, ahead: (r, s) metres. weights: broadcast to (r, s). Near a surface the distance along the ray stands for the distance
    to the surface (Curless and Levoy 1996). Co-SLAM (model/utils.py, get_sdf_loss) averages over all samples, those that do
    not count as zeros, and multiplies by the share of the others; averaged over those that count, as here, the weight of the
    loss does not depend on how samples are placed.
    """
    near = ahead.abs() <= truncation
    error = (sdf - torch.where(near, ahead, torch.zeros_like(ahead))) / truncation
    return masked_mean(error**2, _counting(near, sdf, weights))


def free_space_bounds_loss(sdf: torch.Tensor, ahead: torch.Tensor, truncation: float,
                           weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of max(0, exp(-5 sdf) - 1, sdf - ahead) over samples in free space, for fields of true distances.

    There the distance is positive, and at most the distance to what the ray hits (iSDF, Ortiz et al. 2022, eq. 6). Shapes as
    for `truncated_sdf_loss`.
    """
    free = ahead > truncation
    # Only what is in free space: the exponential of a deep point behind the surface would overflow.
    outside = torch.where(free, sdf, torch.zeros_like(sdf))
    inside = torch.exp(-FREE_SPACE_SHARPNESS * outside) - 1.0
    excess = torch.maximum(inside, outside - torch.where(free, ahead, torch.zeros_like(ahead))).clamp_min(0.0)
    return masked_mean(excess, _counting(free, sdf, weights))


def _counting(mask: torch.Tensor, like: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """The mask as weights, times further weights."""
    chosen = mask.to(like.dtype)
    return chosen if weights is None else chosen * weights
