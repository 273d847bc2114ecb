"""What pots, cups and other hollow things are made of besides building.vessel: shells, linings, handles, bands, fillings.

A side is the outside of a vessel as (radius, height), upwards, without the middle of its bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import bright
from magic3d_ros.sources.room.shapes.varied.choices import plain
from magic3d_ros.sources.room.triangles import Triangles, revolved, tube

Side = Sequence[tuple[float, float]]

GLASS = plain(0.58, 0.65, 0.65)
"""Opaque: the renderer has no refraction, and what a depth camera sees of a glass is its dust and its filling."""

COFFEE = plain(0.045, 0.022, 0.010)


def shell(side: Side, segments: int = 32) -> Triangles:
    """The outside of a vessel alone, with its bottom."""
    return revolved([(0, side[0][1]), *side], segments)


def solid(side: Side, segments: int = 32) -> Triangles:
    """A turned body that is closed above and below."""
    return revolved([(0, side[0][1]), *side, (0, side[-1][1])], segments)


def lining(side: Side, wall: float = 0.004, segments: int = 32) -> Triangles:
    """The inside of a vessel with its rim, to be given another material than the outside."""
    floor = side[0][1] + wall
    inside = [(max(radius - wall, 0.001), max(height, floor)) for radius, height in side[::-1]]
    return revolved([side[-1], *inside, (0, floor)], segments)


def loop(x: float, low: float, high: float, reach: float, thickness: float) -> Triangles:
    """A handle: half a ring towards +x between the heights low and high, at the distance x from the axis."""
    middle, half = (low + high) / 2, (high - low) / 2
    return tube([(x + reach * np.sin(a), 0, middle + half * np.cos(a)) for a in np.linspace(0, np.pi, 10)], thickness, 8)


def printed(random: np.random.Generator, repeat: float) -> Material:
    """Printed paper in the colours of a brand, repeated so many times a metre."""
    paper = bright(random, saturation=(0.1, 0.9), value=(0.3, 0.9))
    return replace(paper, texture=f"newspaper:{int(random.integers(9))}", repeat=repeat)


def band(side: Side, low: float, high: float, material: Material) -> Part:
    """A band around a vessel between two heights, 0.6 mm before its outside: a label, a stripe, what is seen of a filling.

    Prints stand upright on it.
    """
    radii, heights = [radius for radius, _ in side], [height for _, height in side]
    ends = [(float(np.interp(z, heights, radii)) + 0.0006, z) for z in (low, high)]
    between_ends = [(radius + 0.0006, height) for radius, height in side if low < height < high]
    body = revolved([ends[0], *between_ends, ends[1]], 32)
    return Part(Triangles(body.positions, body.normals, body.uv * np.array([1, -1], np.float32)), material)
