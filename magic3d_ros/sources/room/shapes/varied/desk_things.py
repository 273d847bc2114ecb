"""What lies on desks beside paper. Measures of what is sold."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    bright,
    grey,
    lying,
    metal,
    plastic,
    ring,
    rod,
    standing,
    toned,
    turned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, sphere, tilt_matrix, tube, yaw_matrix


def pen_holder(random: np.random.Generator) -> list[Part]:
    """A cup, round or square, full of pens, pencils and a ruler."""
    radius, height = random.uniform(0.035, 0.045), random.uniform(0.09, 0.11)
    cup = (
        vessel([(radius, 0), (radius, height)], 0.003)
        if random.random() < 0.6
        else vessel([(radius, 0), (radius, height)], 0.003, 4)
    )
    parts = [Part(cup, plastic(random) if random.random() < 0.6 else metal(random))]
    for _ in range(int(random.integers(4, 9))):
        angle, lean = random.uniform(0, 6.28), random.uniform(0.4, 0.9) * radius
        foot = np.array([-0.4 * lean * np.cos(angle), -0.4 * lean * np.sin(angle), 0.006])
        tip = np.array([1.1 * lean * np.cos(angle), 1.1 * lean * np.sin(angle), height + random.uniform(0.03, 0.07)])
        parts.append(
            Part(
                joined([rod(foot, tip, 0.004, segments=8), rod(tip, tip + (tip - foot) * 0.08, 0.004, 0.001, 8)]), bright(random)
            )
        )
    return standing(parts)


def stapler(random: np.random.Generator) -> list[Part]:
    """An arm hinged above a base, slightly open."""
    length, colour = random.uniform(0.13, 0.17), plastic(random)
    base = box((0, 0, 0.006), (0.038, length, 0.012), 0.004)
    arm = joined([box((0, 0, 0), (0.03, length * 0.95, 0.02), 0.009), box((0, 0, -0.013), (0.018, length * 0.9, 0.012))])
    arm = arm.transformed(tilt_matrix(-8), (0, 0, 0.042))
    return standing(
        turned(
            [Part(joined([arm, box((0, length * 0.42, 0.02), (0.03, 0.02, 0.03))]), colour), Part(base, BLACK)], yaw_matrix(90)
        )
    )


def scissors(random: np.random.Generator) -> list[Part]:
    """Two blades, open, with two loops."""
    length, opening = random.uniform(0.16, 0.22), random.uniform(6, 16)
    blades = [
        box((0, length * 0.22, 0.003 + 0.002 * i), (0.014, length * 0.5, 0.002)).transformed(yaw_matrix(s * opening))
        for i, s in enumerate((-1, 1))
    ]
    arms = [
        part.transformed(yaw_matrix(s * opening))
        for s in (-1, 1)
        for part in (
            capsule((0, -0.01, 0.005), (s * 0.008, -length * 0.22, 0.006), 0.006, segments=8),
            ring((s * 0.014, -length * 0.32, 0.006), 0.021, 0.011),
        )
    ]
    return standing([Part(joined(blades), STEEL), Part(joined(arms), bright(random) if random.random() < 0.7 else BLACK)])


def tape(random: np.random.Generator) -> list[Part]:
    """A roll in a desk dispenser, or one or two rolls lying."""
    if random.random() < 0.5:
        body = joined(
            [
                box((0, 0, 0.012), (0.04, 0.14, 0.024), 0.008),
                box((0, 0.03, 0.035), (0.012, 0.03, 0.04)),
                box((0, -0.06, 0.035), (0.03, 0.012, 0.04)),
            ]
        )
        roll = rod((-0.01, 0.03, 0.055), (0.01, 0.03, 0.055), 0.032)
        return standing([Part(body, plastic(random)), Part(roll, Material("", (0.75, 0.72, 0.5)))])
    parts, radius = [], random.uniform(0.045, 0.055)
    for i in range(int(random.integers(1, 4))):
        hole, low = radius * 0.7, 0.05 * i
        profile = [(hole, low), (radius, low), (radius, low + 0.048), (hole, low + 0.048), (hole, low)]
        parts.append(Part(revolved(profile, 32), Material("", (0.55, 0.36, 0.18)) if random.random() < 0.6 else bright(random)))
    return standing(parts)


def calculator(random: np.random.Generator) -> list[Part]:
    """A display above a grid of keys."""
    width, depth = random.uniform(0.08, 0.13), random.uniform(0.14, 0.18)
    keys = [
        box((width * (i - 1.5) * 0.23, depth * (0.13 - 0.125 * j), 0.019), (width * 0.16, depth * 0.08, 0.006))
        for i in range(4)
        for j in range(5)
    ]
    parts = [
        Part(box((0, 0, 0.009), (width, depth, 0.017), 0.005), plastic(random)),
        Part(joined(keys), grey(random, 0.1)),
        Part(lying((0, depth * 0.35, 0.0185), width * 0.84, depth * 0.17), Material("", (0.42, 0.5, 0.4))),
    ]
    return standing(turned(parts, tilt_matrix(-6)))


def globe(random: np.random.Generator) -> list[Part]:
    """The earth in a half ring on a foot, tilted."""
    radius, high = random.uniform(0.10, 0.16), random.uniform(0.08, 0.12)
    z = high + radius
    ball = (
        sphere((0, 0, 0), radius, 40)
        .transformed(yaw_matrix(random.uniform(0, 360)))
        .transformed(np.array([[0.917, 0, 0.399], [0, 1, 0], [-0.399, 0, 0.917]]), (0, 0, z))
    )
    bow = tube([(radius * 1.08 * np.sin(a), 0, z + radius * 1.08 * np.cos(a)) for a in np.linspace(0.4, 0.4 + np.pi, 14)], 0.006)
    foot = joined([cylinder((0, 0, 0), radius * 0.65, 0.015, 32), cylinder((0, 0, 0.01), 0.012, high - 0.015)])
    return standing(
        [Part(ball, Material(f"globe:{int(random.integers(4))}")), Part(joined([bow]), metal(random)), Part(foot, wood(random))]
    )


def briefcase(random: np.random.Generator) -> list[Part]:
    """Leather or aluminium, upright, two locks and a handle."""
    width, depth, height = random.uniform(0.38, 0.46), random.uniform(0.09, 0.14), random.uniform(0.28, 0.34)
    skin = (
        toned(random, Material("leather", repeat=2.0), 0.55, 0.5, 0.45, 0.4)
        if random.random() < 0.6
        else metal(random)
    )
    handle = tube([(-0.06, 0, height), (-0.055, 0, height + 0.035), (0.055, 0, height + 0.035), (0.06, 0, height)], 0.009)
    locks = [box((s * width * 0.32, -depth * 0.1, height + 0.002), (0.035, 0.05, 0.008)) for s in (-1, 1)]
    seam = box((0, 0, height / 2), (width + 0.004, 0.008, height + 0.004))
    corners = [
        sphere((i * width * 0.49, j * depth * 0.45, k), 0.015, 10)
        for i in (-1, 1)
        for j in (-1, 1)
        for k in (0.02, height - 0.02)
    ]
    return standing(
        [
            Part(box((0, 0, height / 2), (width, depth, height), 0.02), skin),
            Part(joined([handle, seam]), BLACK),
            Part(joined([*locks, *corners]), metal(random)),
        ]
    )


KINDS = {
    "pen holder": Kind(pen_holder, "top"),
    "stapler": Kind(stapler, "top"),
    "scissors": Kind(scissors, "top"),
    "tape": Kind(tape, "top"),
    "calculator": Kind(calculator, "top"),
    "globe": Kind(globe, "top"),
    "briefcase": Kind(briefcase, "top"),
}
