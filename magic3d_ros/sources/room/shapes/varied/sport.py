"""What people exercise with."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, STEEL, WHITE, bright, grey, ring, rod, soft, standing, turned
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, sphere, tilt_matrix, tube, yaw_matrix


def dumbbell(random: np.random.Generator) -> list[Part]:
    """A pair lying: hexagonal or round heads, or one with screwed discs."""
    r, paint, hexagon = random.uniform(0.045, 0.075), bright(random) if random.random() < 0.4 else BLACK, random.random() < 0.5
    parts = []
    for y in (-r * 1.2, r * 1.2):
        heads = [rod((s * 0.065, y, r), (s * 0.125, y, r), r, segments=6 if hexagon else 24) for s in (-1, 1)]
        parts += [Part(joined(heads), paint), Part(rod((-0.065, y, r), (0.065, y, r), 0.015), STEEL)]
    return standing(turned(parts, yaw_matrix(25)))


def exercise_machine(random: np.random.Generator) -> list[Part]:
    """An exercise bicycle: flywheel, saddle, handlebars, pedals, display; or a treadmill."""
    frame, dark = grey(random) if random.random() < 0.5 else bright(random), BLACK
    if random.random() < 0.5:
        steel = [
            rod((-0.25, -0.5, 0.03), (0.25, -0.5, 0.03), 0.03),
            rod((-0.25, 0.45, 0.03), (0.25, 0.45, 0.03), 0.03),
            capsule((0, -0.5, 0.04), (0, 0.45, 0.04), 0.035),
            capsule((0, -0.15, 0.25), (0, 0.25, 0.85), 0.03),
            capsule((0, -0.25, 0.3), (0, -0.42, 1.05), 0.03),
        ]
        black = [
            soft((0, 0.27, 0.9), (0.24, 0.27, 0.09), 0.7),
            rod((-0.04, -0.38, 0.28), (0.04, -0.38, 0.28), 0.21),
            tube([(-0.24, -0.25, 1.08), (-0.2, -0.42, 1.05), (0.2, -0.42, 1.05), (0.24, -0.25, 1.08)], 0.018),
            rod((-0.12, -0.02, 0.3), (0.12, -0.02, 0.3), 0.014),
            box((0.15, -0.12, 0.22), (0.1, 0.09, 0.02)),
            box((-0.15, 0.1, 0.38), (0.1, 0.09, 0.02)),
        ]
        return standing(
            [
                Part(joined([*steel, soft((0, -0.2, 0.3), (0.13, 0.55, 0.42), 0.7)]), frame),
                Part(joined(black), dark),
                Part(box((0, -0.45, 1.13), (0.18, 0.03, 0.12)).transformed(), Material("buttons:5")),
            ]
        )
    black = [
        box((0, 0.1, 0.14), (0.52, 1.35, 0.03)),
        *[capsule((s * 0.34, -0.5, 0.15), (s * 0.34, -0.65, 1.15), 0.035) for s in (-1, 1)],
        *[capsule((s * 0.34, -0.64, 0.98), (s * 0.34, -0.15, 0.95), 0.022) for s in (-1, 1)],
        box((0, -0.66, 1.2), (0.74, 0.12, 0.22), 0.03),
    ]
    return standing(
        [
            Part(
                joined(
                    [
                        *[box((s * 0.33, 0.05, 0.12), (0.12, 1.5, 0.09), 0.02) for s in (-1, 1)],
                        box((0, -0.55, 0.14), (0.74, 0.4, 0.22), 0.04),
                    ]
                ),
                frame,
            ),
            Part(joined(black), dark),
            Part(box((0, -0.59, 1.22), (0.4, 0.012, 0.14)), Material("screen:2", (0.6, 0.6, 0.6), 0.7)),
        ]
    )


def yoga_mat(random: np.random.Generator) -> list[Part]:
    """Rolled up with straps, or rolled out."""
    paint, r = Material("carpet", bright(random).tint, repeat=4.0), random.uniform(0.05, 0.075)
    if random.random() < 0.6:
        ends = [rod((s * 0.305, 0, r), (s * 0.3065, 0, r), r * 0.7) for s in (-1, 1)]
        straps = [rod((x - 0.012, 0, r), (x + 0.012, 0, r), r + 0.003) for x in (-0.18, 0.18)]
        return standing(
            turned(
                [
                    Part(rod((-0.305, 0, r), (0.305, 0, r), r, segments=32), paint),
                    Part(joined([*ends, *straps]), BLACK),
                ],
                yaw_matrix(15),
            )
        )
    return standing(
        [Part(box((0, 0, 0.004), (1.75, 0.61, 0.008)), paint), Part(rod((0.9, -0.305, 0.03), (0.9, 0.305, 0.03), 0.03), paint)]
    )


def tennis_racket(random: np.random.Generator) -> list[Part]:
    """An oval of strings on a throat and a grip, lying with a ball or leaning."""
    paint = bright(random)
    hoop = tube([(0.125 * np.cos(a), 0.0, 0.5 + 0.165 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 28)], 0.011)
    throat = [capsule((s * 0.07, 0, 0.365), (s * 0.012, 0, 0.22), 0.010) for s in (-1, 1)]
    strings = [
        rod(
            (x, 0, 0.5 - 0.165 * np.sqrt(1 - (x / 0.125) ** 2)),
            (x, 0, 0.5 + 0.165 * np.sqrt(1 - (x / 0.125) ** 2)),
            0.0012,
            segments=5,
        )
        for x in np.linspace(-0.11, 0.11, 13)
    ]
    strings += [
        rod(
            (-0.125 * np.sqrt(1 - ((z - 0.5) / 0.165) ** 2), 0, z),
            (0.125 * np.sqrt(1 - ((z - 0.5) / 0.165) ** 2), 0, z),
            0.0012,
            segments=5,
        )
        for z in np.linspace(0.35, 0.65, 16)
    ]
    parts = [
        Part(joined([hoop, *throat]), paint),
        Part(joined(strings), WHITE),
        Part(rod((0, 0, 0.0), (0, 0, 0.23), 0.016), BLACK),
    ]
    ball = Part(sphere((0.2, 0.0, 0.0), 0.033, 20), Material("carpet", (0.75, 0.9, 0.1), repeat=1.0))
    return standing(turned([*parts, ball], tilt_matrix(-88)) if random.random() < 0.6 else turned(parts, tilt_matrix(-15)))


def ball(random: np.random.Generator) -> list[Part]:
    """Basketball with seams, striped beach ball, tennis-like felt, gymnastic ball."""
    kind = int(random.integers(3))
    if kind == 0:
        r, skin = 0.12, Material("leather", (1.5, 0.75, 0.3), repeat=3.0)
        seams = [
            ring((0, 0, 0), r, 0.004, True, 40),
            ring((0, 0, 0), r, 0.004, False, 40),
            ring((0, 0, 0), r, 0.004, True, 40).transformed(yaw_matrix(90)),
        ]
        seams += [ring((0, s * r * 0.55, 0), r * 0.84, 0.004, True, 40) for s in (-1, 1)]
        turn = yaw_matrix(random.uniform(0, 360)) @ tilt_matrix(random.uniform(0, 90))
        return standing(turned([Part(sphere((0, 0, 0), r, 36), skin), Part(joined(seams), BLACK)], turn))
    if kind == 1:
        r = random.uniform(0.13, 0.2)
        globe = sphere((0, 0, 0), r, 36)
        middle = globe.positions.reshape(-1, 3, 3).mean(1)
        sector = np.repeat(((np.arctan2(middle[:, 1], middle[:, 0]) + np.pi) / (np.pi / 3)).astype(int) % 6, 3)
        tints = (bright(random), WHITE, bright(random), WHITE, bright(random), WHITE)
        turn = yaw_matrix(random.uniform(0, 360)) @ tilt_matrix(random.uniform(20, 80))
        return standing(
            turned(
                [
                    Part(Triangles(globe.positions[sector == k], globe.normals[sector == k], globe.uv[sector == k]), tints[k])
                    for k in range(6)
                ],
                turn,
            )
        )
    r = random.uniform(0.25, 0.33)
    return standing([Part(sphere((0, 0, 0), r, 40), bright(random))])


def punching_bag(random: np.random.Generator) -> list[Part]:
    """A leather cylinder with bands, on chains from a stand."""
    h, r, skin = (
        random.uniform(0.7, 0.9),
        random.uniform(0.14, 0.18),
        Material("leather", (0.12, 0.1, 0.1) if random.random() < 0.5 else (1.3, 0.12, 0.1), repeat=2.0),
    )
    low, top = 0.42, 0.42 + h
    frame = [
        box((0, 0.35, 0.03), (0.7, 0.06, 0.06)),
        box((0, 0.05, 0.03), (0.06, 0.66, 0.06)),
        box((0, 0.35, (top + 0.2) / 2), (0.06, 0.06, top + 0.2)),
        box((0, 0.17, top + 0.19), (0.06, 0.42, 0.05)),
    ]
    chains = [rod((r * 0.8 * np.cos(a), r * 0.8 * np.sin(a), top), (0, 0, top + 0.17), 0.006) for a in np.arange(4) * 1.571 + 0.7]
    return standing(
        [
            Part(cylinder((0, 0, low), r, h, 36), skin),
            Part(
                joined(rod((0, 0, z), (0, 0, z + 0.03), r + 0.004, segments=36) for z in (low + 0.03, low + h * 0.5, top - 0.07)),
                WHITE if random.random() < 0.4 else BLACK,
            ),
            Part(joined(frame), BLACK if random.random() < 0.6 else bright(random)),
            Part(joined(chains), STEEL),
        ]
    )


KINDS = {
    "dumbbell": Kind(dumbbell, "floor"),
    "exercise machine": Kind(exercise_machine, "middle"),
    "yoga mat": Kind(yoga_mat, "floor"),
    "tennis racket": Kind(tennis_racket, "top"),
    "ball": Kind(ball, "floor"),
    "punching bag": Kind(punching_bag, "floor"),
}
