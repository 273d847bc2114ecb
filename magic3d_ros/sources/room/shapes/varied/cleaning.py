"""Cleaning, and crates and baskets to keep things in. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    arc,
    bright,
    cloth,
    front,
    grey,
    open_box,
    ring,
    rod,
    soft,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import crumpled, hung_cloth
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS, band, solid
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, tilt_matrix, tube

SIDES = (-1, 1)


def trash_can(random: np.random.Generator) -> list[Part]:
    """A swing-lid bin, a pedal bin, a wheeled bin, or an open waste basket with crumpled paper."""
    finish, design = pick(random, STEEL, BLACK, WHITE, grey(random), bright(random)), int(random.integers(4))
    if design == 0:
        w, d, h = between(random, 0.24, 0.36), between(random, 0.2, 0.3), between(random, 0.4, 0.66)
        body = open_box((w * 0.85, d * 0.85, h * 0.8), 0.008, 1.16)
        lid = [box((0, 0, h * 0.8), (w * 1.03, d * 1.03, 0.03), 0.01), soft((0, 0, h * 0.83), (w * 0.96, d * 0.96, h * 0.3), 0.5)]
        return [Part(body, finish), Part(joined(lid), pick(random, finish, BLACK, grey(random)))]
    if design == 1:
        r, h = between(random, 0.11, 0.18), between(random, 0.28, 0.65)
        cover = solid([(r * 1.03, h * 0.88), (r * 1.03, h * 0.93), (r * 0.8, h * 0.98), (r * 0.3, h)], 36)
        foot = [box((0, -r - 0.025, 0.02), (0.07, 0.07, 0.012), 0.004), cylinder((0, 0, 0), r * 1.03, 0.025, 36)]
        return [
            Part(solid([(r, 0.01), (r, h * 0.88)], 36), finish),
            Part(cover, pick(random, finish, BLACK)),
            Part(joined(foot), BLACK),
        ]
    if design == 2:
        w, d, h = between(random, 0.42, 0.55), between(random, 0.45, 0.6), between(random, 0.85, 1.05)
        lid = [
            box((0, 0, h * 0.95), (w * 1.06, d * 1.08, 0.05), 0.02).transformed(tilt_matrix(4)),
            rod((-w * 0.45, d * 0.56, h * 0.93), (w * 0.45, d * 0.56, h * 0.93), 0.015),
        ]
        wheels = [rod((x * w * 0.42, d * 0.38, 0.09), (x * w * 0.5, d * 0.38, 0.09), 0.09) for x in SIDES]
        paint = pick(random, plain(0.03, 0.12, 0.05), grey(random, 0.03, 0.15), plain(0.02, 0.08, 0.25), plain(0.2, 0.1, 0.04))
        return standing(
            [
                Part(open_box((w * 0.78, d * 0.78, h * 0.94), 0.01, 1.26), paint),
                Part(joined(lid), pick(random, paint, paint, plain(0.6, 0.5, 0.03))),
                Part(joined(wheels), BLACK),
            ]
        )
    r, h = between(random, 0.11, 0.16), between(random, 0.26, 0.36)
    paper = [
        soft((x * r * 0.4, y * r * 0.4, h * 0.82), (0.1, 0.09, 0.08), 1.3, 10) for x, y in ((-1, 0.5), (0.8, 0.8), (0.3, -1))
    ]
    return [Part(vessel([(r * 0.78, 0), (r, h)], 0.005), pick(random, finish, wood(random))), Part(joined(paper), WHITE)]


def bucket(random: np.random.Generator) -> list[Part]:
    """A bucket with its handle down or up, sometimes with a cloth over its rim."""
    r, h = between(random, 0.125, 0.16), between(random, 0.23, 0.3)
    side = [(r * 0.72, 0), (r * 0.98, h * 0.93), (r * 1.05, h * 0.94), (r * 1.05, h)]
    grip = tube(arc((0, 0, 0), r * 1.05, 0, 180, r * 0.9), 0.004).transformed(tilt_matrix(pick(random, 0, 105)), (0, 0, h * 0.95))
    parts = [Part(vessel(side, 0.004, 36), pick(random, bright(random), bright(random), STEEL, BLACK, WHITE)), Part(grip, STEEL)]
    if random.random() < 0.4:
        rag = hung_cloth(0.18, h * 0.5, 2, 0.006).transformed(translation=(0, -r * 1.07, h * 0.52))
        parts.append(Part(rag, cloth(random)))
    return parts


def broom(random: np.random.Generator) -> list[Part]:
    """A broom leaning as against a wall, its bristles down, or a dustpan with its brush."""
    finish = pick(random, bright(random), BLACK, WHITE, grey(random))
    if random.random() < 0.35:
        pan = [open_box((0.24, 0.2, 0.04), 0.005, 1.05), capsule((0, 0.1, 0.03), (0, 0.22, 0.04), 0.013)]
        brush = [capsule((-0.02, 0.13, 0.075), (0.0, 0.02, 0.075), 0.012), box((0, -0.05, 0.075), (0.04, 0.17, 0.02), 0.006)]
        return standing(
            [
                Part(joined([*pan, *brush]), finish),
                Part(box((0, -0.05, 0.045), (0.045, 0.17, 0.045)), pick(random, BLACK, WHITE, wood(random))),
            ]
        )
    h, width = between(random, 1.25, 1.45), between(random, 0.26, 0.4)
    lean = tilt_matrix(-7)
    stick = joined([rod((0, 0, 0.12), (0, 0, h), 0.012), cylinder((0, 0, 0.1), 0.022, 0.05)]).transformed(lean)
    bristles = box((0, 0, 0.04), (width, 0.06, 0.09)).transformed(lean)
    return standing(
        [
            Part(stick, pick(random, wood(random), STEEL, finish)),
            Part(box((0, 0, 0.1), (width * 0.95, 0.055, 0.035), 0.012).transformed(lean), finish),
            Part(bristles, pick(random, BLACK, bright(random), plain(0.55, 0.42, 0.18))),
        ]
    )


def mop(random: np.random.Generator) -> list[Part]:
    """A flat mop, a string mop, or a window wiper, leaning with its head on the floor."""
    h, design, lean = between(random, 1.2, 1.45), int(random.integers(2)), tilt_matrix(-8)
    stick = rod((0, 0, 0.06), (0, 0, h), 0.011).transformed(lean)
    finish = pick(random, STEEL, bright(random), wood(random))
    if design == 0:
        head = [
            Part(
                box((0, 0, 0.028), (between(random, 0.36, 0.44), 0.12, 0.02), 0.006),
                pick(random, BLACK, grey(random), bright(random)),
            ),
            Part(box((0, 0, 0.012), (0.46, 0.15, 0.024), 0.01), pick(random, WHITE, bright(random))),
        ]
        return standing([Part(joined([stick, cylinder((0, 0, 0.03), 0.02, 0.05)]), finish), *head])
    strings = []
    for i in range(34):
        a, reach = i * 2.4, 0.06 + 0.085 * ((i * 0.618) % 1.0)
        tip = (reach * np.cos(a), reach * np.sin(a), 0.012)
        strings.append(tube([(0.2 * tip[0], 0.2 * tip[1] - 0.01, 0.15), (0.75 * tip[0], 0.75 * tip[1], 0.09), tip], 0.008, 6))
    collar = cylinder((0, -0.01, 0.13), 0.03, 0.06)
    return standing(
        [
            Part(stick, finish),
            Part(collar, bright(random)),
            Part(joined(strings), pick(random, WHITE, plain(0.45, 0.5, 0.55), bright(random))),
        ]
    )


def cleaning_spray(random: np.random.Generator) -> list[Part]:
    """A bottle with a trigger, its label to the front, or an aerosol can."""
    label = Material(f"package:{int(random.integers(60))}")
    if random.random() < 0.3:
        h = between(random, 0.2, 0.27)
        can = solid([(0.031, 0), (0.032, 0.004), (0.032, h * 0.8), (0.024, h * 0.84)])
        return [
            Part(can, bright(random)),
            Part(solid([(0.028, h * 0.83), (0.027, h * 0.97), (0.02, h)]), pick(random, WHITE, bright(random))),
            band([(0.032, 0), (0.032, h)], h * 0.2, h * 0.7, replace(label, repeat=8.0)),
        ]
    h, colour = between(random, 0.24, 0.29), pick(random, bright(random), bright(random), WHITE, GLASS)
    body = solid([(0.048, 0), (0.05, 0.008), (0.046, h * 0.5), (0.02, h * 0.72), (0.013, h * 0.76)]).transformed(
        scale=(1, 0.62, 1)
    )
    head = [
        cylinder((0, 0, h * 0.75), 0.017, 0.022),
        box((-0.012, 0, h * 0.9), (0.095, 0.026, 0.036), 0.01),
        tube([(-0.035, 0, h * 0.87), (-0.05, 0, h * 0.79), (-0.042, 0, h * 0.72)], 0.006, 8),
        rod((-0.058, 0, h * 0.91), (-0.075, 0, h * 0.91), 0.009),
    ]
    return [
        Part(body, colour),
        Part(joined(head), pick(random, WHITE, bright(random), BLACK)),
        Part(front((0, -0.0315, h * 0.27), 0.075, h * 0.36), label),
    ]


def garbage_bag(random: np.random.Generator) -> list[Part]:
    """A full bag, tied at its top."""
    w, h = between(random, 0.32, 0.5), between(random, 0.4, 0.6)
    bag = crumpled((0, 0, h * 0.42), (w, w * 0.85, h * 0.84), between(random, 0, 6), 0.75)
    neck = [revolved([(0.09, h * 0.78), (0.035, h * 0.87), (0.06, h), (0.0, h * 0.93)], 10)]
    return standing([Part(joined([bag, *neck]), pick(random, BLACK, BLACK, plain(0.03, 0.08, 0.35), WHITE, grey(random, 0.1)))])


def crate(random: np.random.Generator) -> list[Part]:
    """A stacking crate of plastic with openings and bottles, or a slatted crate of wood."""
    w, d, h = between(random, 0.38, 0.5), between(random, 0.28, 0.36), between(random, 0.2, 0.3)
    if random.random() < 0.5:
        slats = [box((0, y * d / 2, h * z), (w, 0.014, h * 0.26)) for y in SIDES for z in (0.17, 0.5, 0.83)]
        slats += [box((x * w / 2, 0, h * z), (0.014, d, h * 0.26)) for x in SIDES for z in (0.17, 0.5, 0.83)]
        posts = [box((x * (w / 2 - 0.02), y * (d / 2 - 0.02), h / 2), (0.03, 0.03, h)) for x in SIDES for y in SIDES]
        return [Part(joined([*slats, *posts, box((0, 0, 0.008), (w, d, 0.016))]), wood(random))]
    colour = pick(random, bright(random), bright(random), grey(random), plain(0.35, 0.02, 0.01))
    body = [
        open_box((w, d, h), 0.012),
        box((0, 0, h - 0.012), (w + 0.02, 0.012, 0.024)).transformed(translation=(0, -d / 2, 0)),
        box((0, d / 2, h - 0.012), (w + 0.02, 0.012, 0.024)),
    ]
    holes = [box((x * w / 2, 0, h * 0.75), (0.014, 0.1, 0.03)) for x in SIDES] + [
        box((x, y * d / 2, h * 0.4), (0.05, 0.014, h * 0.3)) for x in np.linspace(-w * 0.36, w * 0.36, 5) for y in SIDES
    ]
    parts = [Part(joined(body), colour), Part(joined(holes), BLACK)]
    if random.random() < 0.6:
        bottles = [
            solid([(0.034, 0.012), (0.034, h * 0.7), (0.013, h * 0.95), (0.013, h * 1.15)], 14).transformed(translation=(x, y, 0))
            for x in np.linspace(-w * 0.36, w * 0.36, 4)
            for y in np.linspace(-d * 0.32, d * 0.32, 3)
        ]
        parts.append(Part(joined(bottles), pick(random, plain(0.06, 0.02, 0.006), plain(0.02, 0.08, 0.03), GLASS)))
    return parts


def basket(random: np.random.Generator) -> list[Part]:
    """A wicker basket, round with an arched handle, rectangular with grips, or of wire."""
    tint = between(random, 0.45, 1.2)
    cane, design = Material("wicker", (tint, tint * 0.95, tint * 0.9), repeat=3.0), int(random.integers(3))
    if design == 0:
        r, h = between(random, 0.13, 0.2), between(random, 0.12, 0.2)
        rim = [ring((0, 0, h), r, 0.02), tube(arc((0, 0, h), r, 0, 180, r * 1.1), 0.009)]
        return [Part(joined([vessel([(r * 0.75, 0), (r, h)], 0.008), *rim]), cane)]
    w, d, h = between(random, 0.28, 0.45), between(random, 0.2, 0.32), between(random, 0.14, 0.26)
    if design == 1:
        grips = [
            tube(
                [(x * w * 0.53, y, h + z) for y, z in ((-0.06, -0.01), (-0.045, 0.045), (0.045, 0.045), (0.06, -0.01))], 0.008, 8
            )
            for x in SIDES
        ]
        rim = [
            tube(
                [
                    (-w * 0.53, -d * 0.53, h),
                    (w * 0.53, -d * 0.53, h),
                    (w * 0.53, d * 0.53, h),
                    (-w * 0.53, d * 0.53, h),
                    (-w * 0.53, -d * 0.53, h),
                ],
                0.01,
                8,
            )
        ]
        return [Part(joined([open_box((w, d, h), 0.012, 1.07), *grips, *rim]), cane)]
    wires = [
        tube([(x, -d / 2, h), (x, -d / 2, 0.004), (x, d / 2, 0.004), (x, d / 2, h)], 0.003, 6)
        for x in np.linspace(-w / 2, w / 2, 11)
    ]
    wires += [
        tube([(-w / 2, y, h), (-w / 2, y, 0.004), (w / 2, y, 0.004), (w / 2, y, h)], 0.003, 6)
        for y in np.linspace(-d / 2, d / 2, 7)
    ]
    wires += [
        tube([(-w / 2, -d / 2, z), (w / 2, -d / 2, z), (w / 2, d / 2, z), (-w / 2, d / 2, z), (-w / 2, -d / 2, z)], 0.005, 6)
        for z in (h * 0.5, h)
    ]
    return [Part(joined(wires), pick(random, BLACK, STEEL, WHITE))]


def vacuum_cleaner(random: np.random.Generator) -> list[Part]:
    """A cylinder cleaner with its hose and floor head, or an upright stick cleaner."""
    housing = pick(random, bright(random), bright(random), BLACK, grey(random))
    if random.random() < 0.6:
        body = [soft((0, 0.05, 0.15), (0.28, 0.42, 0.24), 0.6)]
        wheels = [rod((x * 0.12, 0.14, 0.09), (x * 0.16, 0.14, 0.09), 0.09) for x in SIDES]
        hose = tube(
            [(0, -0.13, 0.2), (0.06, -0.28, 0.3), (0.22, -0.3, 0.38), (0.34, -0.16, 0.5), (0.36, 0.02, 0.66), (0.35, 0.06, 0.8)],
            0.021,
        )
        pipe = rod((0.35, 0.06, 0.8), (0.32, -0.36, 0.06), 0.017)
        head = [box((0.32, -0.4, 0.025), (0.27, 0.1, 0.05), 0.018), capsule((0.35, 0.06, 0.78), (0.34, 0.12, 0.86), 0.018)]
        return standing([Part(joined(body), housing), Part(joined([*wheels, hose, *head]), BLACK), Part(pipe, STEEL)])
    h = between(random, 1.0, 1.15)
    body = [
        rod((0, 0.03, h * 0.62), (0, 0.03, h * 0.86), 0.05),
        capsule((0, 0.06, h * 0.88), (0, 0.17, h * 0.97), 0.018),
        rod((0, 0.1, h * 0.66), (0, 0.16, h * 0.95), 0.016),
    ]
    return standing(
        [
            Part(joined(body), housing),
            Part(rod((0, 0, 0.05), (0, 0, h * 0.7), 0.017), pick(random, STEEL, bright(random))),
            Part(
                joined([box((0, -0.05, 0.03), (0.25, 0.11, 0.06), 0.02), rod((0, 0.03, h * 0.86), (0, 0.03, h * 0.89), 0.045)]),
                BLACK,
            ),
        ]
    )


KINDS = {
    "trash can": Kind(trash_can, "floor"),
    "bucket": Kind(bucket, "floor"),
    "broom": Kind(broom, "floor"),
    "mop": Kind(mop, "floor"),
    "cleaning spray": Kind(cleaning_spray, "top"),
    "garbage bag": Kind(garbage_bag, "floor"),
    "crate": Kind(crate, "floor"),
    "basket": Kind(basket, "top"),
    "vacuum cleaner": Kind(vacuum_cleaner, "middle"),
}
