"""Light in the room, computed once a vertex: area lights with soft shadows, one bounce, and ambient occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.sources.room.body import Body
from magic3d_ros.sources.room.triangles import unit

BAKE_VERSION = 2
"""Part of the cache key: raise it when anything here changes the result."""

LIGHT_GRID = 5
"""Each area light is sampled on 5 x 5 jittered points: soft shadows without visible steps on an 8 cm vertex grid."""

BOUNCE_RAYS = 48
"""Cosine-distributed rays a vertex for the bounce; the remaining grain is below the camera's noise."""

AMBIENT_RADIUS = 0.6
"""Metres below which surfaces shade each other's ambient light: darkens corners and under furniture, not whole rooms."""

SMOOTHING = 3
"""Times the bounced light is averaged with that of neighbouring vertices: it varies slowly, its Monte Carlo grain does not, and
grain shows as blotches on white doors and walls."""

INSET = 0.2
"""Light is measured this share of the way from a corner to its triangle's middle, so that a corner touching a wall does not
measure the inside of the wall."""


@dataclass(frozen=True)
class AreaLight:
    """A rectangle that shines along edge_a x edge_b. origin, edge_a, edge_b: (3,) metres. colour: (3,) linear radiance."""

    origin: np.ndarray
    edge_a: np.ndarray
    edge_b: np.ndarray
    colour: np.ndarray

    @property
    def center(self) -> np.ndarray:
        """(3,) its middle."""
        return self.origin + (self.edge_a + self.edge_b) / 2

    @property
    def area(self) -> float:
        """Square metres."""
        return float(np.linalg.norm(np.cross(self.edge_a, self.edge_b)))


def bake(body: Body, lights: list[AreaLight], ambient: np.ndarray, light_grid: int = LIGHT_GRID,
         bounce_rays: int = BOUNCE_RAYS) -> np.ndarray:
    """(3n, 3) float32 irradiance over pi at every corner: what a white surface there sends to the camera.

    ambient: (3,) light of everything that is not traced. light_grid, bounce_rays: fewer are faster and grainier. Same input,
    same output, to the bit.
    """
    random = np.random.default_rng(0)
    points, normals, corner_to_point = _light_points(body)
    direct = np.zeros_like(points)
    for light in lights:
        direct += _direct(body, light, points, normals, random, light_grid)
    indirect = _bounce(body, direct[corner_to_point], ambient, points, normals, random, bounce_rays)
    for _ in range(SMOOTHING):
        indirect = _smoothed(indirect, normals, corner_to_point)
    return (direct + indirect)[corner_to_point].astype(np.float32)


def _light_points(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners at the same place (4 mm) with the same normal share one point -> points, normals, index of each corner."""
    positions, normals = body.triangles.positions, body.triangles.normals
    middle = np.repeat(positions.reshape(-1, 3, 3).mean(1), 3, 0)
    key = np.concatenate([np.round(positions / 0.004), np.round(normals * 4)], 1).astype(np.int64)
    mixed = np.zeros(len(key), np.int64)
    for column in range(6):
        mixed = mixed * 1_000_003 + key[:, column]  # wraps around: a polynomial hash
    _, first, corner_to_point = np.unique(mixed, return_index=True, return_inverse=True)
    inset = positions + INSET * (middle - positions)
    points = inset[first] + normals[first] * 0.004
    return points.astype(np.float32), normals[first], corner_to_point.reshape(-1)


def _direct(body: Body, light: AreaLight, points: np.ndarray, normals: np.ndarray, random: np.random.Generator,
            grid: int) -> np.ndarray:
    facing = np.cross(light.edge_a, light.edge_b)
    facing = facing / np.linalg.norm(facing)
    gathered = np.zeros(len(points), np.float32)
    for i in range(grid):
        for j in range(grid):
            share = (np.array([i, j]) + random.random((len(points), 2))) / grid
            ray = light.origin + share[:, :1] * light.edge_a + share[:, 1:] * light.edge_b - points
            distance = np.linalg.norm(ray, axis=1)
            ray = (ray / distance[:, None]).astype(np.float32)
            cosines = np.clip((normals * ray).sum(1), 0, 1) * np.clip(-(ray @ facing), 0, 1)
            lit = np.flatnonzero(cosines > 1e-4)
            hits = body.rays.first_hits(points[lit], ray[lit])
            # a light lies just in front of its window or ceiling: what is hit within 6 cm of it is the light itself
            visible = (hits.triangle < 0) | (hits.distance > distance[lit] - 0.06)
            falloff = light.area / (np.pi * np.maximum(distance[lit], 0.15) ** 2)
            gathered[lit] += (visible * cosines[lit] * falloff).astype(np.float32)
    return gathered[:, None] * np.asarray(light.colour, np.float32) / grid**2


def _bounce(body: Body, direct: np.ndarray, ambient: np.ndarray, points: np.ndarray, normals: np.ndarray,
            random: np.random.Generator, rays: int) -> np.ndarray:
    albedo = body.atlas.albedo[body.material]
    sent = albedo * (direct.reshape(-1, 3, 3).mean(1) + body.atlas.emission[body.material][:, None])
    fill = np.clip(albedo, 0.2, 0.8) * np.asarray(ambient, np.float32)
    side = np.where(np.abs(normals[:, :1]) < 0.9, np.array([[1, 0, 0]], np.float32), np.array([[0, 1, 0]], np.float32))
    tangent = unit(np.cross(normals, side))
    bitangent = np.cross(normals, tangent)
    gathered = np.zeros_like(points)
    for i in range(rays):
        height = ((i + random.random(len(points))) / rays).astype(np.float32)[:, None]
        turn = (2 * np.pi * random.random(len(points))).astype(np.float32)[:, None]
        radius = np.sqrt(height)
        ray = tangent * (radius * np.cos(turn)) + bitangent * (radius * np.sin(turn)) + normals * np.sqrt(1 - height)
        hits = body.rays.first_hits(points, ray)
        reached = np.flatnonzero(hits.triangle >= 0)
        triangle = hits.triangle[reached]
        openness = np.clip(hits.distance[reached] / AMBIENT_RADIUS, 0, 1)[:, None]
        gathered[reached] += sent[triangle] + openness * fill[triangle]
    return gathered / rays


def _smoothed(light: np.ndarray, normals: np.ndarray, corner_to_point: np.ndarray) -> np.ndarray:
    """Each point's light averaged with that of its neighbours on the surface, where it turns less than 37 degrees."""
    triangles = corner_to_point.reshape(-1, 3)
    a, b = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    joined = np.einsum("ij,ij->i", normals[a], normals[b]) > 0.8
    a, b = np.r_[a[joined], b[joined]], np.r_[b[joined], a[joined]]
    count = 1.0 + np.bincount(a, minlength=len(light))
    total = np.column_stack([light[:, c] + np.bincount(a, light[b, c], len(light)) for c in range(3)])
    return (total / count[:, None]).astype(np.float32)
