"""The uncertainty head of NeRF On-the-go: a small network from frozen 2D features to beta, trained on the sequence itself.

64 hidden units, ReLU, dropout .25, softplus, floor .1 and 1e-3 more (Ren et al., CVPR 2024); optimiser, and training from
nothing for every sequence, of its online variant (WildGS-SLAM, Zheng et al., CVPR 2025). Dropout is off when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

HIDDEN = 64
DROPOUT = 0.25
FLOOR = 0.1
MARGIN = 1e-3
WEIGHT_DECAY = 1e-5
# Ten times WildGS-SLAM's 4e-4: it takes hundreds of steps between keyframes, this takes a few.
LEARNING_RATE = 4e-3
SEED = 0


class UncertaintyHead(nn.Module):
    """(n, dimension) features -> (n,) beta >= .101.

    Features are normalised by the mean and deviation given to `normalise` (until then: as they are), because those of different
    networks differ in scale by orders of magnitude.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension
        with torch.random.fork_rng(devices=[]):  # the same head for the same sequence, whatever else drew random numbers
            torch.manual_seed(SEED)
            self.hidden = nn.Linear(dimension, HIDDEN)
            self.out = nn.Linear(HIDDEN, 1)
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("deviation", torch.ones(dimension))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Uncertainty; with dropout while `training`."""
        x = (features.float() - self.mean) / self.deviation
        x = nn.functional.dropout(torch.relu(self.hidden(x)), DROPOUT, self.training)
        return softplus(self.out(x))[:, 0].clamp_min(FLOOR) + MARGIN

    def check(self, dimension: int) -> None:
        """Raise ValueError when features of that many dimensions are not what the head was trained on."""
        if dimension != self.dimension:
            raise ValueError(f"the map's uncertainty head reads features of {self.dimension} dimensions, the 2D model gives "
                             f"{dimension}: it was trained with another model; use the cues.* settings of the map, "
                             "or set distractors.enabled to false")

    def normalise(self, features: torch.Tensor) -> None:
        """Take mean and deviation of (n, dimension) features."""
        self.mean.copy_(features.float().mean(0))
        self.deviation.copy_(features.float().std(0, unbiased=False).clamp_min(1e-3))

    def optimiser(self) -> torch.optim.Adam:
        """Adam over the head's parameters."""
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)

    def state(self) -> dict[str, np.ndarray]:
        """Parameters and normalisation, by name."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.state_dict().items()}

    @staticmethod
    def of_state(state: Mapping[str, np.ndarray]) -> UncertaintyHead:
        """The head that `state` came from. Raises ValueError naming what does not fit."""
        if "hidden.weight" not in state or state["hidden.weight"].ndim != 2:
            raise ValueError("the uncertainty head's state lacks 'hidden.weight'")
        head = UncertaintyHead(state["hidden.weight"].shape[1])
        for name, value in head.state_dict().items():
            if name not in state or state[name].shape != tuple(value.shape):
                have = "nothing" if name not in state else f"{state[name].shape}"
                raise ValueError(f"the uncertainty head's state has {have} as '{name}', expected {tuple(value.shape)}")
        head.load_state_dict({name: torch.from_numpy(np.array(state[name], np.float32)) for name in head.state_dict()})
        return head


def optimiser_state(head: UncertaintyHead, optimiser: torch.optim.Adam) -> dict[str, np.ndarray]:
    """Adam's moments by parameter, and its steps; nothing before the first step."""
    moments = {}
    for name, parameter in head.named_parameters():
        for kind, value in optimiser.state.get(parameter, {}).items():
            moments[f"{name}.{kind}"] = value.detach().cpu().numpy().copy()
    return moments


def load_optimiser_state(head: UncertaintyHead, optimiser: torch.optim.Adam, state: Mapping[str, np.ndarray]) -> None:
    """Go on with moments that `optimiser_state` gave. Raises ValueError naming what does not fit."""
    for name, parameter in head.named_parameters():
        moments = {kind: state.get(f"{name}.{kind}") for kind in ("step", "exp_avg", "exp_avg_sq")}
        if all(value is None for value in moments.values()):
            continue
        for kind, value in moments.items():
            if value is None or (kind != "step" and value.shape != tuple(parameter.shape)):
                raise ValueError(f"the uncertainty head's optimiser has no fitting '{name}.{kind}'")
        optimiser.state[parameter] = {kind: torch.from_numpy(np.array(value, np.float32)) for kind, value in moments.items()}
