"""Bodies and materials that the varied things share. Lengths in metres, fronts towards -y, normals outwards.

Colours are linear RGB; how they are drawn follows what the material is sold in, most of it black, white, grey or plain wood.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.choices import pick
from magic3d_ros.sources.room.triangles import Triangles, Vector, box, joined, rectangle, revolved, surface, tilt_matrix, unit

WOODS = ("oak", "pine", "walnut")
CLOTHS = ("linen", "canvas", "striped", "checked", "denim")
BLACK = Material("", (0.025, 0.025, 0.028))
WHITE = Material("", (0.82, 0.82, 0.80))
STEEL = Material("brushed", (0.72, 0.72, 0.74))


def about(random: np.random.Generator, measure: float, spread: float = 0.15) -> float:
    """The measure, up to `spread` (a share of it) more or less."""
    return float(measure * random.uniform(1 - spread, 1 + spread))


def bright(random: np.random.Generator, hue: tuple[float, float] = (0.0, 1.0), saturation: tuple[float, float] = (0.5, 0.95),
           value: tuple[float, float] = (0.15, 0.7)) -> Material:
    """Paint or plastic in a strong colour. hue: 0 red, 1/6 yellow, 1/3 green, 1/2 cyan, 2/3 blue."""
    return Material("", colorsys.hsv_to_rgb(random.uniform(*hue) % 1.0, random.uniform(*saturation), random.uniform(*value)))


def grey(random: np.random.Generator, darkest: float = 0.02, brightest: float = 0.85) -> Material:
    """Plain grey between black and white, slightly warm or cold."""
    value, warmth = np.exp(random.uniform(np.log(darkest), np.log(brightest))), random.uniform(-0.04, 0.04)
    return Material("", (float(value * (1 + warmth)), float(value), float(value * (1 - warmth))))


def plastic(random: np.random.Generator) -> Material:
    """Black, white, grey, or a colour."""
    return (BLACK, WHITE, grey(random), bright(random))[int(random.integers(4))]


def casing(random: np.random.Generator) -> Material:
    """Of most devices: black, white or grey."""
    return (BLACK, WHITE, grey(random))[int(random.choice(3, p=(0.5, 0.25, 0.25)))]


def toned(random: np.random.Generator, material: Material, red: float, green: float, blue: float, spread: float) -> Material:
    """The material tinted, each channel up to `spread` (a share of it) more or less."""
    return material.tinted(tuple(about(random, channel, spread) for channel in (red, green, blue)))


def metal(random: np.random.Generator) -> Material:
    """Brushed steel, dark steel, chrome-like light, or brass."""
    tints = ((1.0, 1.0, 1.0), (0.35, 0.35, 0.36), (1.2, 1.2, 1.2), (0.9, 0.68, 0.32))
    return STEEL.tinted(tints[int(random.choice(4, p=(0.5, 0.2, 0.2, 0.1)))])


def wood(random: np.random.Generator) -> Material:
    """Oak, pine or walnut, lighter or darker."""
    return Material(f"{pick(random, *WOODS)}:{int(random.integers(4))}", (float(random.uniform(0.6, 1.15)),) * 3, repeat=2.0)


def cloth(random: np.random.Generator) -> Material:
    """Woven cloth, dyed or natural, plain most often."""
    weave = pick(random, "linen", "linen", "canvas", "canvas", *CLOTHS)
    dye = (bright if random.random() < 0.6 else grey)(random)
    return replace(dye, texture=weave, repeat=float(random.uniform(2.0, 5.0)))


def ceramic(random: np.random.Generator) -> Material:
    """Glazed: white half of the time, else a colour."""
    return WHITE if random.random() < 0.5 else bright(random, saturation=(0.2, 0.8))


def standing(parts: Sequence[Part]) -> list[Part]:
    """The parts moved so that they stand on z = 0, the middle of their extent over the origin."""
    low, high = _extent(parts)
    return _moved(parts, -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]))


def hanging(parts: Sequence[Part]) -> list[Part]:
    """The parts moved so that their back lies on y = 0 and their lower edge on z = 0, the middle at x = 0."""
    low, high = _extent(parts)
    return _moved(parts, -np.array([(low[0] + high[0]) / 2, high[1], low[2]]))


def from_above(parts: Sequence[Part]) -> list[Part]:
    """The parts moved so that their upper end is at z = 0, the middle of their extent on the z axis."""
    low, high = _extent(parts)
    return _moved(parts, -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2]]))


def turned(parts: Sequence[Part], rotation: np.ndarray, move: Vector = (0.0, 0.0, 0.0)) -> list[Part]:
    """The parts rotated by a (3, 3) matrix, then moved."""
    return [Part(part.triangles.transformed(rotation, move), part.material) for part in parts]


def _moved(parts: Sequence[Part], move: np.ndarray) -> list[Part]:
    return [Part(part.triangles.transformed(translation=move), part.material) for part in parts]


def _extent(parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([part.triangles.positions for part in parts])
    return points.min(0), points.max(0)


def rod(start: Vector, end: Vector, radius: float, end_radius: float | None = None, segments: int = 20) -> Triangles:
    """A cylinder or cone with flat ends between two points: wheels, rolls, poles, bars."""
    p, q = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length, tip = float(np.linalg.norm(q - p)), radius if end_radius is None else end_radius
    body = revolved([(0, 0), (radius, 0), (tip, length), (0, length)], segments)
    z = (q - p) / length
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return body.transformed(np.stack([x, np.cross(z, x), z], 1), p)


def legs(width: float, depth: float, height: float, thickness: float = 0.04, round_legs: bool = False,
         splay: float = 0.0) -> Triangles:
    """Four legs from z = 0 to `height`, their upper ends within width x depth; their feet stand out by `splay`."""
    x, y = width / 2 - thickness / 2, depth / 2 - thickness / 2
    corners = [(i, j) for i in (-1, 1) for j in (-1, 1)]
    if round_legs or splay:
        return joined(rod((i * (x + splay), j * (y + splay), 0), (i * x, j * y, height), thickness * 0.35, thickness / 2, 12)
                      for i, j in corners)
    return joined(box((i * x, j * y, height / 2), (thickness, thickness, height)) for i, j in corners)


def vessel(profile: Sequence[tuple[float, float]], wall: float = 0.004, segments: int = 32) -> Triangles:
    """A turned body with an inside, open at the top. profile: (radius, height) of its outside, upwards."""
    inside = [(max(radius - wall, 0.001), max(height, profile[0][1] + wall)) for radius, height in profile[::-1]]
    return revolved([(0, profile[0][1]), *profile, *inside, (0, inside[-1][1])], segments, 0.05)


def open_box(size: Vector, wall: float = 0.012, flare: float = 1.0) -> Triangles:
    """Four walls and a bottom standing on z = 0, open at the top. flare: how many times wider the rim is than the bottom."""
    width, depth, height = (float(v) for v in size)
    sides = [box((0, side * (depth - wall) / 2, height / 2), (width, wall, height)) for side in (-1, 1)]
    sides += [box((side * (width - wall) / 2, 0, height / 2), (wall, depth, height)) for side in (-1, 1)]
    body = joined([*sides, box((0, 0, wall / 2), (width, depth, wall))])
    widening = 1 + (flare - 1) * body.positions[:, 2:] / height
    return Triangles(np.concatenate([body.positions[:, :2] * widening, body.positions[:, 2:]], 1).astype(np.float32),
                     body.normals, body.uv)


def arc(center: Vector, radius: float, start: float, end: float, rise: float | None = None, steps: int = 10) -> list[np.ndarray]:
    """Points of an arc in the x-z plane from `start` to `end` degrees (0 = +x, 90 = up), for tube(). rise: its radius along z."""
    angles = np.radians(np.linspace(start, end, steps + 1))
    return [np.asarray(center, np.float64) + np.array([radius * np.cos(a), 0, (rise or radius) * np.sin(a)]) for a in angles]


def ring(center: Vector, radius: float, thickness: float, upright: bool = False, segments: int = 32) -> Triangles:
    """A torus: lying flat, or upright and facing -y. thickness: of the tube."""
    half = thickness / 2
    body = revolved([(radius + half * np.cos(a), half * np.sin(a)) for a in np.linspace(-np.pi, np.pi, 13)], segments, 0.05)
    return body.transformed(tilt_matrix(90) if upright else None, center)


def soft(center: Vector, size: Vector, power: float = 0.5, segments: int = 28) -> Triangles:
    """A stuffed thing: a superellipsoid (Barr 1981), from ball (power 1) towards box (0)."""
    def rounded(values: np.ndarray) -> np.ndarray:
        return np.sign(values) * np.abs(values) ** power

    up, around = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)[:, None], np.linspace(-np.pi, np.pi, segments + 1)[None]
    flat = np.ones_like(around) * np.ones_like(up)
    points = np.stack([rounded(np.cos(up)) * rounded(np.cos(around)), rounded(np.cos(up)) * rounded(np.sin(around)),
                       rounded(np.sin(up)) * flat], -1)
    half = np.asarray(size, np.float64) / 2
    normals = unit(np.sign(points) * np.abs(points) ** (2 / power - 1) / half)
    uv = np.stack([around * flat * half[0], up * flat * half[2]], -1)
    body = surface((points * half).transpose(1, 0, 2), normals.transpose(1, 0, 2), uv.transpose(1, 0, 2))
    return body.transformed(translation=center)


def front(center: Vector, width: float, height: float, lean: float = 0.0) -> Triangles:
    """An upright picture facing -y, its texture once over it. lean: degrees by which its upper edge leans back."""
    face = rectangle((-width / 2, 0, -height / 2), (width, 0, 0), (0, 0, height), 0.1, stretched=True)
    return face.transformed(tilt_matrix(-lean), center)


def lying(center: Vector, width: float, depth: float) -> Triangles:
    """A picture that lies facing up, its texture once over it, its upper edge towards +y."""
    x, y, z = center
    return rectangle((x - width / 2, y - depth / 2, z), (width, 0, 0), (0, depth, 0), 0.1, stretched=True)
