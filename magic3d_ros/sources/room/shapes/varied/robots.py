"""Machines that move: robots, drones, printers of solid things."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, STEEL, bright, front, grey, metal, plastic, rod, soft, standing
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, sphere, tube, yaw_matrix


def printer_3d(random: np.random.Generator) -> list[Part]:
    """A frame of rails, a heated bed with a half-made thing, a head, a spool of filament."""
    size, frame, colour = random.uniform(0.36, 0.46), BLACK if random.random() < 0.6 else metal(random), bright(random)
    half = size / 2
    bars = [box((i * half, j * half, half), (0.025, 0.025, size)) for i in (-1, 1) for j in (-1, 1)] + [
        box((0, j * half, z), (size, 0.025, 0.025)) for j in (-1, 1) for z in (0.012, size - 0.012)
    ]
    bars += [box((i * half, 0, z), (0.025, size, 0.025)) for i in (-1, 1) for z in (0.012, size - 0.012)]
    level = random.uniform(0.25, 0.45) * size
    moving = [
        rod((-half, 0, level + 0.13), (half, 0, level + 0.13), 0.006),
        rod((-half, 0.03, level + 0.13), (half, 0.03, level + 0.13), 0.006),
    ]
    head = [
        box((0.02, 0.0, level + 0.12), (0.06, 0.06, 0.08), 0.006),
        rod((0.02, 0, level + 0.08), (0.02, 0, level + 0.055), 0.008, 0.002),
    ]
    made = revolved(
        [
            (0, level - 0.1),
            (0.05, level - 0.1),
            (0.035, level - 0.04),
            (0.055, level + 0.02),
            (0.05, level + 0.05),
            (0, level + 0.05),
        ],
        24,
    ).transformed(translation=(0, 0, 0.0))
    bed = box((0, 0, level - 0.11), (size * 0.75, size * 0.75, 0.012))
    spool = rod((half + 0.05, -0.04, size * 0.7), (half + 0.05, 0.04, size * 0.7), 0.09)
    flanges = [rod((half + 0.05, y - 0.004, size * 0.7), (half + 0.05, y + 0.004, size * 0.7), 0.1) for y in (-0.045, 0.045)]
    return standing(
        [
            Part(joined([*bars, *flanges]), frame),
            Part(joined(moving), STEEL),
            Part(joined([*head]), BLACK),
            Part(joined([made, spool]), colour),
            Part(bed, grey(random, 0.03, 0.3)),
            Part(front((-half * 0.5, -half - 0.014, 0.03), 0.12, 0.05), Material("buttons:1")),
        ]
    )


def drone(random: np.random.Generator) -> list[Part]:
    """Four arms with rotors, a body with a camera below, two skids."""
    size, colour = random.uniform(0.11, 0.19), plastic(random)
    corners = [(i * size, j * size) for i in (-1, 1) for j in (-1, 1)]
    arms = [capsule((x * 0.2, y * 0.2, 0.07), (x, y, 0.08), 0.012) for x, y in corners] + [
        soft((0, 0, 0.075), (0.11, 0.18, 0.06), 0.6)
    ]
    dark = [cylinder((x, y, 0.075), 0.016, 0.03, 16) for x, y in corners] + [sphere((0, -0.07, 0.045), 0.022)]
    dark += [
        box((0, 0, 0), (size * 1.1, 0.018, 0.003)).transformed(yaw_matrix(random.uniform(0, 180)), (x, y, 0.108))
        for x, y in corners
    ]
    dark += [
        tube([(s * 0.04, -0.06, 0.06), (s * 0.07, -0.06, 0.008), (s * 0.07, 0.06, 0.008), (s * 0.04, 0.06, 0.06)], 0.005)
        for s in (-1, 1)
    ]
    return standing([Part(joined(arms), colour), Part(joined(dark), BLACK)])


def robot(random: np.random.Generator) -> list[Part]:
    """A machine with a face: an arm on a base, or a body on wheels with a head."""
    shell, joint = plastic(random), grey(random, 0.03, 0.3)
    if random.random() < 0.5:
        a, b = random.uniform(0.3, 1.0), random.uniform(-0.6, 0.4)
        p = [np.array([0, 0, 0.12]), np.array([0.26 * np.cos(a + 0.6), 0, 0.12 + 0.26 * np.sin(a + 0.6)])]
        p.append(p[1] + np.array([0.24 * np.cos(b), 0, 0.24 * np.sin(b)]))
        limbs = [cylinder((0, 0, 0), 0.09, 0.08, 32), capsule(p[0], p[1], 0.045, 0.038), capsule(p[1], p[2], 0.036, 0.028)]
        knees = [rod(q + np.array([0, -0.055, 0]), q + np.array([0, 0.055, 0]), 0.05 - 0.007 * i) for i, q in enumerate(p)] + [
            capsule(p[2], p[2] + np.array([0.05 * np.cos(b), s * 0.03, 0.05 * np.sin(b) - 0.02]), 0.01) for s in (-1, 1)
        ]
        return standing([Part(joined(limbs), shell), Part(joined(knees), joint)])
    eyes = [sphere((s * 0.035, -0.085, 0.33), 0.018, 16) for s in (-1, 1)]
    body = [
        soft((0, 0, 0.15), (0.2, 0.17, 0.22), 0.6),
        soft((0, 0, 0.33), (0.19, 0.16, 0.14), 0.6),
        *[capsule((s * 0.11, 0, 0.2), (s * 0.14, -0.05, 0.1), 0.02) for s in (-1, 1)],
    ]
    dark = [
        *[rod((s * 0.09, 0, 0.05), (s * 0.12, 0, 0.05), 0.05) for s in (-1, 1)],
        soft((0, -0.045, 0.33), (0.15, 0.085, 0.09), 0.5),
        cylinder((0, 0, 0.25), 0.04, 0.03),
        rod((0, 0, 0.39), (0, 0, 0.45), 0.004),
        sphere((0, 0, 0.455), 0.011, 12),
    ]
    return standing(
        [Part(joined(body), shell), Part(joined(dark), BLACK), Part(joined(eyes), Material("", (0.3, 0.8, 1.0), 1.2))]
    )


KINDS = {"3d printer": Kind(printer_3d, "top"), "drone": Kind(drone, "top"), "robot": Kind(robot, "top")}
