"""Plants and what they stand in."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    bright,
    ceramic,
    grey,
    open_box,
    plastic,
    rod,
    soft,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
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

LEAVES = ((0.05, 0.16, 0.04), (0.08, 0.22, 0.06), (0.12, 0.24, 0.05), (0.05, 0.13, 0.08))


def foliage(random: np.random.Generator) -> Material:
    """Veined leaves, lighter or darker."""
    return Material("leaf").tinted(tuple(6.0 * c for c in LEAVES[int(random.integers(4))]))


def vase(random: np.random.Generator) -> list[Part]:
    """Turned after a random outline; glazed, striped by a band."""
    h, belly, at, neck = (
        random.uniform(0.18, 0.45),
        random.uniform(0.2, 0.38),
        random.uniform(0.25, 0.6),
        random.uniform(0.06, 0.2),
    )
    points = [
        (random.uniform(0.12, 0.2), 0.0),
        (belly * 0.85, at * 0.5),
        (belly, at),
        (belly * 0.8, at + 0.15),
        (neck, 0.86),
        (neck * random.uniform(1.1, 1.7), 1.0),
    ]
    z = np.linspace(0, 1, 22)
    outline = [(float(np.interp(t, [p[1] for p in points], [p[0] for p in points])), float(t)) for t in z]
    smooth = [(sum(outline[min(max(i + k, 0), 21)][0] for k in (-1, 0, 1)) / 3 * h, t * h) for i, (_, t) in enumerate(outline)]
    parts = [Part(vessel(smooth, 0.005), ceramic(random))]
    if random.random() < 0.4:
        i = int(random.integers(6, 14))
        parts.append(Part(revolved([(r + 0.0012, t) for r, t in smooth[i : i + 3]], 32), bright(random)))
    return standing(parts)


def flowers(random: np.random.Generator) -> list[Part]:
    """A bunch in a vase: stems, leaves, heads of petals around a middle."""
    petals, heads, hearts, stems = bright(random, saturation=(0.3, 0.95), value=(0.5, 0.95)), [], [], []
    pot, tall = vase(random), random.uniform(0.22, 0.32)
    rim = max(float(p.triangles.positions[:, 2].max()) for p in pot)
    for _ in range(int(random.integers(7, 14))):
        a, lean = random.uniform(0, 6.283), random.uniform(0.0, 0.16)
        tip = np.array([lean * np.cos(a), lean * np.sin(a), rim + tall * random.uniform(0.6, 1.0)])
        stems.append(
            tube(
                [
                    (0.2 * lean * np.cos(a), 0.2 * lean * np.sin(a), rim * 0.6),
                    (0.5 * lean * np.cos(a), 0.5 * lean * np.sin(a), rim + 0.05),
                    tip,
                ],
                0.003,
                6,
            )
        )
        size = random.uniform(0.025, 0.045)
        heads += [
            soft((0, 0, 0), (size * 1.3, size * 0.75, size * 0.35), 0.9, 10)
            .transformed(tilt_matrix(0))
            .transformed(yaw_matrix(60 * k), tip + size * 0.75 * np.array([np.cos(1.047 * k), np.sin(1.047 * k), 0.15]))
            for k in range(6)
        ]
        hearts.append(sphere(tip + np.array([0, 0, 0.006]), size * 0.42, 10))
    leaves = [blade((0, 0, rim), float(a), 0.22, 0.05, 60, 60, 5) for a in random.uniform(0, 360, 5)]
    return standing(
        [
            *pot,
            Part(joined(stems), Material("", (0.06, 0.2, 0.04))),
            Part(joined(heads), petals),
            Part(joined(hearts), Material("", (0.75, 0.5, 0.05))),
            Part(joined(leaves), foliage(random)),
        ]
    )


def _pot(random: np.random.Generator, r: float, h: float) -> list[Part]:
    kind = int(random.integers(3))
    body = (
        vessel([(r * 0.72, 0), (r, h)], 0.008),
        vessel([(r * 0.7, 0), (r * 0.88, h * 0.8), (r, h * 0.8), (r, h)], 0.01),
        open_box((1.8 * r, 1.8 * r, h), 0.01, 1.05),
    )[kind]
    paint = Material("terracotta", repeat=2.0) if random.random() < 0.35 else ceramic(random)
    return [Part(body, paint), Part(cylinder((0, 0, h * 0.8), r * 0.8, h * 0.08), Material("soil", repeat=4.0))]


def potted_plant(random: np.random.Generator) -> list[Part]:
    """For a table: a rosette, a cactus, upright swords, or a bush of round leaves."""
    r, h, kind = random.uniform(0.06, 0.11), random.uniform(0.09, 0.14), int(random.integers(4))
    parts, leaf = _pot(random, r, h), foliage(random)
    if kind == 0:
        green = [
            blade(
                (0, 0, h * 0.85),
                float(137.5 * i),
                random.uniform(0.12, 0.22),
                random.uniform(0.025, 0.05),
                random.uniform(25, 75),
                random.uniform(40, 90),
            )
            for i in range(16)
        ]
    elif kind == 1:
        green, leaf = (
            [soft((0, 0, h * 0.85 + 0.08), (r * 1.2, r * 1.2, 0.22), 0.9)],
            Material("striped", (0.2, 0.55, 0.2), repeat=8.0),
        )
        green += [soft((s * r * 0.7, 0, h + 0.1), (r * 0.5, r * 0.5, 0.12), 0.9) for s in (-1, 1) if random.random() < 0.6]
    elif kind == 2:
        green = [
            blade(
                (r * 0.4 * np.cos(i), r * 0.4 * np.sin(i), h * 0.85),
                float(137.5 * i),
                random.uniform(0.25, 0.42),
                0.045,
                random.uniform(80, 89),
                random.uniform(2, 14),
            )
            for i in range(10)
        ]
    else:
        green = [
            soft((0, 0, 0), (0.055, 0.05, 0.008), 1.0, 10)
            .transformed(tilt_matrix(float(random.uniform(-40, 40))))
            .transformed(
                yaw_matrix(float(random.uniform(0, 360))),
                (random.normal(0, r * 0.7), random.normal(0, r * 0.7), h + random.uniform(0.02, 0.24)),
            )
            for _ in range(60)
        ]
        leaf = Material("", LEAVES[int(random.integers(4))])
        parts.append(
            Part(
                joined(
                    [
                        rod(
                            (0, 0, h * 0.8),
                            (random.uniform(-0.03, 0.03), random.uniform(-0.03, 0.03), h + 0.18),
                            0.004,
                            segments=6,
                        )
                        for _ in range(4)
                    ]
                ),
                Material("", (0.1, 0.14, 0.05)),
            )
        )
    return standing([*parts, Part(joined(green), leaf)])


def planter(random: np.random.Generator) -> list[Part]:
    """A long trough or a tall tub on the floor with a hedge of leaves."""
    if random.random() < 0.5:
        width, depth, height, material = (
            random.uniform(0.5, 0.9),
            random.uniform(0.2, 0.3),
            random.uniform(0.22, 0.4),
            wood(random) if random.random() < 0.6 else plastic(random),
        )
        body = open_box((width, depth, height), 0.02)
    else:
        width = depth = random.uniform(0.3, 0.4)
        height, material = (
            random.uniform(0.35, 0.6),
            grey(random) if random.random() < 0.6 else Material("terracotta", repeat=2.0),
        )
        body = vessel([(width * 0.36, 0), (width / 2, height)], 0.02)
    leaves = [
        blade(
            (random.uniform(-0.42, 0.42) * width, random.uniform(-0.25, 0.25) * depth, height * 0.9),
            float(random.uniform(0, 360)),
            random.uniform(0.2, 0.35),
            random.uniform(0.03, 0.05),
            random.uniform(55, 88),
            random.uniform(20, 80),
            5,
        )
        for _ in range(40)
    ]
    soil = (
        box((0, 0, height * 0.86), (width * 0.9, depth * 0.9, 0.02))
        if width != depth
        else cylinder((0, 0, height * 0.85), width * 0.44, 0.02)
    )
    return standing([Part(body, material), Part(soil, Material("soil", repeat=4.0)), Part(joined(leaves), foliage(random))])


def christmas_tree(random: np.random.Generator) -> list[Part]:
    """Tiers of needles on a trunk with coloured balls, lights and a star."""
    height = random.uniform(1.1, 1.9)
    green: list[Triangles] = []
    balls: list[Triangles] = []
    lights: list[Triangles] = []
    for i in range(9):
        z, r = height * (0.14 + 0.085 * i), height * 0.33 * (1 - i / 9.5)
        for a in np.linspace(0, 6.283, max(7, int(26 * r)), endpoint=False) + i:
            d = np.array([np.cos(a), np.sin(a), -0.28])
            green.append(capsule((0, 0, z + 0.05), np.array([0, 0, z + 0.05]) + d * r, 0.05 * height / 1.5, 0.016, 7))
            if random.random() < 0.3:
                (balls if random.random() < 0.6 else lights).append(
                    sphere(np.array([0, 0, z + 0.0]) + d * r * 0.97, random.uniform(0.02, 0.034), 10)
                )
    star = [
        box((0, 0, 0), (0.03, 0.03, 0.14)).transformed(
            np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]), (0, 0, height * 0.96)
        )
        for a in np.arange(3) * 1.047
    ]
    trunk = [cylinder((0, 0, 0), 0.12, 0.05), cylinder((0, 0, 0), 0.03, height * 0.85)]
    return standing(
        [
            Part(joined(green), Material("", (0.025, 0.10, 0.035))),
            Part(joined(trunk), wood(random)),
            Part(joined(balls or star), bright(random, (-0.05, 0.02)) if random.random() < 0.6 else bright(random)),
            Part(joined(star), Material("", (0.95, 0.7, 0.15), 0.5)),
            *([Part(joined(lights), Material("", (1.0, 0.85, 0.4), 1.2))] if lights else []),
        ]
    )


KINDS = {
    "vase": Kind(vase, "top"),
    "flowers": Kind(flowers, "top"),
    "potted plant": Kind(potted_plant, "top"),
    "planter": Kind(planter, "floor"),
    "christmas tree": Kind(christmas_tree, "middle"),
}
