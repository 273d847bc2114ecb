"""Reading the voxel map between voxel centres."""

from __future__ import annotations

import torch

from magic3d_ros.mapping.blocks import SIDE, VOXELS
from magic3d_ros.mapping.tsdf import TSDFVolume


class TrilinearSampler:
    """Trilinear interpolation in the part of a volume between two corners.

    low, high: (3,) int64 block coordinates. Points are given in metres relative to the lower corner of the block `base` (3,) int64.
    """

    def __init__(self, volume: TSDFVolume, base: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        self._volume = volume
        self._tsdf, self._weight = (volume.blocks.data[name].view(-1) for name in ("tsdf", "weight"))
        self._voxel_size = volume.voxel_size
        self._window = volume.blocks.window(low, high)
        self._shift = ((base - self._window.low) * SIDE).tolist()

    def corners(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The eight voxels around (n, 3) points: addresses (8, n) (0 where there is no block), whether observed (8, n), and the
        place between them (3, n), 0..1. Corner k is offset (k >> 2 & 1, k >> 1 & 1, k & 1)."""
        scaled = points.T / self._voxel_size - 0.5
        lower = scaled.floor()
        place = scaled - lower
        blocks, locals_ = [], []
        for axis in range(3):
            voxel = lower[axis].to(torch.int64) + self._shift[axis]
            pair = torch.stack([voxel, voxel + 1])
            blocks.append(pair >> 3)
            locals_.append(pair & 7)
        slots = self._window.find(blocks[0][:, None, None].expand(2, 2, 2, -1), blocks[1][None, :, None].expand(2, 2, 2, -1),
                                  blocks[2][None, None, :].expand(2, 2, 2, -1))
        local = (locals_[0] * SIDE * SIDE)[:, None, None] + (locals_[1] * SIDE)[None, :, None] + locals_[2][None, None, :]
        address = torch.add(local, slots, alpha=VOXELS).view(8, -1)
        there = address >= 0
        address = address.clamp_min_(0)
        return address, there & (self._weight[address] > 0), place

    @staticmethod
    def shares(place: torch.Tensor) -> torch.Tensor:
        """(8, n) trilinear weights of the corners."""
        x, y, z = (torch.stack([1.0 - p, p]) for p in place)
        return (x[:, None, None] * y[None, :, None] * z[None, None, :]).view(8, -1)

    def distance(self, points: torch.Tensor) -> torch.Tensor:
        """(n,) interpolated TSDF at (n, 3) points, in shares of the truncation; NaN where most of the neighbourhood is unobserved."""
        address, seen, place = self.corners(points)
        shares = self.shares(place) * seen
        total = shares.sum(0)
        value = (self._tsdf[address] * shares).sum(0) / total
        return torch.where(total > 0.5, value, torch.nan)

    def color_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Colour (n, 3) 0..255 and the unnormalised TSDF gradient (n, 3) at points where `distance` is known."""
        address, seen, place = self.corners(points)
        shares = self.shares(place) * seen
        shares = shares / shares.sum(0).clamp_min_(1e-6)
        color = torch.stack([(plane * shares).sum(0) for plane in self._volume.colors(address)], 1)
        tsdf = self._tsdf[address]
        # An unobserved corner takes the interpolated value: it adds no slope of its own.
        tsdf = torch.where(seen, tsdf, (tsdf * shares).sum(0)).view(2, 2, 2, -1)
        x, y, z = place
        along_x = tsdf[1] - tsdf[0]
        along_y = tsdf[:, 1] - tsdf[:, 0]
        along_z = tsdf[:, :, 1] - tsdf[:, :, 0]
        gradient = torch.stack([_bilinear(along_x, y, z), _bilinear(along_y, x, z), _bilinear(along_z, x, y)], 1)
        return color, gradient


def _bilinear(corners: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Interpolate (2, 2, n) values."""
    low = torch.lerp(corners[0, 0], corners[0, 1], second)
    high = torch.lerp(corners[1, 0], corners[1, 1], second)
    return torch.lerp(low, high, first)
