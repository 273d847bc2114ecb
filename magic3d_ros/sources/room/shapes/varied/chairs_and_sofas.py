"""Chairs and sofas in many builds. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    cloth,
    grey,
    legs,
    ring,
    rod,
    soft,
    standing,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick
from magic3d_ros.sources.room.shapes.varied.drapery import sheet
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import box, cylinder, joined, tilt_matrix, tube

SIDES = (-1, 1)


def _upholstery(random: np.random.Generator) -> Material:
    return pick(
        random,
        cloth(random),
        cloth(random),
        Material("leather", pick(random, (1.0, 1.0, 1.0), (0.25, 0.24, 0.24), (0.6, 0.5, 0.45)), repeat=2.0),
    )


def chair(random: np.random.Generator) -> list[Part]:
    """A moulded shell on splayed legs, a padded chair, a bistro chair of bent tube, or a spindle-back chair."""
    design, h = int(random.integers(4)), between(random, 0.43, 0.48)
    if design == 0:
        x, t = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(0, 1, 21), indexing="ij")
        y, z = (
            -0.22 + 0.40 * np.minimum(t / 0.55, 1) + 0.10 * np.clip((t - 0.55) / 0.45, 0, 1),
            h + 0.38 * np.clip((t - 0.45) / 0.55, 0, 1) ** 1.2,
        )
        curve = 0.05 * x**2 * (1 - 0.3 * t)
        half = 0.23 - 0.06 * np.clip((t - 0.6) / 0.4, 0, 1) ** 2 - 0.02 * np.clip(0.15 - t, 0, 1) / 0.15
        shell_ = sheet(
            np.stack([x * half, y - curve * np.clip(t * 2 - 1, 0, 1) * 1.5, z + curve * (1 - np.clip(t * 2 - 1, 0, 1))], -1),
            0.008,
        )
        stand = legs(0.3, 0.28, h, 0.035, True, 0.06)
        return standing(
            [
                Part(shell_, pick(random, WHITE, BLACK, bright(random), grey(random))),
                Part(stand, pick(random, wood(random), BLACK, STEEL)),
            ]
        )
    frame = pick(random, wood(random), wood(random), BLACK, WHITE)
    if design == 1:
        dye, back = _upholstery(random), between(random, 0.42, 0.55)
        pads = [
            box((0, 0, h), (0.46, 0.45, 0.09), 0.035),
            box((0, 0, back / 2), (0.45, 0.07, back), 0.03).transformed(tilt_matrix(-9), (0, 0.2, h)),
        ]
        if random.random() < 0.35:
            pads += [box((s * 0.25, 0.0, h + 0.18), (0.06, 0.4, 0.06), 0.025) for s in SIDES]
            pads += [box((s * 0.25, -0.16, h + 0.08), (0.05, 0.05, 0.2), 0.02) for s in SIDES]
        return standing([Part(joined(pads), dye), Part(legs(0.42, 0.42, h - 0.02, 0.04, True, 0.03), frame)])
    if design == 2:
        bend = [(0.19 * np.cos(a), 0.2, h + 0.22 + 0.24 * np.sin(a)) for a in np.linspace(0, np.pi, 11)]
        inner = [(0.12 * np.cos(a), 0.195, h + 0.18 + 0.18 * np.sin(a)) for a in np.linspace(0, np.pi, 11)]
        tubes = [
            tube([(0.19, 0.2, h), *bend, (-0.19, 0.2, h)], 0.013, 8),
            tube([(0.12, 0.19, h), *inner, (-0.12, 0.19, h)], 0.010, 8),
        ]
        seat = cylinder((0, 0, h - 0.015), 0.215, 0.03, 32)
        return standing(
            [
                Part(joined([*tubes, legs(0.34, 0.34, h, 0.035, True, 0.035), ring((0, 0, h * 0.45), 0.16, 0.016)]), frame),
                Part(seat, pick(random, frame, Material("wicker", repeat=4.0), cloth(random))),
            ]
        )
    spindles = [rod((x, 0.19, h), (x * 1.15, 0.25, h + 0.44), 0.008, segments=10) for x in np.linspace(-0.17, 0.17, 6)]
    pieces = [
        box((0, 0, h), (0.44, 0.43, 0.035), 0.014),
        box((0, 0.255, h + 0.46), (0.46, 0.03, 0.07), 0.012),
        legs(0.36, 0.36, h, 0.04, True, 0.04),
    ]
    pieces += [rod((s * 0.17, -0.17, h * 0.4), (s * 0.17, 0.17, h * 0.4), 0.011, segments=10) for s in SIDES]
    return standing([Part(joined([*spindles, *pieces]), frame)])


def stool(random: np.random.Generator) -> list[Part]:
    """A bar stool on one foot or on four legs with a footrest, or a low stool with a step."""
    if random.random() < 0.4:
        h = between(random, 0.62, 0.78)
        pad = solid([(0.16, h - 0.06), (0.18, h - 0.045), (0.175, h - 0.01), (0.12, h)])
        foot = [
            solid([(0.2, 0), (0.19, 0.012), (0.04, 0.03), (0.025, 0.06)]),
            rod((0, 0, 0.05), (0, 0, h - 0.05), 0.025),
            ring((0, 0, h * 0.4), 0.13, 0.02),
            rod((-0.13, 0, h * 0.4), (0.13, 0, h * 0.4), 0.008),
        ]
        return standing([Part(pad, _upholstery(random)), Part(joined(foot), pick(random, STEEL, BLACK))])
    h, body = (
        pick(random, between(random, 0.6, 0.75), between(random, 0.38, 0.48)),
        pick(random, wood(random), wood(random), WHITE, BLACK),
    )
    w = between(random, 0.3, 0.4)
    rests = [rod((s * w * 0.48, -w * 0.4, h * 0.35), (s * w * 0.48, w * 0.4, h * 0.35), 0.012) for s in SIDES]
    rests += [rod((-w * 0.48, s * w * 0.4, h * 0.25), (w * 0.48, s * w * 0.4, h * 0.25), 0.012) for s in SIDES]
    return standing(
        [
            Part(
                joined(
                    [box((0, 0, h - 0.02), (w, w * 0.9, 0.035), 0.012), legs(w * 0.9, w * 0.8, h - 0.03, 0.04, False), *rests]
                ),
                body,
            )
        ]
    )


def _seat_row(random: np.random.Generator, width: float, seats: int) -> list[Part]:
    """A sofa or an armchair: its base, arms and back in one of several builds, loose cushions, feet."""
    dye, deep, h, arm, back = (
        _upholstery(random),
        between(random, 0.82, 0.95),
        between(random, 0.36, 0.43),
        between(random, 0.1, 0.24),
        between(random, 0.68, 0.92),
    )
    roll, foot = random.random() < 0.4, between(random, 0.05, 0.16)
    pieces = [
        box((0, 0, foot + (h - 0.14 - foot) / 2 + 0.02), (width, deep, h - 0.12 - foot)),
        box((0, deep / 2 - 0.09, (foot + back) / 2), (width, 0.18, back - foot), 0.06),
    ]
    for s in SIDES:
        x = s * (width / 2 - arm / 2)
        top = h + between(random, 0.14, 0.24)
        pieces.append(box((x, -0.01, (foot + top) / 2), (arm, deep - 0.03, top - foot), 0.04))
        if roll:
            pieces.append(rod((x, -deep / 2 + 0.02, top), (x, deep / 2 - 0.06, top), arm * 0.62, segments=24))
    space = (width - 2 * arm) / seats
    for i in range(seats):
        x = -width / 2 + arm + space * (i + 0.5)
        pieces += [
            box((x, -0.08, h - 0.04), (space - 0.012, deep - 0.2, 0.15), 0.045),
            box((0, 0, 0.21), (space - 0.02, 0.16, 0.42), 0.06).transformed(tilt_matrix(-12), (x, deep / 2 - 0.27, h)),
        ]
    feet = [
        rod(
            (x * (width / 2 - 0.08), y * (deep / 2 - 0.08), 0),
            (x * (width / 2 - 0.1), y * (deep / 2 - 0.1), foot + 0.02),
            0.018,
            0.028,
        )
        for x in SIDES
        for y in SIDES
    ]
    parts = [Part(joined(pieces), dye), Part(joined(feet), pick(random, wood(random), BLACK, STEEL))]
    if random.random() < 0.5:
        pillow = box((0, 0, 0.2), (0.42, 0.13, 0.4), 0.06).transformed(
            tilt_matrix(-24), (-width / 2 + arm + 0.22, deep / 2 - 0.42, h + 0.03)
        )
        parts.append(Part(pillow, cloth(random)))
    return standing(parts)


def sofa(random: np.random.Generator) -> list[Part]:
    """Two or three seats; sometimes with a long seat at one end."""
    width = between(random, 1.5, 2.3)
    parts = _seat_row(random, width, 2 if width < 1.8 else 3)
    if random.random() < 0.25:
        side = pick(random, -1, 1)
        parts.insert(
            1,
            Part(
                joined(
                    [
                        box((side * (width / 2 - 0.4), -0.75, 0.22), (0.62, 0.8, 0.24), 0.03),
                        box((side * (width / 2 - 0.4), -0.72, 0.38), (0.6, 0.85, 0.14), 0.045),
                    ]
                ),
                parts[0].material,
            ),
        )
    return standing(parts)


def armchair(random: np.random.Generator) -> list[Part]:
    """One broad seat, or a cocktail chair with a rounded back on thin legs."""
    if random.random() < 0.6:
        return _seat_row(random, between(random, 0.78, 1.0), 1)
    dye, h = _upholstery(random), between(random, 0.4, 0.45)
    a = np.linspace(-0.35, np.pi + 0.35, 33)[:, None]
    t = np.linspace(0, 1, 9)[None]
    top = h + 0.18 + 0.22 * np.clip(np.sin(a), 0, 1) ** 2
    z = h - 0.16 + (top - h + 0.16) * t
    outer = np.stack([0.37 * np.cos(a) + 0 * t, 0.05 + 0.33 * np.sin(a) + 0.05 * t, z], -1)
    inner = np.stack([0.29 * np.cos(a) + 0 * t, 0.05 + 0.25 * np.sin(a) + 0.05 * t, z], -1)
    rim = tube([(outer[i, -1] + inner[i, -1]) / 2 for i in range(33)], 0.042, 10)
    seat = soft((0, -0.03, h - 0.05), (0.66, 0.66, 0.2), 0.5)
    return standing(
        [
            Part(joined([sheet(outer, 0.01), sheet(inner[::-1], 0.01), rim, seat]), dye),
            Part(legs(0.44, 0.44, h - 0.1, 0.035, True, 0.05), pick(random, wood(random), BLACK, STEEL)),
        ]
    )


def rocking_chair(random: np.random.Generator) -> list[Part]:
    """A high back with spindles, arms, and two runners."""
    body, h = pick(random, wood(random), wood(random), WHITE), 0.42
    pieces = [box((0, 0, h), (0.5, 0.46, 0.03), 0.012), box((0, 0.33, h + 0.66), (0.5, 0.03, 0.1), 0.012)]
    pieces += [rod((x, 0.2, h), (x, 0.33, h + 0.64), 0.010, segments=10) for x in np.linspace(-0.21, 0.21, 7)]
    for s in SIDES:
        pieces += [tube([(s * 0.24, -0.42 + 0.105 * i, 0.02 + 0.09 * ((i - 4) / 4) ** 2) for i in range(10)], 0.018, 8)]
        pieces += [rod((s * 0.24, y, 0.03), (s * 0.22, y * 0.9, h), 0.016, segments=12) for y in (-0.2, 0.2)]
        pieces += [
            box((s * 0.27, -0.02, h + 0.22), (0.06, 0.46, 0.025), 0.01),
            rod((s * 0.26, -0.2, h), (s * 0.27, -0.2, h + 0.21), 0.013, segments=12),
        ]
    parts = [Part(joined(pieces), body)]
    return standing(
        [*parts, Part(box((0, 0, h + 0.04), (0.46, 0.43, 0.06), 0.025), cloth(random))] if random.random() < 0.5 else parts
    )


KINDS = {
    "chair": Kind(chair, "middle"),
    "stool": Kind(stool, "middle"),
    "sofa": Kind(sofa, "floor"),
    "armchair": Kind(armchair, "floor"),
    "rocking chair": Kind(rocking_chair, "middle"),
}
