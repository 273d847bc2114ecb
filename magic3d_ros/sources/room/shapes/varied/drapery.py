"""Cloth that hangs, lies, is folded or thrown down. Lengths in metres."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.shapes.varied.building import soft
from magic3d_ros.sources.room.triangles import Triangles, Vector, box, joined, surface, unit


def sheet(points: np.ndarray, thickness: float = 0.004) -> Triangles:
    """Cloth with two faces through an (a, b, 3) grid of points; the first faces along (step in a) x (step in b)."""
    along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normals = unit(np.cross(along, across))
    lengths = [
        np.linalg.norm(np.diff(points, axis=axis, prepend=np.take(points, [0], axis)), axis=-1).cumsum(axis) for axis in (0, 1)
    ]
    uv = np.stack(lengths, -1)
    behind = points - thickness * normals
    return joined([surface(points, normals, uv), surface(behind[:, ::-1], -normals[:, ::-1], uv[:, ::-1])])


def hung_cloth(width: float, height: float, folds: int = 5, depth: float = 0.03) -> Triangles:
    """Cloth hanging from a line at z = height, its folds deeper towards its lower edge; front towards -y, middle on y = 0."""
    across, down = np.linspace(-0.5, 0.5, 12 * folds + 1)[:, None], np.linspace(0, 1, 14)[None]
    y = depth * np.sin(2 * np.pi * folds * across) * (0.45 + 0.55 * (1 - down))
    return sheet(np.stack([across * width + 0 * down, y, height * down + 0 * across], -1))


def crumpled(center: Vector, size: Vector, phase: float, power: float = 0.8) -> Triangles:
    """A heap of cloth, or a full bag: a soft body with creases that run around and up it; phase (radians) moves them."""
    body = soft((0, 0, 0), size, power, 36)
    points = body.positions.astype(np.float64)
    around, (x, y, z) = np.arctan2(points[:, 1], points[:, 0]), points.T * (2 * np.pi / max(size))
    creases = 0.05 * np.sin(5 * around + phase + 0.9 * z) + 0.035 * np.sin(11 * around - phase + z)
    creases += 0.04 * np.sin(2.2 * x + phase) * np.sin(1.9 * y - phase)
    moved = points * (1 + creases)[:, None] + np.asarray(center)
    corners = moved.reshape(-1, 3, 3)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).repeat(3, 0)
    normals = unit(body.normals + 0.6 * unit(flat))
    return Triangles(moved.astype(np.float32), normals, body.uv)


def folded(width: float, depth: float, layers: int, thickness: float = 0.02) -> Triangles:
    """Cloth folded to a pile of layers."""
    return joined(
        [box((0.004 * (-1) ** i, 0, thickness * (i + 0.5)), (width, depth, thickness), thickness * 0.45) for i in range(layers)]
    )
