"""Where the queries of the mask decoder start, and how places are told to it."""

from __future__ import annotations

import math

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
