"""Equipment of laboratories and clinics."""

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
    plastic,
    ring,
    rod,
    soft,
    standing,
    toned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, cylinder, joined, revolved, tilt_matrix, tube

GLASS = Material("reflection", (0.75, 0.85, 0.9))


def microscope(random: np.random.Generator) -> list[Part]:
    """Horseshoe foot, arm, stage, a leaning tube with two eyepieces, a turret of objectives, focus wheels."""
    white, height = WHITE if random.random() < 0.6 else BLACK, random.uniform(0.9, 1.15)
    frame = [
        box((0, 0, 0.02), (0.16, 0.22, 0.04), 0.012),
        tube([(0, 0.08, 0.03), (0, 0.10, 0.18), (0, 0.085, 0.27), (0, 0.03, 0.3)], 0.025),
        soft((0, -0.01, 0.3), (0.09, 0.13, 0.06), 0.5),
    ]
    dark = [
        box((0, -0.03, 0.135), (0.14, 0.13, 0.012)),
        rod((0, -0.03, 0.29), (0, -0.03, 0.245), 0.03),
        *[rod((0.016 * s, -0.03 + 0.005 * s, 0.25), (0.03 * s, -0.03 + 0.01 * s, 0.18), 0.010) for s in (-1, 1)],
        rod((0, -0.03, 0.25), (0, -0.03, 0.165), 0.010),
        *[rod((s * 0.03, -0.02, 0.32), (s * 0.032, -0.12, 0.40), 0.016) for s in (-1, 1)],
        *[rod((s * 0.03, 0.09, 0.1), (s * 0.065, 0.09, 0.1), 0.028) for s in (-1, 1)],
        cylinder((0, -0.03, 0.04), 0.03, 0.03),
    ]
    parts = [Part(joined(frame), white), Part(joined(dark), grey(random, 0.02, 0.1) if white is WHITE else STEEL)]
    return standing([Part(part.triangles.transformed(scale=height), part.material) for part in parts])


def oscilloscope(random: np.random.Generator) -> list[Part]:
    """A screen with a trace beside a field of knobs, sockets below, a handle."""
    width, height, case = random.uniform(0.32, 0.42), random.uniform(0.16, 0.24), grey(random, 0.08, 0.7)
    y, middle = -0.09, height / 2 + 0.015
    w, h = width * 0.52, height * 0.68
    speed = random.uniform(12, 30)
    wave = [
        (-width * 0.2 + w * 0.9 * (t - 0.5), y - 0.006, middle + 0.02 + h * 0.3 * np.sin(t * speed))
        for t in np.linspace(0, 1, 40)
    ]
    grid = [box((-width * 0.2, y - 0.004, middle + 0.02 + h * (k - 2) * 0.22), (w * 0.95, 0.001, 0.0012)) for k in range(5)]
    grid += [box((-width * 0.2 + w * (k - 3) * 0.15, y - 0.004, middle + 0.02), (0.0012, 0.001, h * 0.95)) for k in range(7)]
    knobs = [
        rod(
            (width * (0.16 + 0.12 * i), y, middle + height * (0.3 - 0.2 * j)),
            (width * (0.16 + 0.12 * i), y - 0.016, middle + height * (0.3 - 0.2 * j)),
            0.012 if i else 0.009,
        )
        for i in range(3)
        for j in range(4)
    ]
    sockets = [rod((-width * (0.38 - 0.16 * i), y, 0.03), (-width * (0.38 - 0.16 * i), y - 0.02, 0.03), 0.009) for i in range(4)]
    handle = tube(
        [
            (-width * 0.4, 0, height + 0.01),
            (-width * 0.4, 0, height + 0.05),
            (width * 0.4, 0, height + 0.05),
            (width * 0.4, 0, height + 0.01),
        ],
        0.008,
    )
    return standing(
        [
            Part(box((0, 0, middle), (width, 0.18, height), 0.008), case),
            Part(box((-width * 0.2, y - 0.002, middle + 0.02), (w, 0.004, h)), Material("", (0.01, 0.03, 0.05))),
            Part(joined(grid), Material("", (0.05, 0.2, 0.15), 0.3)),
            Part(tube(wave, 0.0018, 6), Material("", (0.3, 1.0, 0.4) if random.random() < 0.5 else (1.0, 0.9, 0.2), 1.5)),
            Part(joined([*knobs, handle]), BLACK if case.tint[0] > 0.15 else grey(random, 0.4)),
            Part(joined(sockets), STEEL),
        ]
    )


