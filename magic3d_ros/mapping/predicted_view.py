"""What the map shows where a camera measures depth: a coarse view straight from the voxels, without a mesh.

Each ray starts at the depth that was measured: mostly the map's surface is there. Where it is not it is looked for behind. What
the map shows before the measured depth is not looked for. A tenth of the time of meshing what
changed and `mapping.render`, and never older than the map.
"""

from __future__ import annotations

import numpy as np
import torch

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.blocks import SIDE, BlockWindow
from magic3d_ros.mapping.surface import View
from magic3d_ros.mapping.tsdf import TSDFVolume

STEP = 1.9  # truncation distances between the samples of a ray: the band around a surface is two of them thick
INSIDE = 0.99  # shares of the truncation: what is nearer to 0 lies in the band
SURE = 0.5  # shares of the truncation that may be left after them
ROUNDS = 2  # corrections of a depth by the distance that is read there
CHUNK = 8192  # points read at a time: they stay in the cache, and torch does not split them between threads (tsdf.GRAIN)
MOST_STEPS = 16


class PredictedView:
    """Reads one volume. The nearest voxel is good enough: at a quarter of 640x480 a pixel at 2 m is 1.5 cm wide."""

    def __init__(self, volume: TSDFVolume) -> None:
        self._volume = volume

    @torch.inference_mode()
    def view(self, camera: Camera, camera_to_world: np.ndarray, measured: np.ndarray) -> View:
        """measured: (h, w) float32 metres of the camera's size, 0 = nothing; its rays are not followed. Normals stay 0."""
        volume, device = self._volume, self._volume.device
        height, width = measured.shape
        depth = np.zeros(height * width, np.float32)
        rgb = np.zeros((height * width, 3), np.uint8)
        pixels = np.flatnonzero((measured > 0) & (measured < self._reach()))
        if len(pixels) and len(volume.blocks):
            rotation = np.asarray(camera_to_world[:3, :3], np.float32)
            rays = torch.from_numpy(camera.rays().reshape(-1, 3)[pixels] @ rotation.T).to(device).T.contiguous()
            start = torch.from_numpy(measured.ravel()[pixels]).to(device)
            origin = np.asarray(camera_to_world[:3, 3], np.float64)
            found, where, address = self._surface(_Reader(volume, origin, self._reach()), rays, start)
            chosen = pixels[found.cpu().numpy()]
            depth[chosen] = where.cpu().numpy()
            color = torch.stack(volume.colors(address.to(torch.int64)), 1)
            rgb[chosen] = color.round_().clamp_(0, 255).to(torch.uint8).cpu().numpy()
        return View(rgb.reshape(height, width, 3), depth.reshape(height, width), np.zeros((height, width, 3), np.float32))

    def _reach(self) -> float:
        return self._volume.max_depth + self._volume.truncation

    def _surface(self, read: _Reader, rays: torch.Tensor, start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rays (m,) int64 on which surface is found, its depth (m,) and the voxel there (m,)."""
        truncation = self._volume.truncation
        step, farthest = STEP * truncation, self._reach()
        near, _ = read(rays * start)
        band = near.abs() < INSIDE
        found, starts, distances = [band.nonzero()[:, 0]], [start[band]], [near[band]]
        index = (~band).nonzero()[:, 0]
        at = start[index]
        while True:
            inside = at + step < farthest
            index, at = index[inside], at[inside]
            if not len(index):
                break
            # Few rays are left: several steps of each at once cost little more than one.
            steps = step * torch.arange(1, min(MOST_STEPS, max(1, CHUNK // len(index))) + 1, device=at.device)
            places = at + steps[:, None]
            near = read((rays[:, None, index] * places).flatten(1))[0].view(places.shape)
            band = (near.abs() < INSIDE) & (places < farthest)
            hit, first = band.max(0)
            chosen = first[hit], hit.nonzero()[:, 0]
            found.append(index[hit])
            starts.append(places[chosen])
            distances.append(near[chosen])
            index, at = index[~hit], places[-1, ~hit]
        hit, depth, near = torch.cat(found), torch.cat(starts), torch.cat(distances)
        ray = rays[:, hit]
        for _ in range(ROUNDS):
            depth = depth + near * truncation
            near, voxel = read(ray * depth)
        good = near.abs() < SURE
        return hit[good], depth[good], voxel[good]


class _Reader:
    """The nearest voxels of points (3, n) relative to an origin: share of the truncation, 2 where nothing was observed, and
    address."""

    def __init__(self, volume: TSDFVolume, origin: np.ndarray, reach: float) -> None:
        blocks, size = volume.blocks, volume.block_size
        low, high = (torch.from_numpy(np.floor((origin + sign * 1.5 * reach) / size).astype(np.int64)).to(volume.device)
                     for sign in (-1, 1))
        self._window: BlockWindow = blocks.window(low, high)
        base = np.floor(origin / size).astype(np.int64)
        shift = torch.from_numpy(base).to(volume.device) - self._window.low
        offset = torch.from_numpy(origin - base * size).to(volume.device)
        # In voxels relative to the window's first block.
        self._offset = (offset / volume.voxel_size + shift * SIDE).to(torch.float32)[:, None]
        self._scale = 1.0 / volume.voxel_size
        self._tsdf, self._weight = blocks.data["tsdf"].view(-1), blocks.data["weight"].view(-1)

    def __call__(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [self._read(part) for part in points.split(CHUNK, 1)]
        return torch.cat([value for value, _ in parts]), torch.cat([address for _, address in parts])

    def _read(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        voxel = (points * self._scale + self._offset).floor_().to(torch.int32)
        block, local = voxel >> 3, voxel & 7
        first = self._window.first_voxels(*block.unbind(0))
        address = first + ((local[0] * SIDE + local[1]) * SIDE + local[2])
        there = first >= 0
        safe = address.clamp_min_(0)
        seen = there & (self._weight.index_select(0, safe) > 0)
        return torch.where(seen, self._tsdf.index_select(0, safe), 2.0), safe
