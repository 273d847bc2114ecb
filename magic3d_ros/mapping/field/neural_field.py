"""What is learned of a scene: a residual on its signed distances and a residual on its colours, on two hash grids.

Colour has a grid and a network of its own, so that training it costs nothing of the geometry: with the voxel map's surface known
a colour step is one look-up a ray. That also keeps photographs from bending geometry that was measured.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from magic3d_ros.config import FieldSettings
from magic3d_ros.mapping.field.base_distance import BaseDistance
from magic3d_ros.mapping.field.hash_grid import HashGrid
from magic3d_ros.mapping.field.perceptron import Perceptron
from magic3d_ros.mapping.tsdf import TSDFVolume

LAYERS = 2  # hidden layers, as Co-SLAM's decoders have
DISTANCE_FINEST = 0.02  # metres: the geometry's smallest cells. Co-SLAM's; finer ones fit the noise of depth and of cues
DISTANCE_SCALE = 0.1  # metres that an output of 1 means: residuals have the size of a truncation distance
FIRST_BETA = 0.1  # VolSDF's and MonoSDF's first width of the surface, metres
LEAST_BETA = 1e-4  # MonoSDF, model/density.py: beta_min
SEED = 0  # of the first values: the same map trains to the same colours


class NeuralField(torch.nn.Module):
    """bounds: (2, 3) corners of the box that the scene is in, or None; only a field over an empty map needs them (for the sphere
    that it starts from), the grids reach as far as the world does. volume: gives the map
    that the residuals are added to, as it is now."""

    def __init__(self, bounds: np.ndarray | None, settings: FieldSettings, volume: Callable[[], TSDFVolume]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(SEED)
        self.bounds = bounds
        self.base = BaseDistance(volume, bounds)
        s = settings
        self.color_grid = HashGrid(s.levels, s.features, s.coarsest, s.finest, s.table_bits, generator)
        self.color_head = Perceptron(self.color_grid.width + 6, s.hidden, LAYERS, 3, False, generator)
        finest = max(s.finest, min(DISTANCE_FINEST, s.coarsest))
        self.distance_grid = HashGrid(s.levels, s.features, s.coarsest, finest, s.table_bits, generator)
        self.distance_head = Perceptron(self.distance_grid.width + 3, s.hidden, LAYERS, 1, True, generator)
        self.width = torch.nn.Parameter(torch.tensor(FIRST_BETA))
        self.to(volume().device)

    @property
    def beta(self) -> torch.Tensor:
        """Metres over which rendering smears the surface: a parameter, always positive (MonoSDF: |beta| + beta_min)."""
        return self.width.abs() + LEAST_BETA

    def sdf(self, points: torch.Tensor) -> torch.Tensor:
        """(n,) signed distance in metres, positive in free space, at (n, 3) world points."""
        inputs = torch.cat([self.distance_grid(points), points / self.distance_grid.edges[0]], 1)
        return self.base(points) + DISTANCE_SCALE * self.distance_head(inputs)[:, 0]

    def sdf_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`sdf`, and its gradient (n, 3) in the world, both of which can be trained on by one backward pass.

        The learned part's gradient is the analytic one of the trilinear interpolation, the base's a numerical one.
        """
        edge = self.distance_grid.edges[0]
        features, slopes = self.distance_grid.with_slopes(points)
        axes = torch.eye(3, device=points.device)[:, None].expand(3, len(points), 3) / edge
        value, slope = self.distance_head.with_slopes(torch.cat([features, points / edge], 1), torch.cat([slopes, axes], 2))
        return (self.base(points) + DISTANCE_SCALE * value[:, 0],
                self.base.slopes(points) + DISTANCE_SCALE * slope[:, :, 0].t())

    def color(self, points: torch.Tensor, directions: torch.Tensor, voxel_colors: torch.Tensor) -> torch.Tensor:
        """(n, 3) colour, about 0..1, at (n, 3) world points seen along (n, 3) unit directions.

        voxel_colors: (n, 3) 0..1, the voxel map's colour there (`base.colors`), to which the network adds.
        """
        inputs = torch.cat([self.color_grid(points), directions, voxel_colors - 0.5], 1)
        return voxel_colors + self.color_head(inputs)
