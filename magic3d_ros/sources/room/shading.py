"""From ray hits to colours: texture times baked light for what stands, direct light for what moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from magic3d_ros.sources.room.body import Body
from magic3d_ros.sources.room.light import AreaLight
from magic3d_ros.sources.room.rays import Hits
from magic3d_ros.sources.room.triangles import unit

SHEEN = 0.03
"""Strength of the grazing reflection that every surface has: about Schlick's F0 of paint and varnish (.04)."""

MOVING_BOUNCE = 1.3
"""Ambient light on moving things, times the room's: they have no bounce of their own; chosen by eye against the furniture."""


@dataclass(frozen=True)
class PlacedBody:
    """A moving body at its place in one frame: its instance id is that of its triangles. pose: (4, 4) body-to-world."""

    body: Body
    pose: np.ndarray
    radius: float
    height: float


@dataclass(frozen=True)
class Samples:
    """What n rays saw. colour (n, 3) linear; normal (n, 3); distance (n,) metres, 0 = nothing; instance (n,) int32, 0 = nothing;
    moving (n,) bool; cosine (n,) of incidence; albedo (n,) mean reflectance; glass (n,) bool."""

    colour: np.ndarray
    normal: np.ndarray
    distance: np.ndarray
    instance: np.ndarray
    moving: np.ndarray
    cosine: np.ndarray
    albedo: np.ndarray
    glass: np.ndarray


