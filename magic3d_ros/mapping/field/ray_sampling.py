"""Where along a ray the field is looked at: few samples where the surface is known, more where it is not.

All distances are metres along rays of unit length; samples come out in ascending order.
"""

from __future__ import annotations

import torch


def stratified(near: torch.Tensor, far: torch.Tensor, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """(r, count) samples, one drawn from each of `count` equal sections between (r,) near and far."""
    place = torch.rand(len(near), count, device=near.device, generator=generator)
    place = (torch.arange(count, device=near.device) + place) / count
    return near[:, None] + (far - near)[:, None] * place


def around_surface(surface: torch.Tensor, near: float, truncation: float, count: int, free: int,
                   generator: torch.Generator | None = None) -> torch.Tensor:
    """(r, count + free) samples for rays whose surface is known at (r,) distances: `count` stratified within the truncation
    before and behind it, `free` in the free space before."""
    close = stratified(surface - truncation, surface + truncation, count, generator)
    if not free:
        return close
    before = stratified(torch.full_like(surface, near), (surface - truncation).clamp_min(near), free, generator)
    return torch.cat([before, close], 1)


def by_importance(depths: torch.Tensor, weights: torch.Tensor, count: int, floor: float = 0.01,
                  generator: torch.Generator | None = None) -> torch.Tensor:
    """(r, count) samples drawn where coarse samples had weight (NeRF, Mildenhall et al. 2020, section 5.2).

    depths, weights: (r, s) of the coarse samples. floor: share that is spread evenly, so that a surface the coarse samples
    missed can be found later. Constants: nothing is differentiated.
    """
    middle = 0.5 * (depths[:, 1:] + depths[:, :-1])
    share = weights[:, 1:-1].detach()
    share = share / share.sum(1, keepdim=True).clamp_min(1e-8) + floor / share.shape[1]
    total = torch.cumsum(share, 1)
    total = torch.cat([torch.zeros_like(total[:, :1]), total / total[:, -1:]], 1)
    steps = torch.rand(len(depths), count, device=depths.device, generator=generator)
    wanted = (torch.arange(count, device=depths.device) + steps) / count
    after = torch.searchsorted(total, wanted.contiguous(), right=True).clamp(1, total.shape[1] - 1)
    low, high = total.gather(1, after - 1), total.gather(1, after)
    from_, to = middle.gather(1, after - 1), middle.gather(1, after)
    return from_ + (to - from_) * ((wanted - low) / (high - low).clamp_min(1e-8)).clamp(0.0, 1.0)
