"""Batches of training clouds: turned, mirrored, scaled, recoloured and cut out at random."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from magic3d_ros.instances.segmenter.network import voxelised
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.training.cloud_samples import CloudSample

SCALES = (0.9, 1.1)
"""Of a cloud's size (Mask3D's augmentation)."""

CROP = 4.0
"""Metres: side of the square, seen from above, that is cut out of a whole cloud. A room of 30 m2 at once takes five times longer,
and most things in it do not need its other end."""

FEWEST = 500
"""Points that a cut must keep; below, another place is tried."""

TRIES = 10


class Batch(NamedTuple):
    """tensor: clouds, voxelised. labels: for each cloud (V,) int64 mask of each voxel, -1 = none."""

    tensor: SparseTensor
    labels: list[torch.Tensor]


def random_batch(files: Sequence[Path], size: int, voxel_size: float, random: np.random.Generator) -> Batch:
    """`size` clouds at random, each another way. Same generator, same batch. Raises CloudSampleError."""
    rows = random.choice(len(files), size, replace=len(files) < size)
    return _joined([varied(CloudSample.load(files[row]), random) for row in rows.tolist()], voxel_size)


def plain_batch(files: Sequence[Path], voxel_size: float) -> Batch:
    """Clouds as they are, cut about their middle. Raises CloudSampleError."""
    samples = [CloudSample.load(file) for file in files]
    return _joined([_cut(sample, (sample.points.min(0) + sample.points.max(0)) / 2) for sample in samples], voxel_size)


def varied(sample: CloudSample, random: np.random.Generator) -> CloudSample:
    """A cut of a cloud, turned about the vertical, mirrored, scaled, shifted and recoloured."""
    cut = sample
    for _ in range(TRIES):
        cut = _cut(sample, sample.points[random.integers(len(sample))])
        if len(cut) >= FEWEST and (cut.labels >= 0).any():
            break
    angle = random.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turn[0] *= random.choice([-1.0, 1.0])
    points = (cut.points - cut.points.mean(0)) @ turn.T * random.uniform(*SCALES) + random.uniform(-1, 1, 3)
    return CloudSample(points.astype(np.float32), _recoloured(cut.colors, random), cut.labels)


def _cut(sample: CloudSample, middle: np.ndarray) -> CloudSample:
    inside = (np.abs(sample.points[:, :2] - middle[:2]) < CROP / 2).all(1)
    return CloudSample(sample.points[inside], sample.colors[inside], sample.labels[inside])


def _recoloured(colors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Gamma, white balance, saturation, brightness and grain of another camera, within what indoor cameras do to a room."""
    x = (np.clip(colors / 255.0, 1e-4, 1) ** random.uniform(0.8, 1.25)) * random.uniform(0.9, 1.1, 3)
    grey = x.mean(1, keepdims=True)
    x = grey + (x - grey) * random.uniform(0.5, 1.4) + random.uniform(-0.08, 0.08)
    x = x + random.normal(0, random.uniform(0, 0.03), x.shape)
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


def _joined(samples: list[CloudSample], voxel_size: float) -> Batch:
    tensors, labels = [], []
    for sample in samples:
        tensor, row = voxelised(torch.from_numpy(sample.points), torch.from_numpy(sample.colors), voxel_size)
        of_voxel = torch.full((len(tensor),), -1)
        of_voxel[row] = torch.from_numpy(sample.labels).long()
        tensors.append(tensor)
        labels.append(of_voxel)
    return Batch(SparseTensor.joined(tensors), labels)
