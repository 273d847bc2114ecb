"""Looks at a surface from anywhere: which triangle each pixel shows. Rays by Embree, so no display and no GPU are needed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import Surface

_CELL = 0.08
"""Metres of the picture plane that count as one: coarser than the gaps between vertices."""


@dataclass(frozen=True)
class SurfaceView:
    """corners (n, 3) int: the vertices of the triangle seen by each of the n pixels that see one. weights (n, 3): barycentric.
    seen (H, W) bool. direction (3,): from the scene to the viewer, world frame. affine (2, 4): world point (x, y, z, 1)
    to pixel (column, row), of orthographic views only."""

    corners: np.ndarray
    weights: np.ndarray
    seen: np.ndarray
    direction: np.ndarray
    affine: np.ndarray | None = None

    def smooth(self, values: np.ndarray) -> np.ndarray:
        """(N, C) vertex values -> (n, C) float32 values of the pixels, interpolated within triangles."""
        return np.einsum("ij,ijc->ic", self.weights, values[self.corners].astype(np.float32))

    def nearest(self, labels: np.ndarray) -> np.ndarray:
        """(N,) vertex labels -> (n,) label of the nearest corner."""
        return labels[self.corners[np.arange(len(self.corners)), self.weights.argmax(1)]]

    def image(self, values: np.ndarray, background: float = 0.0) -> np.ndarray:
        """(n, C) pixel values -> (H, W, C) image."""
        image = np.full((*self.seen.shape, values.shape[1]), background, values.dtype)
        image[self.seen] = values
        return image


def doll_house(surface: Surface, up: np.ndarray, azimuth: float, elevation: float, width: int, max_height: int) -> SurfaceView:
    """An orthographic view from outside, through the backs of walls and ceiling: only triangles that face the viewer are there.

    azimuth: of the viewer around `up`, elevation: above the horizon, both in degrees. The whole surface fills `width` pixels, or
    `max_height` if that is reached first.
    """
    towards, right, above = viewing_axes(up, azimuth, elevation)
    faces = surface.faces[_face_normals(surface) @ towards > 0]
    if len(faces) == 0:
        return _empty(1, 1, towards)
    used = surface.vertices[np.unique(faces)].astype(np.float64)
    across, along = used @ right, used @ above
    # Single stray triangles must not shrink the room to a corner of the picture.
    (left, rightmost), (bottom, top) = np.percentile(across, [0.5, 99.5]), np.percentile(along, [0.5, 99.5])
    margin = 0.04 * max(rightmost - left, top - bottom, 0.1)
    left, rightmost, bottom, top = left - margin, rightmost + margin, bottom - margin, top + margin
    pixel = max((rightmost - left) / width, (top - bottom) / max_height)
    columns = left + (np.arange(max(1, int((rightmost - left) / pixel))) + 0.5) * pixel
    rows = top - (np.arange(max(1, int((top - bottom) / pixel))) + 0.5) * pixel
    distance = float((used @ towards).max()) + 1.0
    origins = columns[None, :, None] * right + rows[:, None, None] * above + distance * towards
    affine = np.stack([np.append(right, -left) / pixel, np.append(-above, top) / pixel])
    affine[:, 3] -= 0.5
    view = _cast(surface, faces, origins, np.broadcast_to(-towards, origins.shape), towards)
    return replace(view, affine=affine)


def through_camera(surface: Surface, camera: Camera, camera_to_world: np.ndarray) -> SurfaceView:
    """What a camera sees of the surface."""
    directions = camera.rays().astype(np.float64) @ camera_to_world[:3, :3].T
    origins = np.broadcast_to(camera_to_world[:3, 3], directions.shape)
    return _cast(surface, surface.faces, origins, directions, -camera_to_world[:3, 2])


def best_azimuth(surface: Surface, up: np.ndarray, elevation: float, tries: int = 24) -> float:
    """The azimuth from which surface that faces the viewer covers most of the picture plane: into the room, not along it."""
    azimuths = np.arange(tries) * 360.0 / tries
    covered = []
    for azimuth in azimuths:
        towards, right, above = viewing_axes(up, azimuth, elevation)
        front = surface.vertices[surface.normals @ towards > 0.1]
        cells = np.floor(np.stack([front @ right, front @ above], 1) / _CELL).astype(np.int64)
        covered.append(len(np.unique(cells[:, 0] * 2**32 + cells[:, 1])))
    return float(azimuths[int(np.argmax(covered))])


def viewing_axes(up: np.ndarray, azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors (towards the viewer, right in the picture, upwards in the picture)."""
    up = np.asarray(up, np.float64) / np.linalg.norm(up)
    first = np.cross(np.eye(3)[np.argmin(np.abs(up))], up)
    first /= np.linalg.norm(first)
    second = np.cross(up, first)
    a, e = np.radians(azimuth), np.radians(elevation)
    outward = np.cos(a) * first + np.sin(a) * second
    towards = np.cos(e) * outward + np.sin(e) * up
    right = np.cross(up, outward)
    return towards, right, np.cross(towards, right)


def _face_normals(surface: Surface) -> np.ndarray:
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _cast(surface: Surface, faces: np.ndarray, origins: np.ndarray, directions: np.ndarray, towards: np.ndarray) -> SurfaceView:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    height, width = origins.shape[:2]
    if len(faces) == 0:
        return _empty(height, width, towards)
    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(surface.vertices[faces], np.float32))
    hits = scene.run(np.ascontiguousarray(origins.reshape(-1, 3), np.float32),
                     np.ascontiguousarray(directions.reshape(-1, 3), np.float32), output=True)
    seen = hits["primID"] >= 0
    u, v = hits["u"][seen], hits["v"][seen]
    return SurfaceView(faces[hits["primID"][seen]], np.stack([1 - u - v, u, v], 1).astype(np.float32),
                       seen.reshape(height, width), np.asarray(towards))


def _empty(height: int, width: int, towards: np.ndarray) -> SurfaceView:
    return SurfaceView(np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32), np.zeros((height, width), bool), towards)
