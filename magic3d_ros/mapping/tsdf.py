"""A truncated signed distance field with colour in sparse voxel blocks (Curless and Levoy 1996; Newcombe et al.,
KinectFusion, 2011).

Voxel l of the block at integer coordinates b has its centre at (8 b + l + 1/2) * voxel_size. It holds the mean of
clip((measured depth - voxel depth) / truncation, -1, 1) over the frames that saw it: positive in free space, negative behind
the surface. Plain torch, the same code on CPU and GPU; a frame costs a few milliseconds because only blocks near its surface
are touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn.functional import max_pool2d

from magic3d_ros.config import MapSettings
from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.blocks import COORDINATE_LIMIT, LOCAL, SIDE, VOXELS, BlockMarks, VoxelBlocks, unpack

# Blocks worked on at a time on a CPU. 64 * 512 voxels are a tensor of 128 kB, so that those in use stay in the cache, and just
# few enough that torch does not split the work on one tensor between threads (its grain is 32768): at 20 microseconds an
# operation, waking and meeting cost more than the second core gives (two threads taking whole chunks in turn: 12.2 ms a frame,
# one: 9.3), and a busy machine makes it ten times worse. The other core has the understanding of the scene to do.
CHUNK = 64
GRAIN = 32768
# What a carving frame sees clear of any surface counts this often, because only keyframes carve; "clear" leaves out rays that
# pass a nearer surface at less than CLEARANCE (4 cm at 1 m), where poses and registration are not good enough to tell. Without
# clearance a weight of 4 cost redkitchen .006 of in25 on held-out frames, with it 8 costs nothing there nor on replica_office0.
CARVE_WEIGHT = 8.0
CLEARANCE = 0.04
AROUND = 32  # pixels, so that 32 to 64 on either side count: a block of 16 cm, 1.2 m away, is 70 wide at 525 pixels' focal length
ENOUGH = 0.6
"""Share of the rays within CLEARANCE that must have a reading, the middle one among them; as for distractors (geometric_cues.py).
With all of them a box carried away left 23 points where the camera looked through, so 16; redkitchen's in25 is .843 both."""
LEFT = 0.5  # weight up to which a voxel of which observations were taken out counts as unobserved: half an observation
NEAR = 0.01  # metres: what is nearer to the camera's plane has no pixel


