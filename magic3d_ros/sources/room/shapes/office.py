"""What an office has besides desks and screens. Sizes are those of ordinary things; fronts face -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    dome,
    joined,
    rectangle,
    revolved,
    sphere,
    tilt_matrix,
    tube,
    yaw_matrix,
)

Colour = tuple[float, float, float]
SIDES = (-1, 1)
BLACK = Material("", (0.035, 0.035, 0.04))
STEEL = Material("brushed", (0.7, 0.7, 0.7))


def office_chair(colour: Colour = (0.10, 0.12, 0.16), fabric: str = "canvas") -> list[Part]:
    """A swivel chair with armrests on a star of five castors."""
    black: list[Triangles] = []
    for i in range(5):
        c, s = np.cos(np.radians(72 * i + 90)), np.sin(np.radians(72 * i + 90))
        black += [capsule((0, 0, 0.11), (0.29 * c, 0.29 * s, 0.075), 0.026, 0.018), sphere((0.29 * c, 0.29 * s, 0.03), 0.03, 14)]
    black.append(box((0, 0, 0.42), (0.25, 0.25, 0.03)))
    seat = box((0, 0, 0.475), (0.50, 0.48, 0.09), 0.04)
    back = box((0, 0, 0.33), (0.46, 0.075, 0.56), 0.037).transformed(tilt_matrix(-10), (0, 0.22, 0.50))
    black.append(box((0, 0.245, 0.50), (0.07, 0.03, 0.26)))
    for side in SIDES:
        black += [
            tube([(side * 0.22, 0.02, 0.44), (side * 0.29, 0.02, 0.46), (side * 0.29, 0.02, 0.66)], 0.016),
            box((side * 0.29, -0.02, 0.675), (0.065, 0.25, 0.03), 0.014),
        ]
    return [
        Part(joined([seat, back]), Material(fabric, colour, repeat=2.0)),
        Part(joined(black), BLACK),
        Part(cylinder((0, 0, 0.1), 0.026, 0.32), STEEL),
    ]


def desk_lamp(glow: float = 1.6, colour: Colour = (0.05, 0.05, 0.06)) -> list[Part]:
    """A jointed lamp: a round foot, two arms, a cone that shines down towards -y; 45 cm high."""
    arms = [
        cylinder((0, 0.06, 0), 0.085, 0.02),
        capsule((0, 0.06, 0.02), (0, 0.13, 0.24), 0.009),
        sphere((0, 0.13, 0.24), 0.017, 14),
        capsule((0, 0.13, 0.24), (0, -0.06, 0.43), 0.009),
        sphere((0, -0.06, 0.43), 0.018, 14),
    ]
    profile = [(0.078, 0.0), (0.03, 0.10), (0.02, 0.135), (0, 0.14)]
    cone = revolved([(0.0, 0.09), (0.026, 0.09), (0.074, 0.0), *profile], 28, 0.03)
    hung = tilt_matrix(-25)
    bulb = sphere((0, 0, 0.035), 0.032, 16).transformed(hung, (0, -0.115, 0.32))
    return [
        Part(joined([*arms, cone.transformed(hung, (0, -0.115, 0.32))]), Material("", colour)),
        Part(bulb, Material("", (1.0, 0.92, 0.7), glow)),
    ]


def printer(colour: Colour = (0.72, 0.72, 0.72)) -> list[Part]:
    """A laser printer with paper in its tray and a sheet on top; 42 x 40 x 30 cm."""
    body = [box((0, 0.01, 0.13), (0.42, 0.38, 0.22), 0.012), box((0, 0.06, 0.265), (0.42, 0.28, 0.07), 0.02)]
    dark = [
        box((0, -0.182, 0.19), (0.34, 0.03, 0.035)),
        box((0, -0.185, 0.055), (0.36, 0.02, 0.055), 0.004),
        box((0, 0, 0.01), (0.38, 0.34, 0.02)),
        box((0.13, -0.083, 0.268), (0.10, 0.012, 0.045), 0.003),
    ]
    tray = box((0, -0.235, 0.165), (0.26, 0.13, 0.012), 0.004)
    sheet = box((0, -0.225, 0.174), (0.21, 0.15, 0.004))
    page = rectangle((-0.105, -0.30, 0.1765), (0.21, 0, 0), (0, 0.15, 0), 0.1, stretched=True)
    lights = [box((-0.10 + 0.03 * i, -0.081, 0.275), (0.012, 0.006, 0.012)) for i in range(3)]
    return [
        Part(joined([*body, tray]), Material("", colour)),
        Part(joined(dark), BLACK),
        Part(sheet, Material("", (0.82, 0.82, 0.80))),
        Part(page, Material("document:3")),
        Part(joined(lights), Material("", (0.1, 0.8, 0.2), 0.8)),
    ]


def mouse(colour: Colour = (0.04, 0.04, 0.045)) -> list[Part]:
    """A computer mouse with a wheel."""
    shell = dome((0, 0, 0), (0.032, 0.058, 0.036))
    wheel = capsule((-0.004, -0.032, 0.028), (0.004, -0.032, 0.028), 0.007)
    return [Part(shell, Material("", colour)), Part(wheel, Material("", (0.3, 0.3, 0.3)))]


def telephone(colour: Colour = (0.06, 0.06, 0.07)) -> list[Part]:
    """A desk telephone: its receiver on the left, keys on the right."""
    base = box((0, 0, 0.03), (0.20, 0.19, 0.06), 0.012)
    keys = rectangle((0.0, -0.075, 0.0605), (0.085, 0, 0), (0, 0.15, 0), 0.1, stretched=True)
    receiver = [
        capsule((-0.055, -0.075, 0.092), (-0.055, 0.075, 0.092), 0.016),
        capsule((-0.055, -0.085, 0.075), (-0.055, -0.085, 0.088), 0.026),
        capsule((-0.055, 0.085, 0.075), (-0.055, 0.085, 0.088), 0.026),
    ]
    cord = tube(
        [(-0.055 + 0.012 * np.cos(t), -0.11 - 0.006 * t / 3, 0.03 + 0.004 * np.sin(t)) for t in np.linspace(0, 9, 14)], 0.004, 8
    )
    return [Part(joined([base, *receiver, cord]), Material("", colour)), Part(keys, Material("microwave_panel"))]


def pen_cup(pens: int = 5, colour: Colour = (0.30, 0.32, 0.35)) -> list[Part]:
    """A cup with pens and pencils."""
    cup = revolved([(0, 0), (0.038, 0), (0.04, 0.10), (0.037, 0.10), (0.036, 0.006), (0, 0.006)], 28, 0.03)
    colours = ((0.75, 0.55, 0.05), (0.05, 0.12, 0.5), (0.6, 0.05, 0.05), (0.03, 0.03, 0.03), (0.1, 0.4, 0.15))
    parts = [Part(cup, Material("brushed", colour))]
    for i in range(pens):
        a = 2 * np.pi * i / max(pens, 1)
        pen = capsule(
            (0.012 * np.cos(a), 0.012 * np.sin(a), 0.01),
            (0.034 * np.cos(a), 0.034 * np.sin(a), 0.15 + 0.008 * (i % 3)),
            0.0045,
            segments=10,
        )
        parts.append(Part(pen, Material("", colours[i % len(colours)])))
    return parts


def papers(sheets: int = 3, seed: int = 0) -> list[Part]:
    """Sheets of paper lying a little askew on each other."""
    random = np.random.default_rng(seed)
    parts: list[Part] = []
    for i in range(max(1, sheets)):
        turn, shift = yaw_matrix(float(random.uniform(-12, 12))), (*random.uniform(-0.015, 0.015, 2), 0.003 * i)
        page = rectangle((-0.105, -0.1485, 0.003), (0.21, 0, 0), (0, 0.297, 0), 0.1, stretched=True)
        edge = box((0, 0, 0.0014), (0.21, 0.297, 0.0028))
        parts += [
            Part(page.transformed(turn, shift), Material(f"document:{int(random.integers(8))}")),
            Part(edge.transformed(turn, shift), Material("", (0.80, 0.80, 0.78))),
        ]
    return parts


def waste_bin(radius: float = 0.14, height: float = 0.31, colour: Colour = (0.06, 0.06, 0.07)) -> list[Part]:
    """An open waste paper basket with crumpled sheets in it."""
    r, h = radius, height
    shell = revolved(
        [
            (0, 0),
            (r * 0.78, 0),
            (r, h),
            (r + 0.008, h),
            (r + 0.008, h - 0.015),
            (r - 0.006, h - 0.015),
            (r * 0.74, 0.01),
            (0, 0.01),
        ],
        36,
        0.05,
    )
    balls = [sphere((r * 0.42 * np.cos(a), r * 0.42 * np.sin(a), h * 0.72), r * 0.34, 8) for a in (0.3, 2.3, 4.4)]
    return [Part(shell, Material("", colour)), Part(joined(balls), Material("canvas", (0.95, 0.95, 0.95), repeat=6.0))]


def cardboard_box(width: float = 0.42, depth: float = 0.32, height: float = 0.30) -> list[Part]:
    """An open box with its four flaps out, a strip of tape, and its inside in shadow."""
    shade, card = (0.45, 0.36, 0.26), Material("terracotta", (0.80, 1.15, 1.25), repeat=1.0)
    w, d = width / 2, depth / 2
    walls = [box((side * (w - 0.003), 0, height / 2), (0.006, depth, height)) for side in SIDES]
    walls += [box((0, side * (d - 0.003), height / 2), (width, 0.006, height)) for side in SIDES]
    walls.append(box((0, 0, 0.003), (width, depth, 0.006)))
    flap = depth * 0.42
    for side in SIDES:
        out = box((0, 0, flap / 2), (width, 0.005, flap)).transformed(tilt_matrix(-side * 125), (0, side * (d - 0.003), height))
        walls.append(out)
        turned = box((0, 0, flap / 2), (depth - 0.02, 0.005, flap)).transformed(
            yaw_matrix(90) @ tilt_matrix(side * 130), (side * (w - 0.003), 0, height)
        )
        walls.append(turned)
    tape = [box((0, -d - 0.0006, height * 0.75), (0.055, 0.001, height * 0.5))]
    return [Part(joined(walls), card), Part(joined(tape), Material("", shade))]


def globe(radius: float = 0.13) -> list[Part]:
    """A globe in a bracket on a round foot."""
    r, tilted = radius, 23.4
    middle = 0.09 + r
    ball = sphere((0, 0, 0), r, 36)
    lean = yaw_matrix(90) @ tilt_matrix(tilted)
    arc = [
        ((r + 0.02) * np.cos(a), 0.0, middle + (r + 0.02) * np.sin(a))
        for a in np.linspace(np.radians(-90), np.radians(90 - tilted), 10)
    ]
    stand = [tube(arc, 0.007), cylinder((0, 0, 0), 0.085, 0.014), capsule((0, 0, 0.01), (0, 0, middle - r - 0.015), 0.012)]
    return [
        Part(ball.transformed(lean, (0, 0, middle)), Material("globe")),
        Part(joined(stand), Material("brushed", (0.7, 0.55, 0.25))),
    ]


def headphones(colour: Colour = (0.06, 0.06, 0.07)) -> list[Part]:
    """Headphones standing on their cups."""
    arc = [(0.085 * np.cos(a), 0.0, 0.085 + 0.10 * np.sin(a)) for a in np.linspace(0, np.pi, 12)]
    cups = [capsule((side * 0.075, 0, 0.045), (side * 0.092, 0, 0.045), 0.042) for side in SIDES]
    band = tube(arc, 0.011)
    links = [capsule((side * 0.085, 0, 0.05), (side * 0.085, 0, 0.09), 0.009) for side in SIDES]
    pads = [capsule((side * 0.062, 0, 0.045), (side * 0.068, 0, 0.045), 0.036) for side in SIDES]
    return [Part(joined([band, *cups]), Material("", colour)), Part(joined([*links, *pads]), Material("", (0.25, 0.25, 0.26)))]


def water_cooler(height: float = 1.32) -> list[Part]:
    """A dispenser with a blue bottle on top and two taps."""
    h = height
    case = box((0, 0, 0.46), (0.31, 0.33, 0.92), 0.015, 0.1)
    bottle = revolved([(0.05, 0.91), (0.06, 0.95), (0.13, 0.99), (0.135, 1.02), (0.135, h - 0.03), (0.12, h), (0, h)], 32, 0.05)
    niche = box((0, -0.166, 0.66), (0.24, 0.012, 0.22), 0.003)
    taps = [capsule((side * 0.05, -0.17, 0.74), (side * 0.05, -0.205, 0.735), 0.014) for side in SIDES]
    grate = box((0, -0.185, 0.545), (0.22, 0.05, 0.012), 0.003)
    return [
        Part(case, Material("", (0.78, 0.78, 0.77))),
        Part(bottle, Material("", (0.20, 0.42, 0.62))),
        Part(niche, Material("", (0.16, 0.17, 0.18))),
        Part(taps[0], Material("", (0.6, 0.05, 0.05))),
        Part(taps[1], Material("", (0.05, 0.15, 0.6))),
        Part(grate, BLACK),
    ]
