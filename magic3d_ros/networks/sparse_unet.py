"""A U-Net on occupied voxels, as Res16UNet (Choy et al. 2019): residual blocks, 2^3 steps down and up, skips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from magic3d_ros.networks.sparse_convolution import DownConvolution, RowNorm, SubmanifoldConvolution, UpConvolution
from magic3d_ros.networks.sparse_tensor import SparseTensor


class Shape(NamedTuple):
    """Widths and residual blocks of every level, finest first; of the way down, and of the way up (one level less).

    The finest level of the way down is the stem alone. kernel: of the stem.
    """

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    up_widths: tuple[int, ...]
    up_blocks: tuple[int, ...]
    kernel: int = 5


SMALL = Shape((16, 32, 64, 96), (0, 1, 1, 1), (32, 48, 64), (1, 1, 1), kernel=3)
"""For a processor: 1.3 million weights, levels down to 8 voxels."""

RES16UNET34C = Shape((32, 32, 64, 128, 256), (0, 2, 3, 4, 6), (96, 96, 128, 256), (2, 2, 2, 2))
"""Res16UNet34C, the backbone of Mask3D and Segment3D: 37.9 million weights (LAYERS, PLANES and INIT_DIM of
MinkowskiEngine's examples/minkunet.py)."""


class SparseUNet(nn.Module):
    """Features of every voxel, from features of every voxel."""

    def __init__(self, in_channels: int, out_channels: int, widths: Sequence[int] = SMALL.widths,
                 blocks: Sequence[int] = SMALL.blocks, up_widths: Sequence[int] | None = None,
                 up_blocks: Sequence[int] | None = None, kernel: int = 3) -> None:
        """widths, blocks: of each level on the way down, finest first. up_widths, up_blocks: on the way up, one less; those of
        the way down where None (at least one block). kernel: of the stem. Raises ValueError."""
        super().__init__()
        up_widths = tuple(widths[:-1]) if up_widths is None else tuple(up_widths)
        up_blocks = tuple(max(1, n) for n in blocks[:-1]) if up_blocks is None else tuple(up_blocks)
        if not len(widths) == len(blocks) == len(up_widths) + 1 == len(up_blocks) + 1 or len(widths) < 2:
            raise ValueError(f"widths {tuple(widths)} and blocks {tuple(blocks)} want one more level than up_widths "
                             f"{up_widths} and up_blocks {up_blocks}, and at least two")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.stem = _Normed(SubmanifoldConvolution(in_channels, widths[0], kernel), widths[0])
        self.first = _residual(widths[0], widths[0], blocks[0])
        self.down = nn.ModuleList(_Normed(DownConvolution(a, a), a) for a in widths[:-1])
        self.encoder = nn.ModuleList(_residual(a, b, n) for a, b, n in zip(widths, widths[1:], blocks[1:], strict=False))
        below = (*up_widths[1:], widths[-1])
        self.up = nn.ModuleList(_Normed(UpConvolution(b, a), a) for a, b in zip(up_widths, below, strict=True))
        self.decoder = nn.ModuleList(_residual(a + skip, a, n) for a, skip, n in zip(up_widths, widths, up_blocks, strict=False))
        self.head = nn.Linear(up_widths[0], out_channels)

    def forward(self, tensor: SparseTensor) -> SparseTensor:
        """(V, in_channels) features -> (V, out_channels) features of the same sites."""
        finest = self.pyramid(tensor)[-1]
        return finest.with_features(self.head(finest.features))

    def pyramid(self, tensor: SparseTensor) -> list[SparseTensor]:
        """What the way up leaves at every level, coarsest first. Raises ValueError."""
        if tensor.features.shape[1] != self.in_channels:
            raise ValueError(f"this network takes {self.in_channels} channels, not {tensor.features.shape[1]}")
        if len(tensor) == 0:
            raise ValueError("a network needs at least one voxel: the cloud is empty")
        level = self.first(self.stem(tensor))
        skips = [level]
        for down, encode in zip(self.down, self.encoder, strict=True):
            level = encode(down(level))
            skips.append(level)
        levels = [skips.pop()]
        for up, decode in zip(reversed(self.up), reversed(self.decoder), strict=True):
            skip = skips.pop()
            raised = up(levels[-1], skip)
            levels.append(decode(raised.with_features(torch.cat([raised.features, skip.features], 1))))
        return levels


class _Normed(nn.Module):
    """A convolution, batch norm, ReLU."""

    def __init__(self, layer: SubmanifoldConvolution | DownConvolution | UpConvolution, width: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = RowNorm(width)

    def forward(self, tensor: SparseTensor, *onto: SparseTensor) -> SparseTensor:
        tensor = self.layer(tensor, *onto)
        return tensor.with_features(torch.relu(self.norm(tensor.features)))


class ResidualBlock(nn.Module):
    """Two 3^3 convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = SubmanifoldConvolution(in_channels, out_channels)
        self.first_norm = RowNorm(out_channels)
        self.second = SubmanifoldConvolution(out_channels, out_channels)
        self.second_norm = RowNorm(out_channels)
        self.shortcut = nn.Identity() if in_channels == out_channels else \
            nn.Sequential(nn.Linear(in_channels, out_channels, bias=False), RowNorm(out_channels))

    def forward(self, tensor: SparseTensor) -> SparseTensor:
        """The same sites."""
        inner = self.first(tensor)
        inner = self.second(inner.with_features(torch.relu(self.first_norm(inner.features))))
        return inner.with_features(torch.relu(self.second_norm(inner.features) + self.shortcut(tensor.features)))


def _residual(in_channels: int, out_channels: int, count: int) -> nn.Sequential:
    """`count` blocks; none leave the features as they are."""
    if count == 0 and in_channels != out_channels:
        raise ValueError(f"a level of {out_channels} channels above one of {in_channels} needs at least one block")
    return nn.Sequential(*(ResidualBlock(in_channels if k == 0 else out_channels, out_channels) for k in range(count)))
