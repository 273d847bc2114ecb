"""Small fully connected networks that can carry spatial derivatives along."""

from __future__ import annotations

import itertools

import torch
from torch.nn.functional import linear, softplus

SHARPNESS = 100.0  # softplus(100 x) / 100, of IGR, VolSDF and MonoSDF: smooth enough for normals, as cheap as ReLU to train


class Perceptron(torch.nn.Module):
    """`layers` hidden layers of `hidden` units, then `outputs`. The last layer starts at zero: a new network adds nothing.

    smooth: softplus instead of ReLU, for fields whose gradients are looked at.
    """

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int, smooth: bool,
                 generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.smooth = smooth
        sizes = [inputs] + [hidden] * layers + [outputs]
        self.weights = torch.nn.ParameterList()
        self.biases = torch.nn.ParameterList()
        for layer, (before, after) in enumerate(itertools.pairwise(sizes)):
            scale = 0.0 if layer == layers else (6.0 / before) ** 0.5  # He et al. 2015, for rectifiers
            self.weights.append(torch.nn.Parameter((torch.rand(after, before, generator=generator) * 2 - 1) * scale))
            self.biases.append(torch.nn.Parameter(torch.zeros(after)))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(n, inputs) -> (n, outputs)."""
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                values = softplus(values, SHARPNESS) if self.smooth else torch.relu(values)
            values = linear(values, weight, bias)
        return values

    def with_slopes(self, values: torch.Tensor, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, outputs) and their slopes (3, n, outputs), from (n, inputs) and their slopes (3, n, inputs): forward-mode
        differentiation, so that one ordinary backward pass trains on both."""
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                slopes = slopes * (torch.sigmoid(SHARPNESS * values) if self.smooth else (values > 0).to(values.dtype))
                values = softplus(values, SHARPNESS) if self.smooth else torch.relu(values)
            values, slopes = linear(values, weight, bias), linear(slopes, weight)
        return values, slopes
