"""Where nothing is: a coarse voxel layer of free-space observations, and the floor plan made from it and the surface."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch

from magic3d_ros.config import MapSettings
from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.blocks import SIDE, VoxelBlocks, unique_coordinates, unpack
from magic3d_ros.mapping.surface import Surface

FLOOR_TOLERANCE = 0.1  # metres: surface nearer than this to the floor's height is floor (sensor noise and sills)
ROBOT_HEIGHT = 1.8  # metres above the floor up to which surface is an obstacle
LOW = 0.5  # metres: free space counts for the plan only below; free air over a bench says nothing of the bench
MIN_VERTICES = 3  # surface vertices that make a cell an obstacle: one or two are stray voxels
LEVEL_COSINE = 0.9  # surface is level when its normal is within 26 degrees of up
LEVEL_STEP = 0.04  # metres between the heights that are tried for the floor
LEVEL_SHARE = 0.1  # the floor is the lowest height with this share of the largest level's vertices: below it is noise
MAX_CELLS = 4096  # cells of a plan each way


@dataclass(frozen=True)
class OccupancyGrid:
    """A floor plan.

    cells: (rows, columns) int8; 100 occupied, 0 free, -1 unknown. resolution: metres a cell. origin: (3,) world position of
    the outer corner of cell (0, 0), on the floor. rotation: (3, 3) grid-to-world; columns run along its first axis, rows
    along its second, the third is up. clear: (rows, columns) float32 metres above the floor up to which air was seen to be free;
    0 where air that nobody saw lies between seen air: something may reach in there from the side, as the edge of a table top does
    of which no frame measured anything. Below LOW the lowest air need not have been seen, unless the cell has surface, be it a
    single vertex. None = nobody asked.
    """

    cells: np.ndarray
    resolution: float
    origin: np.ndarray
    rotation: np.ndarray
    clear: np.ndarray | None = None

    @property
    def floor_height(self) -> float:
        """Height of the floor along up, metres from the world's origin."""
        return float(self.origin @ self.rotation[:, 2])


