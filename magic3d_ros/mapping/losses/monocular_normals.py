"""Rendered normals against a monocular network's normals (MonoSDF, Yu et al. 2022, eq. 14).

The paper's repository and nerfstudio compute the same two terms, weighted 0.05 each there. The repository multiplies
the rendered normals by the mask and still averages over all rays, so that every ray without a surface adds a constant; here
such rays are left out, which has the same gradients up to the share of rays that count.
"""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from magic3d_ros.mapping.losses.masked_mean import masked_mean


def rendered_normals(weights: torch.Tensor, gradients: torch.Tensor, camera_to_world: torch.Tensor) -> torch.Tensor:
    """(r, 3) normals along rays, in the camera frame, not of unit length: the weighted sum of unit gradients.

    weights: (r, s) rendering weights of a ray's samples. gradients: (r, s, 3) of the signed distance, in the world.
    camera_to_world: (r, 3, 3) or (3, 3) rotations. Positive distances in free space make the normals point to the camera.
    """
    world = (weights[..., None] * normalize(gradients, dim=-1)).sum(-2)
    return (camera_to_world.transpose(-1, -2) @ world[..., None])[..., 0]


def monocular_normal_loss(rendered: torch.Tensor, cue: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of |n - n'| summed over x, y, z, and mean of 1 - n . n', over rays where the mask is True.

    rendered, cue: (..., 3) in the same frame, of any length (both are made unit); cue values where the mask is False do not
    matter (NaN is allowed). mask: (...) bool.
    """
    cue = normalize(torch.where(mask[..., None], cue, torch.zeros_like(cue)), dim=-1)
    rendered = normalize(rendered, dim=-1)
    absolute = masked_mean((rendered - cue).abs().sum(-1), mask)
    cosine = masked_mean(1.0 - (rendered * cue).sum(-1), mask)
    return absolute, cosine
