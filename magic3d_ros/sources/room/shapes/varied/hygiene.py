"""Care of the body: towels, cases, brushes and what stands beside a washbasin. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    front,
    grey,
    lying,
    rod,
    soft,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import folded, hung_cloth, sheet
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, rectangle, revolved, tilt_matrix, tube, yaw_matrix

SIDES = (-1, 1)


def towel(random: np.random.Generator) -> list[Part]:
    """Folded on a pile, rolled, or hung over a rail on the floor."""
    dye = replace(
        pick(random, bright(random), WHITE, grey(random, 0.15)), texture=pick(random, "canvas", "linen", "striped"), repeat=3.0
    )
    design = int(random.integers(3))
    if design == 0:
        return [Part(folded(between(random, 0.3, 0.4), between(random, 0.2, 0.28), int(random.integers(2, 6)), 0.032), dye)]
    if design == 1:
        rolls = [rod((-0.18, y, z), (0.18, y, z), 0.055) for y, z in ((-0.058, 0.055), (0.058, 0.055), (0, 0.155))]
        return [Part(joined(rolls), dye)]
    width, drop = between(random, 0.35, 0.5), between(random, 0.5, 0.7)
    h = drop + 0.2
    rack = [rod((x * 0.32, 0, 0.02), (x * 0.32, 0, h), 0.011) for x in SIDES] + [rod((-0.32, 0, h), (0.32, 0, h), 0.011)]
    rack += [rod((x * 0.32, -0.15, 0.015), (x * 0.32, 0.15, 0.015), 0.014) for x in SIDES]
    hung = [
        hung_cloth(width, drop * share, 3, 0.006).transformed(translation=(0, y, h + 0.012 - drop * share))
        for y, share in ((-0.016, 1.0), (0.016, 0.8))
    ]
    over = box((0, 0, h + 0.012), (width, 0.036, 0.008), 0.0035)
    return standing([Part(joined(rack), pick(random, STEEL, BLACK, wood(random))), Part(joined([*hung, over]), dye)])


def bathroom_cabinet(random: np.random.Generator) -> list[Part]:
    """A cabinet with doors of mirror glass, hung above the basin."""
    width, h, d = between(random, 0.4, 1.0), between(random, 0.5, 0.75), between(random, 0.13, 0.2)
    count = max(1, round(width / 0.4))
    step = width / count
    doors = [front((-width / 2 + step * (i + 0.5), -d - 0.011, h / 2), step - 0.008, h - 0.006) for i in range(count)]
    lamp = box((0, -d - 0.05, h + 0.05), (width * 0.5, 0.05, 0.04), 0.015)
    case = [
        box((0, -d / 2, h / 2), (width, d, h)),
        *(box((-width / 2 + step * (i + 0.5), -d - 0.005, h / 2), (step - 0.004, 0.01, h)) for i in range(count)),
    ]
    return [
        Part(joined(case), pick(random, WHITE, WHITE, wood(random))),
        Part(joined(doors), Material("reflection")),
        Part(joined([lamp, box((0, -d / 2 - 0.02, h + 0.02), (0.05, d, 0.03))]), STEEL),
    ]


def scale(random: np.random.Generator) -> list[Part]:
    """A glass plate with a display on four feet, or a mechanical one with a rubber mat and a dial."""
    width, depth = between(random, 0.28, 0.33), between(random, 0.27, 0.33)
    feet = joined([cylinder((x * width * 0.38, y * depth * 0.38, 0), 0.02, 0.015) for x in SIDES for y in SIDES])
    if random.random() < 0.6:
        return [
            Part(box((0, 0, 0.022), (width, depth, 0.014), 0.005), pick(random, WHITE, BLACK, GLASS)),
            Part(feet, BLACK),
            Part(rectangle((-0.045, depth * 0.25, 0.0295), (0.09, 0, 0), (0, 0.04, 0)), plain(0.18, 0.24, 0.2)),
            Part(joined([box((x * width * 0.3, -0.02, 0.0292), (0.05, depth * 0.6, 0.002)) for x in SIDES]), STEEL),
        ]
    dial = lying((0, depth * 0.33, 0.0565), 0.11, 0.11)
    return [
        Part(joined([box((0, 0, 0.03), (width, depth, 0.05), 0.015), feet]), pick(random, WHITE, bright(random))),
        Part(dial, Material("clock")),
        Part(box((0, -0.03, 0.054), (width * 0.85, depth * 0.62, 0.006)), BLACK),
    ]


def toilet_brush(random: np.random.Generator) -> list[Part]:
    """A brush in its holder, and the handle of a plunger sometimes instead."""
    finish, h = pick(random, WHITE, STEEL, BLACK, bright(random)), between(random, 0.36, 0.42)
    if random.random() < 0.25:
        cup = vessel([(0.075, 0), (0.078, 0.02), (0.045, 0.07), (0.015, 0.09)], 0.003)
        return [Part(cup, plain(0.35, 0.05, 0.02)), Part(rod((0, 0, 0.07), (0, 0, h + 0.1), 0.012), wood(random))]
    holder = pick(random, [(0.05, 0), (0.05, 0.13), (0.046, 0.14)], [(0.06, 0), (0.045, 0.05), (0.045, 0.16)])
    stick = [rod((0, 0, 0.1), (0, 0, h), 0.008), capsule((0, 0, h - 0.1), (0, 0, h), 0.012), cylinder((0, 0, 0.14), 0.042, 0.012)]
    return [Part(vessel(holder, 0.004), finish), Part(joined(stick), pick(random, finish, STEEL, WHITE))]


def tissue_box(random: np.random.Generator) -> list[Part]:
    """A printed box, long or square, with a tissue that sticks out of its slot; or a small pack."""
    width, depth, h = pick(random, (0.23, 0.115, 0.08), (0.12, 0.12, 0.13), (0.24, 0.12, 0.06))
    print_, leaf = Material(f"package:{int(random.integers(60))}"), []
    for turn in (0, 60, 120):
        points = np.array(
            [
                [[x * (0.4 + 0.6 * z), 0.012 * np.sin(5 * x * 20 + z), 0.075 * z] for z in np.linspace(0, 1, 5)]
                for x in np.linspace(-0.035, 0.035, 9)
            ]
        )
        leaf.append(sheet(points, 0.001).transformed(yaw_matrix(turn), (0, 0, h)))
    sides = [
        front((0, -depth / 2 - 0.001, h / 2), width, h),
        front((0, -depth / 2 - 0.001, h / 2), width, h).transformed(yaw_matrix(180)),
    ]
    slot = box((0, 0, h), (width * 0.5, 0.03, 0.002))
    return [
        Part(box((0, 0, h / 2), (width, depth, h)), pick(random, bright(random), WHITE)),
        Part(joined(sides), print_),
        Part(slot, BLACK),
        Part(joined(leaf), WHITE),
    ]


def first_aid_kit(random: np.random.Generator) -> list[Part]:
    """A case with a cross and a handle."""
    width, h, d = between(random, 0.2, 0.34), between(random, 0.15, 0.24), between(random, 0.08, 0.13)
    shell_colour, cross = pick(
        random,
        (plain(0.6, 0.02, 0.02), WHITE),
        (WHITE, plain(0.6, 0.02, 0.02)),
        (plain(0.02, 0.3, 0.1), WHITE),
        (plain(0.75, 0.3, 0.02), plain(0.02, 0.25, 0.08)),
    )
    bars = [box((0, -d / 2 - 0.001, h / 2), size) for size in ((h * 0.5, 0.003, h * 0.17), (h * 0.17, 0.003, h * 0.5))]
    grip = tube([(x * 0.05, 0, h + z) for x, z in ((-1, -0.005), (-1, 0.03), (1, 0.03), (1, -0.005))], 0.007)
    latches = [box((x * width * 0.3, -d / 2, h - 0.03), (0.025, 0.01, 0.03), 0.003) for x in SIDES]
    return [
        Part(box((0, 0, h / 2), (width, d, h), 0.018), shell_colour),
        Part(joined(bars), cross),
        Part(joined([grip, *latches]), BLACK),
    ]


def hairbrush(random: np.random.Generator) -> list[Part]:
    """A paddle brush lying with its bristles up, or a comb."""
    finish = pick(random, BLACK, wood(random), bright(random))
    if random.random() < 0.25:
        teeth = [box((-0.085 + 0.006 * i, -0.012, 0.004), (0.0025, 0.03, 0.004)) for i in range(29)]
        return standing([Part(joined([box((0, 0.01, 0.005), (0.18, 0.016, 0.008), 0.003), *teeth]), finish)])
    head = soft((0, 0.05, 0.013), (0.07, 0.11, 0.02), 0.6)
    bristles = [
        rod((x, 0.05 + y, 0.02), (x * 1.1, 0.05 + y * 1.05, 0.04), 0.0012, segments=5)
        for x in np.linspace(-0.024, 0.024, 6)
        for y in np.linspace(-0.04, 0.04, 8)
    ]
    return standing(
        [
            Part(joined([head, capsule((0, 0, 0.012), (0, -0.12, 0.012), 0.009, 0.012)]), finish),
            Part(soft((0, 0.05, 0.021), (0.058, 0.096, 0.012), 0.7), pick(random, BLACK, grey(random), plain(0.5, 0.1, 0.1))),
            Part(joined(bristles), BLACK),
        ]
    )


def hair_dryer(random: np.random.Generator) -> list[Part]:
    """A barrel with a nozzle and a grip, lying on its side, its cord beside it."""
    s, housing = between(random, 0.85, 1.1), pick(random, BLACK, BLACK, WHITE, bright(random))
    barrel = revolved(
        [(0, -0.09), (0.03, -0.09), (0.042, -0.07), (0.04, 0.02), (0.03, 0.09), (0.027, 0.12), (0, 0.12)]
    ).transformed(tilt_matrix(90), (0, 0, 0.045))
    nozzle = box((0, -0.14, 0.045), (0.075, 0.05, 0.02), 0.008)
    grip = capsule((0, 0.03, 0.045), (0.13, 0.055, 0.035), 0.02, 0.017)
    cord = tube(
        [(0.14, 0.055, 0.03), (0.18, 0.07, 0.006), (0.2, 0.0, 0.004), (0.15, -0.08, 0.004), (0.19, -0.11, 0.004)], 0.004, 8
    )
    parts = [Part(joined([barrel, grip]), housing), Part(joined([nozzle, cord]), BLACK)]
    return standing([Part(p.triangles.transformed(scale=s), p.material) for p in parts])


KINDS = {
    "towel": Kind(towel, "top"),
    "bathroom cabinet": Kind(bathroom_cabinet, "wall", low=(1.1, 1.4)),
    "scale": Kind(scale, "floor"),
    "toilet brush": Kind(toilet_brush, "floor"),
    "tissue box": Kind(tissue_box, "top"),
    "first aid kit": Kind(first_aid_kit, "top"),
    "hairbrush": Kind(hairbrush, "top"),
    "hair dryer": Kind(hair_dryer, "top"),
}