class FreeSpace:
    """How often, and when last, each coarse voxel was seen free and seen with surface in it; one count a frame at most."""

    def __init__(self, settings: MapSettings, min_depth: float, max_depth: float, device: torch.device) -> None:
        self.voxel_size = settings.free_voxel_size
        self._truncation = settings.truncation
        self._min_depth, self._max_depth = min_depth, max_depth
        # A block of this layer is (free_voxel_size / voxel_size)^3, by default 125, times as large as one of the map.
        channels = {"free_count": (1, torch.int32), "surface_count": (1, torch.int32),
                    "free_stamp": (1, torch.int64), "surface_stamp": (1, torch.int64)}
        self.blocks = VoxelBlocks(channels, max(64, settings.max_blocks // 16), device)
        self._device = device
        self._frames = 0

    def reset(self) -> None:
        """Forget everything."""
        self.blocks.reset()
        self._frames = 0

    def observe(self, frame: RGBDFrame, weights: np.ndarray | None = None,
                first: AbstractContextManager[object] | None = None) -> None:
        """Count what one frame saw: free up to a voxel before the measured surface, surface where it ends.

        weights: (H, W) trust in each pixel; those of weight 0 say nothing. first: see `TSDFVolume.integrate`.
        """
        self._frames += 1
        free, surface = self._seen(frame, weights)
        let_pass(first)
        free = unique_coordinates(free)
        let_pass(first)
        surface = unique_coordinates(surface)
        voxels = torch.cat([free, surface])
        coordinates = unique_coordinates(torch.div(voxels, SIDE, rounding_mode="floor"))
        if len(coordinates) == 0:
            return
        self.blocks.allocate(coordinates, self._frames)
        at_surface, at_free = self._address(surface), self._address(free)
        at_free = at_free[~torch.isin(at_free, at_surface)]
        data = self.blocks.data
        for name, address in (("free", at_free), ("surface", at_surface)):
            data[f"{name}_count"].view(-1)[address] += 1
            data[f"{name}_stamp"].view(-1)[address] = frame.stamp

    def _seen(self, frame: RGBDFrame, weights: np.ndarray | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Integer coordinates of the voxels seen free and seen with surface, (n, 3) int64 each, with repeats."""
        camera, size, device = frame.camera, self.voxel_size, self._device
        nothing = torch.zeros((0, 3), dtype=torch.int64, device=device)
        depth = torch.from_numpy(np.ascontiguousarray(frame.depth, np.float32)).to(device)
        usable = (depth >= self._min_depth) & (depth <= self._max_depth)
        if weights is not None:
            usable &= torch.from_numpy(np.ascontiguousarray(weights > 0)).to(device)
        if not bool(usable.any()):
            return nothing, nothing
        farthest = float(depth[usable].max())
        # Rays half a voxel apart at the farthest reading.
        stride = max(1, int(0.5 * size * min(camera.fx, camera.fy) / farthest))
        depth, usable = depth[::stride, ::stride], usable[::stride, ::stride]
        origin = np.asarray(frame.camera_to_world[:3, 3], np.float64)
        base = np.floor(origin / size)
        offset = torch.from_numpy((origin - base * size).astype(np.float32)).to(device)
        base_voxel = torch.from_numpy(base.astype(np.int64)).to(device)
        rotation = torch.from_numpy(np.asarray(frame.camera_to_world[:3, :3], np.float32)).to(device)
        rays = torch.from_numpy(camera.rays()[::stride, ::stride]).to(device)[usable] @ rotation.T
        depth = depth[usable]
        surface = ((rays * depth[:, None] + offset) / size).floor_().to(torch.int64) + base_voxel
        steps = torch.arange(self._min_depth, farthest, size, device=device)
        ray, step = (steps < depth[:, None] - size - self._truncation).nonzero(as_tuple=True)
        free = ((rays[ray] * steps[step, None] + offset) / size).floor_().to(torch.int64) + base_voxel
        return free, surface

    def _address(self, voxels: torch.Tensor) -> torch.Tensor:
        """Rows of voxels in the storage; those whose block found no room are left out."""
        block = torch.div(voxels, SIDE, rounding_mode="floor")
        if len(block) == 0:
            return block[:, 0]
        window = self.blocks.window(block.amin(0), block.amax(0))
        first = window.first_voxels(*(block - window.low).unbind(1))
        local = voxels - block * SIDE
        address = first + (local[:, 0] * SIDE + local[:, 1]) * SIDE + local[:, 2]
        return address[first >= 0]

    def free_points(self) -> np.ndarray:
        """(n, 3) float64 centres of the voxels that were seen free more often than with surface in them."""
        slots = self.blocks.slots
        data = self.blocks.data
        free = data["free_count"][slots] > data["surface_count"][slots]
        block, voxel = free.nonzero(as_tuple=True)
        local = torch.stack([voxel // (SIDE * SIDE), voxel // SIDE % SIDE, voxel % SIDE], 1)
        corner = unpack(self.blocks.keys)[block] * SIDE + local
        return (corner.cpu().numpy() + 0.5) * self.voxel_size

    def occupancy(self, surface: Surface, up: np.ndarray) -> OccupancyGrid | None:
        """The floor plan for a unit up vector; None while there is no surface."""
        return floor_plan(surface, self.free_points(), self.voxel_size, up) if len(surface) else None

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays."""
        return {**self.blocks.state(), "frames": np.array([self._frames], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        if "frames" not in state:
            raise ValueError("free-space state has no 'frames'")
        self.blocks.load_state(state)
        self._frames = int(state["frames"][0])


def floor_height(surface: Surface, up: np.ndarray) -> float:
    """Height of the floor along the unit vector `up`: the lowest height at which much level surface lies.

    Without any level surface it is the height of the lowest percent of the surface.
    """
    heights = surface.vertices.astype(np.float64) @ up
    level = heights[surface.normals @ up > LEVEL_COSINE]
    if len(level) == 0:
        return float(np.percentile(heights, 1))
    low = level.min()
    bins = ((level - low) / LEVEL_STEP).astype(np.int64)
    counts = np.bincount(bins)
    together = counts + np.append(counts[1:], 0)  # a level may straddle two steps
    lowest = int(np.flatnonzero(together >= LEVEL_SHARE * together.max())[0])
    return float(np.median(level[(bins == lowest) | (bins == lowest + 1)]))


def floor_plan(surface: Surface, free: np.ndarray, resolution: float, up: np.ndarray) -> OccupancyGrid:
    """The floor plan of a surface and (n, 3) centres of free voxels of edge `resolution`.

    Occupied: at least MIN_VERTICES vertices 0.1 to 1.8 m above the floor. Free: not occupied, and floor was seen there or a free
    voxel in the half metre above it. All else is unknown.
    """
    up = np.asarray(up, np.float64) / np.linalg.norm(up)
    axis = np.eye(3)[0] if abs(up[0]) < 0.9 else np.eye(3)[1]
    first = axis - up * (axis @ up)
    first /= np.linalg.norm(first)
    rotation = np.stack([first, np.cross(up, first), up], 1)
    floor = floor_height(surface, up)
    vertices = surface.vertices.astype(np.float64) @ rotation
    height = vertices[:, 2] - floor
    # Eight points a voxel: a turned grid of voxels then leaves no cell out.
    corners = (np.stack(np.unravel_index(np.arange(8), (2, 2, 2)), 1) - 0.5) * 0.5 * resolution
    body = (free[:, None] + corners).reshape(-1, 3) @ rotation
    body = body[(body[:, 2] - floor > 0) & (body[:, 2] - floor < ROBOT_HEIGHT)]
    air = body[body[:, 2] - floor < LOW]
    obstacle = vertices[(height > FLOOR_TOLERANCE) & (height < ROBOT_HEIGHT)]
    ground = vertices[np.abs(height) <= FLOOR_TOLERANCE]
    everything = np.concatenate([obstacle[:, :2], ground[:, :2], air[:, :2]])
    if len(everything) == 0:
        everything = vertices[:, :2]
    low = np.floor(everything.min(0) / resolution)
    high = np.floor(everything.max(0) / resolution)
    middle = np.floor(np.median(everything, axis=0) / resolution)
    low, high = np.maximum(low, middle - MAX_CELLS // 2), np.minimum(high, middle + MAX_CELLS // 2 - 1)
    columns, rows = (high - low + 1).astype(int)

    def places(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cell = np.floor(points[:, :2] / resolution) - low
        inside = ((cell >= 0) & (cell < (columns, rows))).all(1)
        cell = cell[inside].astype(np.int64)
        return cell[:, 1] * columns + cell[:, 0], inside

    def counts(points: np.ndarray) -> np.ndarray:
        return np.bincount(places(points)[0], minlength=rows * columns).reshape(rows, columns)

    cells = np.full((rows, columns), -1, np.int8)
    cells[(counts(ground) > 0) | (counts(air) > 0)] = 0
    cells[counts(obstacle) >= MIN_VERTICES] = 100
    place, inside = places(body)
    low_surface = counts(obstacle[obstacle[:, 2] - floor < LOW]).ravel() > 0
    clear = _clear(place, body[inside, 2] - floor, low_surface, resolution).reshape(rows, columns)
    return OccupancyGrid(cells, resolution, rotation @ np.array([*(low * resolution), floor]), rotation, clear)


def _clear(place: np.ndarray, height: np.ndarray, low_surface: np.ndarray, resolution: float) -> np.ndarray:
    """(cells,) OccupancyGrid.clear from the (n,) cells and heights above the floor, metres, of air that was seen to be free.

    low_surface: (cells,) bool, whether there is surface below LOW.
    """
    layer = np.floor(height / resolution).astype(np.int16)
    cells = len(low_surface)
    clear, gap, unbroken = np.zeros(cells, np.float32), np.zeros(cells, bool), np.ones(cells, bool)
    begun = low_surface.copy()
    for number in range(max(1, round(FLOOR_TOLERANCE / resolution)), round(ROBOT_HEIGHT / resolution)):
        seen = np.zeros(cells, bool)
        seen[place[layer == number]] = True
        begun |= seen | (number >= round(LOW / resolution))
        gap |= seen & ~unbroken
        unbroken &= seen | ~begun
        clear[unbroken] = (number + 1) * resolution
    clear[gap] = 0.0
    return clear