def beaker(random: np.random.Generator) -> list[Part]:
    """Laboratory glass half full of something coloured: a beaker, a conical flask, or a row of test tubes in a rack."""
    liquid, kind = bright(random, saturation=(0.6, 0.95), value=(0.4, 0.9)), int(random.integers(3))
    if kind == 0:
        r, h = random.uniform(0.035, 0.055), random.uniform(0.1, 0.14)
        marks = [box((0, -r - 0.0005, h * z), (r * 0.5, 0.001, 0.0015)) for z in np.linspace(0.2, 0.8, 7)]
        return standing(
            [
                Part(vessel([(r, 0), (r, h - 0.006), (r + 0.005, h)], 0.002), GLASS),
                Part(cylinder((0, 0, 0.003), r + 0.0008, h * random.uniform(0.3, 0.6), 32), liquid),
                Part(joined(marks), WHITE),
            ]
        )
    if kind == 1:
        r, h = random.uniform(0.045, 0.07), random.uniform(0.14, 0.2)
        fill = random.uniform(0.25, 0.4) * h
        neck = [(r, 0), (r, 0.012), (r * 0.32, h * 0.68), (r * 0.32, h - 0.006), (r * 0.38, h)]
        level = r * (1 - 0.68 * max(0.0, fill - 0.012) / (h * 0.68 - 0.012))
        return standing(
            [
                Part(vessel(neck, 0.002), GLASS),
                Part(revolved([(0, 0.0), (r + 0.001, 0.0), (r + 0.001, 0.012), (level + 0.001, fill), (0, fill)]), liquid),
            ]
        )
    tubes = [(0.035 * (i - 2.5), 0.0) for i in range(6)]
    glass = [
        vessel([(0.006, 0.01), (0.010, 0.016), (0.010, 0.14), (0.0115, 0.142)], 0.001, 16).transformed(translation=(x, y, 0))
        for x, y in tubes
    ]
    fills = [cylinder((x, y, 0.012), 0.0105, random.uniform(0.03, 0.09), 14) for x, y in tubes if random.random() < 0.8] or [
        cylinder((0, 0, 0.01), 0.01, 0.02)
    ]
    rack = (
        [box((0, y, z), (0.24, 0.018, 0.008)) for z in (0.05, 0.1) for y in (-0.022, 0.022)]
        + [box((0, 0, 0.004), (0.24, 0.07, 0.008))]
        + [box((s * 0.118, 0, 0.053), (0.008, 0.07, 0.106)) for s in (-1, 1)]
    )
    return standing(
        [
            Part(joined(glass), GLASS),
            Part(joined(fills), liquid),
            Part(joined(rack), wood(random) if random.random() < 0.5 else plastic(random)),
        ]
    )


def fume_hood(random: np.random.Generator) -> list[Part]:
    """A cupboard, a worktop, above it a lit box behind a raised pane, a duct."""
    width, depth, height = random.uniform(1.1, 1.5), 0.8, random.uniform(1.9, 2.1)
    case = [
        box((0, 0.02, 0.43), (width, depth - 0.04, 0.86)),
        box((0, 0, height - 0.15), (width, depth, 0.3)),
        box((0, depth / 2 - 0.02, 1.3), (width, 0.04, height - 0.9)),
    ]
    case += [box((s * (width / 2 - 0.05), 0, 1.3), (0.1, depth, height - 0.85)) for s in (-1, 1)]
    doors = [box((s * width * 0.245, -depth / 2 + 0.03, 0.43), (width * 0.47, 0.02, 0.74)) for s in (-1, 1)]
    knobs = [box((s * 0.05, -depth / 2 + 0.012, 0.6), (0.014, 0.02, 0.14)) for s in (-1, 1)] + [
        rod((x, -depth / 2 - 0.02, 0.83), (x, -depth / 2 + 0.03, 0.83), 0.014) for x in np.linspace(-0.4, 0.4, 4) * width
    ]
    sash = box((0, -depth / 2 + 0.05, 1.3 + (height - 1.6) / 2 + 0.12), (width - 0.2, 0.008, height - 1.6))
    inside = [cylinder((width * x, 0.05, 0.92), 0.05, random.uniform(0.1, 0.25)) for x in (-0.25, 0.0, 0.2)]
    return [
        Part(joined(case), grey(random, 0.5, 0.85)),
        Part(joined(doors), bright(random, (0.5, 0.65), (0.1, 0.5), (0.3, 0.7))),
        Part(joined(knobs), BLACK),
        Part(sash, GLASS),
        Part(box((0, 0, 0.89), (width, depth, 0.06)), grey(random, 0.03, 0.5)),
        Part(joined(inside), bright(random)),
        Part(box((0, 0, height - 0.31), (width * 0.5, 0.12, 0.02)), Material("", (1, 1, 1), 2.0)),
    ]


