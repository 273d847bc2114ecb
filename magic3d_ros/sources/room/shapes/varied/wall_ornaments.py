"""Ornaments on walls; backs on y = 0."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, bright, hanging, ring, rod, soft, toned, wood
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, joined, sphere, surface, unit


def dartboard(random: np.random.Generator) -> list[Part]:
    """Twenty sectors in black, white, red and green, darts in it, sometimes in a cabinet's black ring."""
    r = random.uniform(0.2, 0.225)
    rings_of: dict[str, list[Triangles]] = {"dark": [], "light": [], "red": [], "green": []}
    for i in range(20):
        a = np.linspace(i * 0.31416 - 0.157, i * 0.31416 + 0.157, 4)
        for low, high, names in (
            (0.09, 0.48, ("dark", "light")),
            (0.48, 0.54, ("red", "green")),
            (0.54, 0.8, ("dark", "light")),
            (0.8, 0.86, ("red", "green")),
        ):
            grid = np.stack([np.stack([k * r * np.sin(a), np.full(4, -0.0405), k * r * np.cos(a)], 1) for k in (low, high)], 1)
            rings_of[names[i % 2]].append(
                surface(grid[::-1], np.broadcast_to(unit(np.array([0.0, -1.0, 0.0])), grid.shape), np.zeros((4, 2, 2)))
            )
    tints = {"dark": (0.02, 0.02, 0.02), "light": (0.72, 0.62, 0.42), "red": (0.6, 0.03, 0.03), "green": (0.02, 0.3, 0.08)}
    parts = [
        Part(rod((0, 0, 0), (0, -0.04, 0), r, segments=40), BLACK),
        *[Part(joined(rings_of[name]), Material("", tint)) for name, tint in tints.items()],
        Part(rod((0, -0.04, 0), (0, -0.0412, 0), r * 0.05), Material("", tints["red"])),
        Part(ring((0, -0.04, 0), r * 0.09, 0.004, True), Material("", tints["green"])),
    ]
    darts = [capsule((x, -0.045, z), (x, -0.12, z + 0.012), 0.004) for x, z in random.uniform(-0.5, 0.5, (3, 2)) * r] + [
        box((0, -0.13, 0.0), (0.001, 0.001, 0.001))
    ]
    return hanging([*parts, Part(joined(darts[:-1]), bright(random))])


def wreath(random: np.random.Generator) -> list[Part]:
    """A ring of twigs with balls and a bow."""
    r, twigs = random.uniform(0.14, 0.22), []
    for a in random.uniform(0, 6.283, 160):
        middle = np.array([r * np.cos(a), -0.05, r * np.sin(a)])
        lean = np.array([np.cos(a + 1.2), random.uniform(-0.8, 0.5), np.sin(a + 1.2)]) + random.uniform(-0.5, 0.5, 3)
        twigs.append(capsule(middle, middle + 0.07 * lean, 0.008, 0.003, 6))
    berries = [
        sphere((r * np.cos(a), -0.09, r * np.sin(a)), random.uniform(0.012, 0.024), 12) for a in random.uniform(0, 6.283, 12)
    ]
    bow = [soft((s * 0.05, -0.1, -r), (0.1, 0.03, 0.06), 0.8) for s in (-1, 1)] + [sphere((0, -0.11, -r), 0.02, 12)]
    return hanging(
        [
            Part(
                joined([*twigs, ring((0, -0.05, 0), r, 0.04, True)]),
                toned(random, Material(), 0.03, 0.12, 0.04, 0.3),
            ),
            Part(joined([*berries, *bow]), Material("", (0.6, 0.03, 0.04)) if random.random() < 0.6 else bright(random)),
        ]
    )


def mask(random: np.random.Generator) -> list[Part]:
    """A carved face: brows, nose, lips, hollow eyes."""
    height, skin = random.uniform(0.24, 0.4), wood(random) if random.random() < 0.6 else bright(random)
    s = height / 0.3
    face = [
        soft((0, -0.02 * s, 0), (0.19 * s, 0.12 * s, 0.30 * s), 0.9),
        soft((0, -0.085 * s, -0.01 * s), (0.035 * s, 0.05 * s, 0.09 * s), 0.8),
        *[capsule((k * 0.015 * s, -0.075 * s, 0.05 * s), (k * 0.07 * s, -0.055 * s, 0.055 * s), 0.011 * s) for k in (-1, 1)],
    ]
    lips = [ring((0, -0.07 * s, -0.085 * s), 0.028 * s, 0.014 * s, True, 20)]
    holes = [soft((k * 0.042 * s, -0.072 * s, 0.025 * s), (0.045 * s, 0.015 * s, 0.02 * s), 0.9) for k in (-1, 1)] + [
        soft((0, -0.071 * s, -0.085 * s), (0.045 * s, 0.012 * s, 0.04 * s), 0.9)
    ]
    stripes = [capsule((k * 0.05 * s, -0.062 * s, -0.02 * s), (k * 0.07 * s, -0.045 * s, -0.08 * s), 0.005 * s) for k in (-1, 1)]
    cut = [
        Part(joined(face), skin),
        Part(joined([*lips, *stripes]), bright(random)),
        Part(joined(holes), Material("", (0.01, 0.01, 0.01))),
    ]
    return hanging(cut)


KINDS = {
    "dartboard": Kind(dartboard, "wall", low=(1.3, 1.6)),
    "wreath": Kind(wreath, "wall", low=(1.2, 1.7)),
    "mask": Kind(mask, "wall", low=(1.2, 1.7)),
}
