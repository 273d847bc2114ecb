"""What stands on a worktop or a laid table. Sizes are those of ordinary kitchens; fronts face -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    joined,
    revolved,
    sphere,
    tilt_matrix,
    tube,
)

Colour = tuple[float, float, float]
SIDES = (-1, 1)
BLACK = Material("", (0.03, 0.03, 0.03))
STEEL = Material("brushed", (0.75, 0.75, 0.76))


def kettle(colour: Colour = (0.9, 0.9, 0.9)) -> list[Part]:
    """An electric kettle of steel on its black base: spout towards +x, handle towards -x; 24 cm high."""
    body = revolved([(0, 0.025), (0.080, 0.025), (0.082, 0.03), (0.066, 0.20), (0.055, 0.215), (0, 0.218)], 32, 0.03)
    spout = capsule((0.058, 0, 0.165), (0.092, 0, 0.205), 0.018, 0.011)
    black = [
        cylinder((0, 0, 0), 0.085, 0.022),
        tube([(-0.055, 0, 0.21), (-0.11, 0, 0.205), (-0.12, 0, 0.13), (-0.085, 0, 0.06)], 0.012),
        cylinder((0, 0, 0.216), 0.014, 0.022),
    ]
    return [Part(joined([body, spout]), Material("brushed", colour)), Part(joined(black), BLACK)]


def toaster(colour: Colour = (0.88, 0.88, 0.90)) -> list[Part]:
    """A toaster with two slots, its lever at the right end; 28 x 17 x 19 cm."""
    body = box((0, 0, 0.105), (0.28, 0.17, 0.175), 0.035)
    dark = [box((0, y, 0.192), (0.19, 0.030, 0.005)) for y in (-0.035, 0.035)]
    dark += [
        box((0.143, 0, 0.13), (0.012, 0.012, 0.09)),
        box((0.155, 0, 0.15), (0.028, 0.045, 0.018), 0.004),
        box((0, 0, 0.012), (0.25, 0.15, 0.024)),
    ]
    toast = [box((0, y, 0.195), (0.13, 0.014, 0.05), 0.006) for y in (-0.035, 0.035)]
    return [
        Part(body, Material("brushed", colour)),
        Part(joined(dark), BLACK),
        Part(joined(toast), Material("terracotta", (1.2, 1.25, 1.1))),
    ]


def coffee_machine(colour: Colour = (0.05, 0.05, 0.055)) -> list[Part]:
    """A drip coffee maker with its jug; 20 x 26 x 34 cm."""
    case = [
        box((0, 0.085, 0.17), (0.20, 0.09, 0.34), 0.012),
        box((0, -0.01, 0.29), (0.20, 0.24, 0.10), 0.015),
        box((0, -0.02, 0.015), (0.20, 0.22, 0.03), 0.01),
    ]
    plate = cylinder((0, -0.045, 0.03), 0.075, 0.006)
    jug = revolved(
        [(0, 0.037), (0.060, 0.037), (0.072, 0.06), (0.072, 0.12), (0.050, 0.17), (0.050, 0.19)], 28, 0.02
    ).transformed(translation=(0, -0.045, 0))
    lid = [
        cylinder((0, -0.045, 0.187), 0.052, 0.018),
        tube([(0.0, -0.10, 0.185), (0, -0.15, 0.17), (0, -0.145, 0.09), (0, -0.115, 0.075)], 0.010),
    ]
    light = box((0.06, -0.131, 0.29), (0.03, 0.004, 0.02))
    return [
        Part(joined([*case, *lid]), Material("", colour)),
        Part(plate, STEEL),
        Part(jug, Material("", (0.10, 0.05, 0.03))),
        Part(light, Material("", (1.0, 0.3, 0.1), 1.0)),
    ]


def frying_pan(radius: float = 0.13, colour: Colour = (0.03, 0.03, 0.035)) -> list[Part]:
    """A pan with a long handle towards +x."""
    r = radius
    pan = revolved([(0, 0), (r * 0.8, 0), (r, 0.045), (r - 0.005, 0.045), (r * 0.8 - 0.004, 0.006), (0, 0.006)], 36, 0.03)
    handle = capsule((r - 0.01, 0, 0.038), (r + 0.18, 0, 0.060), 0.011, 0.013)
    return [Part(joined([pan, handle]), Material("", colour))]


def cooking_pot(radius: float = 0.11, height: float = 0.14, colour: Colour = (0.55, 0.04, 0.04)) -> list[Part]:
    """A pot with two handles and a lid with a knob."""
    r, h = radius, height
    pot = revolved([(0, 0), (r - 0.01, 0), (r, 0.012), (r, h), (0, h)], 36, 0.04)
    lid = revolved([(r + 0.005, h), (r + 0.005, h + 0.008), (r * 0.6, h + 0.025), (0, h + 0.032)], 36, 0.04)
    handles = [
        tube(
            [
                (side * r, -0.04, h * 0.75),
                (side * (r + 0.035), -0.03, h * 0.78),
                (side * (r + 0.035), 0.03, h * 0.78),
                (side * r, 0.04, h * 0.75),
            ],
            0.008,
        )
        for side in SIDES
    ]
    knob = revolved([(0.010, h + 0.028), (0.012, h + 0.045), (0.02, h + 0.055), (0.012, h + 0.066), (0, h + 0.067)], 20)
    return [Part(joined([pot, lid]), Material("", colour)), Part(joined([*handles, knob]), BLACK)]


def cutting_board(width: float = 0.38, depth: float = 0.25) -> list[Part]:
    """A wooden board with a round hole for the hand drawn as a dark disc."""
    board = box((0, 0, 0.0095), (width, depth, 0.019), 0.006, 0.08)
    hole = cylinder((-width / 2 + 0.045, 0, 0.0185), 0.016, 0.001)
    return [Part(board, Material("pine", repeat=1.5)), Part(hole, BLACK)]


def loaf(length: float = 0.26) -> list[Part]:
    """A loaf of bread with cuts across its crust."""
    body = capsule((-length / 2 + 0.055, 0, 0.062), (length / 2 - 0.055, 0, 0.062), 0.058, segments=24)
    body = body.transformed(scale=(1.0, 1.0, 0.92), translation=(0, 0, -0.0035))
    cuts = [box((0, 0, 0), (0.012, 0.07, 0.008), 0.003).transformed(translation=(x, 0, 0.108)) for x in (-0.06, 0.0, 0.06)]
    return [
        Part(body, Material("leather", (1.25, 1.15, 0.75), repeat=3.0)),
        Part(joined(cuts), Material("", (0.80, 0.66, 0.42))),
    ]


def knife_block() -> list[Part]:
    """A leaning wooden block with five black handles."""
    lean = tilt_matrix(20)
    block = box((0, 0, 0.105), (0.10, 0.09, 0.21), 0.004).transformed(lean, (0, 0.04, 0.015))
    foot = box((0, 0.0, 0.018), (0.10, 0.16, 0.036), 0.004)
    handles = [
        box((x, y, 0.262), (0.018, 0.026, 0.105), 0.006).transformed(lean, (0, 0.04, 0.015))
        for x, y in ((-0.03, 0.022), (0.0, 0.022), (0.03, 0.022), (-0.018, -0.018), (0.018, -0.018))
    ]
    return [Part(joined([block, foot]), Material("oak", repeat=2.0)), Part(joined(handles), BLACK)]


def plate(radius: float = 0.13, colour: Colour = (0.80, 0.80, 0.78)) -> list[Part]:
    """A dinner plate with a blue line on its rim."""
    r = radius
    dish = revolved([(0, 0), (r * 0.6, 0), (r, 0.02), (r, 0.023), (r * 0.62, 0.007), (0, 0.006)], 40, 0.03)
    line = revolved([(r * 0.93, 0.0205), (r * 0.89, 0.0190)], 40)
    return [Part(dish, Material("", colour)), Part(line, Material("", (0.05, 0.12, 0.40)))]


def drinking_glass(height: float = 0.13, colour: Colour = (0.50, 0.58, 0.60)) -> list[Part]:
    """A tumbler of pale glass, solid to the depth sensor, with water in it."""
    outside = revolved([(0, 0), (0.028, 0), (0.036, height), (0.034, height), (0.031, height * 0.7), (0, height * 0.7)], 28, 0.02)
    return [Part(outside, Material("", colour))]


def dish_rack(plates: int = 5) -> list[Part]:
    """A wire rack with plates standing in it."""
    wires: list[Triangles] = []
    for z in (0.02, 0.11):
        corners = [(-0.2, -0.14, z), (0.2, -0.14, z), (0.2, 0.14, z), (-0.2, 0.14, z), (-0.2, -0.14, z)]
        wires.append(tube(corners, 0.004, 8))
    wires += [capsule((x, y, 0.004), (x, y, 0.11), 0.003, segments=8) for x in np.linspace(-0.2, 0.2, 9) for y in (-0.14, 0.14)]
    wires += [capsule((x, -0.14, 0.02), (x, 0.14, 0.02), 0.003, segments=8) for x in np.linspace(-0.2, 0.2, 9)]
    dish = plate(0.115)[0].triangles
    sideways = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    dishes = [dish.transformed(sideways, (-0.15 + 0.055 * i, 0.0, 0.14)) for i in range(plates)]
    return [Part(joined(wires), STEEL), Part(joined(dishes), Material("", (0.80, 0.80, 0.78)))]


def jar(height: float = 0.17, radius: float = 0.05, colour: Colour = (0.75, 0.55, 0.28)) -> list[Part]:
    """A storage jar, filled, with a wooden lid."""
    h, r = height, radius
    body = revolved([(0, 0), (r - 0.004, 0), (r, 0.006), (r, h * 0.82), (r * 0.88, h * 0.88), (0, h * 0.88)], 28, 0.03)
    lid = revolved([(0, h * 0.87), (r * 0.92, h * 0.87), (r * 0.92, h), (0, h)], 28, 0.03)
    return [Part(body, Material("", colour)), Part(lid, Material("oak", repeat=3.0))]


def paper_roll() -> list[Part]:
    """A roll of kitchen paper on a wooden stand; 31 cm high."""
    roll = revolved([(0.02, 0.018), (0.06, 0.018), (0.06, 0.255), (0.02, 0.255)], 32, 0.04)
    stand = joined([cylinder((0, 0, 0), 0.075, 0.016), cylinder((0, 0, 0.016), 0.011, 0.28), sphere((0, 0, 0.296), 0.015, 14)])
    return [Part(roll, Material("canvas", (1.0, 1.0, 1.0), repeat=4.0)), Part(stand, Material("pine", repeat=2.0))]
