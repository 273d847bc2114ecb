"""Screens, machines and fittings of a household that are common in rooms. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    front,
    grey,
    hanging,
    lying,
    open_box,
    ring,
    rod,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, tilt_matrix

SIDES = (-1, 1)


def _screen(random: np.random.Generator) -> Material:
    """Dark glass, or lit with a picture."""
    lit = Material(f"screen:{int(random.integers(8))}", (0.6, 0.6, 0.6), between(random, 0.3, 0.9))
    return pick(random, Material("", (0.012, 0.013, 0.015)), lit)


def television(random: np.random.Generator) -> list[Part]:
    """A thin screen on two feet, on one broad foot, or an old deep one."""
    w = between(random, 0.6, 1.3)
    h = w * 0.575
    if random.random() < 0.15:
        w, h = 0.62, 0.52
        case = [box((0, -0.05, h / 2), (w, 0.2, h), 0.02), box((0, 0.13, h * 0.48), (w * 0.72, 0.26, h * 0.72), 0.03)]
        knobs = [rod((w * 0.4, -0.15, z), (w * 0.4, -0.17, z), 0.02) for z in (0.32, 0.4)]
        return standing(
            [
                Part(joined(case), pick(random, grey(random, 0.03, 0.3), wood(random))),
                Part(joined(knobs), STEEL),
                Part(front((-0.06, -0.1515, h / 2), w * 0.7, h * 0.8), _screen(random)),
            ]
        )
    foot = between(random, 0.05, 0.1)
    stand = [box((s * w * 0.36, 0, 0.007), (0.02, 0.22, 0.014)) for s in SIDES]
    stand += [box((s * w * 0.36, 0, foot / 2), (0.02, 0.03, foot)) for s in SIDES]
    if random.random() < 0.4:
        stand = [box((0, 0, 0.008), (w * 0.45, 0.22, 0.016), 0.005), box((0, 0.01, foot / 2), (0.1, 0.03, foot))]
    return standing(
        [
            Part(
                joined([box((0, 0, foot + h / 2), (w, 0.035, h), 0.006, 0.3), *stand]), pick(random, BLACK, BLACK, grey(random))
            ),
            Part(front((0, -0.0185, foot + h / 2), w - 0.024, h - 0.03), _screen(random)),
        ]
    )


def laptop(random: np.random.Generator) -> list[Part]:
    """Open at one of several angles, its keys to the front, or shut."""
    w, d, body = between(random, 0.29, 0.38), between(random, 0.2, 0.26), pick(random, STEEL, BLACK, grey(random), WHITE)
    base = box((0, 0, 0.009), (w, d, 0.016), 0.005)
    if random.random() < 0.2:
        return [
            Part(joined([base, box((0, 0, 0.021), (w, d, 0.007), 0.003)]), body),
            Part(cylinder((0, 0, 0.0245), 0.02, 0.0006), WHITE),
        ]
    lean, hinge = tilt_matrix(-between(random, 5, 35)), (0.0, d / 2 - 0.008, 0.017)
    lid = box((0, 0, d / 2), (w, 0.007, d), 0.003).transformed(lean, hinge)
    panel = front((0, -0.004, d / 2 + 0.004), w - 0.02, d - 0.03).transformed(lean, hinge)
    return standing(
        [
            Part(joined([base, lid]), body),
            Part(lying((0, d * 0.14, 0.0176), w * 0.88, d * 0.46), Material("keyboard")),
            Part(box((0, -d * 0.3, 0.0173), (w * 0.3, d * 0.28, 0.001)), grey(random, 0.1)),
            Part(panel, _screen(random)),
        ]
    )


def computer_keyboard(random: np.random.Generator) -> list[Part]:
    """A full keyboard with a block of numbers, or a small one."""
    w, d, body = pick(random, 0.44, 0.36, 0.29), between(random, 0.12, 0.16), pick(random, BLACK, BLACK, WHITE, grey(random))
    slope = tilt_matrix(5)
    keys = Material(f"keyboard:{int(random.integers(40))}", pick(random, (1.0, 1.0, 1.0), (2.2, 2.2, 2.2), (0.6, 0.6, 0.6)))
    return standing(
        turned(
            [Part(box((0, 0, 0.01), (w, d, 0.02), 0.006), body), Part(lying((0, 0, 0.0205), w - 0.02, d - 0.02), keys)],
            np.linalg.inv(slope),
        )
    )


def robot_vacuum(random: np.random.Generator) -> list[Part]:
    """A flat round cleaner with a bumper, a turret and a button."""
    r, h, body = between(random, 0.155, 0.175), between(random, 0.08, 0.1), pick(random, BLACK, WHITE, grey(random))
    disc = solid([(r * 0.96, 0.008), (r, 0.02), (r, h * 0.85), (r * 0.95, h)], 40)
    bumper = revolved([(r + 0.002, 0.022), (r + 0.002, h * 0.7)], 40)
    top = [cylinder((0, 0.06, h), 0.045, 0.018), cylinder((0, -0.06, h), 0.02, 0.002)]
    wheels = [rod((s * r * 0.75 - 0.01, 0, 0.03), (s * r * 0.75 + 0.01, 0, 0.03), 0.03) for s in SIDES]
    return standing(
        [Part(disc, body), Part(joined([bumper, *wheels]), BLACK), Part(joined(top), pick(random, STEEL, BLACK, grey(random)))]
    )


def safe(random: np.random.Generator) -> list[Part]:
    """A steel box with a door, a dial or keys, and a lever."""
    w, d, h = between(random, 0.3, 0.55), between(random, 0.28, 0.48), between(random, 0.22, 0.75)
    door = box((0, -d / 2 - 0.006, h / 2), (w * 0.86, 0.02, h * 0.86), 0.004)
    hinges = [rod((-w * 0.44, -d / 2 - 0.012, z), (-w * 0.44, -d / 2 - 0.012, z + h * 0.12), 0.01) for z in (h * 0.15, h * 0.72)]
    dial = pick(
        random,
        [rod((w * 0.05, -d / 2, h * 0.58), (w * 0.05, -d / 2 - 0.035, h * 0.58), 0.035, 0.028)],
        [
            box((x, -d / 2 - 0.018, h * 0.5 + z), (0.018, 0.012, 0.014), 0.003)
            for x in (0.0, 0.025, 0.05)
            for z in (0.0, 0.025, 0.05, 0.075)
        ],
    )
    lever = [
        rod((w * 0.22, -d / 2, h * 0.42), (w * 0.22, -d / 2 - 0.04, h * 0.42), 0.012),
        capsule((w * 0.22, -d / 2 - 0.04, h * 0.42), (w * 0.1, -d / 2 - 0.04, h * 0.42), 0.01),
    ]
    body = pick(random, grey(random, 0.05, 0.3), BLACK, plain(0.03, 0.06, 0.05))
    return standing(
        [
            Part(box((0, 0, h / 2), (w, d, h), 0.006), body),
            Part(joined([door, *hinges]), body.tinted((1.4, 1.4, 1.4))),
            Part(joined([*dial, *lever]), STEEL),
        ]
    )


def vending_machine(random: np.random.Generator) -> list[Part]:
    """A lit window over rows of cans, bottles and packets, buttons beside it, a flap below."""
    w, d, h, body = (
        between(random, 0.8, 1.0),
        0.75,
        between(random, 1.75, 1.95),
        pick(random, bright(random), plain(0.4, 0.02, 0.02), BLACK, plain(0.03, 0.08, 0.35)),
    )
    y, window = -d / 2, w * 0.66
    x = -w / 2 + window / 2 + 0.06
    goods: list[Part] = []
    for row in range(5):
        z = 0.62 + row * (h - 0.8) / 5
        wares = [(bright(random), pick(random, 0, 1)) for _ in range(6)]
        for i, (paint, kind) in enumerate(wares):
            place = (x + (i - 2.5) * window / 6.6, y - 0.02, z)
            goods.append(
                Part(
                    cylinder(place, 0.032, 0.12, 14) if kind else box((place[0], place[1], z + 0.07), (0.075, 0.03, 0.14), 0.006),
                    paint,
                )
            )
        goods.append(Part(box((x, y - 0.02, z - 0.006), (window, 0.08, 0.01)), STEEL))
    back = front((x, y - 0.001, h * 0.62), window, h - 0.72)
    panel = Part(front((w / 2 - 0.12, y - 0.002, h * 0.6), 0.16, 0.08), Material(f"buttons:{int(random.integers(12))}"))
    dark = [box((x, y - 0.004, 0.3), (window * 0.8, 0.01, 0.16)), box((w / 2 - 0.12, y - 0.004, h * 0.45), (0.05, 0.01, 0.08))]
    frame = [box((x, y - 0.03, z), (window + 0.06, 0.06, 0.04)) for z in (0.55, h - 0.1)] + [
        box((x + s * (window / 2 + 0.015), y - 0.03, h * 0.6), (0.03, 0.06, h - 0.65)) for s in SIDES
    ]
    return standing(
        [
            Part(joined([box((0, 0, h / 2), (w, d, h)), *frame]), body),
            Part(back, Material("", (0.8, 0.82, 0.85), 0.5)),
            *goods,
            panel,
            Part(joined(dark), BLACK),
        ]
    )


def water_dispenser(random: np.random.Generator) -> list[Part]:
    """A cabinet with two taps and a drip tray under a big upturned bottle, or without the bottle."""
    w, h, body = between(random, 0.28, 0.34), between(random, 0.92, 1.02), pick(random, WHITE, WHITE, grey(random), BLACK)
    taps = [box((s * 0.06, -w / 2 - 0.02, h * 0.82), (0.03, 0.05, 0.03), 0.008) for s in SIDES]
    levers = [
        Part(box((s * 0.06, -w / 2 - 0.045, h * 0.86), (0.03, 0.03, 0.014), 0.005), paint)
        for s, paint in ((-1, plain(0.02, 0.1, 0.5)), (1, plain(0.5, 0.02, 0.02)))
    ]
    niche = box((0, -w / 2 - 0.001, h * 0.78), (w * 0.8, 0.004, h * 0.2))
    tray = open_box((w * 0.7, 0.09, 0.03), 0.005).transformed(translation=(0, -w / 2 - 0.04, h * 0.66))
    parts = [
        Part(box((0, 0, h / 2), (w, w, h), 0.02), body),
        Part(joined([niche, tray]), grey(random, 0.05, 0.3)),
        Part(joined(taps), body),
        *levers,
    ]
    if random.random() < 0.75:
        side = [
            (0.03, h),
            (0.04, h + 0.03),
            (0.13, h + 0.08),
            (0.135, h + 0.2),
            (0.128, h + 0.21),
            (0.135, h + 0.22),
            (0.135, h + 0.36),
            (0.11, h + 0.385),
        ]
        parts.append(Part(solid(side), plain(0.25, 0.45, 0.7)))
    return standing(parts)


def mirror(random: np.random.Generator) -> list[Part]:
    """Round, oblong, tall, with a frame of wood, gold or black, or none."""
    w, h = pick(random, (0.5, 0.5), (0.45, 0.65), (0.8, 0.6), (0.4, 1.3))
    frame, glass = pick(random, wood(random), BLACK, WHITE, Material("brushed", (0.9, 0.68, 0.32))), Material("reflection")
    if w == h:
        disc = rod((0, 0.0, 0), (0, -0.012, 0), w / 2, segments=48)
        face = front((0, -0.0135, 0), w * 0.7, w * 0.7)
        return hanging(
            [
                Part(disc, Material("", (0.62, 0.68, 0.72))),
                Part(face, glass),
                Part(ring((0, -0.012, 0), w / 2, 0.03, upright=True), frame),
            ]
        )
    bars = [box((s * (w / 2 + 0.015), -0.015, 0), (0.04, 0.03, h + 0.07), 0.008) for s in SIDES] + [
        box((0, -0.015, s * (h / 2 + 0.015)), (w + 0.07, 0.03, 0.04), 0.008) for s in SIDES
    ]
    return hanging([Part(joined([box((0, -0.006, 0), (w, 0.012, h)), *bars]), frame), Part(front((0, -0.0135, 0), w, h), glass)])


def radiator(random: np.random.Generator) -> list[Part]:
    """Columns side by side, or a ribbed panel, with a valve."""
    w, h = between(random, 0.6, 1.6), between(random, 0.45, 0.7)
    if random.random() < 0.5:
        ribs = [
            capsule((x, -0.08, 0.05), (x, -0.08, h - 0.05), 0.024, segments=12).transformed(
                scale=(1, 2.0, 1), translation=(0, 0.08, 0)
            )
            for x in np.arange(-w / 2, w / 2, 0.055)
        ]
        ribs += [rod((-w / 2, -0.08, z), (w / 2, -0.08, z), 0.02) for z in (0.06, h - 0.06)]
    else:
        ribs = [
            box((0, -0.075, h / 2), (w, 0.1, h), 0.006),
            *(box((x, -0.127, h / 2), (0.016, 0.012, h * 0.9), 0.005) for x in np.arange(-w / 2 + 0.03, w / 2, 0.04)),
        ]
    valve = [
        rod((w / 2, -0.08, 0.06), (w / 2 + 0.09, -0.08, 0.06), 0.012),
        rod((w / 2 + 0.06, -0.08, 0.06), (w / 2 + 0.13, -0.08, 0.06), 0.028),
    ]
    wall = [box((x, -0.02, h * 0.8), (0.03, 0.04, 0.04)) for x in (-w * 0.3, w * 0.3)]
    return hanging([Part(joined(ribs), WHITE), Part(joined([*valve, *wall]), pick(random, WHITE, STEEL))])


KINDS = {
    "television": Kind(television, "top"),
    "laptop": Kind(laptop, "top"),
    "computer keyboard": Kind(computer_keyboard, "top"),
    "robot vacuum": Kind(robot_vacuum, "floor"),
    "safe": Kind(safe, "floor"),
    "vending machine": Kind(vending_machine, "floor"),
    "water dispenser": Kind(water_dispenser, "floor"),
    "mirror": Kind(mirror, "wall", low=(0.7, 1.2)),
    "radiator": Kind(radiator, "wall", low=(0.08, 0.15)),
}
