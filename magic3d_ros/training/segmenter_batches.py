"""Batches of training clouds: turned, mirrored, scaled and recoloured at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.network import voxelised
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.training.cloud_samples import CloudSample

SCALES = (0.9, 1.1)
"""Of a cloud's size (Mask3D's augmentation)."""

_CPU = torch.device("cpu")


class Batch(NamedTuple):
    """tensor: voxels of all clouds; row: (n,) voxel of each point. graphs: superpoints of each cloud; labels: for each cloud (S,)
    int64 mask of each superpoint, -1 = unknown."""

    tensor: SparseTensor
    row: torch.Tensor
    graphs: list[GraphTensors]
    labels: list[torch.Tensor]

    def to(self, device: torch.device) -> Batch:
        """On another device."""
        return Batch(self.tensor.to(device), self.row.to(device), [graph.to(device) for graph in self.graphs],
                     [labels.to(device) for labels in self.labels])


def random_batch(files: Sequence[Path], size: int, voxel_size: float, random: np.random.Generator) -> Batch:
    """`size` clouds at random, each another way. Same generator, same batch. Raises CloudSampleError."""
    rows = random.choice(len(files), size, replace=len(files) < size)
    return _joined([varied(CloudSample.load(files[row]), random) for row in rows.tolist()], voxel_size)


def plain_batch(files: Sequence[Path], voxel_size: float) -> Batch:
    """Clouds as they are. Raises CloudSampleError."""
    return _joined([CloudSample.load(file) for file in files], voxel_size)


def varied(sample: CloudSample, random: np.random.Generator) -> CloudSample:
    """A cloud turned about the vertical, mirrored, scaled, shifted and recoloured. What is known of superpoints does not depend
    on the room's axes and stays as it is."""
    graph = sample.graph
    angle = random.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turn[0] *= random.choice([-1.0, 1.0])
    points = (graph.points - graph.points.mean(0)) @ turn.T * random.uniform(*SCALES) + random.uniform(-1, 1, 3)
    return CloudSample(replace(graph, points=points.astype(np.float32), colors=_recoloured(graph.colors, random)), sample.labels)


def _recoloured(colors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Gamma, white balance, saturation, brightness and grain of another camera, within what indoor cameras do to a room."""
    x = (np.clip(colors / 255.0, 1e-4, 1) ** random.uniform(0.8, 1.25)) * random.uniform(0.9, 1.1, 3)
    grey = x.mean(1, keepdims=True)
    x = grey + (x - grey) * random.uniform(0.5, 1.4) + random.uniform(-0.08, 0.08)
    x = x + random.normal(0, random.uniform(0, 0.03), x.shape)
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


def _joined(samples: list[CloudSample], voxel_size: float) -> Batch:
    tensors, rows, before = [], [], 0
    for sample in samples:
        tensor, row = voxelised(torch.from_numpy(sample.graph.points), torch.from_numpy(sample.graph.colors), voxel_size)
        tensors.append(tensor)
        rows.append(row + before)
        before += len(tensor)
    return Batch(SparseTensor.joined(tensors), torch.cat(rows), [GraphTensors.of(sample.graph, _CPU) for sample in samples],
                 [torch.from_numpy(sample.labels).long() for sample in samples])