class RoomView:
    """Shoots rays into a lit room with the moving things of one frame."""

    def __init__(self, room: Body, lights: Sequence[AreaLight], ambient: np.ndarray, movers: Sequence[PlacedBody]) -> None:
        if room.irradiance is None:
            raise ValueError("the room's light must be baked before it is looked at")
        self._room, self._lights, self._movers = room, lights, movers
        self._ambient = np.asarray(ambient, np.float32)

    def look(self, origin: np.ndarray, directions: np.ndarray, pixel_angle: float) -> Samples:
        """Rays from origin (3,) along unit directions (n, 3) float32; pixel_angle: radians between neighbouring pixels."""
        count = len(directions)
        origins = np.broadcast_to(origin.astype(np.float32), (count, 3))
        hits = self._room.rays.first_hits(origins, directions)
        out = Samples(np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32), np.zeros(count, np.float32),
                      np.zeros(count, np.int32), np.zeros(count, bool), np.ones(count, np.float32), np.ones(count, np.float32),
                      np.zeros(count, bool))
        nearest = np.where(hits.triangle >= 0, hits.distance, np.inf).astype(np.float32)
        owner = np.where(hits.triangle >= 0, 0, -1)
        moving_hits = []
        for number, mover in enumerate(self._movers, 1):
            found, local, rows = _hit_mover(mover, origin, directions, nearest)
            moving_hits.append((found, local, rows))
            nearest[rows] = found.distance
            owner[rows] = number
        rows = np.flatnonzero(owner == 0)
        if len(rows):
            still = Hits(*(values[rows] for values in hits))
            shown = self._shade(self._room, still, directions[rows], pixel_angle, None)
            places = origin + directions[rows] * still.distance[:, None]
            self._write(out, rows, self._room, still, shown, self._contact_shadow(places))
        for number, (mover, (found, local, rows)) in enumerate(zip(self._movers, moving_hits, strict=True), 1):
            kept = owner[rows] == number
            rows, local, found = rows[kept], local[kept], Hits(*(values[kept] for values in found))
            if len(rows) == 0:
                continue
            places = origin + directions[rows] * found.distance[:, None]
            shown = self._shade(mover.body, found, local, pixel_angle, (mover, places))
            self._write(out, rows, mover.body, found, shown, None)
            out.moving[rows] = True
        return out

    def _shade(self, body: Body, hits: Hits, directions: np.ndarray, pixel_angle: float,
               moving: tuple[PlacedBody, np.ndarray] | None) -> tuple[np.ndarray, ...]:
        """-> colour, normal, cosine, albedo at the hits; directions in the body's frame, the normals returned in the world's."""
        weights = np.stack([1 - hits.u - hits.v, hits.u, hits.v], 1)
        values = np.matmul(weights[:, None], body.corners[hits.triangle])[:, 0]  # normal, texture coordinates, irradiance
        normal, uv, light = unit(values[:, :3]), values[:, 3:5], values[:, 5:]
        cosine = np.einsum("ij,ij->i", normal, directions)
        normal *= -np.sign(cosine)[:, None]
        cosine = np.abs(cosine)
        material = body.material[hits.triangle]
        slant = np.sqrt(np.clip(cosine, 0.15, 1))  # between the blur of the two axes of a slanted pixel
        footprint = body.texel_density[hits.triangle] * hits.distance * np.float32(pixel_angle) / slant
        reflectance = body.atlas.sample(material, uv, footprint)
        if moving is not None:
            normal = normal @ moving[0].pose[:3, :3].T.astype(np.float32)
            light = self._unshadowed(moving[1], normal)
        colour = reflectance * (light + body.atlas.emission[material][:, None]) + SHEEN * light * ((1 - cosine) ** 3)[:, None]
        return colour, normal, cosine, reflectance @ np.full(3, 1 / 3, np.float32)

    def _unshadowed(self, places: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Light on moving things: every area light as a soft point light, and the ambient light from above."""
        light = self._ambient * (0.7 + 0.5 * normal[:, 2:3]) * MOVING_BOUNCE
        for source in self._lights:
            towards = (source.center - places).astype(np.float32)
            distance = np.linalg.norm(towards, axis=1, keepdims=True)
            wrapped = np.clip((normal * towards / distance).sum(1, keepdims=True) * 0.8 + 0.2, 0, 1)
            light = light + wrapped * np.array(source.colour, np.float32) * source.area / np.pi / np.maximum(distance, 0.5) ** 2
        return light.astype(np.float32)

    def _contact_shadow(self, places: np.ndarray) -> np.ndarray | None:
        """(n, 1) factor that darkens the floor around the feet of what moves: 55 % at the middle, 30 cm wide, chosen by eye."""
        factor = None
        for mover in self._movers:
            apart = ((places[:, :2] - mover.pose[:2, 3]) ** 2).sum(1)
            shade = 1 - 0.55 * np.exp(-apart / 0.09 - np.clip(places[:, 2], 0, 3) ** 2 / 0.35)
            factor = shade if factor is None else factor * shade
        return None if factor is None else factor[:, None].astype(np.float32)

    @staticmethod
    def _write(out: Samples, rows: np.ndarray, body: Body, hits: Hits, shown: tuple[np.ndarray, ...],
               factor: np.ndarray | None) -> None:
        colour, normal, cosine, albedo = shown
        out.colour[rows] = colour if factor is None else colour * factor
        out.normal[rows], out.cosine[rows], out.albedo[rows] = normal, cosine, albedo
        out.distance[rows] = hits.distance
        out.instance[rows] = body.instance[hits.triangle]
        out.glass[rows] = body.atlas.glass[body.material[hits.triangle]]


def _hit_mover(mover: PlacedBody, origin: np.ndarray, directions: np.ndarray,
               nearest: np.ndarray) -> tuple[Hits, np.ndarray, np.ndarray]:
    """Hits nearer than `nearest`, the rays' directions in the mover's frame, and the rows of those rays.

    The rays are taken into the mover's frame, so that its search tree never has to be rebuilt; rays that miss the sphere
    around it are not traced.
    """
    rotation = mover.pose[:3, :3].astype(np.float32)
    local_origin = ((origin - mover.pose[:3, 3]) @ mover.pose[:3, :3]).astype(np.float32)
    from_middle = local_origin - np.array([0, 0, mover.height / 2], np.float32)
    local = directions @ rotation
    along = local @ from_middle
    rows = np.flatnonzero(from_middle @ from_middle - along**2 < mover.radius**2)
    hits = mover.body.rays.first_hits(np.broadcast_to(local_origin, (len(rows), 3)), local[rows])
    nearer = (hits.triangle >= 0) & (hits.distance < nearest[rows])
    rows = rows[nearer]
    return Hits(*(values[nearer] for values in hits)), local[rows], rows
