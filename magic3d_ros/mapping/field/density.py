"""From signed distances along a ray to the share that each sample has in what is seen: three named ways.

Signed distances are metres, positive in free space. All functions take samples in order of depth and give weights (r, s) >= 0
that sum to at most 1 along a ray.
"""

from __future__ import annotations

import torch

KINDS = ("volsdf", "neus", "truncated")


def laplace_density(sdf: torch.Tensor, beta: torch.Tensor | float) -> torch.Tensor:
    """Density in 1 / m: the Laplace distribution's cumulative function of -sdf over beta (VolSDF, Yariv et al. 2021, eq. 2-3).

    1 / beta deep inside, half of it at the surface, 0 far outside. With s = sdf this is (0.5 + 0.5 sign(s) expm1(-|s| / beta))
    / beta, as MonoSDF (model/density.py) writes it.
    """
    return (0.5 + 0.5 * sdf.sign() * torch.expm1(-sdf.abs() / beta)) / beta


def volsdf_weights(sdf: torch.Tensor, lengths: torch.Tensor, beta: torch.Tensor | float) -> torch.Tensor:
    """Transmittance times opacity of each sample; lengths: (r, s) metres of ray that each sample stands for."""
    optical = laplace_density(sdf, beta) * lengths
    before = torch.cumsum(optical, -1) - optical
    return torch.exp(-before) * -torch.expm1(-optical)


def neus_weights(sdf: torch.Tensor, sharpness: torch.Tensor | float) -> torch.Tensor:
    """Weights of NeuS (Wang et al. 2021, eq. 13): alpha_i = max(0, (P(f_i) - P(f_i+1)) / P(f_i)), P(f) = sigmoid(sharpness f).

    f_i and f_i+1 are the distances at neighbouring samples; the paper (renderer.py) extrapolates both from the middle of the
    section and the slope there, here the next sample's own distance serves. The last sample has no section and no weight.
    """
    passed = torch.sigmoid(sharpness * sdf)
    alpha = ((passed[..., :-1] - passed[..., 1:]) / passed[..., :-1].clamp_min(1e-6)).clamp(0.0, 1.0)
    through = torch.cumprod(1.0 - alpha + 1e-7, -1)
    weights = alpha * torch.cat([torch.ones_like(through[..., :1]), through[..., :-1]], -1)
    return torch.cat([weights, torch.zeros_like(weights[..., :1])], -1)


def truncated_weights(sdf: torch.Tensor, depths: torch.Tensor, truncation: float) -> torch.Tensor:
    """Weights of Co-SLAM (Wang et al. 2023, eq. 5): sigmoid(s / tr) sigmoid(-s / tr), 0 beyond the first crossing by more than
    tr, normalised. A ray that crosses nothing has weights too: look for a change of sign before believing them."""
    bell = torch.sigmoid(sdf / truncation) * torch.sigmoid(-sdf / truncation)
    crossing = (sdf[..., :-1] > 0) & (sdf[..., 1:] <= 0)
    first = torch.where(crossing, depths[..., 1:], torch.inf).amin(-1, keepdim=True)
    bell = torch.where(depths < first + truncation, bell, torch.zeros_like(bell))
    return bell / bell.sum(-1, keepdim=True).clamp_min(1e-8)


def rendering_weights(kind: str, sdf: torch.Tensor, depths: torch.Tensor, width: torch.Tensor | float) -> torch.Tensor:
    """Weights (r, s) by a method's name, for samples at (r, s) metres along rays of unit length.

    width: metres over which the surface is smeared: VolSDF's beta, the inverse of NeuS's sharpness, Co-SLAM's truncation.
    Raises ValueError for an unknown name.
    """
    if kind == "volsdf":
        lengths = torch.diff(depths, dim=-1)
        return volsdf_weights(sdf, torch.cat([lengths, lengths[..., -1:]], -1), width)
    if kind == "neus":
        return neus_weights(sdf, 1.0 / width)
    if kind == "truncated":
        return truncated_weights(sdf, depths, float(width))
    raise ValueError(f"unknown density '{kind}': one of {', '.join(KINDS)}")