def soldering_iron(random: np.random.Generator) -> list[Part]:
    """A station with a knob and a display, the iron in a coil on its stand."""
    case = BLACK if random.random() < 0.5 else bright(random, (0.5, 0.65))
    coil = [ring((0.10, -0.02 + 0.012 * i, 0.055 + 0.008 * i), 0.019, 0.003, True, 14) for i in range(7)]
    iron = [rod((0.10, -0.01, 0.06), (0.10, 0.06, 0.105), 0.006), rod((0.10, 0.06, 0.105), (0.10, 0.15, 0.165), 0.012, 0.014)]
    cord = tube([(0.10, 0.15, 0.165), (0.10, 0.19, 0.14), (0.06, 0.17, 0.03), (0.0, 0.07, 0.03)], 0.004)
    return standing(
        [
            Part(box((-0.03, 0, 0.05), (0.13, 0.15, 0.10), 0.008), case),
            Part(front((-0.03, -0.076, 0.065), 0.11, 0.05), Material("buttons:3")),
            Part(
                joined(
                    [
                        rod((-0.03, -0.075, 0.025), (-0.03, -0.09, 0.025), 0.014),
                        box((0.10, 0.03, 0.008), (0.09, 0.15, 0.016)),
                        cord,
                    ]
                ),
                BLACK,
            ),
            Part(joined([*coil, iron[0]]), STEEL),
            Part(iron[1], bright(random)),
        ]
    )


def gas_mask(random: np.random.Generator) -> list[Part]:
    """A rubber face with two eyepieces and filters, lying on its back strap."""
    face = soft((0, 0, 0.08), (0.16, 0.13, 0.20), 0.85)
    eyes = [rod((s * 0.036, -0.045, 0.115), (s * 0.042, -0.066, 0.118), 0.027) for s in (-1, 1)]
    glass = [rod((s * 0.042, -0.0655, 0.118), (s * 0.0425, -0.068, 0.118), 0.022) for s in (-1, 1)]
    filters = [rod((s * 0.045, -0.045, 0.04), (s * 0.085, -0.085, 0.03), 0.034) for s in (-1, 1)] + [
        rod((0, -0.05, 0.035), (0, -0.08, 0.03), 0.024)
    ]
    return standing(
        [
            Part(face, toned(random, Material(), 0.05, 0.06, 0.05, 0.4)),
            Part(joined([*eyes, *filters]), grey(random, 0.03, 0.4)),
            Part(joined(glass), GLASS),
        ]
    )


def hospital_bed(random: np.random.Generator) -> list[Part]:
    """A raised mattress with its head end up, side rails, end boards, castors."""
    width, length, high, paint = (
        0.92,
        random.uniform(1.95, 2.1),
        random.uniform(0.5, 0.65),
        bright(random, (0.5, 0.65), (0.1, 0.4), (0.4, 0.8)),
    )
    frame = [
        box((0, 0, high - 0.1), (width, length, 0.06)),
        box((0, 0, 0.2), (width * 0.7, length * 0.8, 0.06)),
        *[box((0, y, high * 0.6), (0.08, 0.08, high * 0.8)) for y in (-0.5, 0.5)],
    ]
    frame += [
        rod((s * width / 2, y, high - 0.05), (s * width / 2, y, high + 0.3), 0.014)
        for s in (-1, 1)
        for y in np.linspace(-0.2, 0.7, 5)
    ] + [rod((s * width / 2, -0.2, z), (s * width / 2, 0.7, z), 0.016) for s in (-1, 1) for z in (high + 0.12, high + 0.3)]
    wheels = [rod((i * 0.4, j * 0.8 - 0.02, 0.07), (i * 0.4, j * 0.8 + 0.02, 0.07), 0.07) for i in (-1, 1) for j in (-1, 1)] + [
        box((i * 0.4, j * 0.8, 0.16), (0.04, 0.04, 0.1)) for i in (-1, 1) for j in (-1, 1)
    ]
    boards = [box((0, s * length / 2, high + 0.1), (width, 0.04, 0.45), 0.015) for s in (-1, 1)]
    lift = random.uniform(20, 45)
    mattress = [
        box((0, -length * 0.17, high), (width - 0.08, length * 0.62, 0.14), 0.03),
        box((0, length * 0.17, 0), (width - 0.08, length * 0.34, 0.14), 0.03).transformed(
            tilt_matrix(lift), (0, length * 0.13, high)
        ),
    ]
    pillow = soft((0, length * 0.25, 0.11), (0.6, 0.35, 0.13), 0.6).transformed(tilt_matrix(lift), (0, length * 0.13, high))
    return standing(
        [
            Part(joined(frame), WHITE),
            Part(joined(wheels), BLACK),
            Part(joined(boards), paint),
            Part(joined(mattress), bright(random, (0.5, 0.65), (0.2, 0.6), (0.3, 0.7))),
            Part(pillow, Material("linen", (0.9, 0.9, 0.9), repeat=3.0)),
        ]
    )


KINDS = {
    "microscope": Kind(microscope, "top"),
    "oscilloscope": Kind(oscilloscope, "top"),
    "beaker": Kind(beaker, "top"),
    "fume hood": Kind(fume_hood, "floor"),
    "soldering iron": Kind(soldering_iron, "top"),
    "gas mask": Kind(gas_mask, "top"),
    "hospital bed": Kind(hospital_bed, "floor"),
}
