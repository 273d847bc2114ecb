"""A closed surface through oriented points: for simulators and printers, which need to know inside from outside everywhere.

Screened Poisson reconstruction (Kazhdan and Hoppe 2013, Open3D's) continues the surface where nothing was seen. Its mesh of an
open scan ends at the border of its grid, has edges with four triangles here and there, and intersects itself in places; so it
only says what is solid. That is sampled on a regular grid and cut out by marching tetrahedra, whose mesh is closed, manifold and
free of self-intersections by construction (every tetrahedron's piece stays inside it).

What lies behind seen surfaces is solid, up to a border around all that was seen; the air in front of them is not. So a wall that
was seen from one side becomes a slab, and the mesh of a room is closed without putting a lid on what is open.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import label
from scipy.spatial import cKDTree

from magic3d_ros.geometry.marching_tetrahedra import border_surface
from magic3d_ros.geometry.open3d_import import load_open3d

BORDER = 0.1
"""Metres of the grid beyond the outermost points: the thickness of outer walls, a usual one."""

SHELL = 0.4
"""Metres from the outermost points to a shell of points that face inwards. It closes Poisson's mesh, which then has an inside
everywhere; at .2 m it still pulled on the walls (redkitchen), and it is outside the grid."""

SHELL_SPACING = 0.06
POISSON_DEPTH = 9
"""Levels of Poisson's octree: 1.3 cm for a room of 6 m. At 8, edges of furniture were visibly rounder."""

MAX_CELLS = 12_000_000
"""Of the grid, 100 MB with what is computed on it; larger scenes get larger cells."""

LEAST_VOLUME = 1e-4
"""Cubic metres (a cube of 5 cm): smaller separate bodies are crumbs of Poisson's extrapolation."""


def watertight(points: np.ndarray, normals: np.ndarray, colors: np.ndarray,
               cell: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(V, 3) float32 vertices, (F, 3) int32 faces, (V, 3) float32 normals, (V, 3) uint8 colours of a closed manifold mesh.

    points, normals: (N, 3) metres, normals unit and towards free space. colors: (N, 3) uint8. cell: metres between grid points
    (more for scenes that would need too many). Takes about 20 s for a room. Raises ValueError with fewer than 100 points, and
    when nothing solid is found behind them.
    """
    if len(points) < 100:
        raise ValueError(f"{len(points)} surface points are too few for a closed surface: map more frames first")
    points, normals = np.asarray(points, np.float64), np.asarray(normals, np.float64)
    low, high = points.min(0) - BORDER, points.max(0) + BORDER
    cell = max(cell, float((np.prod(high - low) / MAX_CELLS) ** (1 / 3)))
    shape = np.maximum(np.ceil((high - low) / cell).astype(int) + 1, 3)
    scene = _poisson(points, normals)
    solid = _without_crumbs(_solid(scene, low, cell, shape), cell)
    if not solid.any():
        raise ValueError("the surface encloses nothing solid: are its normals towards free space?")
    vertices, faces = border_surface(solid, lambda corners: _distance(scene, corners * cell + low))
    vertices = vertices * cell + low
    _, nearest = cKDTree(points).query(vertices, workers=-1)
    return vertices.astype(np.float32), faces.astype(np.int32), _vertex_normals(vertices, faces), colors[nearest]


def _poisson(points: np.ndarray, normals: np.ndarray) -> Any:
    """An Open3D RaycastingScene of Poisson's closed mesh."""
    o3d = load_open3d()
    at, facing = _shell(points.min(0) - SHELL, points.max(0) + SHELL)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(np.concatenate([points, at])))
    cloud.normals = o3d.utility.Vector3dVector(np.concatenate([normals, facing]))
    with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):  # it warns of roots that the sampling repairs
        # The domain (scale) must hold the shell with room to spare. One thread: with more it crashes the process now and then,
        # most on a busy machine (isl-org/Open3D#6828, #7229).
        mesh, _ = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=POISSON_DEPTH, scale=1.2, n_threads=1)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.t.geometry.TriangleMesh.from_legacy(mesh))
    return scene


def _shell(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points on the six faces of a box, and their normals, inwards."""
    points, normals = [], []
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        lines = [np.linspace(low[a], high[a], max(2, int(np.ceil((high[a] - low[a]) / SHELL_SPACING)))) for a in others]
        grid = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 2)
        for value, sign in ((low[axis], 1.0), (high[axis], -1.0)):
            face, normal = np.empty((len(grid), 3)), np.zeros((len(grid), 3))
            face[:, others], face[:, axis], normal[:, axis] = grid, value, sign
            points.append(face)
            normals.append(normal)
    return np.concatenate(points), np.concatenate(normals)


def _solid(scene: Any, low: np.ndarray, cell: float, shape: np.ndarray) -> np.ndarray:
    """(nx, ny, nz) bool: grid points in solid matter. The grid's outermost layer is free, which closes what reaches it."""
    solid = np.zeros(shape, bool)
    rows, columns = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    for x in range(1, shape[0] - 1):
        at = np.stack([np.full(rows.shape, x), rows, columns], -1) * cell + low
        # Outside the shell is Poisson's solid: seen from there, inside its mesh is the air, and in the air again is solid.
        solid[x] = scene.compute_occupancy(at.astype(np.float32)).numpy() == 0
    solid[:, [0, -1]] = False
    solid[:, :, [0, -1]] = False
    return solid


def _without_crumbs(solid: np.ndarray, cell: float) -> np.ndarray:
    """Without small separate bodies, and with small separate bubbles filled."""
    least = max(1.0, LEAST_VOLUME / cell**3)
    for value in (True, False):
        labels, _ = label(solid == value)
        sizes = np.bincount(labels.ravel())
        sizes[0] = least  # label 0 is the other kind
        solid = np.where(sizes[labels] < least, not value, solid)
    return solid


def _distance(scene: Any, points: np.ndarray) -> np.ndarray:
    """(n,) metres to the surface, always positive."""
    return scene.compute_distance(points.astype(np.float32)).numpy() + 1e-6


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) float32 unit, towards free space; means of the faces around, by area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    of_face = np.cross(b - a, c - a)
    total = np.stack([np.bincount(faces.ravel(), np.repeat(of_face[:, axis], 3), len(vertices)) for axis in range(3)], 1)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)).astype(np.float32)
