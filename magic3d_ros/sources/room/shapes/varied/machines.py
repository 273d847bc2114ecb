"""Machines of offices and homes: for copies, air, warmth, seams and letters."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    about,
    bright,
    front,
    grey,
    metal,
    plastic,
    ring,
    rod,
    standing,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, tilt_matrix, tube


def _panel(random: np.random.Generator) -> Material:
    return Material(f"buttons:{int(random.integers(8))}")


def photocopier(random: np.random.Generator) -> list[Part]:
    """Paper drawers below, a slot where copies come out, a lid, a panel that leans towards whoever copies, a tray at the side."""
    width, depth, height = random.uniform(0.55, 0.65), random.uniform(0.55, 0.65), random.uniform(0.95, 1.1)
    y = -depth / 2
    low = box((0, 0, height * 0.3), (width, depth, height * 0.6), 0.01)
    high = [
        box((0, 0, height * 0.84), (width, depth, height * 0.2), 0.01),
        box((0, depth * 0.3, height * 0.67), (width, depth * 0.4, height * 0.16)),
        box((0, 0.03, height * 0.96), (width * 0.96, depth * 0.86, height * 0.07), 0.015),
    ]
    drawers = [box((0, y - 0.005, height * (0.12 + 0.13 * i)), (width * 0.9, 0.02, height * 0.115), 0.004) for i in range(4)]
    grips = [box((0, y - 0.016, height * (0.15 + 0.13 * i)), (width * 0.3, 0.006, 0.018)) for i in range(4)]
    face = front((-width * 0.05, y - 0.02, height * 0.92), 0.32, 0.14, 55)
    tray = box((0, 0, 0), (0.26, 0.3, 0.012)).transformed(
        np.array([[0.94, 0, -0.34], [0, 1, 0], [0.34, 0, 0.94]]), (width / 2 + 0.1, 0, height * 0.72)
    )
    return standing(
        [
            Part(joined([low, *high]), grey(random, 0.3)),
            Part(joined([*drawers, tray]), grey(random, 0.15)),
            Part(joined(grips), BLACK),
            Part(face, _panel(random)),
        ]
    )


def paper_shredder(random: np.random.Generator) -> list[Part]:
    """A head with a slot on a bin with a window behind which strips of paper lie."""
    width, depth, height, case = (
        random.uniform(0.30, 0.38),
        random.uniform(0.2, 0.28),
        random.uniform(0.38, 0.58),
        BLACK if random.random() < 0.6 else grey(random),
    )
    parts = [
        Part(box((0, 0, height * 0.42), (width * 0.92, depth * 0.92, height * 0.84)), case),
        Part(box((0, 0, height * 0.92), (width, depth, height * 0.17), 0.02), grey(random)),
        Part(box((0, 0, height + 0.002), (width * 0.66, 0.012, 0.006)), Material("", (0.005, 0.005, 0.005))),
        Part(
            box((0, -depth * 0.461, height * 0.42), (width * 0.3, 0.004, height * 0.5)),
            Material("newspaper", (0.8, 0.8, 0.8), repeat=6.0),
        ),
    ]
    if random.random() < 0.6:
        parts.append(Part(box((0, 0, height + 0.07), (0.21, 0.003, 0.14)), WHITE))
    return standing(parts)


def server_rack(random: np.random.Generator) -> list[Part]:
    """A frame full of units with lamps, grilles and cables in front."""
    width, depth, height = 0.6, random.uniform(0.6, 0.9), random.uniform(1.2, 2.0)
    frame = [box((s * (width / 2 - 0.03), 0, height / 2), (0.06, depth, height)) for s in (-1, 1)]
    frame += [box((0, 0, z), (width, depth, 0.05)) for z in (0.025, height - 0.025)] + [
        box((0, depth / 2 - 0.01, height / 2), (width, 0.02, height))
    ]
    units, lamps, slots, cables, z = [], [], [], [], 0.07
    while z < height - 0.12:
        high = float(random.choice([0.044, 0.044, 0.088, 0.132]))
        if random.random() < 0.85:
            units.append(box((0, -0.01, z + high / 2), (width - 0.12, depth - 0.08, high - 0.005)))
            y = -depth / 2 + 0.028
            lamps += [
                box((-0.2 + 0.016 * i, y, z + high * 0.3), (0.007, 0.004, 0.007)) for i in range(int(random.integers(2, 12)))
            ]
            slots += [box((0.1, y, z + high * k), (0.22, 0.004, 0.006)) for k in (0.25, 0.5, 0.75)]
            if random.random() < 0.4:
                x = random.uniform(-0.15, 0.2)
                cables.append(
                    tube(
                        [
                            (x, y, z + 0.02),
                            (x + 0.02, y - 0.03, z - 0.03),
                            (0.225, y - 0.03, z - 0.06),
                            (0.235, y, max(0.05, z - 0.25)),
                        ],
                        0.005,
                    )
                )
        z += high
    return [
        Part(joined(frame), BLACK),
        Part(joined(units), grey(random, 0.05, 0.4)),
        Part(joined(lamps), Material("", (0.2, 0.9, 0.3), 1.2)),
        Part(joined(slots), BLACK),
        *([Part(joined(cables), bright(random))] if cables else []),
    ]


def fan(random: np.random.Generator) -> list[Part]:
    """Blades in a wire cage on a foot or a tall stand."""
    tall, r, case = (
        (random.uniform(0.9, 1.15) if random.random() < 0.5 else random.uniform(0.24, 0.34)),
        random.uniform(0.15, 0.21),
        plastic(random),
    )
    hub = [rod((0, -0.05, tall), (0, 0.11, tall), 0.045), rod((0, 0.06, 0.02), (0, 0.06, tall), 0.016)]
    rings = [ring((0, y, tall), r * k, 0.007, True) for y, k in ((-0.06, 0.35), (-0.07, 0.7), (0.0, 1.0), (0.04, 0.75))]
    wires = [
        capsule((0.04 * np.cos(a), y1, tall + 0.04 * np.sin(a)), (r * np.cos(a), 0, tall + r * np.sin(a)), 0.0025, segments=6)
        for a in np.arange(18) * np.pi / 9
        for y1 in (-0.075, 0.06)
    ]
    blades = [
        box((r * 0.5, 0, 0), (r * 0.75, 0.006, r * 0.5))
        .transformed(tilt_matrix(0))
        .transformed(np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]), (0, -0.02, tall))
        for a in np.arange(3) * 2.094 + 0.4
    ]
    foot = revolved([(0, 0), (0.17, 0), (0.17, 0.015), (0.03, 0.04), (0, 0.04)], 32).transformed(translation=(0, 0.06, 0))
    return standing(
        [Part(joined([*hub, foot]), case), Part(joined([*rings, *wires]), metal(random)), Part(joined(blades), plastic(random))]
    )


def space_heater(random: np.random.Generator) -> list[Part]:
    """An oil radiator on wheels, or a box whose grille glows."""
    if random.random() < 0.5:
        count, height, case = int(random.integers(6, 10)), about(random, 0.58, 0.08), WHITE if random.random() < 0.7 else BLACK
        ribs = [box((0.062 * (i - count / 2), 0, height / 2 + 0.05), (0.026, 0.15, height - 0.06), 0.012) for i in range(count)]
        ribs += [rod((-0.031 * count, 0, z), (0.031 * count, 0, z), 0.018) for z in (0.1, height - 0.03)]
        ribs.append(box((0.031 * count + 0.01, 0, height * 0.5), (0.07, 0.17, height * 0.85), 0.015))
        feet = [
            rod((x, y - 0.01, 0.03), (x, y + 0.01, 0.03), 0.03) for x in (-0.025 * count, 0.025 * count) for y in (-0.11, 0.11)
        ]
        feet += [box((x, 0, 0.05), (0.04, 0.22, 0.015)) for x in (-0.025 * count, 0.025 * count)]
        return standing([Part(joined(ribs), case), Part(joined(feet), BLACK)])
    width, height = random.uniform(0.3, 0.5), random.uniform(0.32, 0.5)
    bars = [rod((-width * 0.4, -0.075, z), (width * 0.4, -0.075, z), 0.008) for z in np.linspace(0.3, 0.7, 3) * height]
    wires = [
        rod((x, -0.09, height * 0.15), (x, -0.09, height * 0.85), 0.0025, segments=6)
        for x in np.linspace(-0.42, 0.42, 16) * width
    ]
    return standing(
        [
            Part(
                joined([box((0, 0, height / 2), (width, 0.14, height), 0.012), box((0, 0, 0.01), (width * 0.8, 0.24, 0.02))]),
                plastic(random),
            ),
            Part(box((0, -0.071, height / 2), (width * 0.86, 0.004, height * 0.72)), STEEL),
            Part(joined(bars), Material("", (1.0, 0.25, 0.05), 1.2)),
            Part(joined(wires), BLACK),
        ]
    )


def air_purifier(random: np.random.Generator) -> list[Part]:
    """A tower with a grille of holes, a lit ring on top."""
    width, height, case = random.uniform(0.22, 0.34), random.uniform(0.38, 0.65), WHITE if random.random() < 0.7 else BLACK
    y = -width / 2
    holes = [
        rod((width * x, y - 0.002, height * z), (width * x, y + 0.004, height * z), 0.006, segments=8)
        for x in np.linspace(-0.34, 0.34, 11)
        for z in np.linspace(0.12, 0.6, 12)
    ]
    return standing(
        [
            Part(box((0, 0, height / 2), (width, width, height), 0.05), case),
            Part(joined([*holes, cylinder((0, 0, height), width * 0.36, 0.004)]), grey(random, 0.03, 0.2)),
            Part(ring((0, 0, height + 0.002), width * 0.39, 0.008), Material("", (0.3, 0.8, 1.0), 0.8)),
            Part(front((0, y - 0.002, height * 0.85), width * 0.4, 0.05), _panel(random)),
        ]
    )


def sewing_machine(random: np.random.Generator) -> list[Part]:
    """An arm above a bed, a wheel at its end, a needle, a spool on top."""
    case, dark = plastic(random), BLACK
    body = [
        box((0, 0, 0.03), (0.40, 0.17, 0.06), 0.015),
        box((0.14, 0, 0.15), (0.10, 0.12, 0.20), 0.02),
        box((-0.02, 0, 0.255), (0.38, 0.11, 0.09), 0.025),
        box((-0.165, 0, 0.2), (0.06, 0.08, 0.09), 0.015),
    ]
    wheel = [
        rod((0.19, 0, 0.25), (0.225, 0, 0.25), 0.055),
        rod((-0.165, 0, 0.155), (-0.165, 0, 0.07), 0.003),
        box((-0.165, -0.01, 0.075), (0.03, 0.04, 0.008)),
    ]
    spool = [cylinder((0.02, 0.01, 0.3), 0.018, 0.05)]
    dials = [rod((0.14, -0.06, z), (0.14, -0.078, z), 0.022) for z in (0.12, 0.19)]
    return standing(
        [
            Part(joined(body), case),
            Part(joined([*wheel, *dials]), dark if random.random() < 0.5 else STEEL),
            Part(joined(spool), bright(random)),
            Part(box((-0.03, 0, 0.0615), (0.22, 0.12, 0.003)), STEEL),
        ]
    )


def typewriter(random: np.random.Generator) -> list[Part]:
    """A sloping body, four rows of round keys, a roller with a sheet."""
    case = BLACK if random.random() < 0.4 else bright(random, value=(0.1, 0.4))
    body = [
        box((0, 0.04, 0.06), (0.32, 0.2, 0.1), 0.02),
        box((0, 0, 0), (0.32, 0.2, 0.03), 0.01).transformed(tilt_matrix(12), (0, -0.1, 0.035)),
    ]
    keys = [
        rod(
            (0.026 * (i - 4.8) + 0.008 * j, -0.17 + 0.034 * j, 0.045 + 0.012 * j),
            (0.026 * (i - 4.8) + 0.008 * j, -0.17 + 0.034 * j, 0.058 + 0.012 * j),
            0.0095,
            segments=12,
        )
        for i in range(10)
        for j in range(4)
    ]
    roller = [
        rod((-0.18, 0.09, 0.125), (0.18, 0.09, 0.125), 0.024),
        rod((-0.205, 0.09, 0.125), (-0.18, 0.09, 0.125), 0.018),
        rod((0.18, 0.09, 0.125), (0.205, 0.09, 0.125), 0.018),
    ]
    sheet = [
        Part(front((0, 0.075, 0.21), 0.21, 0.17, 12), Material("document:2")),
        Part(box((0, 0, 0), (0.21, 0.002, 0.17)).transformed(tilt_matrix(-12), (0, 0.078, 0.21)), WHITE),
    ]
    return standing(
        [
            Part(joined(body), case),
            Part(joined(keys), WHITE if random.random() < 0.5 else Material("", (0.1, 0.1, 0.1))),
            Part(joined(roller), BLACK),
            *sheet,
        ]
    )


KINDS = {
    "photocopier": Kind(photocopier, "floor"),
    "paper shredder": Kind(paper_shredder, "floor"),
    "server rack": Kind(server_rack, "floor"),
    "fan": Kind(fan, "floor"),
    "space heater": Kind(space_heater, "floor"),
    "air purifier": Kind(air_purifier, "floor"),
    "sewing machine": Kind(sewing_machine, "top"),
    "typewriter": Kind(typewriter, "top"),
}
