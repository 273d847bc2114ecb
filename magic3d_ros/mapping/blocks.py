"""Sparse storage of voxels in blocks of 8x8x8 that may lie anywhere in the world, within a bounded number of blocks.

A block is named by its integer coordinates (floor of position / block edge). Three numbers of 21 bits pack into one int64
key; a sorted table of keys finds blocks, and a dense window over a region finds them in one look-up per voxel where many are
needed. Blocks live in slots of tensors that double when full; beyond `max_blocks` the least recently seen ones are evicted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import torch

logger = logging.getLogger(__name__)

SIDE = 8
VOXELS = SIDE**3
COORDINATE_LIMIT = 2**20 - 64  # 21 bits a coordinate, with room for neighbours: 167 km either way at 2 cm voxels
WINDOW_LIMIT = 2**24  # cells of a dense window (64 MB); larger regions are searched in the sorted table instead
FIRST_CAPACITY = 1024

# Voxel l of a block has local coordinates (l // 64, l // 8 % 8, l % 8).
LOCAL = np.stack(np.unravel_index(np.arange(VOXELS), (SIDE, SIDE, SIDE)), 1)

# A block and the 26 around it: neighbour n is n // 9 - 1, n // 3 % 3 - 1, n % 3 - 1 blocks away; 13 is the block itself.
NEIGHBOURS = torch.from_numpy(np.stack(np.unravel_index(np.arange(27), (3, 3, 3)), 1) - 1)


def pack(coordinates: torch.Tensor) -> torch.Tensor:
    """(..., 3) int64 block coordinates within COORDINATE_LIMIT -> (...) int64 keys, ordered as the coordinates are."""
    shifted = coordinates + 2**20
    return (shifted[..., 0] << 42) | (shifted[..., 1] << 21) | shifted[..., 2]


def unpack(keys: torch.Tensor) -> torch.Tensor:
    """The inverse of `pack`: (...) int64 -> (..., 3) int64."""
    mask = 2**21 - 1
    return torch.stack([keys >> 42, (keys >> 21) & mask, keys & mask], -1) - 2**20


def _search(ascending: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """torch.searchsorted; on the CPU NumPy's, which does not wait for other threads over a few hundred look-ups."""
    if ascending.device.type == "cpu":
        return torch.from_numpy(np.searchsorted(ascending.numpy(), wanted.numpy()))
    return torch.searchsorted(ascending, wanted)


def _find(keys: torch.Tensor, slots: torch.Tensor, coordinates: torch.Tensor) -> torch.Tensor:
    """Slots (...) of blocks at (..., 3) coordinates, -1 = not there; keys ascending."""
    if len(keys) == 0:
        return torch.full(coordinates.shape[:-1], -1, dtype=torch.int64, device=coordinates.device)
    wanted = pack(coordinates)
    at = _search(keys, wanted).clamp_max_(len(keys) - 1)
    return torch.where(keys[at] == wanted, slots[at], -1)


