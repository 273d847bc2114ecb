"""Which voxels are occupied, and which of them a convolution joins: sorted integer keys, maps found once and kept.

The way of MinkowskiEngine (Choy et al. 2019) and of submanifold convolutions (Graham et al. 2018), with a sorted table and binary
search in place of a hash table: the same code runs on processor and GPU.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch

_AXIS_BITS = 16
"""Of a key for each axis, 15 for the number of the cloud: 63 bits in all. At 2 cm a cloud spans 1.3 km."""

LIMIT = (1 << (_AXIS_BITS - 1)) - 8
"""Largest coordinate of a voxel; the rest of the range is for neighbours, so that a step over the border hits no other voxel."""

LARGEST_KERNEL = 7
"""Half of it, rounded down, stays inside the 8 voxels that `LIMIT` leaves."""

MOST_CLOUDS = 1 << 15


class KernelMap(NamedTuple):
    """Pairs of rows that a convolution joins, one pair of (P_k,) int64 index tensors for each place k of the kernel.

    Of one place no output row occurs twice, and no input row. n_outputs: rows of the result.
    """

    inputs: tuple[torch.Tensor, ...]
    outputs: tuple[torch.Tensor, ...]
    n_inputs: int
    n_outputs: int

    def transposed(self) -> KernelMap:
        """The same pairs the other way round: what goes down with a map comes up with this."""
        return KernelMap(self.outputs, self.inputs, self.n_outputs, self.n_inputs)


class Sites:
    """Occupied voxels of a batch of clouds, ascending by key.

    coordinates: (V, 4) int64, number of the cloud, then x, y, z in voxels of edge `voxel_size` (metres): a voxel covers
    [x, x + 1) * voxel_size. All maps are found when first asked for and kept, so that every layer of a network shares them.
    """

    def __init__(self, coordinates: torch.Tensor, keys: torch.Tensor, voxel_size: float) -> None:
        self.coordinates = coordinates
        self.keys = keys
        self.voxel_size = voxel_size
        self._neighbours: dict[int, KernelMap] = {}

    @staticmethod
    def of(coordinates: torch.Tensor, voxel_size: float) -> tuple[Sites, torch.Tensor]:
        """Sites of (N, 4) int64 coordinates that may repeat -> sites, (N,) int64 row of each. Raises ValueError."""
        if coordinates.ndim != 2 or coordinates.shape[1] != 4:
            raise ValueError(f"coordinates of voxels are (N, 4), not {tuple(coordinates.shape)}")
        if len(coordinates):
            farthest = int(coordinates[:, 1:].abs().max())
            if farthest > LIMIT:
                raise ValueError(f"the cloud goes {farthest * voxel_size:.0f} m from the origin, voxels of {voxel_size} m reach "
                                 f"{LIMIT * voxel_size:.0f} m: move or crop it, or take larger voxels")
            if int(coordinates[:, 0].min()) < 0 or int(coordinates[:, 0].max()) >= MOST_CLOUDS:
                raise ValueError(f"numbers of clouds go from 0 to {MOST_CLOUDS - 1}")
        keys, row = torch.unique(packed(coordinates), sorted=True, return_inverse=True)
        return Sites(unpacked(keys), keys, voxel_size), row

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def batch(self) -> torch.Tensor:
        """(V,) int64 number of each voxel's cloud."""
        return self.coordinates[:, 0]

    @property
    def centers(self) -> torch.Tensor:
        """(V, 3) float32 metres."""
        return (self.coordinates[:, 1:].float() + 0.5) * self.voxel_size

    def neighbours(self, kernel: int = 3) -> KernelMap:
        """The map of a submanifold convolution, outputs where inputs are: kernel^3 places, x slowest as in a dense one."""
        if kernel not in self._neighbours:
            self._neighbours[kernel] = self._found(kernel)
        return self._neighbours[kernel]

    def _found(self, kernel: int) -> KernelMap:
        if kernel % 2 == 0 or not 1 <= kernel <= LARGEST_KERNEL:
            raise ValueError(f"a submanifold kernel is odd and at most {LARGEST_KERNEL} wide, not {kernel}")
        reach, count, rows = kernel // 2, len(self), torch.arange(len(self), device=self.keys.device)
        inputs, outputs = [], []
        steps = [(x, y, z) for x in range(-reach, reach + 1) for y in range(-reach, reach + 1) for z in range(-reach, reach + 1)]
        for x, y, z in steps[:len(steps) // 2]:
            wanted = self.keys + (x << 2 * _AXIS_BITS) + (y << _AXIS_BITS) + z
            at = torch.searchsorted(self.keys, wanted).clamp(max=max(count - 1, 0))
            here = torch.nonzero(self.keys[at] == wanted)[:, 0] if count else rows
            inputs.append(at[here])
            outputs.append(here)
        # The second half of the kernel mirrors the first: what sees a voxel at -d is seen by it at +d.
        return KernelMap((*inputs, rows, *reversed(outputs)), (*outputs, rows, *reversed(inputs)), count, count)

    @cached_property
    def coarser(self) -> tuple[Sites, KernelMap]:
        """Sites of twice the edge, and the map of a 2^3 convolution of stride 2 onto them; transposed it leads back up."""
        halved = torch.cat([self.coordinates[:, :1], self.coordinates[:, 1:] >> 1], 1)
        sites, parent = Sites.of(halved, 2 * self.voxel_size)
        odd = self.coordinates[:, 1:] & 1
        place = odd[:, 0] * 4 + odd[:, 1] * 2 + odd[:, 2]
        children = tuple(torch.nonzero(place == k)[:, 0] for k in range(8))
        return sites, KernelMap(children, tuple(parent[child] for child in children), len(self), len(sites))


def packed(coordinates: torch.Tensor) -> torch.Tensor:
    """(N,) int64 keys of (N, 4) coordinates; keys ascend as (cloud, x, y, z) do."""
    middle = 1 << (_AXIS_BITS - 1)
    cloud, x, y, z = coordinates.unbind(1)
    return ((((cloud << _AXIS_BITS) + x + middle) << _AXIS_BITS) + y + middle << _AXIS_BITS) + z + middle


def unpacked(keys: torch.Tensor) -> torch.Tensor:
    """(N, 4) coordinates of (N,) keys."""
    middle, mask = 1 << (_AXIS_BITS - 1), (1 << _AXIS_BITS) - 1
    axes = [((keys >> shift * _AXIS_BITS) & mask) - middle for shift in (2, 1, 0)]
    return torch.stack([keys >> 3 * _AXIS_BITS, *axes], 1)
