"""Features fused from images, distilled into a 3D network: what geometry says where no camera looked well (OpenScene)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from magic3d_ros.config import DistillationSettings
from magic3d_ros.language.distillation_loss import distillation_loss
from magic3d_ros.language.distillation_network import (
    DistillationError,
    DistillationNetwork,
    DistillationPlan,
    load_network,
)
from magic3d_ros.language.distillation_scene import DistillationScene

RATE = 3e-3
"""of Adam; OpenScene's is 1e-3 over 100 epochs of a thousand scenes. Larger because there is a minute, not a day; no other rate
was tried."""
LARGEST_GRADIENT = 1.0
MOST_VOXELS = 60_000
"""of a scene in one step, 0.3 s on one core; of larger ones (a room of 5 x 5 m has 45,000) a round part."""


class Distiller:
    """Teaches a network what was seen of some scenes, each step one batch of them, turned and mirrored at random.

    A seed gives the same steps on the same machine; of several processes each has batches of its own. Raises DistillationError
    when no camera saw any of it.
    """

    def __init__(self, network: DistillationNetwork, scenes: Sequence[DistillationScene], seed: int = 0, batch: int = 1,
                 rate: float = RATE, rank: int = 0) -> None:
        if not any((scene.weights > 0).any() for scene in scenes):
            raise DistillationError("there is nothing to distil: no camera saw any voxel of the surface")
        for scene in scenes:
            if scene.dimension != network.plan.dimension:
                raise DistillationError(f"a scene has features of {scene.dimension} dimensions, the network predicts "
                                        f"{network.plan.dimension}: make both with the same language.feature_dimension")
        self.network = network
        self._scenes = [scene for scene in scenes if (scene.weights > 0).any()]
        self._seed, self._batch, self._rate = (seed, rank), min(batch, len(self._scenes)), rate
        self._together = DistributedDataParallel(network) if distributed.is_initialized() else network
        self.optimizer = torch.optim.Adam(network.parameters(), lr=rate)

    def step(self, number: int, share: float = 1.0) -> float:
        """The loss of step `number`, made at `share` of the rate. Raises DistillationError when it is no number."""
        random = np.random.default_rng((*self._seed, number))
        chosen = random.choice(len(self._scenes), self._batch, replace=False)
        scenes = [part(self._scenes[i], random) for i in chosen]
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate * share
        self.network.train()
        predicted = self._together(scenes, [turn(random) for _ in scenes])
        target, weights = (torch.from_numpy(np.concatenate(arrays).astype(np.float32)).to(predicted.device)
                           for arrays in ([s.targets for s in scenes], [s.weights for s in scenes]))
        loss = distillation_loss(predicted, target, weights)
        if not torch.isfinite(loss):
            raise DistillationError(f"the loss of distillation is {loss.item()} at step {number}: use another seed")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        return float(loss.detach())

    def run(self, seconds: float, cancelled: Callable[[], bool] = lambda: False,
            progress: Callable[[float, float], None] = lambda share, loss: None) -> int:
        """Steps for a time, the rate falling to zero at its end -> how many. progress: told share of the time and loss."""
        begin = time.monotonic()
        steps, spent = 0, 0.0
        while spent < seconds and not cancelled():
            loss = self.step(steps, falling(spent / seconds))
            steps, spent = steps + 1, time.monotonic() - begin
            progress(min(1.0, spent / seconds), loss)
        return steps


def distilled(scene: DistillationScene, settings: DistillationSettings, encoder: str, voxel_size: float, seconds: float,
              cancelled: Callable[[], bool] = lambda: False,
              progress: Callable[[float, float], None] = lambda share, loss: None) -> np.ndarray:
    """(V, C) float32 unit features of a scene's voxels by geometry: of the weights that the settings name, taught what was seen
    of this scene for so many seconds. encoder: name of the language model. Raises DistillationError."""
    if settings.weights:
        network = load_network(Path(settings.weights).expanduser(), encoder, scene.dimension, voxel_size)
    elif seconds <= 0:
        raise DistillationError("a network that begins anew has to learn: give distillation.seconds, or name "
                                "distillation.weights")
    else:
        torch.manual_seed(0)
        network = DistillationNetwork(DistillationPlan(encoder, scene.dimension, voxel_size, input_names(settings.inputs)))
    if seconds > 0:
        Distiller(network, [scene]).run(seconds, cancelled, progress)
    return network.predict(scene)


def input_names(text: str) -> tuple[str, ...]:
    """Names that are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def falling(share: float) -> float:
    """Share of the full rate at a share of the training: half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def part(scene: DistillationScene, random: np.random.Generator) -> DistillationScene:
    """The scene, or where it has more than MOST_VOXELS so many around a place of it."""
    if len(scene) <= MOST_VOXELS:
        return scene
    center = scene.points[random.choice(np.flatnonzero(scene.weights > 0)), :2]
    kept = np.sort(np.argpartition(np.square(scene.points[:, :2] - center).sum(1), MOST_VOXELS)[:MOST_VOXELS])
    return DistillationScene(**{name: array[kept] for name, array in scene.arrays().items()})


def turn(random: np.random.Generator) -> np.ndarray:
    """(3, 3) rotation about z by any angle, every other time mirrored: rooms stand upright, and a mirrored one is a room too."""
    angle, mirror = random.uniform(0, 2 * np.pi), random.choice((-1.0, 1.0))
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c * mirror, -s, 0.0], [s * mirror, c, 0.0], [0.0, 0.0, 1.0]])
