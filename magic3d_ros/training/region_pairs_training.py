"""Training of the region classifier: pairs along trees that the truth guides, then along trees that it grows itself.

What a classifier meets depends on what it joined before, so it is trained on what its own trees meet (DAgger, Ross et al. 2011);
the second network then learns which regions of those trees are whole things.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from magic3d_ros.evaluation.instance_metrics import average_precision
from magic3d_ros.instances.region_classifier import FORMAT, OVERLAPS, Network, RegionClassifier
from magic3d_ros.training.region_pairs import Samples, TrueRoom, met_pairs, whole_samples

HIDDEN, BATCH, RATE, DECAY = 64, 2048, 2e-3, 1e-4
"""AdamW (Loshchilov and Hutter 2019) with one cycle of rates (Smith 2018); small enough to run in numpy."""
NOISE = 0.05
"""Of the features, in their standard deviations: with .2 and .4 the loss on held-out rooms was the same within .002."""
PAIR_EPOCHS, WHOLE_EPOCHS = 6, 20
OWN_ROUNDS = 2
"""Rounds on the classifier's own trees: AP on held-out rooms .273 without, .324 with two; its loss of
pairs fell in the first only."""


@dataclass(frozen=True)
class Figures:
    """On held-out rooms, means: ap, ap50, ap25 at confidence 1 on the map's own vertices, things a room, pair_loss (nats)."""

    ap: float
    ap50: float
    ap25: float
    things: float
    pair_loss: float


def train(rooms: list[TrueRoom], held_out: list[TrueRoom], file: Path, seed: int, probability: float, note: dict[str, str],
          report: Callable[[str], None]) -> Figures:
    """Train both networks and write them to `file` (safetensors, `note` in its metadata) -> figures on held-out rooms.

    probability: instances.join_probability, at which the figures are taken. report: told each step. Raises ValueError without
    rooms on either side.
    """
    if not rooms or not held_out:
        raise ValueError(f"{len(rooms)} rooms to train on and {len(held_out)} held out: both need at least one")
    random = np.random.default_rng(seed)
    met = [met_pairs(room, None, random)[0] for room in rooms]
    report(f"{sum(len(m.weight) for m in met)} pairs of {len(rooms)} rooms, joined by the truth")
    for round_number in range(OWN_ROUNDS + 1):
        pairs = fitted(Samples.joined(met), PAIR_EPOCHS, seed + round_number)
        join = as_network(pairs)
        if round_number < OWN_ROUNDS:
            met += [met_pairs(room, lambda x: join(x)[:, 0], random)[0] for room in rooms]  # noqa: B023
        report(f"round {round_number + 1} of {OWN_ROUNDS + 1}: {sum(len(m.weight) for m in met)} pairs")
    grown = [met_pairs(room, lambda x: join(x)[:, 0], random)[1] for room in rooms]
    wholes = Samples.joined([whole_samples(room, tree, OVERLAPS) for room, tree in zip(rooms, grown, strict=True)])
    whole = fitted(wholes, WHOLE_EPOCHS, seed)
    report(f"{len(wholes.weight)} regions of {len(rooms)} rooms")
    tensors = {f"{name}.{key}": value for name, network in (("join", pairs), ("whole", whole))
               for key, value in network.state_dict().items()}
    temporary = file.with_suffix(".partial")
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, temporary,
              {"format": FORMAT, "seed": str(seed), **note})
    os.replace(temporary, file)
    return check(RegionClassifier(join, as_network(whole)), held_out, probability, random)


def check(classifier: RegionClassifier, rooms: list[TrueRoom], probability: float, random: np.random.Generator) -> Figures:
    """Figures of a classifier on rooms."""
    rows = []
    for room in rooms:
        met, tree = met_pairs(room, lambda x: classifier.join(x)[:, 0], random)
        score = average_precision(room.thing, tree.parted(probability)[room.basin])
        inside = np.clip(classifier.join(met.features), 1e-4, 1.0 - 1e-4)
        loss = -(met.target * np.log(inside) + (1.0 - met.target) * np.log(1.0 - inside))[:, 0]
        rows.append((score.ap, score.ap50, score.ap25, score.predicted, float(np.average(loss, weights=met.weight))))
    return Figures(*np.mean(rows, 0).tolist())


class _Layers(torch.nn.Sequential):
    """Standardisation and three layers; the names of its tensors are those that region_classifier.py reads."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, features: torch.Tensor, outputs: int) -> None:
        super().__init__(torch.nn.Linear(features.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, HIDDEN),
                         torch.nn.ReLU(), torch.nn.Linear(HIDDEN, outputs))
        self.register_buffer("mean", features.mean(0))
        self.register_buffer("scale", features.std(0).clamp(min=1e-3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(((features - self.mean) / self.scale).clamp(-4.0, 4.0))


def fitted(samples: Samples, epochs: int, seed: int) -> _Layers:
    """A network trained on samples, by binary cross-entropy."""
    torch.manual_seed(seed)
    features, target = torch.from_numpy(samples.features), torch.from_numpy(samples.target).float()
    weight = torch.from_numpy(samples.weight / samples.weight.mean()).float()
    network = _Layers(features, target.shape[1])
    steps = max(1, epochs * len(features) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    for _ in range(steps):
        chosen = torch.randint(len(features), (BATCH,))
        noisy = features[chosen] + NOISE * network.scale * torch.randn(BATCH, features.shape[1])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(noisy), target[chosen], reduction="none").mean(1)
        optimizer.zero_grad()
        (loss * weight[chosen]).mean().backward()
        optimizer.step()
        rate.step()
    return network.eval()


def as_network(layers: _Layers) -> Network:
    """The trained network as the package uses it."""
    tensors = {name: tensor.detach().numpy() for name, tensor in layers.state_dict().items()}
    return Network(tensors["mean"], tensors["scale"], tuple((tensors[f"{k}.weight"], tensors[f"{k}.bias"]) for k in (0, 2, 4)))
