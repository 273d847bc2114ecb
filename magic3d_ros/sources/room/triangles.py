"""Triangles with normals and texture coordinates, and the primitive bodies that furniture is made of.

Every primitive has its normals pointing outwards, lengths in metres, and texture coordinates in metres along its surface
unless it says otherwise; a material says how many times its texture repeats a metre.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Vector = Sequence[float] | np.ndarray

LIGHT_SPACING = 0.12
"""Metres between the vertices of flat faces. Light is baked a vertex, so this is the finest shadow on furniture."""

ROUNDED_SPACING = 0.03
"""Metres between the vertices of rounded faces: fine enough for a 3 cm bevel to look round from one metre."""

CREASE_COSINE = 0.77
"""Profile segments that turn by less than 40 degrees are shaded as one smooth surface, as 3D editors do by default."""


@dataclass(frozen=True)
class Triangles:
    """n triangles, unrolled: rows 3i, 3i + 1, 3i + 2 are the corners of triangle i.

    positions: (3n, 3) float32, metres. normals: (3n, 3) float32, unit length, outwards. uv: (3n, 2) float32.
    """

    positions: np.ndarray
    normals: np.ndarray
    uv: np.ndarray

    def __len__(self) -> int:
        return len(self.positions) // 3

    def transformed(self, rotation: np.ndarray | None = None, translation: Vector = (0.0, 0.0, 0.0),
                    scale: float | Vector = 1.0) -> Triangles:
        """Scaled along the axes, then rotated by a (3, 3) matrix, then moved. Mirroring is not allowed for."""
        factors = np.broadcast_to(np.asarray(scale, np.float32), 3)
        matrix = np.eye(3, dtype=np.float32) if rotation is None else np.asarray(rotation, np.float32)
        positions = (self.positions * factors) @ matrix.T + np.asarray(translation, np.float32)
        return Triangles(positions, unit((self.normals / factors) @ matrix.T), self.uv)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length one (float32); zero rows stay zero."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))  # three times as fast as numpy.linalg.norm on short rows
    return (vectors / np.maximum(length, 1e-12)[..., None]).astype(np.float32)


def joined(parts: Iterable[Triangles]) -> Triangles:
    """Several bodies as one."""
    parts = list(parts)
    return Triangles(np.concatenate([p.positions for p in parts]), np.concatenate([p.normals for p in parts]),
                     np.concatenate([p.uv for p in parts]))


def yaw_matrix(degrees: float) -> np.ndarray:
    """(3, 3) rotation about z, counter-clockwise seen from above."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def tilt_matrix(degrees: float) -> np.ndarray:
    """(3, 3) rotation about x: positive tilts the top (+z) towards -y, the front."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rectangle(origin: Vector, along: Vector, across: Vector, spacing: float = LIGHT_SPACING,
              stretched: bool = False) -> Triangles:
    """The rectangle origin + s along + t across; its normal is along x across.

    stretched: texture coordinates run once from 0 to 1 over it, (0, 0) at origin + across: a picture stands upright when
    `along` points right and `across` up.
    """
    start, a, b = (np.asarray(v, np.float64) for v in (origin, along, across))
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    s = np.linspace(0, 1, max(1, int(np.ceil(length_a / spacing))) + 1)
    t = np.linspace(0, 1, max(1, int(np.ceil(length_b / spacing))) + 1)
    points = start + s[:, None, None] * a + t[None, :, None] * b
    u, v = (s, 1 - t) if stretched else (s * length_a, t * length_b)
    uv = np.stack(np.meshgrid(u, v, indexing="ij"), -1)
    return surface(points, np.broadcast_to(unit(np.cross(a, b)), points.shape), uv)


def surface(points: np.ndarray, normals: np.ndarray, uv: np.ndarray) -> Triangles:
    """Triangles of an (a, b, 3) grid of points with its normals and (a, b, 2) texture coordinates."""
    def unrolled(grid: np.ndarray) -> np.ndarray:
        corners = (grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, :-1], grid[1:, 1:], grid[:-1, 1:])
        return np.stack(corners, 2).reshape(-1, grid.shape[-1]).astype(np.float32)

    return Triangles(unrolled(points), unrolled(normals), unrolled(uv))


def box(center: Vector, size: Vector, rounding: float = 0.0, spacing: float = LIGHT_SPACING) -> Triangles:
    """A box with edges along the axes; rounding is the radius of its edges. Textures run along each face's longer side, as the
    grain of wood does."""
    half = np.asarray(size, np.float64) / 2
    rounding = min(rounding, float(half.min()) * 0.999)
    faces = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1, 1):
            a, b, start = np.zeros(3), np.zeros(3), -half
            a[first], b[second], start[axis] = 2 * half[first], 2 * half[second], sign * half[axis]
            if sign < 0:
                a, b = b, a
            face = rectangle(start, a, b, min(spacing, ROUNDED_SPACING) if rounding else spacing)
            if np.linalg.norm(b) > np.linalg.norm(a):
                face = Triangles(face.positions, face.normals, np.ascontiguousarray(face.uv[:, ::-1]))
            faces.append(_rounded(face, half, rounding) if rounding else face)
    return joined(faces).transformed(translation=center)


def _rounded(face: Triangles, half: np.ndarray, radius: float) -> Triangles:
    """Push the points of a box's face onto the box with rounded edges: the set at distance `radius` from the inner box."""
    inner = np.clip(face.positions, -(half - radius), half - radius)
    normals = unit(face.positions - inner)
    return Triangles((inner + normals * radius).astype(np.float32), normals, face.uv)


