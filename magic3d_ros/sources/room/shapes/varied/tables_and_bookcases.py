"""Tables and bookcases in many builds. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, STEEL, WHITE, bright, grey, legs, rod, standing, wood
from magic3d_ros.sources.room.shapes.varied.choices import between, pick
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS
from magic3d_ros.sources.room.triangles import Triangles, box, joined, tube

SIDES = (-1, 1)


def _table(random: np.random.Generator, width: float, depth: float, h: float) -> list[Part]:
    """A top on four legs, on two trestles or on a frame of steel."""
    top, design, metal_ = (
        pick(random, wood(random), wood(random), WHITE, GLASS, BLACK),
        int(random.integers(3)),
        pick(random, BLACK, STEEL, WHITE),
    )
    plate = box((0, 0, h - 0.018), (width, depth, 0.036), 0.006)
    if design == 0:
        return [
            Part(plate, top),
            Part(
                legs(width * 0.94, depth * 0.9, h - 0.03, between(random, 0.04, 0.09), random.random() < 0.5),
                pick(random, top, wood(random), metal_),
            ),
        ]
    if design == 1:
        feet = [
            rod((s * width * 0.36 + k * 0.16, y * depth * 0.42, 0), (s * width * 0.36, y * depth * 0.36, h - 0.03), 0.02)
            for s in SIDES
            for k in SIDES
            for y in SIDES
        ]
        feet += [box((s * width * 0.36, 0, h - 0.05), (0.06, depth * 0.86, 0.04)) for s in SIDES]
        return standing([Part(plate, top), Part(joined(feet), pick(random, wood(random), metal_))])
    bars = [
        tube(
            [
                (s * width * 0.44, -depth * 0.42, h - 0.04),
                (s * width * 0.44, -depth * 0.42, 0.02),
                (s * width * 0.44, depth * 0.42, 0.02),
                (s * width * 0.44, depth * 0.42, h - 0.04),
            ],
            0.02,
            8,
        )
        for s in SIDES
    ]
    return standing([Part(plate, top), Part(joined(bars), metal_)])


def table(random: np.random.Generator) -> list[Part]:
    """A small or middling table."""
    return _table(random, between(random, 0.7, 1.3), between(random, 0.6, 0.8), between(random, 0.68, 0.76))


def dining_table(random: np.random.Generator) -> list[Part]:
    """A long table."""
    return _table(random, between(random, 1.3, 2.1), between(random, 0.8, 1.0), between(random, 0.73, 0.77))


def bookcase(random: np.random.Generator) -> list[Part]:
    """Shelves with rows and piles of books and gaps between them, with or without a back."""
    width, h, d, board = (
        between(random, 0.6, 1.2),
        between(random, 0.85, 2.1),
        between(random, 0.24, 0.32),
        pick(random, wood(random), WHITE, BLACK),
    )
    count = max(2, round(h / 0.36))
    case = [box((s * (width / 2 - 0.011), 0, h / 2), (0.022, d, h)) for s in SIDES]
    case += [box((0, 0, 0.05 + (h - 0.062) * i / count), (width, d, 0.022)) for i in range(count + 1)]
    if random.random() < 0.7:
        case.append(box((0, d / 2 - 0.004, h / 2), (width, 0.008, h)))
    books: dict[Material, list[Triangles]] = {}
    covers = [bright(random, value=(0.05, 0.4)) if random.random() < 0.7 else grey(random) for _ in range(7)]
    for i in range(count):
        z, x, room = 0.062 + (h - 0.062) * i / count, -width / 2 + 0.03, (h - 0.062) / count - 0.04
        end = width / 2 - between(random, 0.03, width * 0.5)
        while x < end:
            thick, tall = between(random, 0.015, 0.045), room * between(random, 0.65, 0.95)
            books.setdefault(pick(random, *covers), []).append(
                box((x + thick / 2, -0.02, z + tall / 2), (thick - 0.002, d * between(random, 0.6, 0.75), tall), 0.0, 0.3)
            )
            x += thick
    return [Part(joined(case), board), *(Part(joined(bodies), cover) for cover, bodies in books.items())]


KINDS = {
    "table": Kind(table, "middle", carries=True),
    "dining table": Kind(dining_table, "middle", carries=True),
    "bookcase": Kind(bookcase, "floor"),
}
