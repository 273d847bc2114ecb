"""Ornaments, clocks and a fireplace."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    cloth,
    metal,
    plastic,
    ring,
    rod,
    soft,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.plants import foliage
from magic3d_ros.sources.room.triangles import (
    Triangles,
    blade,
    box,
    capsule,
    cylinder,
    joined,
    revolved,
    sphere,
    tilt_matrix,
    tube,
    yaw_matrix,
)


def statue(random: np.random.Generator) -> list[Part]:
    """A bust, a standing figure or an abstract knot on a plinth, in marble, bronze or plaster."""
    stone = (Material("marble", repeat=3.0), Material("", (0.10, 0.07, 0.035)), WHITE)[int(random.integers(3))]
    kind = int(random.integers(3))
    if kind == 0:
        parts = [
            soft((0, -0.005, 0.30), (0.13, 0.16, 0.19), 0.95),
            capsule((0, 0.01, 0.2), (0, 0.0, 0.26), 0.045),
            soft((0, 0.01, 0.13), (0.30, 0.14, 0.15), 0.8),
            soft((0, -0.085, 0.295), (0.022, 0.035, 0.05), 0.8),
            soft((0, 0.03, 0.33), (0.15, 0.15, 0.15), 0.95),
            *[soft((s * 0.066, 0.01, 0.295), (0.02, 0.035, 0.05), 0.8) for s in (-1, 1)],
        ]
        foot = [box((0, 0, 0.03), (0.16, 0.14, 0.06)), cylinder((0, 0, 0.05), 0.05, 0.03)]
    elif kind == 1:
        raised = random.uniform(0.0, 0.2)
        parts = [
            capsule((-0.03, 0, 0.06), (-0.025, 0, 0.24), 0.022, 0.03),
            capsule((0.035, -0.02, 0.06), (0.025, 0, 0.24), 0.022, 0.03),
            soft((0, 0, 0.31), (0.11, 0.075, 0.2), 0.8),
            sphere((0, -0.005, 0.455), 0.036),
            capsule((0.055, 0, 0.38), (0.11, -0.02, 0.3 + raised), 0.018),
            capsule((0.11, -0.02, 0.3 + raised), (0.09, -0.06, 0.34 + raised * 1.3), 0.015),
            capsule((-0.055, 0, 0.38), (-0.09, 0.01, 0.25), 0.018),
            capsule((0, 0, 0.4), (0, 0, 0.44), 0.016),
        ]
        foot = [cylinder((0, 0, 0), 0.085, 0.05)]
    else:
        t = np.linspace(0, 2 * np.pi, 48)
        parts = [
            tube(
                [
                    (
                        0.09 * (np.sin(a) + 2 * np.sin(2 * a)) / 2.2,
                        0.045 * -np.sin(3 * a),
                        0.2 + 0.09 * (np.cos(a) - 2 * np.cos(2 * a)) / 2.2,
                    )
                    for a in t
                ],
                0.022,
            )
        ]
        foot = [box((0, 0, 0.03), (0.15, 0.12, 0.06))]
    high = random.uniform(0.75, 1.3)
    parts_of = [Part(joined(parts), stone), Part(joined(foot), stone if random.random() < 0.5 else wood(random))]
    return standing([Part(p.triangles.transformed(scale=high), p.material) for p in parts_of])


def trophy(random: np.random.Generator) -> list[Part]:
    """A golden or silver cup with two handles on a dark plinth with a plate."""
    h, r = random.uniform(0.16, 0.3), random.uniform(0.05, 0.08)
    gold = Material("brushed", (0.95, 0.62, 0.15)) if random.random() < 0.7 else STEEL
    cup = vessel(
        [
            (r * 0.5, 0.06),
            (r * 0.5, 0.07),
            (r * 0.14, 0.09),
            (r * 0.14, 0.06 + h * 0.35),
            (r * 0.75, 0.06 + h * 0.5),
            (r, 0.06 + h * 0.75),
            (r * 1.08, 0.06 + h),
        ],
        0.003,
    )
    handles = [
        tube(
            [
                (s * r * 0.85, 0, 0.06 + h * 0.55),
                (s * r * 1.5, 0, 0.06 + h * 0.6),
                (s * r * 1.6, 0, 0.06 + h * 0.85),
                (s * r * 1.05, 0, 0.06 + h * 0.92),
            ],
            0.006,
        )
        for s in (-1, 1)
    ]
    return standing(
        [
            Part(joined([cup, *handles]), gold),
            Part(box((0, 0, 0.03), (r * 1.5, r * 1.5, 0.06)), BLACK if random.random() < 0.5 else wood(random)),
            Part(box((0, -r * 0.75 - 0.001, 0.03), (r, 0.003, 0.025)), gold),
        ]
    )


def aquarium(random: np.random.Generator) -> list[Part]:
    """A tank of water with gravel, plants and fish under a lit lid."""
    width, depth, height = random.uniform(0.45, 0.8), random.uniform(0.25, 0.35), random.uniform(0.3, 0.42)
    frame = [box((0, 0, 0.012), (width, depth, 0.024)), box((0, 0, height - 0.02), (width + 0.01, depth + 0.01, 0.05))]
    plants = [
        blade(
            (x, random.uniform(-0.3, 0.3) * depth, 0.05),
            float(random.uniform(0, 360)),
            random.uniform(0.5, 0.85) * height,
            0.03,
            85,
            15,
            5,
        )
        for x in random.uniform(-0.42, 0.42, 10) * width
    ]
    fish = []
    for _ in range(int(random.integers(4, 8))):
        p = np.array([random.uniform(-0.4, 0.4) * width, -depth * random.uniform(0.1, 0.42), random.uniform(0.3, 0.8) * height])
        fish += [soft(p, (0.05, 0.014, 0.028), 0.9, 14), box(p + np.array([0.03, 0, 0]), (0.016, 0.003, 0.026))]
    back = box((0, depth / 2 - 0.012, height / 2), (width - 0.01, 0.012, height - 0.06))
    return standing(
        [
            Part(joined(frame), BLACK),
            Part(back, Material("", (0.02, 0.16, 0.32), 0.4)),
            Part(box((0, 0, 0.04), (width - 0.02, depth - 0.02, 0.035)), Material("soil", (2.2, 2.0, 1.7), repeat=6.0)),
            Part(joined(plants), foliage(random)),
            Part(joined(fish), bright(random, (0.0, 0.16))),
            Part(box((0, 0, height - 0.05), (width * 0.9, 0.04, 0.01)), Material("", (0.9, 0.95, 1.0), 2.0)),
            Part(
                joined(
                    [
                        box((i * (width / 2 - 0.004), j * (depth / 2 - 0.004), height / 2), (0.008, 0.008, height))
                        for i in (-1, 1)
                        for j in (-1, 1)
                    ]
                ),
                Material("reflection", (0.6, 0.7, 0.7)),
            ),
        ]
    )


def fireplace(random: np.random.Generator) -> list[Part]:
    """A mantel of stone or wood around a dark hearth with logs and flames."""
    width, height, depth = random.uniform(1.0, 1.4), random.uniform(0.95, 1.15), random.uniform(0.28, 0.36)
    stone = (Material("marble", repeat=2.0), Material("terracotta", (0.8, 0.7, 0.65), repeat=2.0), WHITE, wood(random))[
        int(random.integers(4))
    ]
    opening, top = width * 0.6, height * 0.68
    body = [
        box((s * (width + opening) / 4, 0, height * 0.46), ((width - opening) / 2, depth, height * 0.92)) for s in (-1, 1)
    ] + [
        box((0, 0, (top + height * 0.92) / 2), (opening, depth, height * 0.92 - top)),
        box((0, -0.03, height * 0.95), (width + 0.12, depth + 0.08, 0.06)),
    ]
    hearth = [box((0, depth / 2 - 0.02, top / 2), (opening, 0.03, top)), box((0, 0, 0.02), (opening, depth, 0.03))]
    logs = [
        rod(
            (-0.2 + 0.03 * i, -0.04 + 0.05 * i, 0.09 + 0.05 * (i == 1)),
            (0.2 - 0.02 * i, 0.03 - 0.04 * i, 0.09 + 0.05 * (i == 1)),
            0.045,
        )
        for i in range(3)
    ]
    parts = [
        Part(joined(body), stone),
        Part(joined(hearth), Material("", (0.02, 0.018, 0.016))),
        Part(joined(logs), Material("walnut", (0.7, 0.6, 0.5), repeat=3.0)),
    ]
    if random.random() < 0.7:
        flames = [
            revolved([(0, 0), (0.05, 0.05), (0.04, 0.13), (0, 0.3)], 12, 0.05).transformed(
                scale=(1, 0.7, random.uniform(0.6, 1.1)), translation=(x, 0, 0.1)
            )
            for x in np.linspace(-0.14, 0.14, 5)
        ]
        parts.append(Part(joined(flames), Material("", (1.0, 0.4, 0.06), 1.5)))
    return standing(parts)


def gift(random: np.random.Generator) -> list[Part]:
    """A wrapped box with a crossed ribbon and a bow, one or two on top of each other."""
    parts, low, size = [], 0.0, random.uniform(0.16, 0.32)
    for _ in range(int(random.integers(1, 3))):
        width, depth, height = size * random.uniform(0.7, 1.0), size * random.uniform(0.6, 0.9), size * random.uniform(0.3, 0.8)
        paper = cloth(random) if random.random() < 0.3 else bright(random)
        ribbon = bright(random, value=(0.6, 0.95)) if random.random() < 0.6 else WHITE
        bands = [
            box((0, 0, low + height / 2), (size * 0.09, depth + 0.003, height + 0.003)),
            box((0, 0, low + height / 2), (width + 0.003, size * 0.09, height + 0.003)),
        ]
        parts += [Part(box((0, 0, low + height / 2), (width, depth, height)), paper), Part(joined(bands), ribbon)]
        low, size, top = low + height, size * 0.7, ribbon
    bow = [
        ring((0, 0, 0), size * 0.16, size * 0.07, True, 16).transformed(
            yaw_matrix(float(a)), (size * 0.16 * np.cos(np.radians(a)), size * 0.16 * np.sin(np.radians(a)), low + size * 0.1)
        )
        for a in (20, 110, 200, 290)
    ]
    return standing([*parts, Part(joined([*bow, sphere((0, 0, low + size * 0.06), size * 0.07, 12)]), top)])


def alarm_clock(random: np.random.Generator) -> list[Part]:
    """Twin bells on a round dial, or a block with lit digits."""
    if random.random() < 0.5:
        width = random.uniform(0.12, 0.2)
        digits = []
        for x in (-0.33, -0.13, 0.13, 0.33):
            on = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg")[int(random.integers(6))]
            s = width * 0.075
            seg = {
                "a": (0, 2, 1),
                "d": (0, -2, 1),
                "g": (0, 0, 1),
                "b": (1, 1, 0),
                "c": (1, -1, 0),
                "e": (-1, -1, 0),
                "f": (-1, 1, 0),
            }
            digits += [
                box(
                    (width * x + u * s, -0.0385, 0.04 + v * s),
                    (2 * s * 0.8, 0.001, s * 0.3) if flat else (s * 0.3, 0.001, 2 * s * 0.8),
                )
                for name in on
                for u, v, flat in [seg[name]]
            ]
        return standing(
            [
                Part(box((0, 0, 0.04), (width, 0.075, 0.08), 0.01), wood(random) if random.random() < 0.5 else BLACK),
                Part(box((0, -0.0375, 0.04), (width * 0.92, 0.001, 0.058)), BLACK),
                Part(joined(digits), Material("", (1.0, 0.15, 0.08) if random.random() < 0.5 else (0.2, 1.0, 0.5), 1.5)),
            ]
        )
    r, paint = random.uniform(0.045, 0.065), plastic(random)
    z = r + 0.025
    face = revolved([(r * 0.92, 0.028), (0, 0.028)], 40, 0.05)
    dial = Triangles(
        face.positions, face.normals, 0.5 + face.positions[:, :2] * np.array([1, -1], np.float32) / (2 * r)
    ).transformed(tilt_matrix(90), (0, 0, z))
    bells = [soft((s * r * 0.6, 0, z + r * 1.12), (r * 0.8, r * 0.8, r * 0.55), 0.9) for s in (-1, 1)]
    bits = (
        [rod((s * r * 0.5, 0, z - r * 0.7), (s * r * 0.75, 0, 0), 0.006) for s in (-1, 1)]
        + [rod((s * r * 0.5, 0, z + r * 0.6), (s * r * 0.6, 0, z + r), 0.005) for s in (-1, 1)]
        + [tube([(-r * 0.4, 0, z + r * 1.3), (0, 0, z + r * 1.7), (r * 0.4, 0, z + r * 1.3)], 0.003)]
    )
    return standing(
        [
            Part(rod((0, 0.025, z), (0, -0.027, z), r, segments=40), paint),
            Part(dial, Material("clock")),
            Part(joined(bells), paint if random.random() < 0.4 else metal(random)),
            Part(joined(bits), STEEL),
        ]
    )


KINDS = {
    "statue": Kind(statue, "top"),
    "trophy": Kind(trophy, "top"),
    "aquarium": Kind(aquarium, "top"),
    "fireplace": Kind(fireplace, "floor"),
    "gift": Kind(gift, "top"),
    "alarm clock": Kind(alarm_clock, "top"),
}
