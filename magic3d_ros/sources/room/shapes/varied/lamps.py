"""Lamps and candles for tables."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    ceramic,
    metal,
    plastic,
    rod,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, cylinder, joined, revolved, tube


def _flame(x: float, y: float, z: float) -> Part:
    return Part(
        revolved([(0, 0), (0.005, 0.008), (0.004, 0.02), (0, 0.032)], 12, 0.01).transformed(translation=(x, y, z)),
        Material("", (1.0, 0.75, 0.3), 3.0),
    )


def _lit(random: np.random.Generator) -> Material:
    return Material(
        "linen",
        (0.95, float(random.uniform(0.8, 0.92)), float(random.uniform(0.6, 0.85))),
        float(random.choice([0.0, 1.2])),
        repeat=3.0,
    )


def _shade(low: float, high: float, bottom: float, height: float) -> Triangles:
    return revolved(
        [(low, bottom), (high, bottom + height), (high - 0.003, bottom + height), (low - 0.003, bottom), (low, bottom)], 36, 0.05
    )


def lamp(random: np.random.Generator) -> list[Part]:
    """For a table: a shade on a turned, round or square foot."""
    tall, material = (
        random.uniform(0.2, 0.34),
        ceramic(random) if random.random() < 0.5 else (wood(random) if random.random() < 0.5 else metal(random)),
    )
    kind = int(random.integers(3))
    if kind == 0:
        foot = revolved(
            [
                (0, 0),
                (0.06, 0),
                (0.06, 0.01),
                (0.1, tall * 0.35),
                (0.085, tall * 0.6),
                (0.02, tall * 0.9),
                (0.012, tall + 0.08),
                (0, tall + 0.08),
            ],
            32,
            0.03,
        )
    elif kind == 1:
        foot = joined([cylinder((0, 0, 0), 0.08, 0.018, 36), cylinder((0, 0, 0.01), 0.011, tall + 0.07)])
    else:
        foot = joined(
            [box((0, 0, tall * 0.4), (0.12, 0.12, tall * 0.8), 0.01), cylinder((0, 0, tall * 0.8), 0.01, tall * 0.2 + 0.08)]
        )
    low = random.uniform(0.12, 0.18)
    return standing(
        [Part(foot, material), Part(_shade(low, low * random.uniform(0.5, 1.0), tall, random.uniform(0.15, 0.22)), _lit(random))]
    )


def desk_lamp(random: np.random.Generator) -> list[Part]:
    """A round or clamped foot, two arms, a turned head that shines."""
    paint, a, b = plastic(random), random.uniform(60, 85), random.uniform(15, 45)
    first, second = random.uniform(0.24, 0.34), random.uniform(0.22, 0.3)
    elbow = np.array([0, 0.02 - first * np.cos(np.radians(a)) * -0.4, 0.02 + first * np.sin(np.radians(a))])
    end = elbow + np.array([0, -second * np.cos(np.radians(b)), second * np.sin(np.radians(b)) * 0.6])
    down = np.array([0, -0.5, -0.87])
    bodies = [
        revolved([(0, 0), (0.09, 0), (0.09, 0.012), (0.02, 0.025), (0, 0.025)], 36),
        rod((0, 0.02, 0.02), elbow, 0.008),
        rod(elbow, end, 0.008),
        rod(elbow + np.array([-0.02, 0, 0]), elbow + np.array([0.02, 0, 0]), 0.015),
    ]
    head = rod(end - down * 0.02, end + down * 0.12, 0.03, random.uniform(0.06, 0.085), 32)
    return standing(
        [
            Part(joined(bodies), paint if random.random() < 0.5 else STEEL),
            Part(head, paint),
            Part(rod(end + down * 0.1205, end + down * 0.122, 0.05), Material("", (1.0, 0.93, 0.75), 2.5)),
        ]
    )


def candle(random: np.random.Generator) -> list[Part]:
    """A pillar, three of them, one in a stick, or a candelabrum."""
    wax, kind = WHITE if random.random() < 0.5 else bright(random), int(random.integers(3))
    if kind == 0:
        parts = []
        for x, y in ((0, 0), (0.08, 0.02), (0.03, -0.075))[: int(random.choice([1, 3]))]:
            r, h = random.uniform(0.025, 0.036), random.uniform(0.07, 0.2)
            parts += [
                Part(cylinder((x, y, 0.004), r, h), wax),
                Part(rod((x, y, h), (x, y, h + 0.012), 0.0015, segments=6), BLACK),
                _flame(x, y, h + 0.01),
            ]
        return standing(
            [
                *parts,
                Part(
                    cylinder((0.03, -0.02, 0) if len(parts) > 3 else (0, 0, 0), 0.13 if len(parts) > 3 else 0.06, 0.006, 36),
                    ceramic(random),
                ),
            ]
        )
    arms = [(0, 0.0)] if kind == 1 else [(0, 0.0), (-0.11, -0.03), (0.11, -0.03)]
    tall = random.uniform(0.12, 0.22)
    bodies = [
        revolved(
            [
                (0, 0),
                (0.055, 0),
                (0.055, 0.01),
                (0.012, 0.03),
                (0.010, tall * 0.5),
                (0.018, tall * 0.55),
                (0.010, tall * 0.6),
                (0.010, tall),
                (0, tall),
            ],
            28,
            0.03,
        )
    ]
    parts = []
    for x, low in arms:
        top = tall + low
        if x:
            bodies.append(tube([(0, 0, tall * 0.6), (x * 0.6, 0, tall * 0.55), (x, 0, tall * 0.75), (x, 0, top)], 0.006))
        bodies.append(vessel([(0.012, top - 0.005), (0.022, top + 0.012)], 0.003, 20))
        parts += [Part(cylinder((x, 0, top), 0.011, 0.16, 16), wax), _flame(x, 0, top + 0.162)]
    return standing([Part(joined(bodies), metal(random)), *parts])


KINDS = {"lamp": Kind(lamp, "top"), "desk lamp": Kind(desk_lamp, "top"), "candle": Kind(candle, "top")}
