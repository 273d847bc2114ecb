"""Reading the voxel map between voxel centres."""

from __future__ import annotations

import torch

from magic3d_ros.mapping.blocks import SIDE
from magic3d_ros.mapping.tsdf import TSDFVolume


class TrilinearSampler:
    """Trilinear interpolation in the part of a volume between two corners.

    low, high: (3,) int64 block coordinates. Points are (3, n) metres relative to the lower corner of the block `base` (3,) int64.
    Corner k of the eight voxels around a point has offsets (k >> 2 & 1, k >> 1 & 1, k & 1).
    """

    def __init__(self, volume: TSDFVolume, base: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        self._volume = volume
        self._window = volume.blocks.window(low, high)  # before the channels: another thread may be making room for more blocks
        self._tsdf, self._weight = (volume.blocks.data[name].view(-1) for name in ("tsdf", "weight"))
        self._shift = ((base - self._window.low) * SIDE).tolist()

    def distance(self, points: torch.Tensor) -> torch.Tensor:
        """(n,) interpolated TSDF in shares of the truncation; NaN where most of the neighbourhood is unobserved."""
        value, total = self._weighted(points)
        return torch.where(total > 0.5, value / total, torch.nan)

    def distance_and_share(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n,) TSDF in shares of the truncation, interpolated between observed voxels (0 without any), and the share (n,) of the
        neighbourhood, 0..1, that they make up."""
        value, total = self._weighted(points)
        return value / total.clamp_min(1e-6), total

    def color_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Colour (n, 3) 0..255 and the unnormalised TSDF gradient (n, 3) at points where `distance` is known."""
        address, seen, place = self._corners(points)
        shares = _shares(place).mul_(seen)
        shares /= shares.sum(0).clamp_min_(1e-6)
        color = torch.stack([plane.mul_(shares).sum(0) for plane in self._volume.colors(address.to(torch.int64))], 1)
        tsdf = _gather(self._tsdf, address)
        # An unobserved corner takes the interpolated value: it adds no slope of its own.
        tsdf = torch.where(seen, tsdf, (tsdf * shares).sum(0)).view(2, 2, 2, -1)
        x, y, z = place
        gradient = torch.stack([_bilinear(tsdf[1] - tsdf[0], y, z), _bilinear(tsdf[:, 1] - tsdf[:, 0], x, z),
                                _bilinear(tsdf[:, :, 1] - tsdf[:, :, 0], x, y)], 1)
        return color, gradient

    def distance_and_luma(self, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What a pose is aligned by: TSDF (n,) in shares of the truncation and its gradient (3, n) a metre, luma (n,) 0..255 and
        its gradient (3, n) a metre, and whether all eight voxels around the point were observed (n,); where not, the rest means
        nothing."""
        address, seen, place = self._corners(points)
        tsdf, slope = self._interpolated(_gather(self._tsdf, address), place)
        red, green, blue = self._volume.colors(address.to(torch.int64))
        luma, luma_slope = self._interpolated(red.mul_(0.299).add_(green, alpha=0.587).add_(blue, alpha=0.114), place)
        return tsdf, slope, luma, luma_slope, seen.all(0)

    def _interpolated(self, corners: torch.Tensor, place: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Value (n,) and gradient (3, n) a metre of (8, n) values at the corners."""
        cube = corners.view(2, 2, 2, -1)
        x, y, z = place
        low, high = _bilinear(cube[0], y, z), _bilinear(cube[1], y, z)
        gradient = torch.stack([high - low, _bilinear(cube[:, 1] - cube[:, 0], x, z),
                                _bilinear(cube[:, :, 1] - cube[:, :, 0], x, y)])
        return torch.lerp(low, high, x), gradient.div_(self._volume.voxel_size)

    def _weighted(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Sums (n,) over the observed corners of TSDF times trilinear weight, and of the weights."""
        address, seen, place = self._corners(points)
        shares = _shares(place).mul_(seen)
        return _gather(self._tsdf, address).mul_(shares).sum(0), shares.sum(0)

    def _corners(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Addresses (8, n) int32 (0 where there is no block) of the voxels around each point, whether they were observed (8,
        n), and the point's place between them (3, n), 0..1."""
        scaled = points / self._volume.voxel_size - 0.5
        lower = scaled.floor()
        blocks, locals_ = [], []
        for axis in range(3):
            voxel = lower[axis].to(torch.int64) + self._shift[axis]
            pair = torch.stack([voxel, voxel + 1])
            blocks.append(pair >> 3)
            locals_.append(((pair & 7) << (6 - 3 * axis)).to(torch.int32))
        (bx, by, bz), (lx, ly, lz) = blocks, locals_
        first = self._window.first_voxels(bx[:, None, None], by[None, :, None], bz[None, None])
        address = (lx[:, None, None] + ly[None, :, None] + lz[None, None]).add_(first).view(8, -1)
        there = address >= 0
        address.clamp_min_(0)
        return address, _gather(self._weight, address).gt(0).logical_and_(there), scaled - lower


def _gather(values: torch.Tensor, address: torch.Tensor) -> torch.Tensor:
    """values[address]; several times as fast on the CPU as indexing."""
    return values.index_select(0, address.reshape(-1)).view(address.shape)


def _shares(place: torch.Tensor) -> torch.Tensor:
    """(8, n) trilinear weights of the corners."""
    x, y, z = (torch.stack([1.0 - p, p]) for p in place)
    return (x[:, None, None] * y[None, :, None] * z[None, None, :]).view(8, -1)


def _bilinear(corners: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Interpolate (2, 2, n) values."""
    low = torch.lerp(corners[0, 0], corners[0, 1], second)
    high = torch.lerp(corners[1, 0], corners[1, 1], second)
    return torch.lerp(low, high, first)
