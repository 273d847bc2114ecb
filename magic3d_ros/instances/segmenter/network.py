"""The segmenter's network as one thing, and its weights as a file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.decoder import MaskDecoder, Prediction
from magic3d_ros.instances.segmenter.encoder import GraphTensors, SuperpointEncoder
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import RES16UNET34C, SMALL, Shape, SparseUNet

FORMAT = "magic3d segmenter 2"
COLOR_CHANNELS = 7
"""Of the U-Net's input: red, green, blue (-1..1), the place of the points' mean in their voxel (-1..1 along each axis), one."""

CHANNELS = (COLOR_CHANNELS, NODE_FEATURES, PAIR_FEATURES)
"""What a network is told of a voxel, a superpoint, a pair: weights of others belong to another version."""

LARGEST_WIDTH, MOST_LAYERS = 2048, 64
"""Bounds of what a weights file may ask for."""


class SegmenterError(RuntimeError):
    """A segmenter that cannot be used, or a surface that it cannot take; the message names the cause and the cure."""


@dataclass(frozen=True)
class Architecture:
    """unet: levels of the U-Net. width: of everything behind it. heads, layers: of the decoder. rounds: of messages between
    superpoints. voxel_size: metres. channels: of the inputs, `CHANNELS`."""

    unet: Shape
    width: int
    heads: int
    layers: int
    rounds: int
    voxel_size: float
    channels: tuple[int, ...] = CHANNELS


SMALL_ARCHITECTURE = Architecture(SMALL, width=64, heads=4, layers=3, rounds=3, voxel_size=0.06)
"""For processors: 1.7 million weights. Voxels of 6 cm take half the time of 4 cm; what is finer is told by superpoints."""

FULL_ARCHITECTURE = Architecture(RES16UNET34C, width=128, heads=8, layers=9, rounds=3, voxel_size=0.02)
"""U-Net, width, layers and voxels of Segment3D (Huang et al. 2024), for GPUs."""

ARCHITECTURES = {"small": SMALL_ARCHITECTURE, "full": FULL_ARCHITECTURE}


class Encoded(NamedTuple):
    """Of every cloud of a batch: features (S, width) of superpoints, affinity logits (P,) of pairs."""

    features: list[torch.Tensor]
    affinity: list[torch.Tensor]


class SegmenterNetwork(nn.Module):
    """Coloured voxels and superpoints to masks, by `architecture`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        width = architecture.width
        self.unet = SparseUNet(architecture.channels[0], width // 2, *architecture.unet)
        self.encoder = SuperpointEncoder(width // 2, width, architecture.rounds)
        self.decoder = MaskDecoder(width, architecture.heads, architecture.layers)

    def encoded(self, tensor: SparseTensor, row: torch.Tensor, graphs: Sequence[GraphTensors]) -> Encoded:
        """tensor: voxels of a batch. row: (n,) voxel of each point, cloud after cloud. graphs: of the clouds."""
        return Encoded(*self.encoder(self.unet(tensor).features, row, graphs))

    def forward(self, tensor: SparseTensor, row: torch.Tensor, graphs: Sequence[GraphTensors],
                seeds: Sequence[torch.Tensor]) -> tuple[list[Prediction], list[torch.Tensor]]:
        """Predictions of every cloud for the (Q,) superpoints `seeds` of it, and affinity logits of its pairs."""
        features, affinity = self.encoded(tensor, row, graphs)
        found = [self.decoder(*cloud) for cloud in zip(features, affinity, graphs, seeds, strict=True)]
        return found, affinity


def voxelised(points: torch.Tensor, colors: torch.Tensor, voxel_size: float) -> tuple[SparseTensor, torch.Tensor]:
    """The network's input from (N, 3) metres and (N, 3) colours 0..255 -> tensor, (N,) voxel of each point. Raises ValueError."""
    scaled = points.double() / voxel_size
    inside = (2 * (scaled - torch.floor(scaled)) - 1).float()
    ones = torch.ones(len(points), 1, device=points.device)
    return SparseTensor.from_points(points, torch.cat([colors.float() / 127.5 - 1, inside, ones], 1), voxel_size)


def save_network(network: SegmenterNetwork, file: Path, note: dict[str, str]) -> None:
    """float16 safetensors; the architecture and `note` go into the file's metadata."""
    tensors = {name: tensor.detach().half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
               for name, tensor in network.state_dict().items()}
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    save_file(tensors, beside, {"format": FORMAT, "architecture": json.dumps(asdict(network.architecture)), **note})
    os.replace(beside, file)


def load_network(file: Path) -> SegmenterNetwork:
    """The network of a weights file, ready to infer. Raises SegmenterError for a missing, foreign or damaged one."""
    try:
        with safe_open(file, "pt") as stored:
            note = stored.metadata() or {}
            if note.get("format") != FORMAT:
                raise SegmenterError(f"{file} holds no weights of this segmenter (format '{note.get('format', 'none')}', not "
                                     f"'{FORMAT}'): `magic3d train segmenter` makes them")
            architecture = _architecture(file, note.get("architecture", ""))
            if architecture.channels != CHANNELS:
                raise SegmenterError(f"{file} was trained on {architecture.channels} input channels, this version has "
                                     f"{CHANNELS}: train it again")
            network = SegmenterNetwork(architecture)
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise SegmenterError(f"{file} cannot be read as weights ({error}): `magic3d train segmenter` makes them") from error
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise SegmenterError(f"{file} holds weights that are not finite: its training went wrong, train again with another seed")
    try:
        network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise SegmenterError(f"{file} does not hold the weights of its architecture ({first[:150]}): train it again") from error
    return network.eval()


def _architecture(file: Path, text: str) -> Architecture:
    try:
        fields = json.loads(text)
        *levels, kernel = fields.pop("unet")
        widths, blocks, up_widths, up_blocks = (tuple(int(n) for n in part) for part in levels)
        shape = Shape(widths, blocks, up_widths, up_blocks, int(kernel))
        built = Architecture(shape, **(fields | {"channels": tuple(int(n) for n in fields["channels"])}))
        numbers = np.array([*shape.widths, *shape.up_widths, built.width // 2, *built.channels])
        layers = np.array([*shape.blocks, *shape.up_blocks, built.rounds, built.layers, len(shape.widths)])
        sound = (numbers.min() >= 1 and numbers.max() <= LARGEST_WIDTH and layers.min() >= 0 and layers.max() <= MOST_LAYERS
                 and built.width % built.heads == 0 and 0 < built.voxel_size < 10 and 0 < shape.kernel < 8)
    except (ValueError, TypeError, AttributeError, KeyError, ZeroDivisionError) as error:
        raise SegmenterError(f"{file} does not say which architecture it is ({error}): train it again") from error
    if not sound:
        raise SegmenterError(f"{file} names an architecture that cannot be built ({text[:200]}): train it again")
    return built