def revolved(profile: Sequence[tuple[float, float]], segments: int = 28, rows: float = LIGHT_SPACING) -> Triangles:
    """A body of revolution about z. profile: (radius, height) from bottom to top along the outside, so that outside is on
    the right of the walk; a profile that turns at the rim and comes down again makes a vessel with an inside.

    Texture coordinates: u around in metres at the largest radius, v along the profile. rows: longest step along it.
    """
    points = _densified(np.asarray(profile, np.float64), rows)
    steps = np.diff(points, axis=0)
    length = np.r_[0, np.cumsum(np.linalg.norm(steps, axis=1))]
    facing = np.stack([steps[:, 1], -steps[:, 0]], 1)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-12)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    around = np.stack([np.cos(angle), np.sin(angle)], 1)
    widest = float(points[:, 0].max())
    strips = []
    for i in range(len(steps)):
        ends = []
        for j, neighbour in ((i, i - 1), (i + 1, i + 1)):
            smooth = 0 <= neighbour < len(steps) and facing[i] @ facing[neighbour] > CREASE_COSINE
            normal = facing[i] + facing[neighbour] if smooth else facing[i]
            ends.append((points[j], normal / np.linalg.norm(normal), length[j]))
        ring = np.stack([np.column_stack([around * p[0], np.full(len(angle), p[1])]) for p, _, _ in ends], 1)
        normals = np.stack([np.column_stack([around * n[0], np.full(len(angle), n[1])]) for _, n, _ in ends], 1)
        uv = np.stack([np.column_stack([angle * widest, np.full(len(angle), distance)]) for _, _, distance in ends], 1)
        strips.append(surface(ring, normals, uv))
    return joined(strips)


def _densified(profile: np.ndarray, longest: float) -> np.ndarray:
    pieces = [profile[:1]]
    for a, b in pairwise(profile):
        count = max(1, int(np.ceil(np.linalg.norm(b - a) / longest)))
        pieces.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)


def cylinder(center: Vector, radius: float, height: float, segments: int = 24) -> Triangles:
    """A closed upright cylinder standing on `center`."""
    return revolved([(0, 0), (radius, 0), (radius, height), (0, height)], segments).transformed(translation=center)


def sphere(center: Vector, radius: float, segments: int = 24) -> Triangles:
    """A ball; its texture runs once around and once from the bottom to the top."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    ball = revolved([(radius * np.cos(a), radius * np.sin(a)) for a in angles], segments)
    uv = ball.uv / np.array([2 * np.pi * radius, np.pi * radius], np.float32)
    return Triangles(ball.positions + np.asarray(center, np.float32), ball.normals, uv)


def dome(center: Vector, size: Vector, segments: int = 24) -> Triangles:
    """The upper half of an ellipsoid standing on `center`; size: its two radii and its height. Open below."""
    ball = sphere((0, 0, 0), 1.0, segments)
    rows = np.repeat(ball.positions.reshape(-1, 3, 3)[..., 2].min(1) > -1e-6, 3)
    return Triangles(ball.positions[rows], ball.normals[rows], ball.uv[rows]).transformed(scale=size, translation=center)


def capsule(start: Vector, end: Vector, radius: float, end_radius: float | None = None, segments: int = 16) -> Triangles:
    """A limb: a cone or cylinder from start to end with round ends."""
    p, q = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(q - p))
    tip = radius if end_radius is None else end_radius
    below = [(radius * np.cos(a), radius * np.sin(a)) for a in np.linspace(-np.pi / 2, 0, 5)]
    above = [(tip * np.cos(a), length + tip * np.sin(a)) for a in np.linspace(0, np.pi / 2, 5)]
    limb = revolved(below + above, segments)
    along = Triangles(limb.positions, limb.normals, np.ascontiguousarray(limb.uv[:, ::-1]))  # grain runs along a bar
    return along.transformed(_frame_along(q - p), p)


def tube(path: Sequence[Vector], radius: float, segments: int = 10) -> Triangles:
    """A bent round bar through the points of `path`: handles, lamp stems, wire."""
    return joined(capsule(a, b, radius, segments=segments) for a, b in pairwise(path))


def blade(base: Vector, heading: float, length: float, width: float, rise: float, droop: float, steps: int = 7) -> Triangles:
    """A leaf: starts at base towards `heading` (degrees), rises at `rise` degrees and bends down by `droop` degrees to its tip.

    Both faces are there, back to back 1 mm apart, because light is baked for the side that a normal points to.
    Texture coordinates run from 0 to 1: u across, v from the base to the tip.
    """
    t = np.linspace(0, 1, steps + 1)
    slope = np.radians(rise - droop * t)
    forward = np.r_[0, np.cumsum(np.cos(slope[:-1]))] * length / steps
    height = np.r_[0, np.cumsum(np.sin(slope[:-1]))] * length / steps
    half = width / 2 * np.sin(np.pi * np.clip(t * 0.92 + 0.06, 0, 1)) ** 0.8
    across = np.array([-1.0, 0.0, 1.0])
    points = np.stack([np.broadcast_to(forward[:, None], (steps + 1, 3)), half[:, None] * across,
                       height[:, None] + 0.18 * half[:, None] * np.abs(across)], -1)
    normals = np.stack([-np.sin(slope), np.zeros_like(slope), np.cos(slope)], 1)[:, None].repeat(3, 1)
    uv = np.stack(np.meshgrid(t, (across + 1) / 2, indexing="ij")[::-1], -1)
    upper = surface(points, normals, uv)
    lower = surface(points - 0.001 * normals, -normals, uv)
    return joined([upper, lower]).transformed(yaw_matrix(heading), base)


def _frame_along(direction: np.ndarray) -> np.ndarray:
    """A rotation that takes z to `direction`."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], 1)
