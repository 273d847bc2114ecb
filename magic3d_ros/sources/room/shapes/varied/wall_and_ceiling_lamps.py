"""Lamps on walls and ceilings."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, WHITE, from_above, hanging, metal, plastic, ring, rod
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, cylinder, joined, revolved, sphere, tube


def wall_lamp(random: np.random.Generator) -> list[Part]:
    """A shade or a globe on an arm, lit."""
    shade = (
        Material("linen", (0.95, 0.85, 0.66), 1.2, repeat=3.0) if random.random() < 0.5 else Material("", (0.95, 0.92, 0.85), 1.5)
    )
    arm = [rod((0, 0, 0), (0, -0.02, 0), 0.055), tube([(0, -0.02, 0), (0, -0.10, -0.02), (0, -0.14, 0.04)], 0.009)]
    if random.random() < 0.5:
        lamp = sphere((0, -0.14, 0.12), random.uniform(0.07, 0.1))
    else:
        low, high, tall = random.uniform(0.09, 0.12), random.uniform(0.05, 0.08), random.uniform(0.12, 0.18)
        lamp = revolved(
            [(low, 0.04), (high, 0.04 + tall), (high - 0.004, 0.04 + tall), (low - 0.004, 0.04), (low, 0.04)], 32, 0.04
        ).transformed(translation=(0, -0.14, 0))
    return hanging([Part(joined(arm), metal(random)), Part(lamp, shade)])


def ceiling_lamp(random: np.random.Generator) -> list[Part]:
    """A pendant with a metal shade or a paper globe, a flat glass bowl, or a row of spots."""
    kind = int(random.integers(4))
    if kind == 0:
        r, cord, shade = random.uniform(0.14, 0.24), random.uniform(0.35, 0.6), plastic(random)
        outline = [(r, -cord - r * 0.7), (r * 0.85, -cord - r * 0.3), (r * 0.25, -cord), (0.02, -cord + 0.03), (0, -cord + 0.03)]
        inner = [(x * 0.97, z - 0.006) for x, z in outline[::-1]]
        return from_above(
            [
                Part(revolved(outline + inner + [outline[0]], 36, 0.05), shade),
                Part(sphere((0, 0, -cord - r * 0.4), 0.05), Material("", (1.0, 0.9, 0.7), 2.5)),
                Part(joined([rod((0, 0, -cord), (0, 0, 0), 0.004), cylinder((0, 0, -0.03), 0.05, 0.03)]), BLACK),
            ]
        )
    if kind == 1:
        r, cord = random.uniform(0.16, 0.26), random.uniform(0.2, 0.45)
        ribs = [ring((0, 0, -cord - r + r * z), r * np.sqrt(1 - z * z) + 0.001, 0.004) for z in np.linspace(-0.9, 0.9, 9)]
        return from_above(
            [
                Part(joined([sphere((0, 0, -cord - r), r), *ribs]), Material("canvas", (0.95, 0.9, 0.8), 1.0)),
                Part(rod((0, 0, -cord), (0, 0, 0), 0.004), WHITE),
            ]
        )
    if kind == 2:
        r = random.uniform(0.16, 0.26)
        return from_above(
            [
                Part(
                    revolved([(0, -0.10), (r * 0.5, -0.09), (r * 0.85, -0.06), (r, -0.02), (r, 0), (0, 0)], 36, 0.05),
                    Material("", (0.95, 0.92, 0.85), 1.4),
                ),
                Part(ring((0, 0, -0.012), r + 0.005, 0.022), metal(random)),
            ]
        )
    width, spots, lit = random.uniform(0.6, 0.9), [], []
    for x in np.linspace(-0.42, 0.42, 4) * width:
        d = np.array([random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5), -1.0])
        d /= np.linalg.norm(d)
        start = np.array([x, 0, -0.10])
        spots += [rod(start - d * 0.02, start + d * 0.09, 0.028, 0.042), rod((x, 0, -0.02), start, 0.008)]
        lit.append(rod(start + d * 0.0905, start + d * 0.092, 0.036))
    return from_above(
        [
            Part(joined([*spots, box((0, 0, -0.012), (width, 0.06, 0.024))]), metal(random)),
            Part(joined(lit), Material("", (1.0, 0.93, 0.8), 2.5)),
        ]
    )


KINDS = {"wall lamp": Kind(wall_lamp, "wall", low=(1.4, 1.8)), "ceiling lamp": Kind(ceiling_lamp, "ceiling")}
