"""The surface that the map hands to everything that looks at geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Surface:
    """A triangle mesh in the world frame; vertices are welded and serve as the surface points.

    vertices (N, 3) float32 metres, normals (N, 3) float32 unit pointing to free space, colors (N, 3) uint8,
    weights (N,) float32 observations behind each vertex, faces (M, 3) int32 counter-clockwise seen from free space.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    weights: np.ndarray

    @staticmethod
    def empty() -> Surface:
        """A surface without vertices."""
        return Surface(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32),
                       np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.vertices)


@dataclass(frozen=True)
class View:
    """What the map looks like from a pose: rgb (H, W, 3) uint8, depth (H, W) float32 metres (0 = nothing), normals (H, W, 3)
    float32 in the camera frame (0 = nothing). guessed: (H, W) bool, what no sensor measured but a network guessed from pictures;
    None = nothing is."""

    rgb: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    guessed: np.ndarray | None = None
