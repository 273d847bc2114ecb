"""The signed distance that the neural residual is added to: the voxel map where it was observed, a plain guess elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from magic3d_ros.mapping.blocks import unpack
from magic3d_ros.mapping.sampling import TrilinearSampler
from magic3d_ros.mapping.tsdf import TSDFVolume

SPHERE_SHARE = 0.9  # radius of the initial sphere in half widths of the box; MonoSDF's indoor configurations: bias 0.9 in [-1, 1]
CHUNK = 65536  # points looked up at a time: eight corners of them stay in the cache


class BaseDistance:
    """base(x) = o(x) tsdf(x) + (1 - o(x)) guess(x), o the share of the eight voxels around x that were observed.

    The share makes it continuous at the edge of what was observed. The guess: with an empty map and a known box the distance to
    a sphere in it, positive inside (MonoSDF's geometric initialisation for rooms, written as a sum); else the truncation
    distance, which is: nothing there until something says so.

    volume: gives the map's volume as it is now; bounds: (2, 3) corners of the box, or None.
    """

    def __init__(self, volume: Callable[[], TSDFVolume], bounds: np.ndarray | None) -> None:
        self._source = volume
        self._volume = volume()
        self._sphere = None
        if bounds is not None:
            low, high = np.asarray(bounds, np.float64)
            self._sphere = (torch.tensor((low + high) / 2, dtype=torch.float32, device=self._volume.device),
                            float(SPHERE_SHARE * (high - low).min() / 2))
        self._sampler: TrilinearSampler | None = None
        self._origin = torch.zeros(3, dtype=torch.float64, device=self._volume.device)
        self.refresh()

    @property
    def is_empty(self) -> bool:
        """Whether the map holds nothing."""
        return self._sampler is None

    @property
    def voxel_size(self) -> float:
        """Edge of a voxel, metres."""
        return self._volume.voxel_size

    @property
    def truncation(self) -> float:
        """Metres before and behind a surface within which distances are known."""
        return self._volume.truncation

    def refresh(self) -> None:
        """Look at the map as it is now; between two calls it is read as it was found."""
        self._volume = volume = self._source()
        keys = volume.blocks.keys
        self._sampler = None
        if len(keys):
            coordinates = unpack(keys)
            base = coordinates[len(keys) // 2]
            self._origin = base.to(torch.float64) * volume.block_size
            self._sampler = TrilinearSampler(volume, base, coordinates.amin(0), coordinates.amax(0))

    @torch.no_grad()
    def tsdf(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Interpolated distance (n,) metres, truncated, and the observed share (n,) 0..1 of the voxels around it, at (n, 3) world
        points."""
        if self._sampler is None:
            return points.new_zeros(len(points)), points.new_zeros(len(points))
        distance, share = zip(*[self._sampler.distance_and_share(chunk.t()) for chunk in self._local(points).split(CHUNK)],
                              strict=True)
        return torch.cat(distance) * self._volume.truncation, torch.cat(share)

    @torch.no_grad()
    def colors(self, points: torch.Tensor) -> torch.Tensor:
        """Colour of the voxels (n, 3), 0..1, at (n, 3) world points; 1/2 where there is none."""
        if self._sampler is None:
            return torch.full_like(points, 0.5)
        parts = []
        for chunk in self._local(points).split(CHUNK):
            color, _ = self._sampler.color_and_gradient(chunk.t())
            share = self._sampler.distance_and_share(chunk.t())[1][:, None]
            parts.append(torch.where(share > 0, color / 255.0, 0.5))
        return torch.cat(parts)

    @torch.no_grad()
    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """(n,) metres at (n, 3) world points."""
        distance, share = self.tsdf(points)
        return share * distance + (1.0 - share) * self._guess(points)

    @torch.no_grad()
    def slopes(self, points: torch.Tensor) -> torch.Tensor:
        """(n, 3) gradient of the base by differences over half a voxel at the corners of a tetrahedron (Neuralangelo's numerical
        gradients, with four samples instead of six)."""
        step = 0.5 * self._volume.voxel_size
        corners = points.new_tensor([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
        values = self((points[:, None] + step * corners).view(-1, 3)).view(-1, 4)
        return values @ corners / (4.0 * step)

    def _guess(self, points: torch.Tensor) -> torch.Tensor:
        if self._sphere is not None and self.is_empty:
            center, radius = self._sphere
            return radius - (points - center).norm(dim=1)
        return points.new_full((len(points),), self._volume.truncation)

    def _local(self, points: torch.Tensor) -> torch.Tensor:
        return (points.to(torch.float64) - self._origin).to(torch.float32)
