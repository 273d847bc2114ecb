"""Points of the map's surface with the colours that remembered frames saw there, ready to be drawn by the thousand.

Decoding a frame takes milliseconds, drawing from tensors microseconds; so some pixels of every frame are kept as points, and
frames are decoded again in turn to renew them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from magic3d_ros.mapping.field.base_distance import BaseDistance
from magic3d_ros.mapping.keyframe import Keyframe

MOST_ROWS = 512  # frames that have samples at one time; of more, they take turns
FEWEST_ROWS = 16
MOST_SAMPLES = 8192  # of a frame: drawing them takes about 15 ms, so that a hundred frames are ready within two seconds
OVERDRAW = 1.3  # pixels looked at for each sample wanted: some are off the surface
TOLERANCE = 0.005  # metres off the surface that a sample may end; what ends farther is an edge, or moved, or a reflection


@dataclass(frozen=True)
class SampleBatch:
    """points (n, 3) metres; directions (n, 3) unit, from the camera; colors, voxel_colors (n, 3) 0..1; trust (n,) 0..1;
    rows (n,) int64, the frame of each as its place in `SurfaceSamples.stamps`."""

    points: torch.Tensor
    directions: torch.Tensor
    colors: torch.Tensor
    voxel_colors: torch.Tensor
    trust: torch.Tensor
    rows: torch.Tensor


class SurfaceSamples:
    """At most `total` samples, the same number of each frame. stamps: the frames that have samples, row by row. first: see
    `ColorTraining`."""

    def __init__(self, total: int, device: torch.device, generator: torch.Generator,
                 first: AbstractContextManager[object] | None = None) -> None:
        self._total = total
        self._first = first or nullcontext()
        self._device = device
        self._generator = generator
        self._turn = 0
        self._allocate(FEWEST_ROWS)

    def __len__(self) -> int:
        return len(self.stamps) * self._count

    @property
    def bytes(self) -> int:
        """Memory of the samples."""
        return sum(store.numel() * store.element_size() for store in (self._geometry, self._colors))

    def renew(self, remembered: list[Keyframe], base: BaseDistance, frames: int) -> None:
        """Draw the samples of `frames` frames anew: first of those that are new or have changed, then of all in turn.

        Frames that are no longer remembered lose their samples.
        """
        known = {keyframe.stamp: keyframe for keyframe in remembered}
        rows = min(MOST_ROWS, max(FEWEST_ROWS, 1 << max(len(known) - 1, 0).bit_length()))
        if rows > self._rows:
            self._allocate(rows)
        for row in reversed(range(len(self.stamps))):
            if self.stamps[row] not in known:
                self._drop(row)
        sources = dict(zip(self.stamps, self._sources, strict=True))
        chosen = [keyframe for stamp, keyframe in known.items() if sources.get(stamp) is not keyframe][:frames]
        every = list(known.values())
        while len(chosen) < min(frames, len(every)):
            chosen.append(every[self._turn % len(every)])
            self._turn += 1
        for keyframe in chosen:
            self._draw(keyframe, base)

    def is_current(self, remembered: list[Keyframe]) -> bool:
        """Whether every remembered frame has samples that were drawn from it as it is now."""
        sources = {id(source) for source in self._sources}
        return len(self.stamps) == min(len(remembered), self._rows) and all(id(k) in sources for k in remembered)

    def batch(self, count: int) -> SampleBatch:
        """`count` samples, all frames equally likely. Raises ValueError while there are none."""
        if not self.stamps:
            raise ValueError("no frame has a sample yet: call renew with the remembered frames")
        rows = torch.randint(len(self.stamps), (count,), generator=self._generator).to(self._device)
        at = torch.randint(self._count, (count,), generator=self._generator).to(self._device)
        return self._taken(rows * self._count + at, rows)

    def of_row(self, row: int, count: int) -> SampleBatch:
        """Up to `count` samples of one frame."""
        at = torch.arange(min(count, self._count), device=self._device)
        return self._taken(row * self._count + at, torch.full_like(at, row))

    def _taken(self, index: torch.Tensor, rows: torch.Tensor) -> SampleBatch:
        geometry = self._geometry.index_select(0, index)
        colors = self._colors.index_select(0, index).to(torch.float32).div_(255.0)
        return SampleBatch(geometry[:, :3], geometry[:, 3:], colors[:, :3], colors[:, 3:6], colors[:, 6], rows)

    def _allocate(self, rows: int) -> None:
        self._rows, self._count = rows, min(max(1, self._total // rows), MOST_SAMPLES)
        self._geometry = torch.zeros(rows * self._count, 6, device=self._device)
        self._colors = torch.zeros(rows * self._count, 7, dtype=torch.uint8, device=self._device)
        self.stamps: list[int] = []
        self._sources: list[Keyframe] = []

    def _drop(self, row: int) -> None:
        last = len(self.stamps) - 1
        for store in (self._geometry, self._colors):
            per_row = store.view(self._rows, self._count, -1)
            per_row[row] = per_row[last].clone()
        self.stamps[row], self._sources[row] = self.stamps[last], self._sources[last]
        self.stamps.pop()
        self._sources.pop()

    def _draw(self, keyframe: Keyframe, base: BaseDistance) -> None:
        samples = self._samples_of(keyframe, base)
        if keyframe.stamp in self.stamps:
            row = self.stamps.index(keyframe.stamp)
        elif len(self.stamps) < self._rows:
            row = len(self.stamps)
            self.stamps.append(keyframe.stamp)
            self._sources.append(keyframe)
        else:
            row = self._turn % self._rows
            self._turn += 1
        self.stamps[row], self._sources[row] = keyframe.stamp, keyframe
        for store, values in zip((self._geometry, self._colors), samples, strict=True):
            # A frame with few usable pixels repeats them; one without any has samples of no trust.
            repeated = torch.arange(self._count, device=self._device) % max(len(values), 1)
            store.view(self._rows, self._count, -1)[row] = values[repeated] if len(values) else 0

    def _give_way(self) -> None:
        with self._first:
            pass

    def _samples_of(self, keyframe: Keyframe, base: BaseDistance) -> tuple[torch.Tensor, torch.Tensor]:
        depth = keyframe.depth().reshape(-1)
        self._give_way()
        rgb, trust = keyframe.rgb().reshape(-1, 3), keyframe.trust
        self._give_way()
        usable = depth > 0 if trust is None else (depth > 0) & (trust.reshape(-1) > 0)
        candidates = np.flatnonzero(usable)
        order = torch.randperm(len(candidates), generator=self._generator)[:int(OVERDRAW * self._count)]
        pixels = candidates[order.numpy()]
        camera = keyframe.camera
        rays = np.stack([(pixels % camera.width - camera.cx) / camera.fx, (pixels // camera.width - camera.cy) / camera.fy,
                         np.ones(len(pixels))], 1) @ keyframe.camera_to_world[:3, :3].T
        directions = torch.from_numpy(rays.astype(np.float32)).to(self._device)
        length = directions.norm(dim=1)
        directions = directions / length[:, None]
        origin = torch.from_numpy(keyframe.camera_to_world[:3, 3].astype(np.float32)).to(self._device)
        distance = torch.from_numpy(depth[pixels]).to(self._device) * length
        self._give_way()
        on_surface, found = onto_surface(base, origin, directions, distance)
        points = origin + directions * on_surface[:, None]
        self._give_way()
        kept = found.nonzero()[:self._count, 0]
        colors = torch.from_numpy(rgb[pixels]).to(self._device)
        faith = torch.from_numpy(np.full(len(pixels), 255, np.uint8) if trust is None else trust.reshape(-1)[pixels])
        voxels = (base.colors(points[kept]) * 255.0).round_().to(torch.uint8)
        self._give_way()
        return (torch.cat([points, directions], 1)[kept],
                torch.cat([colors[kept], voxels, faith.to(self._device)[kept, None]], 1))


def onto_surface(base: BaseDistance, origin: torch.Tensor, directions: torch.Tensor,
                 distance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where unit rays (n, 3) cross the map's surface near (n,) measured distances, and whether they do within 5 mm (n,).

    Samples belong where the surface will be drawn, not where one noisy reading put it. Voxels hold distances along the view, so
    one step by what they say and one secant step arrive.
    """
    first, share = base.tsdf(origin + directions * distance[:, None])
    moved = distance + first
    second, second_share = base.tsdf(origin + directions * moved[:, None])
    change = first - second
    share_of_step = torch.where(change.abs() > 1e-4, first / change, torch.ones_like(first)).clamp(0.0, 2.0)
    arrived = distance + first * share_of_step
    last, last_share = base.tsdf(origin + directions * arrived[:, None])
    seen = (share > 0.5) & (second_share > 0.5) & (last_share > 0.5)
    return arrived, seen & (last.abs() < TOLERANCE)
