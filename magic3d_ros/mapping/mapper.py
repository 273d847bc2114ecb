"""The geometric map: one place that holds voxels, free space and mesh, and keeps them in step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from magic3d_ros.config import Settings, SettingsError
from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.device_memory import DeviceMemory
from magic3d_ros.mapping.free_space import FreeSpace, OccupancyGrid
from magic3d_ros.mapping.meshing import Mesher
from magic3d_ros.mapping.render import FEWEST_ROWS, render_rows
from magic3d_ros.mapping.surface import Surface, View
from magic3d_ros.mapping.tsdf import TSDFVolume


class Mapper:
    """Frames in, geometry out: surface, views from any pose, floor plan. Not thread-safe: one thread works it.

    memory: how much work at a time the device has memory for; shared by all that work on the map.
    """

    def __init__(self, settings: Settings) -> None:
        self._device = chosen_device(settings.map.device)
        self.memory = DeviceMemory()
        near, far = settings.input.min_depth, settings.input.max_depth
        self.volume = TSDFVolume(settings.map, near, far, self._device)
        self._free_space = FreeSpace(settings.map, near, far, self._device)
        self._mesher = Mesher(self.volume, settings.map.min_weight)
        self._surface: Surface | None = None

    @torch.no_grad()
    def integrate(self, frame: RGBDFrame, weights: np.ndarray | None = None, carve: bool = False,
                  first: AbstractContextManager[object] | None = None) -> None:
        """Fuse one frame.

        weights: (H, W) float trust in each pixel, 0..1; pixels of weight 0 leave no trace. carve: also update all known
        blocks in view up to the surface, and the free-space layer: what was there and is gone disappears. It costs about as
        much again, and is meant for keyframes. first: the lock of a thread that goes first, see `TSDFVolume.integrate`.
        """
        self.volume.integrate(frame, weights, carve, first)
        if carve:
            let_pass(first)
            self._free_space.observe(frame, weights, first)
        self._surface = None

    @torch.no_grad()
    def remove(self, frame: RGBDFrame, weights: np.ndarray) -> None:
        """Take out again what a fused frame added with these weights, (H, W); see `TSDFVolume.remove`."""
        self.volume.remove(frame, weights)
        self._surface = None

    @torch.no_grad()
    def surface(self, first: AbstractContextManager[object] | None = None) -> Surface:
        """The mesh of what was seen at least map.min_weight times; the same object until the map changes.

        first: see `integrate`.
        """
        if self._surface is None:
            self._surface = self._mesher.surface(first)
        return self._surface

    @torch.no_grad()
    def render(self, camera: Camera, camera_to_world: np.ndarray, newest: bool = True,
               lock: AbstractContextManager[object] | None = None,
               first: AbstractContextManager[object] | None = None) -> View:
        """What the map looks like from a pose; everything observed at least once is drawn, nothing else.

        newest False: surfaces that were first seen after the last mesh was made are left out; it saves meshing what changed.
        lock: held while what changed is meshed; then, and where nothing is, another thread may integrate (see mapping.render).
        first: see `integrate`.
        """
        last = None if newest else self._mesher.last_points()
        if last is None:
            with lock or nullcontext():
                last = self._mesher.points()
        volume, (points, normals) = self.volume, last
        return self.memory.in_batches("rows of a picture", camera.height, FEWEST_ROWS, lambda rows: render_rows(
            volume, points, normals, camera, camera_to_world, rows, first))

    def replace_by(self, other: Mapper) -> None:
        """Become what another map is, which must not be used any more. The old volume stays as it is for those who still read it:
        take `volume` anew for each piece of work."""
        self.volume, self._free_space, self._mesher, self._surface = (other.volume, other._free_space, other._mesher,
                                                                      other._surface)

    def occupancy(self, up: np.ndarray) -> OccupancyGrid | None:
        """The floor plan for a unit up vector; None while there is no surface."""
        return self._free_space.occupancy(self.surface(), np.asarray(up, np.float64))

    def statistics(self) -> dict[str, float]:
        """frames fused, blocks held, evicted and left out for want of room, memory of the voxels in MB; the same of free
        space."""
        blocks, free = self.volume.blocks, self._free_space.blocks
        return {"frames": float(self.volume.frames), "blocks": float(len(blocks)), "evicted": float(blocks.evicted),
                "rejected": float(blocks.rejected), "memory_mb": (blocks.bytes + free.bytes) / 1e6,
                "free_blocks": float(len(free)), "free_evicted": float(free.evicted)}

    def reset(self) -> None:
        """Forget everything."""
        self.volume.reset()
        self._free_space.reset()
        self._mesher.reset()
        self._surface = None

    def state(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays; the mesh is made anew from them."""
        return {**{f"tsdf.{name}": value for name, value in self.volume.state().items()},
                **{f"free_space.{name}": value for name, value in self._free_space.state().items()}}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave; mapping goes on from there. Raises ValueError naming what does not fit."""
        self.reset()
        for prefix, part in (("tsdf.", self.volume), ("free_space.", self._free_space)):
            part.load_state({name[len(prefix):]: value for name, value in state.items() if name.startswith(prefix)})


def chosen_device(name: str) -> torch.device:
    """The torch device of the setting map.device. Raises SettingsError for a GPU that is not there."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise SettingsError("map.device is cuda, but torch finds no CUDA device: set map.device to cpu or auto")
    return torch.device("cuda" if there and name != "cpu" else "cpu")
