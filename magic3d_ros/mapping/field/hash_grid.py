"""A multiresolution hash grid (Mueller et al., Instant-NGP, 2022) over an unbounded world.

World coordinates are divided by each level's voxel edge and hashed as they are, so that no box has to be known and none has to
grow: a robot drives on, and the same rows serve. Rows that two places share are told apart by the other levels, as in the paper.

The paper gives every level a table of the same size. Here a level's table follows the number of cells a surface has at its
resolution, which grows with 1 / edge^2: the finest level has 2^table_bits rows, coarser ones a quarter of that for each doubling
of the edge. Six levels of two features from 32 to
1.5 cm then have 0.45 M parameters with 2^17 rows at the finest, where equal tables would have 1.6 M, and Adam, which touches all
of them at every step, takes a tenth of a step's time on a CPU.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from typing import Any

import torch

PRIMES = (1, 2654435761, 805459861)  # Instant-NGP, equation 4
INITIAL_RANGE = 1e-4  # Instant-NGP, section 4: entries start uniform in +-1e-4
SMALLEST_TABLE_BITS = 12  # a coarse level has few cells, but a long drive through a building still has thousands


class HashGrid(torch.nn.Module):
    """Points in, interpolated features out.

    levels: resolutions, geometrically spaced. features: per level. coarsest, finest: voxel edges in metres. table_bits: log2 of
    the finest level's rows. The table is stored as one plane a feature, because gathering and adding single floats is five
    times as fast in torch on a CPU as gathering and adding short rows (2 against 10 ms for 4096 points, 8 levels).
    """

    def __init__(self, levels: int, features: int, coarsest: float, finest: float, table_bits: int,
                 generator: torch.Generator | None = None) -> None:
        super().__init__()
        if not 0 < finest <= coarsest:
            raise ValueError(f"the finest voxel ({finest} m) must be positive and no larger than the coarsest ({coarsest} m)")
        ratio = (finest / coarsest) ** (1 / max(levels - 1, 1))
        edges = [coarsest * ratio**level for level in range(levels)]
        bits = [max(min(SMALLEST_TABLE_BITS, table_bits), table_bits - math.floor(2 * math.log2(edge / edges[-1]) + 1e-6))
                for edge in edges]
        starts = [0]
        for bit in bits:
            starts.append(starts[-1] + 2**bit)
        self.levels, self.features, self.width = levels, features, levels * features
        self.edges, self.rows = edges, starts[-1]
        table = torch.rand(features, self.rows, generator=generator) * (2 * INITIAL_RANGE) - INITIAL_RANGE
        self.table = torch.nn.Parameter(table)
        signed = [prime - 2**32 if prime >= 2**31 else prime for prime in PRIMES]  # the low 32 bits are all that a mask keeps
        self.primes: torch.Tensor
        self.per_metre: torch.Tensor
        self.masks: torch.Tensor
        self.starts: torch.Tensor
        self.register_buffer("primes", torch.tensor(signed, dtype=torch.int32), persistent=False)
        self.register_buffer("per_metre", torch.tensor([1 / edge for edge in edges], dtype=torch.float32), persistent=False)
        self.register_buffer("masks", torch.tensor([2**bit - 1 for bit in bits], dtype=torch.int32), persistent=False)
        self.register_buffer("starts", torch.tensor(starts[:-1], dtype=torch.int32), persistent=False)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """(n, 3) world metres -> (n, levels * features), feature f of level l in column f * levels + l.

        Differentiable once with respect to the table and to the points.
        """
        if points.is_cuda and _has_triton():
            from magic3d_ros.mapping.field.hash_grid_triton import encode

            return encode(points, self.table, self)
        return _Encode.apply(points, self.table, self)

    def with_slopes(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, width) features, and their slopes (3, n, width) along x, y, z in 1 / m.

        Both are linear in the table and differentiable with respect to it, so that a loss on gradients of a field (eikonal,
        rendered normals) needs no second differentiation. The points are constants here.
        """
        return _EncodeWithSlopes.apply(points, self.table, self)

    def corners(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (8, levels, n) int32 of the cells' corners around (n, 3) points, and the points' places (3, levels, n) between
        them, 0..1. Corner k has offsets (k >> 2 & 1, k >> 1 & 1, k & 1)."""
        scaled = points.t()[:, None] * self.per_metre[:, None]
        lower = scaled.floor()
        low = lower.to(torch.int32).mul_(self.primes[:, None, None])
        x, y, z = torch.stack([low, low + self.primes[:, None, None]], 1)
        rows = (x[:, None, None] ^ y[None, :, None] ^ z[None, None]).view(8, self.levels, -1)
        return rows.bitwise_and_(self.masks[:, None]).add_(self.starts[:, None]), scaled.sub_(lower)


@functools.cache
def _has_triton() -> bool:
    """Whether Triton is installed (it comes with torch's CUDA builds for Linux); the plain version runs everywhere."""
    return importlib.util.find_spec("triton") is not None


def shares(place: torch.Tensor) -> torch.Tensor:
    """(8, levels, n) trilinear weights of the corners at places (3, levels, n)."""
    x, y, z = torch.stack([1.0 - place, place], 1)
    return (x[:, None, None] * y[None, :, None] * z[None, None]).view(8, *place.shape[1:])


def share_slopes(place: torch.Tensor, per_metre: torch.Tensor) -> torch.Tensor:
    """(3, 8, levels, n) derivatives of `shares` along x, y and z, in 1 / m."""
    x, y, z = torch.stack([1.0 - place, place], 1)
    edge = per_metre[:, None].expand(place.shape[1:])
    step = torch.stack([-edge, edge])
    along_x = step[:, None, None] * y[None, :, None] * z[None, None]
    along_y = x[:, None, None] * step[None, :, None] * z[None, None]
    along_z = x[:, None, None] * y[None, :, None] * step[None, None]
    return torch.stack([along_x, along_y, along_z]).view(3, 8, *place.shape[1:])


def _gathered(table: torch.Tensor, rows: torch.Tensor) -> list[torch.Tensor]:
    """Values of every feature's plane at rows of any shape."""
    return [plane.index_select(0, rows.view(-1)).view(rows.shape) for plane in table]


def _scattered(table: torch.Tensor, rows: torch.Tensor, values: list[torch.Tensor]) -> torch.Tensor:
    """A gradient of the table's shape with each feature's values added up at the rows."""
    gradient = torch.zeros_like(table)
    flat = rows.view(-1).to(torch.int64)
    for plane, value in zip(gradient, values, strict=True):
        plane.scatter_add_(0, flat, value.reshape(-1))
    return gradient


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: torch.Tensor, table: torch.Tensor, grid: HashGrid) -> torch.Tensor:
        rows, place = grid.corners(points)
        share = shares(place)
        ctx.save_for_backward(rows, place, share, table)
        ctx.per_metre = grid.per_metre
        return torch.stack([value.mul_(share).sum(0) for value in _gathered(table, rows)]).view(grid.width, -1).t()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, place, share, table = ctx.saved_tensors
        upstream = gradients[0].t().reshape(len(table), *place.shape[1:])
        to_points = to_table = None
        if ctx.needs_input_grad[0]:
            slopes = share_slopes(place, ctx.per_metre)
            pulled = torch.stack([value * up for value, up in zip(_gathered(table, rows), upstream, strict=True)]).sum(0)
            to_points = (slopes * pulled).sum((1, 2)).t()
        if ctx.needs_input_grad[1]:
            to_table = _scattered(table, rows, [share * up for up in upstream])
        return to_points, to_table, None


class _EncodeWithSlopes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: torch.Tensor, table: torch.Tensor, grid: HashGrid) -> tuple[torch.Tensor, torch.Tensor]:
        rows, place = grid.corners(points.detach())
        share, slopes = shares(place), share_slopes(place, grid.per_metre)
        ctx.save_for_backward(rows, share, slopes, table)
        values = _gathered(table, rows)
        features = torch.stack([(value * share).sum(0) for value in values])
        change = torch.stack([(value * slopes).sum(1) for value in values], 1)
        return features.view(grid.width, -1).t(), change.view(3, grid.width, -1).transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, share, slopes, table = ctx.saved_tensors
        shape = (len(table), *share.shape[1:])
        of_value = gradients[0].t().reshape(shape)
        of_slope = gradients[1].transpose(1, 2).reshape(3, *shape)
        values = [share * of_value[f] + (slopes * of_slope[:, f, None]).sum(0) for f in range(len(table))]
        return None, _scattered(table, rows, values), None
