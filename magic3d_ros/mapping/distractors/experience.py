"""What the uncertainty head learns from: earlier keyframes as features, colour beside what the map showed, and geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch

from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors import losses
from magic3d_ros.mapping.distractors.evidence import Evidence
from magic3d_ros.mapping.distractors.exposure import aligned
from magic3d_ros.mapping.distractors.geometric_cues import small_depth
from magic3d_ros.mapping.distractors.patches import patches, random_samples
from magic3d_ros.mapping.distractors.uncertainty_head import UncertaintyHead
from magic3d_ros.mapping.surface import View

CAPACITY = 24  # keyframes: 8 MB of features of 112 dimensions
BATCH = 4  # patches of 8x8 samples in a step: the affinity of 512 samples takes 11 ms on a core
NEWEST_SHARE = 0.3  # of the steps that look at the newest keyframe: what is in the image now matters most
FULL_RATE_AFTER = 300  # steps after which the structural residual has its final rate
# Pixels of which nothing is known count a little, as standing: else the head says anything at all of places it never saw before.
UNKNOWN_WEIGHT = 0.2


@dataclass(frozen=True)
class Comparison:
    """One keyframe beside what the map showed, at a small size of h x w pixels.

    full: camera of the whole image. observed, rendered: (h, w, 3) uint8, brightness aligned; rendered is used where `shown`.
    moving, known: (h, w) bool of the geometry.
    """

    stamp: int
    full: Camera
    observed: np.ndarray
    rendered: np.ndarray
    shown: np.ndarray
    moving: np.ndarray
    known: np.ndarray

    @staticmethod
    def of(frame: RGBDFrame, camera: Camera, view: View | None, evidence: Evidence) -> Comparison:
        """camera: of the small image. view: of the map, of any size, or None."""
        size = (camera.width, camera.height)
        observed = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
        rendered, shown = observed, np.zeros(observed.shape[:2], bool)
        if view is not None:
            shown = small_depth(view.depth, *size) > 0
            rendered = aligned(cv2.resize(view.rgb, size, interpolation=cv2.INTER_AREA), observed, shown & evidence.standing)
            # Where nothing is shown the observed colour stands in, so that windows over the border see no difference there.
            rendered = np.where(shown[..., None], rendered, observed)
        return Comparison(frame.stamp, frame.camera, observed, rendered, shown, evidence.moving, evidence.known)


@dataclass(frozen=True)
class Lesson:
    """What is kept of one keyframe. features: (cells, C) float16. cell: (h, w) int64 nearest to each pixel. observed, rendered:
    (h, w, 3) uint8. shown, moving, known: (h, w) bool."""

    features: torch.Tensor
    cell: torch.Tensor
    observed: torch.Tensor
    rendered: torch.Tensor
    shown: torch.Tensor
    moving: torch.Tensor
    known: torch.Tensor

    @property
    def shapes(self) -> list[torch.Size]:
        """Of all parts."""
        return [getattr(self, f.name).shape for f in fields(Lesson)]

    @staticmethod
    def of(comparison: Comparison, features: FeatureGrid) -> Lesson:
        """Bring both together."""
        height, width = comparison.shown.shape
        values = torch.from_numpy(np.ascontiguousarray(features.values.reshape(-1, features.values.shape[2]))).half()
        cell = torch.from_numpy(nearest_cells(features, comparison.full, width, height))
        images = (comparison.observed, comparison.rendered, comparison.shown, comparison.moving, comparison.known)
        return Lesson(values, cell, *(torch.from_numpy(np.ascontiguousarray(image)) for image in images))


class Experience:
    """Trains a head on remembered keyframes, a few steps at a time. The same keyframes give the same head.

    dilation: pixels of the small images between the samples of a patch; 0 takes random samples, which see more of an image in the
    few steps that there is time for (measured: docs/distractors.md). structural, geometric, consistent: whether the structural
    residual, geometry, and the neighbours' consistency take part (for ablations).
    """

    def __init__(self, dilation: int = 0, structural: bool = True, geometric: bool = True, consistent: bool = True) -> None:
        self._dilation = dilation
        self._structural, self._geometric, self._consistent = structural, geometric, consistent
        self.clear()

    def __len__(self) -> int:
        return len(self._lessons)

    def clear(self) -> None:
        """Forget all keyframes and begin anew."""
        self._lessons: list[Lesson] = []
        self.added = self.steps = 0

    def add(self, comparison: Comparison, features: FeatureGrid) -> None:
        """Remember a keyframe; beyond the capacity a random older one is forgotten, and all of them after a change of camera."""
        lesson = Lesson.of(comparison, features)
        if self._lessons and lesson.shapes != self._lessons[-1].shapes:
            self._lessons.clear()
        self._lessons.append(lesson)
        self.added += 1
        if len(self._lessons) > CAPACITY:
            del self._lessons[int(np.random.default_rng((1, self.added)).integers(CAPACITY))]

    def features(self) -> torch.Tensor:
        """(n, C) features of all remembered keyframes."""
        return torch.cat([lesson.features for lesson in self._lessons])

    def train(self, head: UncertaintyHead, optimiser: torch.optim.Optimizer, steps: int) -> None:
        """So many steps; nothing without keyframes."""
        if not self._lessons:
            return
        head.train()
        with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own source
            for _ in range(steps):
                # torch.manual_seed asks for every device, which takes a fifth of a step.
                torch.default_generator.manual_seed(self.steps)
                random = np.random.default_rng((0, self.steps))
                lesson = self._lessons[-1 if random.random() < NEWEST_SHARE else int(random.integers(len(self._lessons)))]
                optimiser.zero_grad(set_to_none=True)
                self._loss(head, lesson, random).backward()
                optimiser.step()
                self.steps += 1
        head.eval()

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays, one row a keyframe."""
        lessons = {f.name: torch.stack([getattr(lesson, f.name) for lesson in self._lessons]).numpy()
                   for f in fields(Lesson)} if self._lessons else {}
        bits = {name: value.view(np.uint8) if value.dtype == bool else value for name, value in lessons.items()}
        return bits | {"counts": np.array([self.added, self.steps], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        self.clear()
        if "counts" not in state or state["counts"].shape != (2,):
            raise ValueError("the state of the distractors' experience lacks 'counts'")
        self.added, self.steps = (int(count) for count in state["counts"])
        if "features" not in state:
            return
        arrays = {}
        for f in fields(Lesson):
            if f.name not in state or len(state[f.name]) != len(state["features"]):
                raise ValueError(f"the distractors' experience lacks '{f.name}' of {len(state['features'])} keyframes")
            flags = f.name in ("shown", "moving", "known")
            arrays[f.name] = torch.from_numpy(np.array(state[f.name], bool if flags else state[f.name].dtype))
        size = arrays["cell"].shape[1:]
        if any(arrays[f.name].shape[1:3] != size for f in fields(Lesson) if f.name != "features"):
            raise ValueError("the images of the distractors' experience differ in size")
        if int(arrays["cell"].min()) < 0 or int(arrays["cell"].max()) >= arrays["features"].shape[1]:
            raise ValueError("the distractors' experience names feature cells that are not there")
        self._lessons = [Lesson(*(arrays[f.name][i] for f in fields(Lesson))) for i in range(len(arrays["features"]))]

    def _loss(self, head: UncertaintyHead, lesson: Lesson, random: np.random.Generator) -> torch.Tensor:
        height, width = lesson.shown.shape
        drawn = (patches(height, width, BATCH, self._dilation, random) if self._dilation else
                 random_samples(height, width, BATCH, random))
        pixel = torch.from_numpy(drawn)
        shown, known = lesson.shown.view(-1)[pixel], lesson.known.view(-1)[pixel]
        residual = torch.zeros(pixel.shape)
        if self._structural:
            rendered, observed = (image.view(-1, 3)[pixel].float() / 255 for image in (lesson.rendered, lesson.observed))
            residual = shown * losses.structural_residual(rendered, observed, losses.rate_at(self.steps / FULL_RATE_AFTER))
        if self._geometric:
            residual = (residual + losses.MAX_RESIDUAL * lesson.moving.view(-1)[pixel]).clamp_max(losses.MAX_RESIDUAL)
        features = lesson.features[lesson.cell.view(-1)[pixel.view(-1)]].float()
        beta = head(features)
        variance = beta.new_zeros(())
        if self._consistent:
            beta, variance = losses.neighbour_consistency(beta, losses.neighbours(features))
        weight = torch.where(shown | known, 1.0, UNKNOWN_WEIGHT).view(-1)
        return (losses.uncertainty_loss(residual.view(-1), beta) * weight).sum() / weight.sum() + variance


def nearest_cells(grid: FeatureGrid, camera: Camera, width: int, height: int) -> np.ndarray:
    """(height, width) int64 flat cell of the grid nearest to each pixel of the camera's image reduced to that size."""
    rows, columns = grid.values.shape[:2]
    u = ((np.arange(width) + 0.5) * camera.width / width - 0.5 - grid.offset_x) / grid.stride_x
    v = ((np.arange(height) + 0.5) * camera.height / height - 0.5 - grid.offset_y) / grid.stride_y
    column = np.clip(np.round(u), 0, columns - 1).astype(np.int64)
    row = np.clip(np.round(v), 0, rows - 1).astype(np.int64)
    return row[:, None] * columns + column[None, :]
