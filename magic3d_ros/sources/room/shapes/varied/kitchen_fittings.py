"""What a kitchen is fitted with: units, large appliances, machines for drinks. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

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
    metal,
    open_box,
    ring,
    rod,
    standing,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, cylinder, joined, tube

SIDES = (-1, 1)


def _housing(random: np.random.Generator) -> Material:
    """What large appliances are sold in."""
    return pick(random, WHITE, WHITE, STEEL, BLACK, grey(random, 0.3))


def _bar(x: float, y: float, z: float, length: float, upright: bool = False) -> Triangles:
    """A bar handle before a front at y."""
    half = np.array([0, 0, length / 2]) if upright else np.array([length / 2, 0, 0])
    middle = np.array([x, y - 0.035, z])
    posts = [rod(middle + s * half * 0.8, middle + s * half * 0.8 + [0, 0.035, 0], 0.006, segments=8) for s in SIDES]
    return joined([rod(middle - half, middle + half, 0.009, segments=12), *posts])


def _panel(random: np.random.Generator, x: float, y: float, z: float, width: float) -> Part:
    return Part(front((x, y - 0.001, z), width, width / 2), Material(f"buttons:{int(random.integers(12))}"))


def _hob(random: np.random.Generator, z: float, width: float, depth: float) -> list[Part]:
    """Four places to cook: rings printed on dark glass, plates, or gas burners under grates."""
    spots = [(x * width * 0.23, y * depth * 0.22, 0.07 + 0.02 * ((x + y) // 2)) for x in SIDES for y in SIDES]
    design = int(random.integers(3))
    if design == 0:
        return [
            Part(box((0, 0, z + 0.003), (width * 0.96, depth * 0.9, 0.006)), BLACK),
            Part(joined([ring((x, y, z + 0.006), r, 0.004) for x, y, r in spots]), plain(0.25, 0.25, 0.25)),
        ]
    if design == 1:
        return [Part(joined([cylinder((x, y, z), r, 0.012) for x, y, r in spots]), BLACK)]
    grates = [tube([(x - 0.10, y, z + 0.03), (x + 0.10, y, z + 0.03)], 0.006, 8) for x, y, _ in spots]
    grates += [tube([(x, y - 0.10, z + 0.03), (x, y + 0.10, z + 0.03)], 0.006, 8) for x, y, _ in spots]
    grates += [ring((x, y, z + 0.03), 0.07, 0.01) for x, y, _ in spots] + [cylinder((x, y, z), 0.035, 0.02) for x, y, _ in spots]
    return [Part(joined(grates), BLACK)]


def _oven_front(width: float, y: float, low: float, high: float) -> tuple[Triangles, Triangles]:
    """A dark window and a bar above it."""
    window = box((0, y - 0.003, (low + high) / 2 - 0.03), (width * 0.72, 0.006, (high - low) * 0.55), 0.002)
    return window, _bar(0, y, high - 0.05, width * 0.75)


def stove(random: np.random.Generator) -> list[Part]:
    """A cooker: a hob, knobs in a row, an oven with a window below."""
    width, depth, h = pick(random, 0.5, 0.6, 0.6, 0.75), 0.6, between(random, 0.84, 0.92)
    case, y = box((0, 0, h / 2), (width, depth, h)), -depth / 2
    window, bar = _oven_front(width, y, 0.2, h - 0.13)
    knobs = [rod((x, y, h - 0.06), (x, y - 0.028, h - 0.06), 0.02, 0.017) for x in np.linspace(-width * 0.4, width * 0.4, 6)]
    gaps = [box((0, y, z), (width * 0.99, 0.004, 0.006)) for z in (0.17, h - 0.12)]
    parts = [
        Part(case, _housing(random)),
        Part(joined([window, *gaps]), BLACK),
        Part(joined([bar, *knobs]), pick(random, STEEL, BLACK)),
    ]
    if random.random() < 0.3:
        parts.append(Part(box((0, depth / 2 - 0.02, h + 0.06), (width, 0.03, 0.12)), STEEL))
    return [*parts, *_hob(random, h, width, depth)]


def oven(random: np.random.Generator) -> list[Part]:
    """A built-in oven out of its cupboard, or a small oven for the counter with its knobs at the right."""
    if random.random() < 0.5:
        w, h, housing = between(random, 0.42, 0.52), between(random, 0.26, 0.34), _housing(random)
        y = -0.17
        window, bar = _oven_front(w * 0.7, y, 0.03, h)
        move = (-w * 0.13, 0, 0)
        knobs = [rod((w * 0.37, y, z), (w * 0.37, y - 0.03, z), 0.02) for z in (h * 0.25, h * 0.55, h * 0.85)]
        feet = [cylinder((x * w * 0.4, s * 0.12, 0), 0.015, 0.02) for x in SIDES for s in SIDES]
        return [
            Part(box((0, 0, h / 2 + 0.02), (w, 0.34, h), 0.006), housing),
            Part(joined([window.transformed(translation=move), *feet]), BLACK),
            Part(joined([bar.transformed(translation=move), *knobs]), metal(random)),
        ]
    w, h, y = 0.595, between(random, 0.56, 0.6), -0.28
    window, bar = _oven_front(w, y, 0.02, h - 0.11)
    knobs = [rod((x, y, h - 0.055), (x, y - 0.028, h - 0.055), 0.022) for x in (-0.22, 0.22)]
    return [
        Part(box((0, 0, h / 2), (w, 0.56, h)), _housing(random)),
        Part(joined([window, box((0, y, h - 0.11), (w, 0.004, 0.006))]), BLACK),
        Part(joined([bar, *knobs]), STEEL),
        _panel(random, 0, y, h - 0.055, 0.16),
    ]


def refrigerator(random: np.random.Generator) -> list[Part]:
    """A freezer above or below, two doors side by side with a water outlet, or a low one with one door."""
    design, housing = int(random.integers(4)), pick(random, WHITE, WHITE, STEEL, BLACK, bright(random))
    width, depth, h = (0.6, 0.62, between(random, 1.55, 2.0)) if design < 3 else (0.52, 0.55, between(random, 0.82, 1.2))
    if design == 2:
        width = between(random, 0.85, 0.95)
    y = -depth / 2
    share = pick(random, 0.32, 0.7)
    doors, bars = [], []
    if design == 2:
        for side in SIDES:
            doors.append(box((side * width / 4, y, h / 2 + 0.02), (width / 2 - 0.005, 0.06, h - 0.06), 0.01))
            bars.append(_bar(side * 0.045, y - 0.03, h * 0.52, h * 0.45, True))
        dark = [box((-width / 4, y - 0.031, h * 0.6), (0.17, 0.006, 0.3), 0.002)]
    else:
        edges = (0.04, h) if design == 3 else (0.04, h * share, h)
        dark = []
        for low, high in pairwise(edges):
            doors.append(box((0, y, (low + high) / 2), (width, 0.06, high - low - 0.008), 0.01))
            bars.append(_bar(-width * 0.42, y - 0.03, (low + high) / 2, min(0.4, (high - low) * 0.6), True))
    case = box((0, 0.02, h / 2 + 0.01), (width - 0.01, depth - 0.06, h - 0.02))
    return [
        Part(case, replace(housing, texture="")),
        Part(joined(doors), housing),
        Part(joined(bars), pick(random, STEEL, BLACK, housing)),
        Part(joined([box((0, 0.02, 0.02), (width - 0.04, depth - 0.1, 0.04)), *dark]), BLACK),
    ]


def dishwasher(random: np.random.Generator) -> list[Part]:
    """One door with a panel of buttons across its top and a recess to pull."""
    width, h, y = pick(random, 0.45, 0.6), between(random, 0.8, 0.87), -0.29
    return [
        Part(
            joined(
                [box((0, 0, h / 2 + 0.04), (width, 0.58, h - 0.08)), box((0, y, h * 0.5 - 0.02), (width - 0.006, 0.03, h - 0.28))]
            ),
            _housing(random),
        ),
        Part(
            joined([box((0, 0.03, 0.05), (width, 0.5, 0.1)), box((0, y - 0.001, h - 0.13), (width * 0.4, 0.008, 0.025))]), BLACK
        ),
        Part(
            joined([_bar(0, y - 0.015, h - 0.2, width * 0.8)])
            if random.random() < 0.5
            else box((0, y, h - 0.06), (width, 0.006, 0.1)),
            STEEL,
        ),
        _panel(random, width * 0.3, y - 0.003, h - 0.06, 0.14),
    ]


def range_hood(random: np.random.Generator) -> list[Part]:
    """A canopy with a chimney, a flat drawer, or a tilted pane of dark glass."""
    width, metal_sheet, design = pick(random, 0.6, 0.75, 0.9), pick(random, STEEL, STEEL, BLACK, WHITE), int(random.integers(3))
    chimney = box((0, -0.14, 0.45), (0.3, 0.27, 0.6))
    lamps = [cylinder((x * width * 0.3, -0.25, -0.001), 0.03, 0.002) for x in SIDES]
    if design == 0:
        cone = open_box((0.3, 0.27, 0.16), 0.02, width / 0.3).transformed(np.diag([1.0, -1, -1]), (0, -0.14, 0.2), (1, 0.5, 1))
        body = joined([box((0, -0.14, 0.02), (width, 0.27 * width / 0.6, 0.04)), cone, chimney])
    elif design == 1:
        body = joined([box((0, -0.15, 0.1), (width, 0.3, 0.2)), box((0, -0.25, 0.02), (width, 0.5, 0.03), 0.008)])
    else:
        pane = box((0, 0, 0.2), (width, 0.04, 0.42), 0.006).transformed(
            np.array([[1, 0, 0], [0, 0.77, 0.64], [0, -0.64, 0.77]]), (0, -0.38, 0.0)
        )
        return hanging([Part(joined([chimney, box((0, -0.2, 0.17), (width * 0.7, 0.3, 0.1))]), metal_sheet), Part(pane, BLACK)])
    return hanging([Part(body, metal_sheet), Part(joined(lamps), WHITE), _panel(random, 0, -0.501, 0.021, 0.07)])


def _tap(random: np.random.Generator, height: float, reach: float) -> Triangles:
    """A swan neck with a lever, its mouth towards -y."""
    if random.random() < 0.5:
        bend = [(0, -reach * t, height * (0.75 + 0.25 * np.sin(np.pi * t))) for t in np.linspace(0, 1, 9)]
        spout = tube([(0, 0, 0), *bend, (0, -reach, height * 0.62)], 0.012)
    else:
        spout = tube([(0, 0, 0), (0, 0, height * 0.6), (0, -reach, height * 0.72), (0, -reach, height * 0.64)], 0.014)
    lever = tube([(0.018, 0, height * 0.3), (0.04, 0, height * 0.32), (0.06, -0.02, height * 0.55)], 0.007)
    return joined([spout, lever, cylinder((0, 0, 0), 0.026, 0.012), cylinder((0, 0, 0), 0.02, height * 0.4)])


def faucet(random: np.random.Generator) -> list[Part]:
    """A mixer tap, or two taps with crosses and one spout."""
    finish = pick(random, STEEL, STEEL, BLACK, Material("brushed", (0.8, 0.6, 0.28)))
    if random.random() < 0.65:
        return standing([Part(_tap(random, between(random, 0.16, 0.36), between(random, 0.12, 0.2)), finish)])
    pieces = [_tap(random, 0.2, 0.15), rod((-0.09, 0, 0.03), (0.09, 0, 0.03), 0.012)]
    for side in SIDES:
        pieces += [
            cylinder((side * 0.09, 0, 0), 0.022, 0.075),
            rod((side * 0.09 - 0.03, 0, 0.085), (side * 0.09 + 0.03, 0, 0.085), 0.006),
            rod((side * 0.09, -0.03, 0.085), (side * 0.09, 0.03, 0.085), 0.006),
        ]
    return standing([Part(joined(pieces), finish)])


def _worktop(random: np.random.Generator) -> Material:
    return pick(random, wood(random), Material("marble", repeat=1.0), grey(random), BLACK)


def _units(random: np.random.Generator, width: float, height: float, depth: float, hung: bool = False) -> list[Part]:
    """Units side by side: doors or drawers, handles, the plinth last; no worktop. hung: doors alone, handles at their low end."""
    count = max(1, round(width / 0.55))
    wide, y = width / count, -depth / 2
    fronts, bars = [], []
    for i in range(count):
        x, rows = -width / 2 + wide * (i + 0.5), 1 if hung else pick(random, 1, 1, 3)
        step = (height - 0.1) / rows
        for row in range(rows):
            z = 0.1 + step * (row + 0.5)
            fronts.append(box((x, y - 0.009, z), (wide - 0.006, 0.018, step - 0.006)))
            bars.append(_bar(x, y - 0.018, z + (step / 2 - 0.05) * (-1 if hung else 1), wide * 0.35))
    front_board = pick(random, wood(random), WHITE, WHITE, bright(random), grey(random))
    case = [
        Part(box((0, 0, 0.1 + (height - 0.1) / 2), (width, depth - 0.002, height - 0.1)), WHITE),
        Part(joined(fronts), front_board),
    ]
    return [*case, Part(joined(bars), metal(random)), Part(box((0, 0.03, 0.05), (width - 0.01, depth - 0.07, 0.1)), BLACK)]


def kitchen_counter(random: np.random.Generator) -> list[Part]:
    """A row of base units under one worktop."""
    width, height = between(random, 0.9, 2.2), between(random, 0.82, 0.9)
    return [
        *_units(random, width, height, 0.56),
        Part(box((0, -0.01, height + 0.018), (width + 0.02, 0.61, 0.036), 0.004), _worktop(random)),
    ]


def sink(random: np.random.Generator) -> list[Part]:
    """A sink unit: a worktop around one basin with a tap, and a grooved drainer beside it."""
    width, height, side = between(random, 0.8, 1.1), between(random, 0.78, 0.86), pick(random, -1, 1)
    top, basin, x = height + 0.036, 0.36, side * width * 0.2
    around = [
        box((x + s * (basin / 2 + w / 2), -0.01, height + 0.018), (w, 0.6, 0.036))
        for s, w in ((-1, width / 2 + x - basin / 2), (1, width / 2 - x - basin / 2))
    ]
    around += [box((x, y, height + 0.018), (basin, d, 0.036)) for y, d in ((-0.265, 0.09), (0.225, 0.13))]
    bowl = open_box((basin, 0.4, 0.16), 0.008).transformed(translation=(x, -0.02, top - 0.158))
    grooves = [box((x - side * 0.45, -0.01 + 0.05 * i, top + 0.001), (0.3, 0.012, 0.004)) for i in range(-4, 5)]
    steel = pick(random, STEEL, STEEL, WHITE, BLACK)
    tap = _tap(random, between(random, 0.2, 0.3), 0.17).transformed(translation=(x, 0.22, top))
    rim = [box((x + s * (basin / 2 + 0.01), -0.02, top), (0.02, 0.44, 0.008)) for s in SIDES]
    return [
        *_units(random, width, height, 0.56),
        Part(joined(around), pick(random, steel, _worktop(random))),
        Part(joined([bowl, *grooves, *rim]), steel),
        Part(tap, STEEL),
    ]


def kitchen_cabinet(random: np.random.Generator) -> list[Part]:
    """Wall units with one to three doors."""
    width, height = between(random, 0.5, 1.5), between(random, 0.5, 0.8)
    return hanging(_units(random, width, height + 0.1, 0.34, hung=True)[:3])


KINDS = {
    "stove": Kind(stove, "floor"),
    "oven": Kind(oven, "top"),
    "refrigerator": Kind(refrigerator, "floor"),
    "dishwasher": Kind(dishwasher, "floor", carries=True),
    "range hood": Kind(range_hood, "wall", low=(1.5, 1.65)),
    "faucet": Kind(faucet, "top"),
    "kitchen counter": Kind(kitchen_counter, "floor", carries=True),
    "sink": Kind(sink, "floor"),
    "kitchen cabinet": Kind(kitchen_cabinet, "wall", low=(1.35, 1.5)),
}
