"""Distillation across scenes: resumable, on one process or on several under torchrun; the same seed gives the same batches."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from magic3d_ros.language.distillation import RATE, Distiller, falling
from magic3d_ros.language.distillation_loss import distillation_loss
from magic3d_ros.language.distillation_network import DistillationNetwork, DistillationPlan, save_network
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.training.processes import Process
from magic3d_ros.training.resuming import TrainingError, keep, restored


@dataclass(frozen=True)
class Plan:
    """steps: batches in all. batch: scenes a step and process. seed: of batches and first weights. check_every: steps between
    checks on held-out scenes, at which the state is kept. rate: the largest."""

    steps: int
    batch: int
    seed: int
    check_every: int
    rate: float = RATE


@dataclass(frozen=True)
class Figures:
    """loss: 1 - cosine on held-out scenes, every scene counts alike."""

    step: int
    loss: float


def train(training: Sequence[DistillationScene], held_out: Sequence[DistillationScene], weights: Path, made_for: DistillationPlan,
          plan: Plan, report: Callable[[int, Figures | None], None], process: Process) -> Figures:
    """Train, or go on where a state lies beside `weights` -> the last figures; its weights are the result.

    Writes `weights` (float16 safetensors), the same name with .state.pt (to go on) and with .log.jsonl; the first of several
    processes does. report: called with every step done and, at checks, the figures. Raises TrainingError.
    """
    if not training or not held_out:
        raise TrainingError(f"{len(training)} scenes to train on and {len(held_out)} to check with are too few: name more")
    torch.manual_seed(plan.seed)
    network = DistillationNetwork(made_for).to(process.device)
    distiller = Distiller(network, training, plan.seed, plan.batch, plan.rate, process.rank)
    state_file = weights.with_suffix(".state.pt")
    step, kept = restored(state_file, network, distiller.optimizer, asdict(plan))
    figures = Figures(**kept) if kept else None  # type: ignore[arg-type]
    while step < plan.steps:
        loss = distiller.step(step, falling(step / plan.steps))
        step += 1
        checked = step % plan.check_every == 0 or step == plan.steps
        if checked and process.rank == 0:
            figures = check(network, held_out, step)
            with weights.with_suffix(".log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, "loss": round(figures.loss, 4), "training_loss": round(loss, 4)}) + "\n")
            save_network(network, weights, {"step": str(step), "seed": str(plan.seed)})
            keep(state_file, network, distiller.optimizer, asdict(plan), step, asdict(figures))
        report(step, figures if checked else None)
    if figures is None and process.rank == 0:
        raise TrainingError("a training needs at least one step (--steps)")
    return figures or Figures(step, math.nan)


def check(network: DistillationNetwork, scenes: Sequence[DistillationScene], step: int) -> Figures:
    """Figures on scenes as they are."""
    losses = [distillation_loss(*(torch.from_numpy(a).float() for a in (network.predict(s), s.targets, s.weights))).item()
              for s in scenes]
    return Figures(step, sum(losses) / len(losses))
