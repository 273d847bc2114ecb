"""The zero crossing of the voxel map as a triangle mesh, by marching cubes, block by block: only what changed is meshed again.

Each crossed voxel edge gives one vertex, which belongs to the block of the edge's lower voxel; each cell belongs to the block
of its lowest corner and names its vertices by edge, also across blocks. Joining the blocks turns edges into vertex numbers,
so the mesh is welded. Blocks are joined in the order of their keys: a mesh made step by step equals one made at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields

import numpy as np
import torch

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.mapping.blocks import LOCAL, NEIGHBOURS, SIDE, VOXELS, unpack
from magic3d_ros.mapping.marching_cubes import CORNERS, EDGE_AXIS, EDGE_START, triangle_table
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.mapping.tsdf import TSDFVolume

EDGES_PER_BLOCK = 3 * VOXELS
PADDED = SIDE + 3  # a block with one voxel before and two after: cells reach one voxel over, gradients two
CHUNK = 256  # blocks meshed at a time: 256 * 11^3 floats are 1.4 MB
NEAREST_CROSSING = 0.005  # crossings keep this share of an edge from its ends, or triangles collapse where a voxel is exactly 0


@dataclass
class _Pieces:
    """Vertices and triangles of many blocks, grouped by block; `rank` counts within the block.

    Vertices: slot (n,), edge (n,) = local voxel * 3 + axis, rank, position, normal, color, weight.
    Triangles: face_slot (m,), face_rank (m,), face_edges (m, 3) = slot * EDGES_PER_BLOCK + edge.
    """

    slot: torch.Tensor
    edge: torch.Tensor
    rank: torch.Tensor
    position: torch.Tensor
    normal: torch.Tensor
    color: torch.Tensor
    weight: torch.Tensor
    face_slot: torch.Tensor
    face_rank: torch.Tensor
    face_edges: torch.Tensor

    @staticmethod
    def join(parts: list[_Pieces]) -> _Pieces:
        return _Pieces(*[torch.cat([getattr(p, f.name) for p in parts]) for f in fields(_Pieces)])

    def of(self, wanted: torch.Tensor) -> _Pieces:
        """Only the blocks whose slot is True in (capacity,) `wanted`."""
        vertices, faces = wanted[self.slot], wanted[self.face_slot]
        return _Pieces(*[getattr(self, f.name)[faces if f.name.startswith("face") else vertices] for f in fields(_Pieces)])


class Mesher:
    """Keeps the mesh of a volume up to date."""

    def __init__(self, volume: TSDFVolume, min_weight: float) -> None:
        self._volume = volume
        # A voxel that was never seen has weight 0 and no meaning, whatever the setting says.
        self._min_weight = max(min_weight, 1e-6)
        device = volume.device
        padded = np.stack(np.unravel_index(np.arange(PADDED**3), (PADDED,) * 3), 1) - 1
        neighbour, local = padded // SIDE + 1, padded % SIDE
        self._neighbour = torch.from_numpy(neighbour @ (9, 3, 1)).to(device)
        self._place = torch.from_numpy(local @ (SIDE * SIDE, SIDE, 1)).to(device)
        self._around = NEIGHBOURS.to(device)
        self._cell = torch.from_numpy((LOCAL + 1) @ (PADDED * PADDED, PADDED, 1)).to(device)  # padded number of each own voxel
        self._step = [PADDED * PADDED, PADDED, 1]
        self._local = torch.from_numpy(LOCAL).to(device)
        self._triangles = torch.from_numpy(triangle_table()).to(device)
        self._edge_step = torch.from_numpy((CORNERS @ self._step)[EDGE_START]).to(device)
        self._edge_axis = torch.from_numpy(EDGE_AXIS.copy()).to(device)
        self.reset()

    def reset(self) -> None:
        """Forget the mesh; the next `surface` makes it from nothing."""
        device = self._volume.device
        whole = torch.zeros(0, dtype=torch.int64, device=device)
        real = torch.zeros(0, dtype=torch.float32, device=device)
        self._pieces = _Pieces(whole, whole, whole, real.view(0, 3), real.view(0, 3), real.view(0, 3), real, whole, whole,
                               whole.view(0, 3))

    def surface(self, first: AbstractContextManager[object] | None = None) -> Surface:
        """The mesh of the whole map, where it was observed often enough. first: see `TSDFVolume.integrate`."""
        self._update(first)
        let_pass(first)
        return self._joined(first)

    def _update(self, first: AbstractContextManager[object] | None = None) -> None:
        """Mesh the blocks that changed, and their neighbours, anew."""
        volume, blocks = self._volume, self._volume.blocks
        if not bool(blocks.changed.any()):
            return
        stale = blocks.changed[blocks.slots]
        again = torch.zeros(blocks.capacity, dtype=torch.bool, device=volume.device)
        parts: list[_Pieces] = []
        if bool(stale.any()):
            changed = unpack(blocks.keys[stale])
            slots = blocks.find((changed[:, None] + self._around).view(-1, 3))
            again[slots[slots >= 0]] = True
            order = again[blocks.slots]
            keys, slots = self._crossed(blocks.keys[order], blocks.slots[order])
            for i in range(0, len(slots), CHUNK):
                let_pass(first)
                parts.append(self._mesh(keys[i:i + CHUNK], slots[i:i + CHUNK], first))
            let_pass(first)
        kept = ~again
        kept[blocks.changed.nonzero()[:, 0]] = False  # evicted blocks are no longer among the slots
        self._pieces = _Pieces.join([self._pieces.of(kept), *parts])
        blocks.changed.zero_()

    def points(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions (n, 3) and normals (n, 3) of all crossings between observed voxels, also those too rarely seen for
        `surface`."""
        self._update()
        return self._pieces.position, self._pieces.normal

    def last_points(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """`points` as of the last mesh, None before the first. At once and in any thread; meshing what a frame changed takes
        longer than drawing it."""
        pieces = self._pieces
        return (pieces.position, pieces.normal) if len(pieces.position) else None

    def _crossed(self, keys: torch.Tensor, slots: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of some blocks that, with the next blocks that their cells reach into, have voxels on both sides of the
        surface."""
        blocks = self._volume.blocks
        ahead = blocks.find(unpack(keys)[:, None] + self._around[(self._around >= 0).all(1)])
        looked_at = torch.zeros(blocks.capacity, dtype=torch.bool, device=keys.device)
        looked_at[ahead[ahead >= 0]] = True
        looked_at = looked_at.nonzero()[:, 0]
        tsdf, seen = blocks.data["tsdf"][looked_at], blocks.data["weight"][looked_at] > 0
        sides = torch.zeros((blocks.capacity + 1, 2), dtype=torch.bool, device=keys.device)  # the last row stands for no block
        sides[looked_at, 0] = (seen & (tsdf < 0)).any(1)
        sides[looked_at, 1] = (seen & (tsdf >= 0)).any(1)
        chosen = sides[ahead].any(1).all(1)
        return keys[chosen], slots[chosen]

    def _mesh(self, keys: torch.Tensor, slots: torch.Tensor, first: AbstractContextManager[object] | None) -> _Pieces:
        """Vertices and triangles of some blocks, in three pieces of work of 6 ms."""
        volume, data = self._volume, self._volume.blocks.data
        around = volume.blocks.find(unpack(keys)[:, None] + self._around)
        around[:, 13] = slots
        of_block = around.index_select(1, self._neighbour)
        there = of_block >= 0
        address = of_block.mul_(VOXELS).add_(self._place).clamp_min_(0)
        tsdf = data["tsdf"].view(-1).index_select(0, address.view(-1)).view(address.shape)
        weight = data["weight"].view(-1).index_select(0, address.view(-1)).view(address.shape).mul_(there)
        seen = weight > 0
        inside = seen & (tsdf < 0)
        let_pass(first)
        vertices = self._vertices(keys, slots, address, tsdf, seen, inside)
        let_pass(first)
        return _Pieces(*(*vertices, *self._faces(slots, around, weight >= self._min_weight, inside)))

    def _vertices(self, keys: torch.Tensor, slots: torch.Tensor, address: torch.Tensor, tsdf: torch.Tensor, valid: torch.Tensor,
                  inside: torch.Tensor) -> tuple[torch.Tensor, ...]:
        volume = self._volume
        own_inside, own_valid = _shifted(inside, (0, 0, 0)), _shifted(valid, (0, 0, 0))
        crossed = torch.stack([(own_inside != _shifted(inside, axis)) & own_valid & _shifted(valid, axis)
                               for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))], -1).view(len(slots), VOXELS, 3)
        block, voxel, axis = crossed.nonzero(as_tuple=True)
        first = block * PADDED**3 + self._cell[voxel]
        second = first + torch.tensor(self._step, device=volume.device)[axis]
        flat, known = tsdf.view(-1), valid.view(-1)
        a, b = flat[first], flat[second]
        share = (a / (a - b)).clamp_(NEAREST_CROSSING, 1.0 - NEAREST_CROSSING)
        place = unpack(keys)[block].to(torch.float64) * SIDE + self._local[voxel] + 0.5
        place[torch.arange(len(place), device=volume.device), axis] += share
        gradient = torch.lerp(self._gradient(flat, known, first), self._gradient(flat, known, second), share[:, None])
        normal = torch.nn.functional.normalize(gradient, dim=1)
        at_first, at_second = address.view(-1)[first], address.view(-1)[second]
        color = torch.lerp(torch.stack(volume.colors(at_first), 1), torch.stack(volume.colors(at_second), 1), share[:, None])
        weights = volume.blocks.data["weight"].view(-1)
        weight = torch.lerp(weights[at_first], weights[at_second], share)
        return (slots[block], voxel * 3 + axis, _ranks(block, len(slots)), (place * volume.voxel_size).to(torch.float32), normal,
                color, weight)

    def _gradient(self, flat: torch.Tensor, known: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Central differences of the distances at padded voxels; one-sided where a neighbour was not seen."""
        here = flat[at]
        slopes = []
        for step in self._step:
            ahead = torch.where(known[at + step], flat[at + step], here)
            behind = torch.where(known[at - step], flat[at - step], here)
            slopes.append((ahead - behind) / (known[at + step].float() + known[at - step].float()).clamp_min_(1.0))
        return torch.stack(slopes, 1)

    def _faces(self, slots: torch.Tensor, around: torch.Tensor, valid: torch.Tensor,
               inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        case = torch.zeros((len(slots), SIDE, SIDE, SIDE), dtype=torch.uint8, device=valid.device)
        complete = torch.ones_like(case, dtype=torch.bool)
        for bit, corner in enumerate(CORNERS.tolist()):
            complete &= _shifted(valid, corner)
            case += _shifted(inside, corner).to(torch.uint8) << bit
        block, voxel = (complete & (case > 0) & (case < 255)).view(len(slots), VOXELS).nonzero(as_tuple=True)
        edges = self._triangles[case.view(len(slots), VOXELS)[block, voxel].to(torch.int64)]
        cell, row = (edges[..., 0] >= 0).nonzero(as_tuple=True)
        edges, block, voxel = edges[cell, row], block[cell], voxel[cell]
        lower = self._cell[voxel][:, None] + self._edge_step[edges]
        owner = around[block[:, None], self._neighbour[lower]]
        keys = owner * EDGES_PER_BLOCK + self._place[lower] * 3 + self._edge_axis[edges]
        return slots[block], _ranks(block, len(slots)), keys

    def _joined(self, first: AbstractContextManager[object] | None = None) -> Surface:
        """Number the vertices by block key and rank, look up the triangles' edges, and drop vertices that no triangle uses."""
        pieces, blocks, device = self._pieces, self._volume.blocks, self._volume.device
        if len(pieces.face_slot) == 0:
            return Surface.empty()
        number = _starts(pieces.slot, blocks.slots, blocks.capacity)[pieces.slot] + pieces.rank
        row = torch.zeros(blocks.capacity, dtype=torch.int64, device=device)
        row[pieces.slot] = 1
        row = torch.cumsum(row, 0) - 1
        table = torch.empty((int(row[-1]) + 1) * EDGES_PER_BLOCK, dtype=torch.int64, device=device)
        table[row[pieces.slot] * EDGES_PER_BLOCK + pieces.edge] = number
        let_pass(first)
        owner = torch.div(pieces.face_edges, EDGES_PER_BLOCK, rounding_mode="floor")
        unordered = table[row[owner] * EDGES_PER_BLOCK + pieces.face_edges % EDGES_PER_BLOCK]
        let_pass(first)
        faces = torch.empty_like(unordered)
        faces[_starts(pieces.face_slot, blocks.slots, blocks.capacity)[pieces.face_slot] + pieces.face_rank] = unordered
        used = torch.zeros(len(number), dtype=torch.int64, device=device)
        used[faces.view(-1)] = 1
        renumbered = torch.cumsum(used, 0) - 1
        source = torch.empty_like(number)
        source[number] = torch.arange(len(number), device=device)
        source = source[used.bool()]
        colors = pieces.color[source].round().clamp_(0, 255).to(torch.uint8)
        return Surface(pieces.position[source].cpu().numpy(), renumbered[faces].to(torch.int32).cpu().numpy(),
                       pieces.normal[source].cpu().numpy(), colors.cpu().numpy(), pieces.weight[source].cpu().numpy())


def _shifted(padded: torch.Tensor, by: Sequence[int]) -> torch.Tensor:
    """(n, 8, 8, 8) view of a padded block's (n, 11^3) voxels, `by` voxels from its own."""
    x, y, z = (1 + step for step in by)
    return padded.view(-1, PADDED, PADDED, PADDED)[:, x:x + SIDE, y:y + SIDE, z:z + SIDE]


def _ranks(block: torch.Tensor, count: int) -> torch.Tensor:
    """Position of each element within its block; `block` (n,) ascending, below `count`."""
    start = torch.cumsum(torch.bincount(block, minlength=count), 0)
    start = torch.cat([start.new_zeros(1), start[:-1]])
    return torch.arange(len(block), device=block.device) - start[block]


def _starts(slot: torch.Tensor, order: torch.Tensor, capacity: int) -> torch.Tensor:
    """(capacity,) where each slot's elements begin when slots are laid out in `order`."""
    counts = torch.bincount(slot, minlength=capacity)
    ends = torch.cumsum(counts[order], 0)
    starts = torch.zeros_like(counts)
    starts[order] = ends - counts[order]
    return starts
