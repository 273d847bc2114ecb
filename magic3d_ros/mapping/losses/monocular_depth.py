"""Rendered depth against a monocular network's depth, which is known up to a scale and a shift for each image.

MonoSDF (Yu et al. 2022, eq. 13 and supplement A.2) after MiDaS (Ranftl et al. 2020). The paper's repository (model/loss.py),
sdfstudio and nerfstudio (model_components/losses.py) define it alike: least-squares scale and shift that take the rendered depth
to the cue, half the mean squared error, and half the gradient term. Where this differs from them:

- They reshape 1024 pixels drawn at random from an image to 32x32, so that their gradient term compares unrelated pixels. Here
  it works on real patches, and on as many scales as MiDaS has (4; they construct it with 1).
- They have one image a batch. Here a batch may hold several, each with a scale and a shift of its own.
- Rendered depth that is the same everywhere makes their system singular, and they then answer scale 0 and shift 0. Here the
  answer is scale 0 and the cue's mean, which is the least-squares solution.
- Their fixed map of the cue (50 depth + 0.5) fits one predictor. Here cues are normalised when they arrive
  (`mapping.monocular_cues`), so that the loss has the same size for all.
"""

from __future__ import annotations

import torch

GRADIENT_WEIGHT = 0.5  # alpha of MiDaS and MonoSDF
SCALES = 4  # MiDaS, eq. 11
SINGULAR = 1e-10  # share of the system's trace squared below which its determinant is rounding


def crosses_surface(sdf: torch.Tensor) -> torch.Tensor:
    """(r,) whether the (r, s) signed distances of a ray's samples take both signs: where there is a surface to speak of.

    MonoSDF's mask (model/loss.py): rays that hit nothing yet are not supervised by cues.
    """
    return (sdf > 0).any(-1) & (sdf < 0).any(-1)


def scale_and_shift(rendered: torch.Tensor, cue: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The (b,) scales and (b,) shifts that minimise sum of mask (scale rendered + shift - cue)^2, each over one image.

    rendered, cue, mask: (b, ...): all that shares a first index comes from one image. Differentiable. Without any pixel both
    are 0; where the rendered depth is constant the scale is 0 and the shift is the cue's mean.
    """
    rendered, cue, mask = (t.reshape(len(t), -1) for t in (rendered, cue, mask.to(rendered.dtype)))
    # Relative to the means the system has one unknown, and float32 does not cancel.
    count = mask.sum(1).clamp_min(1e-12)
    rendered_mean, cue_mean = (mask * rendered).sum(1) / count, (mask * cue).sum(1) / count
    centred = rendered - rendered_mean[:, None]
    variance = (mask * centred * centred).sum(1)
    covariance = (mask * centred * (cue - cue_mean[:, None])).sum(1)
    regular = variance > SINGULAR * (mask * rendered * rendered).sum(1)
    scale = torch.where(regular, covariance / torch.where(regular, variance, torch.ones_like(variance)),
                        torch.zeros_like(variance))
    return scale, cue_mean - scale * rendered_mean


def monocular_depth_loss(rendered: torch.Tensor, cue: torch.Tensor, mask: torch.Tensor, gradient_weight: float = GRADIENT_WEIGHT,
                         scales: int = SCALES) -> torch.Tensor:
    """Half the mean squared error after the best scale and shift, plus `gradient_weight` times the gradient term.

    rendered: (b, p, h, w) z-depth (not distance along the ray) of p patches of h x w neighbouring pixels from each of b images.
    cue: the same of the network's depth; its values where the mask is False do not matter (NaN is allowed). mask: bool, where
    both are known. Averages run over all pixels of the batch that count, as in the paper's repository ('batch-based').
    """
    cue = torch.where(mask, cue, torch.zeros_like(cue))
    rendered = torch.where(mask, rendered, torch.zeros_like(rendered))
    weight = mask.to(rendered.dtype)
    scale, shift = scale_and_shift(rendered, cue, weight)
    difference = (scale.view(-1, 1, 1, 1) * rendered + shift.view(-1, 1, 1, 1) - cue) * weight
    loss = (difference * difference).sum() / (2.0 * weight.sum()).clamp_min(1.0)
    for level in range(scales if gradient_weight > 0 else 0):
        loss = loss + gradient_weight * _gradient_term(difference, weight, 2**level)
    return loss


def _gradient_term(difference: torch.Tensor, weight: torch.Tensor, step: int) -> torch.Tensor:
    """Mean absolute slope of the masked difference between pixels `step` apart, on every `step`th pixel."""
    difference, weight = difference[..., ::step, ::step], weight[..., ::step, ::step]
    across = (difference[..., 1:] - difference[..., :-1]).abs() * weight[..., 1:] * weight[..., :-1]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :] * weight[..., :-1, :]
    return (across.sum() + down.sum()) / weight.sum().clamp_min(1.0)
