"""Edges of things in single images: holistically-nested edge detection (HED; Xie and Tu, ICCV 2015).

VGG16's convolutions; what each of its five blocks sees is brought to one channel and to the image's size, and these are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from magic3d_ros.cues.foundation.edge_checkpoint import CONVOLUTIONS, EdgeWeights, read_edge_weights
from magic3d_ros.cues.foundation.images import check_image
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import check_names

WIDTH = 320
"""Pixels; wider images are reduced. What edges are worth was measured at this width (docs/instances.md), at which
instances/evidence.py looks at keyframes, and BSDS500, on which HED learns, has images 321 or 481 wide."""
_SHORTEST = 16
"""Pixels that four poolings leave one of; a shorter side is stretched."""


class EdgeNetwork(torch.nn.Module):
    """HED. widths: channels of the five blocks. whole_pools: pooling rounds sizes up, not down."""

    mean: torch.Tensor

    def __init__(self, widths: Sequence[int], whole_pools: bool = True) -> None:
        super().__init__()
        self._whole_pools = whole_pools
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.blocks = torch.nn.ModuleList()
        before = 3
        for width, count in zip(widths, CONVOLUTIONS, strict=True):
            channels = [before] + [width] * count
            self.blocks.append(torch.nn.Sequential(*(torch.nn.Conv2d(*pair, 3, padding=1) for pair in pairwise(channels))))
            before = width
        self.sides = torch.nn.ModuleList(torch.nn.Conv2d(width, 1, 1) for width in widths)
        self.fuse = torch.nn.Conv2d(len(self.sides), 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) RGB 0..255 -> (B, H, W) probability 0..1 that an edge passes there."""
        size = images.shape[-2:]
        x, seen = images - self.mean, []
        for number, (block, side) in enumerate(zip(self.blocks, self.sides, strict=True)):
            if number:
                x = functional.max_pool2d(x, 2, 2, ceil_mode=self._whole_pools)
            for convolution in block.children():
                x = torch.relu(convolution(x))
            seen.append(functional.interpolate(side(x), size, mode="bilinear", align_corners=False))
        return torch.sigmoid(self.fuse(torch.cat(seen, 1)))[:, 0]


@dataclass(frozen=True)
class _Sized:
    image: np.ndarray
    row: int


class HolisticEdges:
    """An EdgeModel (cues/protocols.py) from one weights file; see edge_checkpoint.py for the kinds of file.

    max_width: images are reduced to it, and to WIDTH, first. batch: images at once at most. Raises ModelError for a file that is
    missing, damaged, or holds other weights.
    """

    def __init__(self, path: Path, placement: Placement, max_width: int = WIDTH, batch: int = 4, name: str = "") -> None:
        self.name = name or path.name
        self.max_width = min(max_width, WIDTH)
        self.batch = batch
        self._placement = placement
        network = placement.put(_built(read_edge_weights(path), path)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = torch.compile(network) if placement.compile else network

    @torch.inference_mode()
    def edges(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(H, W, 3) uint8 each -> (h, w) uint8 that covers the image, 255 = certainly an edge; w is at most WIDTH.

        Raises FrameError for other arrays.
        """
        for image in images:
            check_image(image)
        small = sorted((_Sized(self._reduced(image), row) for row, image in enumerate(images)), key=lambda s: s.image.shape)
        found: dict[int, np.ndarray] = {}
        for _, group in groupby(small, key=lambda s: s.image.shape):
            alike = list(group)
            for start in range(0, len(alike), self.batch):
                part = alike[start:start + self.batch]
                x = torch.from_numpy(np.stack([s.image for s in part])).to(self._placement.device).permute(0, 3, 1, 2)
                probability = self._network(x.to(self._placement.dtype)).float()
                seen = (probability * 255.0).round().to(torch.uint8).cpu().numpy()
                found |= {s.row: edges for s, edges in zip(part, seen, strict=True)}
        return [found[row] for row in range(len(images))]

    def _reduced(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        scale = min(1.0, self.max_width / width)
        size = (max(_SHORTEST, round(width * scale)), max(_SHORTEST, round(height * scale)))
        return image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _built(weights: EdgeWeights, path: Path) -> EdgeNetwork:
    tensors = weights.tensors
    with torch.device("meta"):  # without memory, until it is known that the sizes fit
        network = EdgeNetwork([tensors[f"blocks.{block}.0.bias"].numel() for block in range(len(CONVOLUTIONS))],
                              weights.whole_pools)
    expected = network.state_dict()
    check_names(path, "HED", (), (), [name for name in expected if expected[name].shape != tensors[name].shape])
    network.load_state_dict(tensors, assign=True)
    return network
