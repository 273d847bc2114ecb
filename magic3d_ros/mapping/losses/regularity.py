"""What every signed distance field satisfies, whatever was measured: slopes of 1, and surfaces that bend slowly."""

from __future__ import annotations

import torch

from magic3d_ros.mapping.losses.masked_mean import masked_mean

NEIGHBOUR_DISTANCE = 0.01  # edge of the cube in which a neighbour is drawn; MonoSDF, model/network.py: (rand - 0.5) * 0.01
LENGTH_FLOOR = 1e-5  # added to gradient lengths before division; MonoSDF, model/loss.py get_smooth_loss


def eikonal_loss(gradients: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of (|gradient| - 1)^2 over (n, 3) gradients (Gropp et al. 2020). weights: (n,).

    The paper's repository and sdfstudio agree. Weight 0.05 (ScanNet) to 0.1 in MonoSDF.
    """
    return masked_mean((gradients.norm(dim=-1) - 1.0) ** 2, weights)


def neighbours(points: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """(n, 3) points, each drawn from a cube of 1 cm around one of (n, 3) points in metres: where `smoothness_loss` compares.

    MonoSDF draws them in its normalised scene, of which 1 is the half width; in a room this is the same to a factor of 3.
    """
    offset = torch.rand(points.shape, device=points.device, dtype=points.dtype, generator=generator) - 0.5
    return points + offset * NEIGHBOUR_DISTANCE


def smoothness_loss(gradients: torch.Tensor, neighbour_gradients: torch.Tensor,
                    weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of |n(x) - n(x')|, the unit normals at (n, 3) points and at a neighbour of each (UNISURF; MonoSDF, weight 0.005)."""
    first = gradients / (gradients.norm(dim=-1, keepdim=True) + LENGTH_FLOOR)
    second = neighbour_gradients / (neighbour_gradients.norm(dim=-1, keepdim=True) + LENGTH_FLOOR)
    return masked_mean((first - second).norm(dim=-1), weights)
