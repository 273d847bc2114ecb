"""The hash grid's look-up as two Triton kernels, for GPUs. Imported only when there is one; compiled by Triton at the first call.

One program works on a block of points at one level. The forward kernel does per point what the plain version needs a dozen
tensors of (8, levels, points) for; the backward kernel adds to the table with atomics. `HashGrid` is the reference that both are
held against (test/mapping/field/test_hash_grid_triton.py; without a GPU through Triton's interpreter).
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

BLOCK = 256  # points a program


@triton.jit
def _lookup(points, per_metre, masks, starts, count, BLOCK: tl.constexpr):  # noqa: ANN001, ANN202
    """Everything about a block of points at one level: where they are, their cell's hashed coordinates, their place in it."""
    level = tl.program_id(1)
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    scale = tl.load(per_metre + level)
    x = tl.load(points + at * 3, mask=inside, other=0.0) * scale
    y = tl.load(points + at * 3 + 1, mask=inside, other=0.0) * scale
    z = tl.load(points + at * 3 + 2, mask=inside, other=0.0) * scale
    low_x, low_y, low_z = tl.floor(x), tl.floor(y), tl.floor(z)
    # The primes of Instant-NGP as signed 32-bit numbers: products wrap, and the low bits are all that is used.
    hash_x = low_x.to(tl.int32)
    hash_y = low_y.to(tl.int32) * -1640531535
    hash_z = low_z.to(tl.int32) * 805459861
    return (level, at, inside, scale, tl.load(masks + level), tl.load(starts + level), hash_x, hash_y, hash_z,
            x - low_x, y - low_y, z - low_z)


@triton.jit
def _forward(points, table, per_metre, masks, starts, out, count, rows, LEVELS: tl.constexpr,  # noqa: ANN001, ANN202
             FEATURES: tl.constexpr, BLOCK: tl.constexpr):
    level, at, inside, _, mask, start, hash_x, hash_y, hash_z, x, y, z = _lookup(points, per_metre, masks, starts, count, BLOCK)
    for feature in tl.static_range(FEATURES):
        total = tl.zeros([BLOCK], tl.float32)
        for corner in tl.static_range(8):
            dx, dy, dz = corner >> 2 & 1, corner >> 1 & 1, corner & 1
            row = start + (((hash_x + dx) ^ (hash_y + dy * -1640531535) ^ (hash_z + dz * 805459861)) & mask)
            share = (x if dx else 1.0 - x) * (y if dy else 1.0 - y) * (z if dz else 1.0 - z)
            total += share * tl.load(table + feature * rows + row, mask=inside, other=0.0)
        tl.store(out + (feature * LEVELS + level) * count + at, total, mask=inside)


@triton.jit
def _backward(points, table, per_metre, masks, starts, upstream, to_table, to_points, count, rows,  # noqa: ANN001, ANN202
              LEVELS: tl.constexpr, FEATURES: tl.constexpr, WITH_TABLE: tl.constexpr, WITH_POINTS: tl.constexpr,
              BLOCK: tl.constexpr):
    level, at, inside, scale, mask, start, hash_x, hash_y, hash_z, x, y, z = _lookup(points, per_metre, masks, starts, count,
                                                                                     BLOCK)
    slope_x, slope_y, slope_z = tl.zeros([BLOCK], tl.float32), tl.zeros([BLOCK], tl.float32), tl.zeros([BLOCK], tl.float32)
    for feature in tl.static_range(FEATURES):
        up = tl.load(upstream + (feature * LEVELS + level) * count + at, mask=inside, other=0.0)
        for corner in tl.static_range(8):
            dx, dy, dz = corner >> 2 & 1, corner >> 1 & 1, corner & 1
            row = start + (((hash_x + dx) ^ (hash_y + dy * -1640531535) ^ (hash_z + dz * 805459861)) & mask)
            share_x, share_y, share_z = x if dx else 1.0 - x, y if dy else 1.0 - y, z if dz else 1.0 - z
            if WITH_TABLE:
                tl.atomic_add(to_table + feature * rows + row, up * share_x * share_y * share_z, mask=inside)
            if WITH_POINTS:
                pulled = up * scale * tl.load(table + feature * rows + row, mask=inside, other=0.0)
                slope_x += pulled * share_y * share_z * (2.0 * dx - 1.0)
                slope_y += pulled * share_x * share_z * (2.0 * dy - 1.0)
                slope_z += pulled * share_x * share_y * (2.0 * dz - 1.0)
    if WITH_POINTS:
        tl.atomic_add(to_points + at * 3, slope_x, mask=inside)
        tl.atomic_add(to_points + at * 3 + 1, slope_y, mask=inside)
        tl.atomic_add(to_points + at * 3 + 2, slope_z, mask=inside)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: torch.Tensor, table: torch.Tensor, grid: Any) -> torch.Tensor:
        points = points.contiguous()
        levels, features = grid.levels, grid.features
        out = points.new_empty(features * levels, len(points))
        if len(points):
            programs = (triton.cdiv(len(points), BLOCK), levels)
            _forward[programs](points, table, grid.per_metre, grid.masks, grid.starts, out, len(points), grid.rows,
                               LEVELS=levels, FEATURES=features, BLOCK=BLOCK)
        ctx.save_for_backward(points, table)
        ctx.grid = grid
        return out.t()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        points, table = ctx.saved_tensors
        grid = ctx.grid
        with_points, with_table = ctx.needs_input_grad[:2]
        to_points = torch.zeros_like(points) if with_points else points
        to_table = torch.zeros_like(table) if with_table else table
        if len(points):
            programs = (triton.cdiv(len(points), BLOCK), grid.levels)
            _backward[programs](points, table, grid.per_metre, grid.masks, grid.starts, gradients[0].t().contiguous(), to_table,
                                to_points, len(points), grid.rows, LEVELS=grid.levels, FEATURES=grid.features,
                                WITH_TABLE=with_table, WITH_POINTS=with_points, BLOCK=BLOCK)
        return to_points if with_points else None, to_table if with_table else None, None


def encode(points: torch.Tensor, table: torch.Tensor, grid: Any) -> torch.Tensor:
    """What `HashGrid.forward` gives for (n, 3) float32 points, with the same gradients (once) for points and table."""
    return _Encode.apply(points, table, grid)
