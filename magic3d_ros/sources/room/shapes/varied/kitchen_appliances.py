"""Kitchen appliances that stand on a counter. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    arc,
    bright,
    front,
    grey,
    metal,
    rod,
    soft,
    vessel,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import COFFEE, GLASS, band, loop, solid
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, sphere, tube


def _panel(random: np.random.Generator, center: tuple[float, float, float], width: float) -> Part:
    """A control panel, half as high as it is wide."""
    return Part(front(center, width, width / 2), Material(f"buttons:{int(random.integers(12))}"))


def _feet(width: float, depth: float) -> Triangles:
    return joined([cylinder((x * width / 2, y * depth / 2, 0), 0.012, 0.012, 12) for x in (-0.7, 0.7) for y in (-0.7, 0.7)])


def kettle(random: np.random.Generator) -> list[Part]:
    """An electric kettle on its base, or a whistling kettle with its handle above."""
    if random.random() < 0.35:
        r = between(random, 0.085, 0.11)
        body = solid([(r * 0.9, 0), (r, 0.02), (r * 0.9, r * 0.75), (r * 0.35, r * 1.15), (0.012, r * 1.2), (0.014, r * 1.35)])
        spout = capsule((-r * 0.75, 0, r * 0.6), (-r * 1.3, 0, r * 1.05), 0.02, 0.012)
        return [
            Part(joined([body, spout]), pick(random, STEEL, bright(random), WHITE)),
            Part(tube(arc((0, 0, r * 0.8), r * 0.8, 15, 165, r), 0.009), BLACK),
        ]
    h, r = between(random, 0.19, 0.25), between(random, 0.072, 0.085)
    housing = pick(random, STEEL, WHITE, BLACK, bright(random), GLASS)
    side = [(r, 0.022), (r, h * 0.3), (r * between(random, 0.68, 0.9), h * 0.9)]
    top = side[-1][0]
    beak = capsule((-top * 0.7, 0, h * 0.82), (-top * 1.35, 0, h * 0.9), 0.026, 0.010)
    grip = tube([(top * 0.8, 0, h * 0.96), (r + 0.045, 0, h * 0.93), (r + 0.052, 0, h * 0.4), (r * 0.98, 0, h * 0.2)], 0.013)
    lid = solid([(top, h * 0.9), (top * 0.8, h * 0.97), (0.012, h), (0.012, h + 0.01)])
    base = cylinder((0, 0, 0), r * 1.05, 0.018, 32)
    return [Part(joined([solid(side), beak]), housing), Part(joined([grip, base, lid]), pick(random, BLACK, BLACK, grey(random)))]


def coffee_machine(random: np.random.Generator) -> list[Part]:
    """A filter machine with its glass pot, or an espresso machine with a portafilter and a cup grate."""
    housing = pick(random, BLACK, STEEL, WHITE, plain(0.4, 0.03, 0.03), grey(random))
    if random.random() < 0.5:
        h, w = between(random, 0.3, 0.38), between(random, 0.17, 0.21)
        case = [
            box((0, 0.07, h / 2), (w, 0.09, h), 0.012),
            box((0, -0.02, 0.015), (w, 0.24, 0.03), 0.008),
            box((0, -0.02, h - 0.06), (w, 0.24, 0.12), 0.02),
        ]
        side = [(0.05, 0.034), (0.07, 0.07), (0.066, 0.13), (0.048, 0.16)]
        pot = [
            part.triangles.transformed(translation=(0, -0.05, 0))
            for part in (Part(solid(side), GLASS), band(side, 0.036, between(random, 0.07, 0.13), COFFEE))
        ]
        cap = joined(
            [
                cylinder((0, -0.05, 0.16), 0.05, 0.016),
                loop(0.05, 0.05, 0.16, 0.05, 0.008).transformed(np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]), (0, -0.05, 0)),
            ]
        )
        return [
            Part(joined(case), housing),
            Part(pot[0], GLASS),
            Part(pot[1], COFFEE),
            Part(cap, BLACK),
            _panel(random, (0, -0.1405, h - 0.05), w * 0.6),
        ]
    w, h, d = between(random, 0.2, 0.3), between(random, 0.28, 0.36), between(random, 0.26, 0.34)
    case = [
        box((0, d * 0.2, h / 2), (w, d * 0.6, h), 0.012),
        box((0, -0.02, h - 0.06), (w, d * 0.9, 0.12), 0.012),
        box((0, 0, 0.025), (w, d, 0.05), 0.008),
    ]
    group = [
        cylinder((0, -d * 0.28, h - 0.15), 0.033, 0.04),
        capsule((0, -d * 0.3, h - 0.14), (0, -d * 0.3 - 0.12, h - 0.15), 0.012),
    ]
    grate = [
        box((0, -d * 0.28, 0.052), (w * 0.85, d * 0.4, 0.004)),
        tube([(w / 2 + 0.015, -0.06, h - 0.1), (w / 2 + 0.03, -0.08, 0.1)], 0.006),
    ]
    return [
        Part(joined(case), housing),
        Part(joined(group), BLACK),
        Part(joined(grate), STEEL),
        _panel(random, (0, -0.02 - d * 0.45 - 0.0005, h - 0.05), w * 0.55),
    ]


def toaster(random: np.random.Generator) -> list[Part]:
    """Two or four slots, a lever and a dial; sometimes slices of bread in it."""
    length, depth, h = between(random, 0.26, 0.38), between(random, 0.16, 0.2), between(random, 0.17, 0.2)
    case = box((0, 0, h / 2 + 0.01), (length, depth, h), pick(random, 0.02, 0.06))
    slots = [box((0, y, h + 0.0095), (length * 0.7, 0.026, 0.003)) for y in (-depth * 0.2, depth * 0.2)]
    lever = [
        box((length / 2 + 0.012, 0, h * 0.75), (0.03, 0.035, 0.014), 0.005),
        box((length / 2, 0, h * 0.55), (0.002, 0.008, h * 0.5)),
        rod((length / 2, -depth * 0.28, h * 0.3), (length / 2 + 0.015, -depth * 0.28, h * 0.3), 0.016),
    ]
    parts = [
        Part(case, pick(random, STEEL, STEEL, WHITE, bright(random), BLACK)),
        Part(joined([*slots, *lever, _feet(length, depth)]), BLACK),
    ]
    if random.random() < 0.4:
        bread = [box((0, y, h + 0.01), (0.11, 0.014, 0.09), 0.006) for y in (-depth * 0.2, depth * 0.2)]
        parts.append(Part(joined(bread), plain(0.5, 0.27, 0.10)))
    return parts


def blender(random: np.random.Generator) -> list[Part]:
    """A jug blender on its motor, or a kitchen machine whose arm reaches over a steel bowl."""
    housing = pick(random, BLACK, WHITE, STEEL, bright(random))
    if random.random() < 0.6:
        h = between(random, 0.34, 0.45)
        foot = solid([(0.085, 0), (0.09, 0.01), (0.06, h * 0.35), (0.052, h * 0.38)])
        side = [(0.05, h * 0.38), (0.055, h * 0.42), (0.078, h * 0.92)]
        drink = band(
            side,
            h * 0.40,
            h * between(random, 0.45, 0.8),
            plain(*pick(random, (0.5, 0.05, 0.08), (0.2, 0.35, 0.06), (0.7, 0.5, 0.2))),
        )
        lid = [cylinder((0, 0, h * 0.92), 0.08, 0.02), cylinder((0, 0, h * 0.92 + 0.02), 0.03, 0.02)]
        knob = rod((0, -0.07, h * 0.16), (0, -0.1, h * 0.16), 0.024)
        return [
            Part(foot, housing),
            Part(joined([solid(side), loop(0.065, h * 0.5, h * 0.86, 0.045, 0.009)]), GLASS),
            drink,
            Part(joined([*lid, knob]), BLACK),
        ]
    case = [box((0, 0, 0.025), (0.2, 0.34, 0.05), 0.02), box((0, 0.12, 0.15), (0.11, 0.09, 0.26), 0.03)]
    arm = soft((0, 0, 0.30), (0.13, 0.36, 0.12), 0.6)
    beater = [rod((0, -0.08, 0.13), (0, -0.08, 0.26), 0.012), sphere((0, -0.08, 0.13), 0.03, 12)]
    bowl = vessel([(0.05, 0.05), (0.08, 0.07), (0.105, 0.13), (0.11, 0.2)], 0.003).transformed(translation=(0, -0.08, 0))
    return [Part(joined([*case, arm]), housing), Part(joined([bowl, *beater]), STEEL)]


def rice_cooker(random: np.random.Generator) -> list[Part]:
    """A round cooker with a hinged lid and a panel, a slow cooker with a glass lid, or an air fryer with a drawer."""
    r, h, housing = between(random, 0.12, 0.15), between(random, 0.18, 0.26), pick(random, WHITE, BLACK, STEEL, bright(random))
    design = int(random.integers(3))
    if design == 0:
        body = solid([(r * 0.85, 0.01), (r, 0.04), (r, h * 0.7), (r * 0.92, h * 0.9), (r * 0.5, h), (0.02, h + 0.004)], 36)
        grip = tube(arc((0, 0, h * 0.75), r * 1.02, 10, 170, h * 0.45), 0.010)
        return [Part(body, housing), _panel(random, (0, -r - 0.002, h * 0.45), r), Part(joined([grip, _feet(r, r)]), BLACK)]
    if design == 1:
        body = vessel([(r * 0.9, 0.01), (r * 1.05, 0.03), (r * 1.05, h * 0.75)], 0.01, 36).transformed(scale=(1.25, 1, 1))
        lid = solid([(r * 1.02, h * 0.75), (r * 0.7, h * 0.86), (0.012, h * 0.9), (0.02, h), (0.015, h + 0.006)], 36)
        ears = [box((i * r * 1.42, 0, h * 0.55), (0.06, 0.09, 0.02), 0.009) for i in (-1, 1)]
        knob = rod((0, -r, h * 0.25), (0, -r - 0.03, h * 0.25), 0.022)
        return [
            Part(body, housing),
            Part(lid.transformed(scale=(1.25, 1, 1)), GLASS),
            Part(joined([*ears, knob, _feet(r, r)]), BLACK),
        ]
    body = soft((0, 0, 0.16), (0.26, 0.30, 0.32), 0.45)
    drawer = [box((0, -0.12, 0.11), (0.22, 0.07, 0.13), 0.03), box((0, -0.19, 0.12), (0.04, 0.09, 0.05), 0.015)]
    return [
        Part(body, pick(random, BLACK, housing)),
        Part(joined(drawer), pick(random, BLACK, grey(random))),
        _panel(random, (0, -0.137, 0.235), 0.13),
    ]


def microwave(random: np.random.Generator) -> list[Part]:
    """A door with a dark window, buttons or dials on its right."""
    w, d, h = between(random, 0.42, 0.56), between(random, 0.32, 0.42), between(random, 0.24, 0.32)
    housing, door = pick(random, WHITE, BLACK, STEEL, grey(random)), w * 0.74
    left = -w / 2 + door / 2
    window = box((left, -d / 2 - 0.009, h / 2 + 0.012), (door * 0.72, 0.006, h * 0.6), 0.002)
    parts = [
        Part(
            joined([box((0, 0.01, h / 2 + 0.012), (w, d - 0.02, h), 0.008), box((left, -d / 2, h / 2 + 0.012), (door, 0.02, h))]),
            housing,
        ),
        Part(joined([window, _feet(w, d)]), BLACK),
        Part(
            rod((left + door * 0.44, -d / 2 - 0.035, h * 0.25), (left + door * 0.44, -d / 2 - 0.035, h * 0.85), 0.009),
            metal(random),
        ),
    ]
    middle = (w / 2 - (w - door) / 2, -d / 2 - 0.0005, h / 2 + 0.012)
    if random.random() < 0.5:
        return [*parts, Part(front(middle, (w - door) * 0.85, h * 0.85), Material("microwave_panel"))]
    dials = [rod((middle[0], -d / 2, z), (middle[0], -d / 2 - 0.025, z), 0.024) for z in (h * 0.35, h * 0.75)]
    return [*parts, Part(joined(dials), pick(random, BLACK, STEEL))]


KINDS = {
    "kettle": Kind(kettle, "top"),
    "coffee machine": Kind(coffee_machine, "top"),
    "toaster": Kind(toaster, "top"),
    "blender": Kind(blender, "top"),
    "rice cooker": Kind(rice_cooker, "top"),
    "microwave": Kind(microwave, "top"),
}
