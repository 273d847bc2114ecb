"""A scene to learn from: voxels of its surface, and what images said of those that cameras saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.language.voxel_features import VoxelFeatures, nearby_rows
from magic3d_ros.mapping.surface import Surface


@dataclass(frozen=True)
class DistillationScene:
    """One row a voxel that the surface passes through.

    points (V, 3) float32 metres, mean of the surface in the voxel, z up, the floor near 0. normals (V, 3) float32 unit, z up.
    colors (V, 3) uint8. targets (V, C) float16 features as the space compares them. weights (V,) float32 observations behind
    them; 0 = no camera saw the voxel, its target is zero. Raises ValueError for arrays that do not fit or are not finite.
    """

    points: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.points)
        shapes = {"points": (count, 3), "normals": (count, 3), "colors": (count, 3), "targets": (count, self.dimension),
                  "weights": (count,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise ValueError(f"the {name} of a scene of {count} voxels are {array.shape}, not {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"the {name} of a scene hold NaN or infinity: leave those voxels out")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def dimension(self) -> int:
        """C of the targets."""
        return int(self.targets.shape[1]) if self.targets.ndim == 2 else -1

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names of the attributes."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> DistillationScene:
        """What `arrays` gave. Raises KeyError, ValueError."""
        return DistillationScene(**{field.name: np.asarray(arrays[field.name]) for field in fields(DistillationScene)})

    @staticmethod
    def of(surface: Surface, up: np.ndarray, layer: VoxelFeatures, targets: np.ndarray, weights: np.ndarray,
           keys: np.ndarray) -> tuple[DistillationScene, np.ndarray]:
        """The voxels of a surface with what the language layer knows of them -> scene, (V,) keys of its voxels in the layer.

        up: (3,) world direction. layer: gives the voxels their size and keys; it may be empty. keys (n,) sorted, targets (n, C),
        weights (n,): what cameras saw, targets made comparable (`Space.voxels`). A voxel of the surface that has none takes that
        of a neighbour: depth is noisier than the surface. Raises ValueError.
        """
        found = layer.keys_of(surface.vertices)
        inside = found >= 0
        unique, row = np.unique(found[inside], return_inverse=True)
        count = np.bincount(row.ravel(), minlength=len(unique))[:, None]

        def mean(values: np.ndarray) -> np.ndarray:
            return np.stack([np.bincount(row.ravel(), column, len(unique)) for column in values[inside].T], 1) / count

        world = mean(surface.vertices.astype(np.float64))
        upright = upright_rotation(np.asarray(up)).T
        points, normals = world @ upright, mean(surface.normals.astype(np.float64)) @ upright
        if len(points):
            points[:, 2] -= np.percentile(points[:, 2], 1)  # the floor, or the lowest that was seen of the room
        rows = nearby_rows(keys, layer, world)
        seen = rows >= 0
        kept = np.zeros((len(unique), targets.shape[1]), np.float16)
        kept[seen] = targets[rows[seen]]
        weight = np.zeros(len(unique), np.float32)
        weight[seen] = weights[rows[seen]]
        scene = DistillationScene(
            points.astype(np.float32),
            (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)).astype(np.float32),
            np.round(mean(surface.colors.astype(np.float64))).astype(np.uint8), kept, weight)
        return scene, unique
