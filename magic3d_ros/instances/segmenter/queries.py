"""Where the queries of the mask decoder start, and how places are told to it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

SHORTEST, LONGEST, WAVES = 0.2, 25.6, 8
"""Waves of a place's encoding, metres: from a cup to a hall, each twice the one before."""


def furthest_points(points: torch.Tensor, count: int, first: int = 0) -> torch.Tensor:
    """(count,) int64 rows of (N, 3) points, each the farthest from all before it (Qi et al. 2017); fewer where N is smaller.

    first: the row to begin with.
    """
    count = min(count, len(points))
    chosen = torch.empty(count, dtype=torch.long, device=points.device)
    distance = points.new_full((len(points),), math.inf)
    row = torch.tensor(first, device=points.device)
    for number in range(count):
        chosen[number] = row
        distance = torch.minimum(distance, ((points - points[row]) ** 2).sum(1))
        row = distance.argmax()
    return chosen


def chosen_seeds(center: torch.Tensor, size: torch.Tensor, count: int) -> torch.Tensor:
    """(Q,) superpoints to ask for at inference: all, or the largest half of `count` and as many spread over the scene."""
    if len(center) <= count:
        return torch.arange(len(center), device=center.device)
    largest = torch.argsort(size, descending=True, stable=True)[:count // 2]
    return torch.unique(torch.cat([largest, furthest_points(center, count - count // 2)]))


def random_seeds(center: torch.Tensor, labels: torch.Tensor, count: int, random: np.random.Generator) -> torch.Tensor:
    """(Q,) labelled superpoints to train on: half spread over the scene from a random one on, half at random, which meets small
    things of many superpoints as often as large plain ones. labels: (S,), -1 = none; fewer where fewer have one."""
    known = torch.nonzero(labels >= 0)[:, 0]
    if len(known) <= count:
        return known
    spread = known[furthest_points(center[known], count // 2, int(random.integers(len(known))))]
    rest = known[~torch.isin(known, spread)]
    picked = torch.from_numpy(random.choice(len(rest), min(count - len(spread), len(rest)), replace=False))
    return torch.cat([spread, rest[picked.to(rest.device)]])


class PlaceEncoding(nn.Module):
    """Sines and cosines of metric places, through a linear layer (Vaswani et al. 2017, in metres)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(6 * WAVES, width)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(N, 3) metres from the middle of the cloud -> (N, width)."""
        ratio = (LONGEST / SHORTEST) ** (1 / (WAVES - 1))
        lengths = SHORTEST * ratio ** torch.arange(WAVES, device=points.device)
        phase = (points[:, :, None] * (2 * math.pi / lengths)).flatten(1)
        return self.linear(torch.cat([phase.sin(), phase.cos()], 1))
