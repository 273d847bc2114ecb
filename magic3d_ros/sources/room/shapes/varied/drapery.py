"""Cloth that hangs, lies and is folded. Lengths in metres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from magic3d_ros.sources.room.triangles import Triangles, box, joined, surface, unit

Height = Callable[[np.ndarray, np.ndarray], np.ndarray]


def sheet(points: np.ndarray, thickness: float = 0.004) -> Triangles:
    """Cloth with two faces through an (a, b, 3) grid of points; the first faces along (step in a) x (step in b)."""
    along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normals = unit(np.cross(along, across))
    lengths = [np.linalg.norm(np.diff(points, axis=axis, prepend=np.take(points, [0], axis)),
                              axis=-1).cumsum(axis) for axis in (0, 1)]
    uv = np.stack(lengths, -1)
    behind = points - thickness * normals
    return joined([surface(points, normals, uv), surface(behind[:, ::-1], -normals[:, ::-1], uv[:, ::-1])])


def hung_cloth(width: float, height: float, folds: int = 5, depth: float = 0.03, gathered: float = 1.0) -> Triangles:
    """Cloth hanging from a line at z = height, in folds that grow towards its lower edge; front towards -y, its middle on y = 0.

    gathered: how many times narrower it is at its upper edge.
    """
    across, down = np.linspace(-0.5, 0.5, 12 * folds + 1)[:, None], np.linspace(0, 1, 14)[None]
    x = across * width * (gathered + (1 - gathered) * (1 - down))
    y = depth * np.sin(2 * np.pi * folds * across) * (0.45 + 0.55 * (1 - down))
    return sheet(np.stack([x, y + 0 * down, height * down + 0 * across], -1))


def lying_cloth(width: float, depth: float, height: Height, steps: int = 33) -> Triangles:
    """Cloth over the rectangle width x depth at the heights that height(x, y) gives, facing up."""
    x, y = np.meshgrid(np.linspace(-width / 2, width / 2, steps), np.linspace(-depth / 2, depth / 2, steps), indexing="ij")
    return sheet(np.stack([x, y, height(x, y)], -1))


def folded(width: float, depth: float, layers: int, thickness: float = 0.02) -> Triangles:
    """Cloth folded to a pile of layers."""
    return joined([box((0.004 * (-1) ** i, 0, thickness * (i + 0.5)), (width, depth, thickness),
                       thickness * 0.45) for i in range(layers)])