class BlockMarks:
    """A set of integer coordinates within a box, filled in any number of steps.

    low, high: (3,) int64 on the CPU, corners of the box, inclusive. A dense grid of marks where the box is small enough,
    which is several times faster than sorting; a sorted set of keys where it is not.
    """

    def __init__(self, low: torch.Tensor, high: torch.Tensor, device: torch.device) -> None:
        self._low = low
        self._size = [max(int(v) + 1, 0) for v in high - low]
        cells = self._size[0] * self._size[1] * self._size[2]
        self._marked = torch.zeros(cells, dtype=torch.bool, device=device) if cells <= WINDOW_LIMIT else None
        self._keys = torch.zeros(0, dtype=torch.int64, device=device)

    def mark(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> None:
        """Add coordinates relative to `low`, three int64 tensors (n,), all within the box."""
        if self._marked is None:
            self._keys = torch.unique(torch.cat([self._keys, pack(torch.stack([x, y, z], 1))]))
            return
        _, rows, columns = self._size
        flat = torch.add(z, y, alpha=columns).add_(x, alpha=rows * columns)
        self._marked.index_fill_(0, flat, True)

    def coordinates(self) -> torch.Tensor:
        """(n, 3) int64, each once, in ascending order."""
        if self._marked is None:
            return unpack(self._keys) + self._low.to(self._keys.device)
        flat = self._marked.nonzero()[:, 0]
        _, rows, columns = self._size
        x, y, z = flat // (rows * columns), flat // columns % rows, flat % columns
        return torch.stack([x, y, z], 1) + self._low.to(flat.device)


def unique_coordinates(coordinates: torch.Tensor) -> torch.Tensor:
    """(n, 3) int64 with repeats -> (m, 3) without, in ascending order."""
    if len(coordinates) == 0:
        return coordinates
    low, high = coordinates.amin(0), coordinates.amax(0)
    marks = BlockMarks(low.cpu(), high.cpu(), coordinates.device)
    marks.mark(*(coordinates - low).unbind(1))
    return marks.coordinates()


class BlockWindow:
    """Finds the blocks of one region by a dense table (or, for a huge region, in the sorted keys). It knows the blocks of the
    moment it was made: made anew when they change, and readable by another thread while they do."""

    EMPTY = -(2**31)

    def __init__(self, low: torch.Tensor, size: list[int], table: torch.Tensor | None, keys: torch.Tensor,
                 slots: torch.Tensor) -> None:
        self.low = low
        self._size = size
        self._table = table
        self._keys, self._slots = keys, slots

    def first_voxels(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Address (int32) of the first voxel, slot * 512, of blocks at integer coordinates relative to `low`; EMPTY = no block.

        Three int64 tensors of shapes that broadcast.
        """
        if self._table is None:
            coordinates = torch.stack(torch.broadcast_tensors(x, y, z), -1) + self.low
            slots = _find(self._keys, self._slots, coordinates)
            return torch.where(slots >= 0, slots * VOXELS, self.EMPTY).to(torch.int32)
        sx, sy, sz = self._size  # the outermost layer of the table holds no blocks: coordinates outside end there
        x = x.clamp(-1, sx - 2).add_(1).mul_(sy * sz)
        y = y.clamp(-1, sy - 2).add_(1).mul_(sz)
        flat = x + y + z.clamp(-1, sz - 2).add_(1)
        return self._table.index_select(0, flat.view(-1)).view(flat.shape)


class VoxelBlocks:
    """Tensors of named channels, one row a block, that are found by block coordinates.

    channels: {name: (planes, dtype)}; `data[name]` has shape (capacity, planes, 512), or (capacity, 512) for one plane.
    max_blocks: never more than this many blocks are held. last_seen (capacity,) int64: the time given to the last `allocate`
    that named the block. changed (capacity,) bool: slots that were allocated since a reader last cleared it, or lost a block,
    or have a neighbour that did.
    """

    def __init__(self, channels: Mapping[str, tuple[int, torch.dtype]], max_blocks: int, device: torch.device) -> None:
        if max_blocks * VOXELS > 2**31:
            raise ValueError(f"{max_blocks} blocks hold more voxels than 32 bits can address: at most {2**31 // VOXELS}")
        self.device = device
        self.max_blocks = max_blocks
        self.evicted = 0
        self.rejected = 0
        self._channels = dict(channels)
        self.reset()

    def reset(self) -> None:
        """Forget every block."""
        self.capacity = min(FIRST_CAPACITY, self.max_blocks)
        self.data = {name: self._zeros(name, self.capacity) for name in self._channels}
        self.last_seen = torch.full((self.capacity,), -1, dtype=torch.int64, device=self.device)
        self.changed = torch.zeros(self.capacity, dtype=torch.bool, device=self.device)
        # In one piece, so that a thread which only reads sees keys and slots of the same moment, without a lock.
        nothing = torch.zeros(0, dtype=torch.int64, device=self.device)
        self._table = (nothing, nothing)
        self._vacant = nothing
        self._used = 0
        self.evicted = 0
        self.rejected = 0

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def keys(self) -> torch.Tensor:
        """(n,) int64 keys of all blocks, ascending."""
        return self._table[0]

    @property
    def slots(self) -> torch.Tensor:
        """(n,) int64 slots of all blocks, in the order of `keys`."""
        return self._table[1]

    @property
    def bytes(self) -> int:
        """Memory that the channels take."""
        return sum(t.numel() * t.element_size() for t in self.data.values())

    def find(self, coordinates: torch.Tensor) -> torch.Tensor:
        """Slots (...) int64 of blocks at (..., 3) int64 coordinates; -1 = not there."""
        return _find(*self._table, coordinates)

    def window(self, low: torch.Tensor, high: torch.Tensor) -> BlockWindow:
        """A table of the blocks with low <= coordinates <= high, (3,) int64 each; blocks outside it are not found.

        Any thread, while another allocates: the table is of one moment. Take the channels from `data` after it, not before; they
        only grow."""
        all_keys, all_slots = self._table
        coordinates = unpack(all_keys)
        inside = ((coordinates >= low) & (coordinates <= high)).all(1)
        coordinates, slots = coordinates[inside], all_slots[inside]
        if len(coordinates):
            low, high = coordinates.amin(0), coordinates.amax(0)
        else:
            high = low - 1
        size = [int(extent) + 3 for extent in (high - low).tolist()]  # one empty layer around
        if size[0] * size[1] * size[2] > WINDOW_LIMIT:
            return BlockWindow(low, size, None, all_keys, all_slots)
        table = torch.full((size[0], size[1], size[2]), BlockWindow.EMPTY, dtype=torch.int32, device=self.device)
        x, y, z = (coordinates - low + 1).unbind(1)
        table[x, y, z] = (slots * VOXELS).to(torch.int32)
        return BlockWindow(low, size, table.view(-1), all_keys, all_slots)

    def allocate(self, coordinates: torch.Tensor, now: int) -> torch.Tensor:
        """Slots of the blocks at (N, 3) int64 coordinates without repeats; new ones start at zero. They count as seen at `now`.

        When that makes too many blocks, the least recently seen ones are evicted (and a thirty-second of the cap more, so that
        not every frame has to); blocks seen at `now` stay. Coordinates for which there is still no room get -1 and are counted.
        """
        slots = self.find(coordinates)
        known = slots >= 0
        self.last_seen[slots[known]] = now
        self.changed[slots[known]] = True
        missing = (~known).nonzero()[:, 0]
        if len(missing):
            excess = len(self) + len(missing) - self.max_blocks
            if excess > 0:
                self._evict(excess + self.max_blocks // 32, now)
                room = self.max_blocks - len(self)
                if len(missing) > room:
                    self.rejected += len(missing) - room
                    logger.warning("one view needs more than map.max_blocks=%d blocks: %d were left out", self.max_blocks,
                                   len(missing) - room)
                    missing = missing[:room]
            fresh = self._take(len(missing))
            slots[missing] = fresh
            self.last_seen[fresh] = now
            self.changed[fresh] = True
            keys, order = torch.sort(torch.cat([self.keys, pack(coordinates[missing])]))
            self._table = keys, torch.cat([self.slots, fresh])[order]
        return slots

    def _take(self, count: int) -> torch.Tensor:
        reused, self._vacant = self._vacant[:count], self._vacant[count:]
        new = count - len(reused)
        self._grow(self._used + new)
        fresh = torch.cat([reused, torch.arange(self._used, self._used + new, device=self.device)])
        self._used += new
        return fresh

    def _grow(self, needed: int) -> None:
        if needed <= self.capacity:
            return
        capacity = self.capacity
        while capacity < needed:
            capacity *= 2
        capacity = min(capacity, self.max_blocks)
        for name in self.data:
            larger = self._zeros(name, capacity)
            larger[: len(self.data[name])] = self.data[name]
            self.data[name] = larger
        more = capacity - self.capacity
        self.last_seen = torch.cat([self.last_seen, self.last_seen.new_full((more,), -1)])
        self.changed = torch.cat([self.changed, self.changed.new_zeros(more)])
        self.capacity = capacity

    def _evict(self, count: int, now: int) -> None:
        seen = self.last_seen[self.slots]
        order = torch.argsort(seen, stable=True)[:count]
        order = order[seen[order] < now]
        self.remove(order)
        self.evicted += len(order)

    def remove(self, positions: torch.Tensor) -> None:
        """Forget the blocks at these positions of `keys`."""
        slots = self.slots[positions]
        around = unpack(self.keys[positions])[:, None] + NEIGHBOURS.to(self.device)
        for values in self.data.values():
            values[slots] = 0
        self.last_seen[slots] = -1
        keep = torch.ones(len(self.keys), dtype=torch.bool, device=self.device)
        keep[positions] = False
        self._table = self.keys[keep], self.slots[keep]
        self._vacant = torch.cat([self._vacant, torch.sort(slots)[0]])
        around = self.find(around.view(-1, 3))
        self.changed[torch.cat([slots, around[around >= 0]])] = True

    def _zeros(self, name: str, capacity: int) -> torch.Tensor:
        planes, dtype = self._channels[name]
        shape = (capacity, VOXELS) if planes == 1 else (capacity, planes, VOXELS)
        return torch.zeros(shape, dtype=dtype, device=self.device)

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays, blocks in the order of their keys."""
        state = {"keys": self.keys.cpu().numpy(), "last_seen": self.last_seen[self.slots].cpu().numpy(),
                 "counts": np.array([self.evicted, self.rejected], np.int64)}
        for name, values in self.data.items():
            state[name] = values[self.slots].cpu().numpy()
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        for name in ("keys", "last_seen", "counts", *self.data):
            if name not in state:
                raise ValueError(f"map state has no '{name}'")
        count = len(state["keys"])
        if count > self.max_blocks:
            raise ValueError(f"the saved map has {count} blocks, map.max_blocks allows {self.max_blocks}: raise map.max_blocks")
        if count > 1 and not (np.diff(state["keys"]) > 0).all():
            raise ValueError("map state 'keys' are not ascending: the file is damaged")
        for name, values in self.data.items():
            expected = (count, *values.shape[1:])
            if state[name].shape != expected:
                raise ValueError(f"map state '{name}' is {state[name].shape}, expected {expected}")
        if len(state["last_seen"]) != count:
            raise ValueError(f"map state 'last_seen' has {len(state['last_seen'])} entries for {count} blocks")
        self.reset()
        self._grow(count)
        self._used = count
        self._table = (torch.from_numpy(np.array(state["keys"], np.int64)).to(self.device),
                       torch.arange(count, device=self.device))
        self.changed[:count] = True
        self.last_seen[:count] = torch.from_numpy(np.array(state["last_seen"], np.int64)).to(self.device)
        for name, values in self.data.items():
            values[:count] = torch.from_numpy(np.ascontiguousarray(state[name])).to(self.device, values.dtype)
        self.evicted, self.rejected = (int(c) for c in state["counts"])
