"""Training of the compact monocular predictor on rendered rooms: resumable, the same seed gives the same pictures and batches."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, CompactNetwork
from magic3d_ros.cues.embedded.compact_predictor import FORMAT
from magic3d_ros.training.augmentation import random_batch, whole_batch
from magic3d_ros.training.losses import losses
from magic3d_ros.training.pictures import Pictures
from magic3d_ros.training.resuming import TrainingError, keep, restored

FROZEN_BLOCKS = 3
"""The stem and the first blocks keep their ImageNet weights: edges and colours are the same in rendered rooms, and without their
gradients a step costs two thirds."""

RATE, ENCODER_SHARE, WARM_UP, DECAY = 1e-3, 0.2, 100, 0.02
"""AdamW (Loshchilov and Hutter 2019): the encoder is fine-tuned at a fifth of the decoder's rate; cosine to zero."""

LARGEST_GRADIENT = 1.0
CHECK_BATCH = 16
WEIGHTS, STATE, LOG = "predictor.safetensors", "training.pt", "log.jsonl"


@dataclass(frozen=True)
class Plan:
    """steps: batches in all. batch: pictures a step. seed: of batches and first weights. check_every: steps between checks on the
    held-out rooms, at which the state is kept; the weights that were best there are the result."""

    steps: int
    batch: int
    seed: int
    check_every: int


@dataclass(frozen=True)
class Figures:
    """On held-out rooms. loss: the total that chooses weights. abs_rel: of the depth in metres. normal_error: mean, degrees."""

    step: int
    loss: float
    abs_rel: float
    normal_error: float


def train(training: Pictures, held_out: Pictures, folder: Path, plan: Plan,
          report: Callable[[int, Figures | None], None]) -> Figures:
    """Train, or go on where `folder` holds the state of a training -> figures of the best weights.

    The same plan goes on as if never interrupted; another number of steps changes the rate from there on.
    Writes predictor.safetensors (float16), training.pt (to go on) and log.jsonl. report: called with every step done and, at
    checks, their figures. Raises TrainingError.
    """
    if len(training) < plan.batch or not len(held_out):
        raise TrainingError(f"{len(training)} pictures to train on and {len(held_out)} to check with are too few for batches of "
                            f"{plan.batch}: render more rooms (--scenes)")
    torch.manual_seed(plan.seed)
    network = CompactNetwork(pretrained=True).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _optimizer(network)
    step, kept = restored(folder / STATE, network, optimizer, asdict(plan))
    best = Figures(**kept) if kept else None  # type: ignore[arg-type]
    while step < plan.steps:
        for group in optimizer.param_groups:
            group["lr"] = group["full_rate"] * _rate(step, plan.steps)
        batch = random_batch(training, plan.batch, np.random.default_rng((plan.seed, step)))
        network.train()
        prediction = network(batch.image.contiguous(memory_format=torch.channels_last))
        parts = losses(prediction, batch.depth, batch.normals, batch.focal)
        if not torch.isfinite(parts.total):
            raise TrainingError(f"the loss is {parts.total.item()} at step {step}: train with another --seed")
        optimizer.zero_grad(set_to_none=True)
        parts.total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        step += 1
        figures = None
        if step % plan.check_every == 0 or step == plan.steps:
            figures = check(network, held_out, step)
            with (folder / LOG).open("a", encoding="utf-8") as log:
                trained = {f"training_{name}": round(value.item(), 4) for name, value in parts._asdict().items()}
                log.write(json.dumps({name: round(value, 4) for name, value in asdict(figures).items()} | trained) + "\n")
            if best is None or figures.loss < best.loss:
                best = figures
                save_weights(network, folder / WEIGHTS, {"step": str(step), "seed": str(plan.seed)})
            keep(folder / STATE, network, optimizer, asdict(plan), step, asdict(best))
        report(step, figures)
    if best is None:
        raise TrainingError("a training needs at least one step (--steps)")
    return best


@torch.inference_mode()
def check(network: CompactNetwork, pictures: Pictures, step: int) -> Figures:
    """Figures of the network on whole pictures; every picture counts alike."""
    network.eval()
    total = abs_rel = angle = 0.0
    for start in range(0, len(pictures), CHECK_BATCH):
        batch = whole_batch(pictures, np.arange(start, min(start + CHECK_BATCH, len(pictures))))
        prediction = network(batch.image.contiguous(memory_format=torch.channels_last))
        parts = losses(prediction, batch.depth, batch.normals, batch.focal)
        depth = torch.exp(prediction.log_depth) * (batch.focal / CANONICAL_FOCAL)[:, None, None]
        known = batch.depth > 0
        apart = (depth - batch.depth).abs() / batch.depth.clamp(min=1e-3)
        angles = torch.rad2deg(torch.acos((prediction.normals * batch.normals).sum(1).clamp(-1, 1)))
        share = len(batch.image) / len(pictures)
        total += share * parts.total.item()
        abs_rel += share * (apart * known).sum().item() / known.sum().item()
        angle += share * (angles * known).sum().item() / known.sum().item()
    return Figures(step, total, abs_rel, angle)


def save_weights(network: CompactNetwork, file: Path, note: dict[str, str]) -> None:
    """The network as float16 safetensors; `note` goes into the file's metadata."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in network.state_dict().items()}
    temporary = file.with_suffix(".partial")
    save_file(tensors, temporary, {"format": FORMAT, "canonical_focal": str(CANONICAL_FOCAL), **note})
    os.replace(temporary, file)


def _optimizer(network: CompactNetwork) -> torch.optim.Optimizer:
    network.requires_grad_(True)
    network.stem.requires_grad_(False)
    network.blocks[:FROZEN_BLOCKS].requires_grad_(False)
    encoder = [p for p in network.blocks.parameters() if p.requires_grad]
    ours = {id(p) for p in network.blocks.parameters()} | {id(p) for p in network.stem.parameters()}
    decoder = [p for p in network.parameters() if id(p) not in ours]
    return torch.optim.AdamW([{"params": encoder, "full_rate": RATE * ENCODER_SHARE}, {"params": decoder, "full_rate": RATE}],
                             lr=RATE, weight_decay=DECAY)


def _rate(step: int, steps: int) -> float:
    """Share of the full rate: a linear start, then half a cosine."""
    return min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))
