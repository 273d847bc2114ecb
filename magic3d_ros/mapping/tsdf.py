"""A truncated signed distance field with colour in sparse voxel blocks (Curless and Levoy 1996; Newcombe et al., KinectFusion, 2011).

Voxel l of the block at integer coordinates b has its centre at (8 b + l + 1/2) * voxel_size. It holds the mean of
clip((measured depth - voxel depth) / truncation, -1, 1) over the frames that saw it: positive in free space, negative behind the
surface. Plain torch, the same code on CPU and GPU; a frame costs a few milliseconds because only blocks near its surface are touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from magic3d_ros.config import MapSettings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.mapping.blocks import COORDINATE_LIMIT, LOCAL, SIDE, VOXELS, VoxelBlocks, unique_blocks, unpack

# Blocks worked on at a time: 64 * 512 floats are 128 kB a tensor, so that the few in use stay in a core's second-level cache
# (on two cores 64 was as fast as 32 and 128, and a fifth faster than all blocks at once).
CHUNK = 64


@dataclass(frozen=True)
class Observation:
    """One frame on the map's device, ready to be fused.

    depth (H * W,) float32 metres, -inf where it is not to be used. color (H * W, 3) uint8. weight (H * W,) float32 or None for all 1.
    """

    depth: torch.Tensor
    color: torch.Tensor
    weight: torch.Tensor | None


class TSDFVolume:
    """The voxel map: `integrate` frames, then read `blocks.data`: tsdf (share of the truncation), weight, color (0..255)."""

    def __init__(self, settings: MapSettings, min_depth: float, max_depth: float, device: torch.device) -> None:
        self.voxel_size = settings.voxel_size
        self.truncation = settings.truncation
        self.max_weight = settings.max_weight
        self.min_depth = min_depth
        self.max_depth = max_depth
        self.device = device
        self.block_size = SIDE * settings.voxel_size
        self.blocks = VoxelBlocks({"tsdf": (1, torch.float32), "weight": (1, torch.float32), "color": (3, torch.float32)},
                                  settings.max_blocks, device)
        self.frames = 0
        self.dirty = torch.zeros(self.blocks.capacity, dtype=torch.bool, device=device)
        self._local = torch.from_numpy((LOCAL + 0.5) * settings.voxel_size).to(device, torch.float32)
        self._voxel = torch.arange(VOXELS, device=device)

    def reset(self) -> None:
        """Forget everything."""
        self.blocks.reset()
        self.frames = 0
        self.dirty = torch.zeros(self.blocks.capacity, dtype=torch.bool, device=self.device)

    def integrate(self, frame: RGBDFrame, weights: np.ndarray | None = None, carve: bool = False) -> None:
        """Fuse one frame.

        weights: (H, W) trust in each pixel, 0..1; 0 leaves no trace at all. carve: also update the blocks that are already
        there in the free space between camera and surface, which removes what is no longer where it was.
        Raises FrameError when the camera is outside the addressable world.
        """
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        if np.abs(origin).max() + self.max_depth > COORDINATE_LIMIT * self.block_size:
            raise FrameError("pose", f"the camera is {np.abs(origin).max():.3g} m from the world's origin, the map reaches "
                             f"{COORDINATE_LIMIT * self.block_size:.3g} m: is the pose in metres?")
        self.frames += 1
        observation = self._observe(frame, weights)
        coordinates = self._touched(frame, observation.depth)
        if carve:
            coordinates = torch.cat([coordinates, self._in_view(frame, observation.depth)])
        coordinates = unique_blocks(coordinates)
        slots = self.blocks.allocate(coordinates, self.frames)
        if len(self.dirty) < self.blocks.capacity:
            larger = torch.zeros(self.blocks.capacity, dtype=torch.bool, device=self.device)
            larger[: len(self.dirty)] = self.dirty
            self.dirty = larger
        self.dirty[slots[slots >= 0]] = True
        for first in range(0, len(slots), CHUNK):
            self._fuse(frame, observation, coordinates[first:first + CHUNK], slots[first:first + CHUNK])

    def _observe(self, frame: RGBDFrame, weights: np.ndarray | None) -> Observation:
        depth = torch.from_numpy(np.ascontiguousarray(frame.depth, np.float32)).to(self.device)
        usable = (depth >= self.min_depth) & (depth <= self.max_depth)  # false for NaN and infinity too
        weight = None
        if weights is not None:
            if weights.shape != frame.depth.shape:
                raise ValueError(f"weights are {weights.shape}, the frame is {frame.depth.shape}")
            weight = torch.from_numpy(np.ascontiguousarray(weights, np.float32)).to(self.device)
            usable &= weight > 0
            weight = weight.clamp(0.0, 1.0).reshape(-1)
        depth = torch.where(usable, depth, -math.inf)
        color = torch.from_numpy(np.ascontiguousarray(frame.rgb)).to(self.device)
        return Observation(depth.reshape(-1), color.reshape(-1, 3), weight)

    def _touched(self, frame: RGBDFrame, depth: torch.Tensor) -> torch.Tensor:
        """Coordinates (with repeats) of the blocks within the truncation distance of the measured surface, along the rays."""
        camera = frame.camera
        depth = depth.view(camera.height, camera.width)
        farthest = float(depth.amax())
        if not farthest > 0:
            return torch.zeros((0, 3), dtype=torch.int64, device=self.device)
        # Rays at most half a block apart at the farthest reading, but not denser than every pixel nor sparser than every fourth.
        stride = min(4, max(1, int(0.5 * self.block_size * min(camera.fx, camera.fy) / farthest)))
        depth = depth[::stride, ::stride]
        rotation, base, offset = self._camera_in_blocks(frame)
        u = (torch.arange(0, camera.width, stride, device=self.device, dtype=torch.float32) - camera.cx) / camera.fx
        v = (torch.arange(0, camera.height, stride, device=self.device, dtype=torch.float32) - camera.cy) / camera.fy
        rays = u[None, :, None] * rotation[:, 0] + v[:, None, None] * rotation[:, 1] + rotation[:, 2]
        rows, columns = torch.nonzero(depth > 0, as_tuple=True)
        rays, depth = rays[rows, columns], depth[rows, columns]
        steps = 2 * math.ceil(2.0 * self.truncation / self.block_size) + 1
        along = torch.linspace(-self.truncation, self.truncation, steps, device=self.device)
        points = rays[:, None] * (depth[:, None] + along)[..., None] + offset
        return (points / self.block_size).floor_().to(torch.int64).view(-1, 3) + base

    def _in_view(self, frame: RGBDFrame, depth: torch.Tensor) -> torch.Tensor:
        """Coordinates of the blocks that are there, whose centre is in the image and not behind the measured surface."""
        camera = frame.camera
        coordinates = unpack(self.blocks.keys)
        rotation, base, offset = self._camera_in_blocks(frame)
        centers = ((coordinates - base).to(torch.float32) + 0.5) * self.block_size - offset
        x, y, z = (centers @ rotation).unbind(1)
        near = z > self.min_depth
        z = z.clamp_min(self.min_depth)
        u, v = (x / z * camera.fx + camera.cx).round(), (y / z * camera.fy + camera.cy).round()
        # A block whose centre is just outside the image may still reach into it: half a block's diagonal in pixels.
        radius = 0.87 * self.block_size * max(camera.fx, camera.fy) / z
        near &= (u > -radius) & (v > -radius) & (u < camera.width + radius) & (v < camera.height + radius)
        pixel = (v.clamp(0, camera.height - 1) * camera.width + u.clamp(0, camera.width - 1)).to(torch.int64)
        return coordinates[near & (z < depth[pixel] + self.block_size)]

    def _camera_in_blocks(self, frame: RGBDFrame) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rotation (3, 3), the block that the camera is in (3,) int64, and the camera's place in it (3,) metres.

        Everything metric is kept relative to that block: float32 is exact enough there however far the world's origin is.
        """
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        base = np.floor(origin / self.block_size)
        rotation = torch.from_numpy(np.asarray(frame.camera_to_world[:3, :3], np.float32)).to(self.device)
        offset = torch.from_numpy((origin - base * self.block_size).astype(np.float32)).to(self.device)
        return rotation, torch.from_numpy(base.astype(np.int64)).to(self.device), offset

    def _fuse(self, frame: RGBDFrame, observation: Observation, coordinates: torch.Tensor, slots: torch.Tensor) -> None:
        """Update the voxels of some blocks from the frame."""
        camera = frame.camera
        there = slots >= 0
        if not bool(there.all()):
            coordinates, slots = coordinates[there], slots[there]
        rotation, base, offset = self._camera_in_blocks(frame)
        # Intrinsics folded into the rotation: x / z is then the pixel's column + 1/2, whose floor is the nearest pixel.
        intrinsics = torch.tensor([[camera.fx, 0.0, camera.cx + 0.5], [0.0, camera.fy, camera.cy + 0.5], [0.0, 0.0, 1.0]],
                                  dtype=torch.float32, device=self.device)
        to_image = intrinsics @ rotation.T
        corner = ((coordinates - base).to(torch.float32) * self.block_size - offset) @ to_image.T
        local = self._local @ to_image.T
        z = corner[:, 2:] + local[:, 2]
        inverse = z.clamp_min(1e-3).reciprocal_()
        u = (corner[:, :1] + local[:, 0]).mul_(inverse)
        v = (corner[:, 1:2] + local[:, 1]).mul_(inverse)
        inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height) & (z > 1e-3)
        pixel = v.clamp_(0, camera.height - 1).to(torch.int64).mul_(camera.width).add_(u.clamp_(0, camera.width - 1).to(torch.int64))
        distance = observation.depth[pixel] - z
        chosen = (inside & (distance > -self.truncation)).view(-1).nonzero()[:, 0]
        if len(chosen) == 0:
            return
        pixel = pixel.view(-1)[chosen]
        value = (distance.view(-1)[chosen] / self.truncation).clamp_max_(1.0)
        address = (slots[:, None] * VOXELS + self._voxel).view(-1)[chosen]
        data = self.blocks.data
        weight = data["weight"][address]
        new = 1.0 if observation.weight is None else observation.weight[pixel]
        total = weight + new
        share = new / total
        data["tsdf"][address] = torch.lerp(data["tsdf"][address], value, share)
        data["color"][address] = torch.lerp(data["color"][address], observation.color[pixel].to(torch.float32), share[:, None])
        data["weight"][address] = total.clamp_max_(self.max_weight)

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays."""
        return {**self.blocks.state(), "frames": np.array([self.frames], np.int64),
                "voxel_size": np.array([self.voxel_size, self.truncation], np.float64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        for name in ("frames", "voxel_size"):
            if name not in state:
                raise ValueError(f"map state has no '{name}'")
        saved = [float(v) for v in state["voxel_size"]]
        if not np.allclose(saved, [self.voxel_size, self.truncation], rtol=1e-6):
            raise ValueError(f"the saved map has voxels of {saved[0]} m truncated at {saved[1]} m, the settings say map.voxel_size "
                             f"{self.voxel_size} and map.truncation {self.truncation}: load it with its own settings")
        self.blocks.load_state(state)
        self.frames = int(state["frames"][0])
        self.dirty = torch.zeros(self.blocks.capacity, dtype=torch.bool, device=self.device)
        self.dirty[self.blocks.slots] = True
