"""Things seen by a camera: exact depth, colour and which thing, without the scene behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.evaluation.composite.visit import Placed
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.rays import Hits
from magic3d_ros.sources.room.render import SUBPIXELS
from magic3d_ros.sources.room.triangles import unit

AMBIENT, KEY = 0.45, 0.75
"""Light from everywhere, and from one side: chosen by eye against people in photographs of rooms."""


@dataclass(frozen=True)
class Drawing:
    """depth: (H, W) float32 metres along the optical axis, inf = nothing. thing: (H, W) uint8 identity, 0 = nothing.
    colour: (H, W, 3) float32 linear. opacity: (H, W) float32 share of a pixel that is covered. cosine of incidence and albedo:
    (H, W) float32."""

    depth: np.ndarray
    thing: np.ndarray
    colour: np.ndarray
    opacity: np.ndarray
    cosine: np.ndarray
    albedo: np.ndarray


def silhouettes(placed: Sequence[Placed], camera: Camera, camera_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth (H, W), inf = nothing, and identity (H, W) uint8 of things, without their looks."""
    rays, towards = _rays(camera, camera_to_world)
    owner, hits = _first_hits(placed, camera_to_world[:3, 3], towards)
    depth = np.where(owner >= 0, hits.distance * rays[:, 2], np.inf).astype(np.float32)
    identities = np.array([0] + [p.identity for p in placed], np.uint8)
    shape = (camera.height, camera.width)
    return depth.reshape(shape), identities[owner + 1].reshape(shape)


def draw(placed: Sequence[Placed], camera: Camera, camera_to_world: np.ndarray, scene: np.ndarray, up: np.ndarray,
         exposure: float) -> Drawing:
    """Things before a scene of known depth (H, W), inf where there is none; what lies behind it is not drawn.

    One ray a pixel; pixels at a silhouette's edge get four more, for colour and opacity only.
    """
    rays, towards = _rays(camera, camera_to_world)
    origin = camera_to_world[:3, 3]
    light = unit(up + 0.8 * np.cross(up, _across(up)))
    owner, hits = _first_hits(placed, origin, towards)
    behind = scene.reshape(-1)
    owner = np.where(hits.distance * rays[:, 2] < behind, owner, -1)
    shape = (camera.height, camera.width)
    colour, cosine, albedo = _shaded(placed, owner, hits, towards, up, light, exposure, 1 / camera.fx)
    seen = (owner >= 0).reshape(shape)
    opacity = seen.astype(np.float32)
    rows, columns = np.nonzero(silhouette_edge(seen))
    if len(rows):
        total, count = np.zeros((len(rows), 3), np.float32), np.zeros(len(rows), np.float32)
        for right, down in SUBPIXELS:
            sub = unit(np.stack([(columns + right - camera.cx) / camera.fx, (rows + down - camera.cy) / camera.fy,
                                 np.ones(len(rows))], 1))
            there = sub @ camera_to_world[:3, :3].T.astype(np.float32)
            whose, found = _first_hits(placed, origin, there)
            whose = np.where(found.distance * sub[:, 2] < scene[rows, columns], whose, -1)
            looks = _shaded(placed, whose, found, there, up, light, exposure, 1 / camera.fx)[0]
            total += looks
            count += whose >= 0
        flat = rows * camera.width + columns
        colour[flat] = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], colour[flat])
        opacity[rows, columns] = count / len(SUBPIXELS)
    identities = np.array([0] + [p.identity for p in placed], np.uint8)
    depth = np.where(owner >= 0, hits.distance * rays[:, 2], np.inf).astype(np.float32)
    return Drawing(depth.reshape(shape), identities[owner + 1].reshape(shape), colour.reshape(*shape, 3), opacity,
                   cosine.reshape(shape), albedo.reshape(shape))


def silhouette_edge(seen: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels on both sides of the border of a mask."""
    around, mask = np.ones((3, 3), np.uint8), seen.astype(np.uint8)
    return cv2.dilate(mask, around) != cv2.erode(mask, around)


def _rays(camera: Camera, camera_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions (n, 3) of all pixels, in the camera's frame and in the world's."""
    rays = unit(camera.rays().reshape(-1, 3))
    return rays, rays @ camera_to_world[:3, :3].T.astype(np.float32)


def _first_hits(placed: Sequence[Placed], origin: np.ndarray, towards: np.ndarray) -> tuple[np.ndarray, Hits]:
    """For each ray the number of the thing it meets first (-1 = none) and where. Rays are taken into each thing's frame, so that
    its search tree is made once; rays that miss the sphere around it are not traced."""
    count = len(towards)
    owner = np.full(count, -1, np.int32)
    nearest = Hits(np.full(count, -1, np.int32), np.zeros(count, np.float32), np.zeros(count, np.float32),
                   np.full(count, np.inf, np.float32))
    for number, thing in enumerate(placed):
        from_middle = (origin - thing.middle).astype(np.float32)
        along = towards @ from_middle
        apart = from_middle @ from_middle - along**2
        rows = np.flatnonzero((apart < thing.radius**2) & ((along < 0) | (from_middle @ from_middle < thing.radius**2)))
        if len(rows) == 0:
            continue
        rotation = thing.pose[:3, :3].astype(np.float32)
        start = (thing.pose[:3, :3].T @ (origin - thing.pose[:3, 3])).astype(np.float32)
        found = thing.body.rays.first_hits(np.broadcast_to(start, (len(rows), 3)), towards[rows] @ rotation)
        nearer = (found.triangle >= 0) & (found.distance < nearest.distance[rows])
        rows = rows[nearer]
        owner[rows] = number
        for kept, values in zip(nearest, found, strict=True):
            kept[rows] = values[nearer]
    return owner, nearest


def _shaded(placed: Sequence[Placed], owner: np.ndarray, hits: Hits, towards: np.ndarray, up: np.ndarray, light: np.ndarray,
            exposure: float, pixel_angle: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear colour (n, 3), cosine of incidence (n,) and albedo (n,) at the hits; zeros and ones where there is none."""
    colour = np.zeros((len(owner), 3), np.float32)
    cosine, albedo = np.ones(len(owner), np.float32), np.ones(len(owner), np.float32)
    for number, thing in enumerate(placed):
        rows = np.flatnonzero(owner == number)
        if len(rows) == 0:
            continue
        body, at = thing.body, Hits(*(values[rows] for values in hits))
        weights = np.stack([1 - at.u - at.v, at.u, at.v], 1)
        values = np.matmul(weights[:, None], body.corners[at.triangle])[:, 0]
        normal = unit(values[:, :3]) @ thing.pose[:3, :3].T.astype(np.float32)
        facing = np.einsum("ij,ij->i", normal, towards[rows])
        normal *= -np.sign(facing)[:, None]
        cosine[rows] = np.abs(facing)
        material = body.material[at.triangle]
        footprint = body.texel_density[at.triangle] * at.distance * pixel_angle / np.sqrt(np.clip(cosine[rows], 0.15, 1))
        reflectance = body.atlas.sample(material, values[:, 3:5], footprint.astype(np.float32))
        lit = AMBIENT * (0.75 + 0.5 * normal @ up) + KEY * np.clip(0.8 * normal @ light + 0.2, 0, 1)
        colour[rows] = reflectance * (exposure * lit)[:, None]
        albedo[rows] = reflectance.mean(1)
    return colour, cosine, albedo


def _across(up: np.ndarray) -> np.ndarray:
    """A direction that is not up."""
    return np.eye(3)[int(np.argmin(np.abs(up)))]
