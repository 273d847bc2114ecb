"""Training of the segmenter: resumable, on one process or on several under torchrun; the same seed gives the same batches."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from magic3d_ros.instances.segmenter.losses import Losses, losses
from magic3d_ros.instances.segmenter.network import Architecture, SegmenterNetwork, load_network, save_network
from magic3d_ros.instances.segmenter.queries import random_seeds
from magic3d_ros.training.processes import Process
from magic3d_ros.training.resuming import TrainingError, keep, restored
from magic3d_ros.training.segmenter_batches import Batch, plain_batch, random_batch

DECAY = 0.01
"""Of AdamW (Loshchilov and Hutter 2019), torch's default, as in Mask3D."""

RISE, START, END = 0.3, 1 / 25, 1e-4 / 25
"""One cycle (Smith and Topin 2019) as torch's OneCycleLR: share of the steps that the rate rises on; its first and last share."""

LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Plan:
    """steps: batches in all. batch: clouds a step and process. queries: of the decoder. rate: largest of the cycle. seed: of
    batches and first weights. check_every: steps between checks on held-out clouds, at which the state is kept."""

    steps: int
    batch: int
    queries: int
    rate: float
    seed: int
    check_every: int


@dataclass(frozen=True)
class Figures:
    """On held-out clouds: loss in all; mean entropy of the affinities of neighbours; mean dice loss and IoU of the last layer's
    masks with those that taught them."""

    step: int
    loss: float
    affinity: float
    dice: float
    iou: float


def train(training: Sequence[Path], held_out: Sequence[Path], weights: Path, architecture: Architecture, plan: Plan,
          report: Callable[[int, Figures | None], None], process: Process, start: Path | None = None) -> Figures:
    """Train, or go on where a state lies beside `weights` -> figures of the last check; its weights are the result.

    training, held_out: files of CloudSamples. start: weights to begin with, None = at random. Writes `weights` (float16
    safetensors), the same name with .state.pt (to go on) and with .log.jsonl. Of several processes each trains on batches of its
    own, and the first writes. report: called with every step done and, at checks, the figures. Raises TrainingError.
    """
    if not training or not held_out:
        raise TrainingError(f"{len(training)} clouds to train on and {len(held_out)} to check with are too few: name more scenes")
    rank, device = process.rank, process.device
    torch.manual_seed(plan.seed)
    network = SegmenterNetwork(architecture) if start is None else load_network(start)
    if network.architecture != architecture:
        raise TrainingError(f"{start} is of another architecture than is to be trained: name its --architecture")
    network.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=DECAY)
    state_file = weights.with_suffix(".state.pt")
    step, kept = restored(state_file, network, optimizer, asdict(plan))
    figures = Figures(**kept) if kept else None  # type: ignore[arg-type]
    together = DistributedDataParallel(network) if distributed.is_initialized() else network
    while step < plan.steps:
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * one_cycle(step, plan.steps)
        random = np.random.default_rng((plan.seed, step, rank))
        batch = random_batch(training, plan.batch, architecture.voxel_size, random)
        network.train()
        loss = batch_loss(together, batch.to(device), plan.queries, random).total
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss is {loss.item()} at step {step}: train with another --seed or a smaller --rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        step += 1
        checked = step % plan.check_every == 0 or step == plan.steps
        if checked and rank == 0:
            figures = check(network, held_out, plan.queries, step, device)
            with weights.with_suffix(".log.jsonl").open("a", encoding="utf-8") as log:
                rounded = {name: round(value, 4) for name, value in asdict(figures).items()}
                log.write(json.dumps(rounded | {"training_loss": round(loss.item(), 4)}) + "\n")
            save_network(network, weights, {"step": str(step), "seed": str(plan.seed)})
            keep(state_file, network, optimizer, asdict(plan), step, asdict(figures))
        report(step, figures if checked else None)
    if figures is None and rank == 0:
        raise TrainingError("a training needs at least one step (--steps)")
    return figures or Figures(step, math.nan, math.nan, math.nan, math.nan)


def one_cycle(step: int, steps: int) -> float:
    """Share of the largest rate at a step: half a cosine up, half a cosine down."""
    rise = max(1.0, RISE * steps - 1)
    if step <= rise:
        return START + (1 - START) * 0.5 * (1 - math.cos(math.pi * step / rise))
    down = (step - rise) / max(1.0, steps - 1 - rise)
    return END + (1 - END) * 0.5 * (1 + math.cos(math.pi * min(down, 1.0)))


def batch_loss(network: torch.nn.Module, batch: Batch, queries: int, random: np.random.Generator) -> Losses:
    """Mean losses over the clouds of a batch."""
    seeds = [random_seeds(graph.center, labels, queries, random)
             for graph, labels in zip(batch.graphs, batch.labels, strict=True)]
    found, affinity = network(batch.tensor, batch.row, batch.graphs, seeds)
    parts = [losses(*cloud) for cloud in zip(found, affinity, batch.graphs, batch.labels, strict=True)]
    return Losses(*(torch.stack(values).mean() for values in zip(*parts, strict=True)))


@torch.no_grad()
def check(network: SegmenterNetwork, files: Sequence[Path], queries: int, step: int, device: torch.device) -> Figures:
    """Figures on clouds as they are; every cloud counts alike."""
    network.eval()
    sums, random = np.zeros(4), np.random.default_rng(0)
    for file in files:
        found = batch_loss(network, plain_batch([file], network.architecture.voxel_size).to(device), queries, random)
        sums += [found.total.item(), found.affinity.item(), found.dice.item(), found.iou.item()]
    return Figures(step, *(sums / len(files)).tolist())
