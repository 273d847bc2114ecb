"""Pots, pans and small things of a kitchen. Lengths in metres; handles towards +x."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    ceramic,
    cloth,
    front,
    open_box,
    ring,
    rod,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS, band, lining, printed, shell, solid
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, rectangle, sphere, tube


def frying_pan(random: np.random.Generator) -> list[Part]:
    """A coated, a steel or an iron pan with a long handle; a wok is deeper."""
    radius, height = between(random, 0.11, 0.16), pick(random, 0.045, 0.05, 0.085)
    side = [(radius * 0.75, 0), (radius * 0.85, height * 0.25), (radius, height)]
    outside = pick(random, BLACK, STEEL, bright(random))
    grip = capsule((radius * 0.95, 0, height * 0.8), (radius + between(random, 0.16, 0.2), 0, height + 0.025), 0.009, 0.012)
    return [
        Part(shell(side, 40), outside),
        Part(lining(side, 0.004, 40), pick(random, BLACK, outside)),
        Part(grip, pick(random, BLACK, wood(random), STEEL)),
    ]


def cooking_pot(random: np.random.Generator) -> list[Part]:
    """A stockpot with two ears and a lid, an enamelled casserole, or a saucepan with a long handle."""
    radius = between(random, 0.085, 0.14)
    height = radius * between(random, 0.8, 1.6)
    side = [(radius * 0.94, 0), (radius, 0.01), (radius, height)]
    body = pick(random, STEEL, STEEL, bright(random), BLACK, WHITE)
    if random.random() < 0.3:
        grip = capsule((radius, 0, height * 0.85), (radius + 0.17, 0, height * 0.95), 0.009, 0.011)
        return [Part(vessel(side, 0.003), body), Part(grip, BLACK)]
    ears = [
        tube(
            [
                (i * x, y, height * 0.8)
                for x, y in ((radius, -0.035), (radius + 0.03, -0.03), (radius + 0.03, 0.03), (radius, 0.035))
            ],
            0.006,
            8,
        )
        for i in (-1, 1)
    ]
    if random.random() < 0.3:
        return [Part(joined([vessel(side, 0.003), *ears]), body)]
    lid = solid(
        [
            (radius * 1.03, height),
            (radius * 1.03, height + 0.006),
            (radius * 0.6, height + 0.022),
            (0.012, height + 0.03),
            (0.01, height + 0.04),
            (0.02, height + 0.05),
            (0.016, height + 0.058),
        ]
    )
    return [Part(joined([shell(side), *ears]), body), Part(lid, pick(random, body, GLASS))]


def colander(random: np.random.Generator) -> list[Part]:
    """A pierced bowl on a foot ring, with two ears; or a sieve with a handle."""
    radius = between(random, 0.1, 0.14)
    angles = np.linspace(0.5, np.pi / 2, 7)
    side = [(radius * np.sin(a), 0.015 + radius * 0.85 * (1 - np.cos(a))) for a in angles]
    rims = [ring((0, 0, side[-1][1]), radius, 0.012), ring((0, 0, 0.008), radius * 0.5, 0.016)]
    rims += [ring((i * (radius + 0.015), 0, side[-1][1]), 0.025, 0.007, segments=16) for i in (-1, 1)]
    holes = []
    for a in np.linspace(0.65, 1.4, 5):
        count = int(26 * np.sin(a))
        for turn in np.arange(count) * 2 * np.pi / count:
            out, z = (radius + 0.001) * np.sin(a), 0.015 + radius * 0.85 * (1 - np.cos(a)) - 0.001
            holes.append(sphere((out * np.cos(turn), out * np.sin(turn), z), 0.0045, 6))
    return [Part(joined([vessel(side, 0.003), *rims]), pick(random, STEEL, WHITE, bright(random))), Part(joined(holes), BLACK)]


def dish_rack(random: np.random.Generator) -> list[Part]:
    """Plates that stand on edge in a wire rack over a drip tray, a mug beside them."""
    width, depth = between(random, 0.36, 0.46), between(random, 0.26, 0.32)
    frame = [tube([(-width / 2, y, z), (width / 2, y, z)], 0.004, 8) for y in (-depth / 2, depth / 2) for z in (0.03, 0.10)]
    frame += [tube([(x, -depth / 2, z), (x, depth / 2, z)], 0.004, 8) for x in (-width / 2, width / 2) for z in (0.03, 0.10)]
    steps = np.linspace(-width / 2, width / 2, 11)
    frame += [
        tube([(x, -depth / 2, 0.10), (x, -depth / 2, 0.03), (x, depth / 2, 0.03), (x, depth / 2, 0.10)], 0.003, 6) for x in steps
    ]
    on_edge = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    radius = between(random, 0.1, 0.125)
    plate = vessel([(radius * 0.6, 0), (radius, 0.016)], 0.004)
    plates = [plate.transformed(on_edge, (x + 0.01, 0, 0.035 + radius)) for x in steps[2 : 2 + int(random.integers(3, 7))]]
    mug = vessel([(0.034, 0), (0.038, 0.09)], 0.004).transformed(np.diag([1.0, -1, -1]), (width / 2 - 0.06, 0.02, 0.125))
    return [
        Part(open_box((width + 0.03, depth + 0.03, 0.02), 0.006), pick(random, WHITE, BLACK, bright(random))),
        Part(joined(frame), pick(random, STEEL, BLACK, WHITE)),
        Part(joined(plates), ceramic(random)),
        Part(mug, bright(random)),
    ]


def kitchen_scale(random: np.random.Generator) -> list[Part]:
    """A flat scale with a display, or an old one with a dial and a bowl."""
    if random.random() < 0.5:
        plate = box((0, 0, 0.012), (0.18, 0.22, 0.016), 0.007)
        shown = [rectangle((-0.035, -0.1, 0.0205), (0.07, 0, 0), (0, 0.028, 0)), cylinder((0.06, -0.085, 0.02), 0.008, 0.001)]
        return [
            Part(plate, pick(random, WHITE, STEEL, bright(random))),
            Part(joined(shown), plain(0.10, 0.16, 0.12)),
            Part(joined([cylinder((x, y, 0), 0.012, 0.005) for x in (-0.07, 0.07) for y in (-0.09, 0.09)]), BLACK),
        ]
    case = joined([box((0, 0, 0.075), (0.15, 0.12, 0.15), 0.02), cylinder((0, 0, 0.15), 0.02, 0.02)])
    return [
        Part(case, pick(random, bright(random), WHITE)),
        Part(front((0, -0.0605, 0.075), 0.12, 0.12), Material("clock")),
        Part(vessel([(0.04, 0.17), (0.09, 0.19), (0.11, 0.22)], 0.003), STEEL),
    ]


def dish_soap(random: np.random.Generator) -> list[Part]:
    """A waisted plastic bottle with a push cap and a label."""
    h, colour = between(random, 0.18, 0.26), bright(random)
    side = [(0.036, 0), (0.038, 0.008), (0.031, h * 0.42), (0.037, h * 0.66), (0.02, h * 0.84), (0.013, h * 0.86)]
    cap = solid([(0.015, h * 0.85), (0.015, h * 0.93), (0.006, h * 0.94), (0.005, h)])
    flat = (1.0, 0.68, 1.0)
    paper = band(side, h * 0.12, h * 0.68, printed(random, 7.0))
    return [
        Part(solid(side).transformed(scale=flat), colour),
        Part(cap, pick(random, WHITE, bright(random))),
        Part(paper.triangles.transformed(scale=flat), paper.material),
    ]


def sponge(random: np.random.Generator) -> list[Part]:
    """A yellow sponge with a green scouring side, or a dish brush."""
    if random.random() < 0.6:
        width, depth = between(random, 0.10, 0.14), between(random, 0.065, 0.08)
        pad = box((0, 0, 0.034), (width, depth, 0.012), 0.004)
        return [
            Part(box((0, 0, 0.014), (width, depth, 0.028), 0.005), pick(random, plain(0.8, 0.6, 0.06), bright(random))),
            Part(pad, plain(0.03, 0.16, 0.06)),
        ]
    bristles = cylinder((0, 0.10, 0), 0.032, 0.03)
    grip = joined([cylinder((0, 0.10, 0.028), 0.03, 0.015), capsule((0, 0.09, 0.038), (0, -0.11, 0.03), 0.008, 0.011)])
    return standing([Part(bristles, WHITE), Part(grip, pick(random, wood(random), bright(random), WHITE))])


def dish_towel(random: np.random.Generator) -> list[Part]:
    """A tea towel folded flat."""
    dye, width = cloth(random), between(random, 0.24, 0.34)
    folds = [box((0, 0.006 * i, 0.008 + 0.015 * i), (width, width * 0.7, 0.016), 0.0075) for i in range(3)]
    return [Part(joined(folds), dye)]


def can_opener(random: np.random.Generator) -> list[Part]:
    """A corkscrew with two arms, standing on its bell; or a butterfly tin opener lying flat."""
    if random.random() < 0.5:
        arms = [tube([(i * 0.012, 0, 0.07), (i * 0.03, 0, 0.11), (i * 0.035, 0, 0.155)], 0.006, 8) for i in (-1, 1)]
        bell = vessel([(0.018, 0), (0.019, 0.02), (0.014, 0.05), (0.014, 0.09)], 0.003)
        top = [rod((0, 0, 0.09), (0, 0, 0.16), 0.005), ring((0, 0, 0.172), 0.013, 0.007, upright=True, segments=16)]
        return [Part(joined([bell, *arms, *top]), pick(random, STEEL, BLACK, bright(random)))]
    grips = joined([capsule((i * 0.012, -0.09, 0.012), (i * 0.008, 0.03, 0.012), 0.011, 0.008) for i in (-1, 1)])
    wheels = [cylinder((0.0, 0.045, 0), 0.014, 0.022), box((0.03, 0.045, 0.03), (0.06, 0.012, 0.012), 0.004)]
    return standing([Part(grips, pick(random, BLACK, bright(random))), Part(joined(wheels), STEEL)])


KINDS = {
    "frying pan": Kind(frying_pan, "top"),
    "cooking pot": Kind(cooking_pot, "top"),
    "colander": Kind(colander, "top"),
    "dish rack": Kind(dish_rack, "top"),
    "kitchen scale": Kind(kitchen_scale, "top"),
    "dish soap": Kind(dish_soap, "top"),
    "sponge": Kind(sponge, "top"),
    "dish towel": Kind(dish_towel, "top"),
    "can opener": Kind(can_opener, "top"),
}