@dataclass(frozen=True)
class Observation:
    """One frame on the map's device, ready to be fused.

    Images with a border of one pixel, flattened: what projects outside the image reads the border. depth float32 metres, -inf
    where it is not to be used. color int32, red in the lowest byte, then green, then blue. weight float32, or None for all 1.
    farthest: the largest usable depth, 0 without any. free: when carving, the depth up to which all rays near the pixel's are
    free (float32, -inf where one has no reading).
    """

    depth: torch.Tensor
    color: torch.Tensor
    weight: torch.Tensor | None
    farthest: float
    free: torch.Tensor | None


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
        self._local = torch.from_numpy((LOCAL + 0.5) * settings.voxel_size).to(device, torch.float32)

    def reset(self) -> None:
        """Forget everything."""
        self.blocks.reset()
        self.frames = 0

    def integrate(self, frame: RGBDFrame, weights: np.ndarray | None = None, carve: bool = False,
                  first: AbstractContextManager[object] | None = None) -> None:
        """Fuse one frame.

        weights: (H, W) trust in each pixel, 0..1; 0 leaves no trace at all. carve: also update the blocks that are already
        there in the free space between camera and surface, which removes what is no longer where it was. first: the lock of a
        thread that goes first; entered and left between pieces of work of half a millisecond to two.
        Raises FrameError when the camera is outside the addressable world.
        """
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        if np.abs(origin).max() + self.max_depth > COORDINATE_LIMIT * self.block_size:
            raise FrameError("pose", f"the camera is {np.abs(origin).max():.3g} m from the world's origin, the map reaches "
                             f"{COORDINATE_LIMIT * self.block_size:.3g} m: is the pose in metres?")
        self.frames += 1
        observation = self._observe(frame, weights, carve)
        let_pass(first)
        coordinates = self._blocks_to_update(frame, observation, carve)
        let_pass(first)
        slots = self.blocks.allocate(coordinates, self.frames)
        self._fuse_blocks(frame, observation, coordinates, slots, first=first)

    def _fuse_blocks(self, frame: RGBDFrame, observation: Observation, coordinates: torch.Tensor, slots: torch.Tensor,
                     sign: float = 1.0, first: AbstractContextManager[object] | None = None) -> None:
        """Update blocks (n, 3) in slots (n,), < 0 = not there."""
        coordinates, slots = coordinates[slots >= 0], slots[slots >= 0]
        chunk = CHUNK if self.device.type == "cpu" else max(len(slots), 1)
        corners, local = self._in_image(frame, coordinates)
        parts = [(corners[i:i + chunk], slots[i:i + chunk]) for i in range(0, len(slots), chunk)]
        with torch.inference_mode():  # nothing here is differentiated; what is stored are ordinary tensors all the same
            for part in parts:
                let_pass(first)
                self._fuse(frame.camera, observation, *part, local, sign)

    def remove(self, frame: RGBDFrame, weights: np.ndarray) -> None:
        """Take out again what a frame that was fused added with these weights, (H, W). Exact where a voxel's mean is not yet a
        moving one; what nothing is left of is unobserved again."""
        observation = self._observe(frame, weights, False)
        coordinates = self._blocks_to_update(frame, observation, False)
        slots = self.blocks.find(coordinates)
        self._fuse_blocks(frame, observation, coordinates, slots, -1.0)

    def reach(self, frame: RGBDFrame, weights: np.ndarray | None = None) -> torch.Tensor:
        """(n, 3) coordinates of the blocks around the surface that a frame sees: those it would add to the map."""
        return self._blocks_to_update(frame, self._observe(frame, weights, False), False)

    def _observe(self, frame: RGBDFrame, weights: np.ndarray | None, carve: bool) -> Observation:
        if weights is not None and weights.shape != frame.depth.shape:
            raise ValueError(f"weights are {weights.shape}, the frame is {frame.depth.shape}")
        # OpenCV's range check is false for NaN and infinity too.
        usable = cv2.inRange(np.asarray(frame.depth, np.float32), self.min_depth, self.max_depth).view(bool)
        if weights is not None:
            usable &= weights > 0
        depth = _bordered(frame.depth, usable, -np.inf)
        weight = free = None
        if weights is not None:
            weight = self._flat(_bordered(np.minimum(weights, 1.0), usable, 0.0))
        if carve:
            side = 2 * max(1, round(CLEARANCE * frame.camera.fx)) + 1
            read = np.isfinite(depth)
            nearest = cv2.erode(np.where(read, depth, np.inf), np.ones((side, side), np.uint8))
            enough = read & (cv2.blur(read.astype(np.float32), (side, side)) >= ENOUGH)
            free = self._flat(np.where(enough, nearest, -np.inf).astype(np.float32))
        color = cv2.copyMakeBorder(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2RGBA), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        return Observation(self._flat(depth), self._flat(color.view(np.int32)), weight, max(float(depth.max()), 0.0), free)

    def _flat(self, image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image).to(self.device).view(-1)

    def _blocks_to_update(self, frame: RGBDFrame, observation: Observation, carve: bool) -> torch.Tensor:
        """(n, 3) coordinates of the blocks within the truncation distance of the measured surface, along the rays; and with
        `carve` of those that are there in the free space before it."""
        camera = frame.camera
        farthest = observation.farthest
        if not farthest > 0:
            return torch.zeros((0, 3), dtype=torch.int64, device=self.device)
        low, high = self._frustum(frame, farthest + self.truncation)
        marks = BlockMarks(low, high, self.device)
        # Rays at most half a block apart at the farthest reading, but not denser than every pixel nor sparser than every fourth.
        stride = min(4, max(1, int(0.5 * self.block_size * min(camera.fx, camera.fy) / farthest)))
        depth = observation.depth.view(camera.height + 2, camera.width + 2)[1:-1:stride, 1:-1:stride].contiguous()
        used = (depth > 0).view(-1).nonzero()[:, 0]
        rotation, base, offset = self._camera_in_blocks(frame)
        # In blocks, relative to the box, where coordinates are positive and conversion to integers is the floor.
        start = (offset / self.block_size + (base - low.to(self.device))).to(torch.float32)
        turn = rotation / self.block_size
        reach = math.ceil(2.0 * self.truncation / self.block_size)
        for first in range(0, len(used), GRAIN):
            pixel = used[first:first + GRAIN]
            z = depth.view(-1).index_select(0, pixel)
            x = (pixel % depth.shape[1] * stride - camera.cx) / camera.fx
            y = (pixel // depth.shape[1] * stride - camera.cy) / camera.fy
            rays = [x * turn[axis, 0] + y * turn[axis, 1] + turn[axis, 2] for axis in range(3)]
            for step in range(-reach, reach + 1):
                along = z + self.truncation * step / reach
                marks.mark(*[(ray * along + start[axis]).to(torch.int64) for axis, ray in enumerate(rays)])
        if carve:
            free = self._in_view(frame, observation) - low.to(self.device)
            inside = ((free >= 0) & (free <= (high - low).to(self.device))).all(1)
            marks.mark(*free[inside].unbind(1))
        return marks.coordinates()

    def _frustum(self, frame: RGBDFrame, far: float) -> tuple[torch.Tensor, torch.Tensor]:
        """First and last coordinates (3,) of the blocks that a box around the view out to `far` metres can touch."""
        camera = frame.camera
        u, v = np.array([0, camera.width - 1]), np.array([0, camera.height - 1])
        x, y = np.meshgrid((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy)
        corners = np.stack([x.ravel(), y.ravel(), np.ones(4)], 1) @ np.asarray(frame.camera_to_world[:3, :3]).T * far
        corners = np.concatenate([corners, -corners * self.truncation / far])  # the nearest steps may start behind the camera
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        low, high = ((np.floor((origin + e) / self.block_size)).astype(np.int64) for e in (corners.min(0), corners.max(0)))
        return torch.from_numpy(low - 1), torch.from_numpy(high + 1)

    def _in_view(self, frame: RGBDFrame, observation: Observation) -> torch.Tensor:
        """Coordinates of the blocks that are there, in the image, and not behind all that is measured around their centre."""
        camera = frame.camera
        depth = observation.depth.view(1, camera.height + 2, camera.width + 2)[:, 1:-1, 1:-1]
        # Around, because the centre's own pixel may have no reading, or show what stands before the rest of the block.
        depth = max_pool2d(max_pool2d(depth, AROUND, ceil_mode=True), 3, stride=1, padding=1)[0]
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
        row, column = (e.clamp(0, size - 1).to(torch.int64) // AROUND for e, size in ((v, camera.height), (u, camera.width)))
        return coordinates[near & (z < depth[row, column] + self.block_size)]

    def _camera_in_blocks(self, frame: RGBDFrame) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rotation (3, 3), the block that the camera is in (3,) int64, and the camera's place in it (3,) metres.

        Everything metric is kept relative to that block: float32 is exact enough there however far the world's origin is.
        """
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        base = np.floor(origin / self.block_size)
        rotation = torch.from_numpy(np.asarray(frame.camera_to_world[:3, :3], np.float32)).to(self.device)
        offset = torch.from_numpy((origin - base * self.block_size).astype(np.float32)).to(self.device)
        return rotation, torch.from_numpy(base.astype(np.int64)).to(self.device), offset

    def _in_image(self, frame: RGBDFrame, coordinates: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """First corners of blocks (n, 3), and offsets of their voxels (3, 512), such that x / z of the sum is a pixel's
        column + 3/2 and y / z its row + 3/2, of which the whole parts are the nearest pixel in the padded image; z is the
        depth."""
        camera = frame.camera
        rotation, base, offset = self._camera_in_blocks(frame)
        intrinsics = torch.tensor([[camera.fx, 0.0, camera.cx + 1.5], [0.0, camera.fy, camera.cy + 1.5], [0.0, 0.0, 1.0]],
                                  dtype=torch.float32, device=self.device)
        to_image = intrinsics @ rotation.T
        corners = ((coordinates - base).to(torch.float32) * self.block_size - offset) @ to_image.T
        return corners, to_image @ self._local.T

    def _fuse(self, camera: Camera, observation: Observation, corners: torch.Tensor, slots: torch.Tensor,
              local: torch.Tensor, sign: float) -> None:
        """Update all voxels of some blocks from the frame; those that it does not see near or before its surface get weight 0.
        sign: 1 adds, -1 takes out again.

        Whole blocks without a choice of voxels: three times as fast as gathering the half of them that changes.
        """
        data = self.blocks.data
        x, y, z = corners.split(1, dim=1)
        # Only blocks around the camera itself can have voxels without a pixel.
        near = bool((z.amin() + local[2].amin() < NEAR).item())
        z = z + local[2]
        inverse = (z.clamp_min(NEAR) if near else z).reciprocal()
        column = (x + local[0]).mul_(inverse).clamp_(0, camera.width + 1).to(torch.int32)
        row = (y + local[1]).mul_(inverse).clamp_(0, camera.height + 1).to(torch.int32)
        pixel = torch.add(column, row, alpha=camera.width + 2).view(-1)
        distance = observation.depth.index_select(0, pixel).view(z.shape).sub_(z)
        new = distance.clone().gt_(-self.truncation)  # 1 or 0; four times as fast as converting a bool
        if observation.free is not None:
            clear = observation.free.index_select(0, pixel).view(z.shape) > z + self.truncation
            new.add_(clear.to(torch.float32), alpha=CARVE_WEIGHT - 1.0)
        if near:
            new.mul_(z > NEAR)
        if observation.weight is not None:
            new.mul_(observation.weight.index_select(0, pixel).view(z.shape))
        total = data["weight"].index_select(0, slots).add_(new, alpha=sign)
        if sign < 0:
            total.mul_(total > LEFT)
            new.mul_(total > 0).neg_()
        share = new.div_(total.clamp_min(1e-6))
        value = distance.mul_(1.0 / self.truncation).clamp_(-1.0, 1.0)
        mean = data["tsdf"].index_select(0, slots).lerp_(value, share)
        data["tsdf"].index_copy_(0, slots, mean if sign > 0 else mean.clamp_(-1.0, 1.0))
        packed = observation.color.index_select(0, pixel).view(z.shape)
        planes = data["color"].view(-1, VOXELS)
        for plane in range(3):
            at = slots * 3 + plane
            byte = packed.bitwise_and(255) if plane == 0 else packed.bitwise_right_shift(8 * plane).bitwise_and_(255)
            seen = byte.to(torch.float32)
            mean = planes.index_select(0, at).lerp_(seen, share)
            planes.index_copy_(0, at, mean if sign > 0 else mean.clamp_(0.0, 255.0))
        data["weight"].index_copy_(0, slots, total.clamp_max_(self.max_weight))

    def colors(self, address: torch.Tensor) -> list[torch.Tensor]:
        """Red, green and blue (0..255) of voxels at flat addresses slot * 512 + voxel, each of the addresses' shape."""
        flat = self.blocks.data["color"].view(-1)
        first = (address + (address >> 9) * (2 * VOXELS)).view(-1)
        return [flat.index_select(0, first + plane * VOXELS).view(address.shape) for plane in range(3)]

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
            raise ValueError(f"the saved map has voxels of {saved[0]} m truncated at {saved[1]} m, the settings say "
                             f"map.voxel_size {self.voxel_size} and map.truncation {self.truncation}: "
                             "load it with its own settings")
        self.blocks.load_state(state)
        self.frames = int(state["frames"][0])


def _bordered(image: np.ndarray, mask: np.ndarray, otherwise: float) -> np.ndarray:
    """(H, W) -> (H + 2, W + 2) float32: the image where the mask is True, `otherwise` elsewhere and on the border."""
    padded = np.full((image.shape[0] + 2, image.shape[1] + 2), otherwise, np.float32)
    # OpenCV's masked copy takes a tenth of numpy's time.
    cv2.copyTo(np.asarray(image, np.float32), mask.view(np.uint8), padded[1:-1, 1:-1])
    return padded
