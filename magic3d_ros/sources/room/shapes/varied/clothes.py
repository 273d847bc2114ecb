"""Clothes, worn and put away, and what is worn with them. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    cloth,
    front,
    grey,
    hanging,
    rod,
    soft,
    standing,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import crumpled, folded, sheet
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, joined, tube, yaw_matrix

SIDES = (-1, 1)

Outline = list[tuple[float, float]]


def _flat(outline: Outline, thickness: float, bulge: float = 0.0) -> Triangles:
    """A garment in the x-z plane, its middle on y = 0. outline: (half width, height), from its lower edge upwards."""
    heights = np.array([z for _, z in outline])
    z = np.unique(np.concatenate([heights, np.linspace(heights[0], heights[-1], 26)]))
    half = np.interp(z, heights, [w for w, _ in outline])
    across = np.linspace(-1, 1, 15)
    x = across[:, None] * half[None]
    fold = 0.25 * bulge * np.sin(9 * x + 1.3) + 0.2 * bulge * np.sin(23 * x + 4 * z)
    y = -(thickness / 2 + bulge * (1 - across[:, None] ** 2)) + fold * (1 - across[:, None] ** 2)
    front_face = sheet(np.stack([x, y, np.broadcast_to(z, x.shape)], -1), 0.003)
    back = sheet(np.stack([x[::-1], -y[::-1], np.broadcast_to(z, x.shape)], -1), 0.003)
    return joined([front_face, back])


def _sleeve(side: int, shoulder: tuple[float, float], length: float, width: float, out: float) -> Triangles:
    """A sleeve hanging from a shoulder (x, z), leaning outwards by `out` degrees."""
    a = np.radians(out)
    end = (side * (shoulder[0] + length * np.sin(a)), 0.0, shoulder[1] - length * np.cos(a))
    limb = capsule((side * shoulder[0], 0, shoulder[1] - width * 0.4), end, width / 2, width * 0.38, 14)
    return limb.transformed(scale=(1, 0.55, 1))


def _hanger(random: np.random.Generator, z: float, width: float) -> Part:
    hook = tube(
        [(0, 0, z + 0.03), *[(0.02 * np.cos(a) - 0.0, 0, z + 0.07 + 0.02 * np.sin(a)) for a in np.linspace(-1.2, 3.0, 7)]],
        0.003,
        6,
    )
    shoulders = tube([(-width, 0, z - 0.05), (-0.05, 0, z + 0.025), (0.05, 0, z + 0.025), (width, 0, z - 0.05)], 0.007, 8)
    return Part(joined([hook, shoulders]), pick(random, wood(random), BLACK, STEEL))


def _buttons(count: int, low: float, high: float, y: float) -> Part:
    return Part(
        joined([rod((0.012, y, z), (0.012, y - 0.004, z), 0.008, segments=10) for z in np.linspace(low, high, count)]), BLACK
    )


def jacket(random: np.random.Generator) -> list[Part]:
    """A jacket or a coat on a hanger, its front closed with buttons or a zip, with a collar and pockets."""
    length, dye = (
        between(random, 0.6, 1.1),
        pick(random, cloth(random), cloth(random), Material("leather", (0.3, 0.3, 0.3)), bright(random)),
    )
    body = _flat([(0.27, 0), (0.24, length * 0.4), (0.25, length * 0.75), (0.22, length - 0.05), (0.07, length)], 0.06, 0.05)
    sleeves = [_sleeve(side, (0.215, length - 0.06), between(random, 0.54, 0.58), 0.13, 7) for side in SIDES]
    collar = [soft((side * 0.055, -0.03, length - 0.02), (0.09, 0.09, 0.09), 0.7, 14) for side in SIDES]
    pockets = [box((side * 0.13, -0.088, length * 0.28), (0.12, 0.012, 0.09), 0.004) for side in SIDES]
    seam = box((0, -0.087, length * 0.46), (0.006, 0.012, length * 0.9))
    return hanging(
        [
            Part(joined([body, *sleeves, *collar, *pockets]), dye),
            Part(seam, BLACK),
            _buttons(5, length * 0.15, length * 0.85, -0.088),
            _hanger(random, length, 0.2),
        ]
    )


def lab_coat(random: np.random.Generator) -> list[Part]:
    """A white coat with lapels, pockets and a pen."""
    length = between(random, 0.95, 1.1)
    body = _flat([(0.3, 0), (0.25, length * 0.5), (0.24, length * 0.8), (0.22, length - 0.05), (0.07, length)], 0.04, 0.04)
    sleeves = [_sleeve(side, (0.215, length - 0.06), 0.56, 0.13, 6) for side in SIDES]
    pockets = [box((side * 0.14, -0.067, length * 0.33), (0.14, 0.01, 0.15), 0.003) for side in SIDES] + [
        box((0.12, -0.064, length * 0.72), (0.09, 0.01, 0.11), 0.003)
    ]
    lapels = [
        box((0, 0, 0), (0.05, 0.012, 0.26), 0.004).transformed(
            np.array([[0.96, 0, s * 0.28], [0, 1, 0], [-s * 0.28, 0, 0.96]]), (s * 0.055, -0.06, length - 0.14)
        )
        for s in SIDES
    ]
    pen = rod((0.12, -0.072, length * 0.74), (0.12, -0.072, length * 0.81), 0.005)
    return hanging(
        [
            Part(joined([body, *sleeves, *pockets, *lapels]), Material("canvas", (1.0, 1.0, 1.0), repeat=3.0)),
            _buttons(5, length * 0.15, length * 0.7, -0.066),
            Part(pen, bright(random)),
            _hanger(random, length, 0.2),
        ]
    )


def shirt(random: np.random.Generator) -> list[Part]:
    """A t-shirt with a print, or a shirt with buttons, on a hanger."""
    dye, length = pick(random, cloth(random), cloth(random), WHITE), between(random, 0.6, 0.72)
    short = random.random() < 0.5
    body = _flat([(0.25, 0), (0.24, length * 0.7), (0.22, length - 0.04), (0.08, length)], 0.02, 0.025)
    sleeves = [
        _sleeve(side, (0.215, length - 0.06), 0.2 if short else 0.55, 0.15 if short else 0.1, 32 if short else 8)
        for side in SIDES
    ]
    parts = [Part(joined([body, *sleeves]), dye), _hanger(random, length, 0.18)]
    if short and random.random() < 0.6:
        parts.append(Part(front((0, -0.042, length * 0.62), 0.2, 0.2), Material(f"painting:{int(random.integers(6))}")))
    elif not short:
        parts += [
            _buttons(6, length * 0.1, length * 0.9, -0.036),
            Part(joined([box((s * 0.04, -0.03, length - 0.01), (0.07, 0.03, 0.04), 0.008) for s in SIDES]), dye),
        ]
    return hanging(parts)


def trousers(random: np.random.Generator) -> list[Part]:
    """Jeans or trousers hung by the waist."""
    dye = pick(
        random, Material("denim", (1.0, 1.0, 1.0), repeat=4.0), Material("denim", (0.4, 0.4, 0.5), repeat=4.0), cloth(random)
    )
    length = between(random, 0.95, 1.1)
    legs_ = []
    for side in SIDES:
        leg = _flat([(0.09, 0), (0.10, length * 0.4), (0.12, length * 0.72)], 0.03, 0.03).transformed(
            translation=(side * 0.105, 0, 0)
        )
        legs_.append(leg)
    waist = _flat([(0.225, length * 0.7), (0.2, length * 0.9), (0.185, length)], 0.03, 0.035)
    belt = box((0, -0.047, length - 0.02), (0.34, 0.01, 0.035), 0.003)
    hooks = [rod((x, 0, length - 0.01), (x, 0, length + 0.03), 0.004) for x in (-0.1, 0.1)]
    return hanging(
        [
            Part(joined([*legs_, waist]), dye),
            Part(belt, pick(random, dye, plain(0.12, 0.05, 0.02))),
            Part(joined([*hooks, rod((-0.12, 0, length + 0.03), (0.12, 0, length + 0.03), 0.006)]), STEEL),
        ]
    )


def dress(random: np.random.Generator) -> list[Part]:
    """A dress with a waist and a wide skirt, on a hanger."""
    length = between(random, 0.85, 1.25)
    waist = length - 0.42
    wide = between(random, 0.25, 0.38)
    body = _flat([(0.15, waist), (0.2, length - 0.18), (0.19, length - 0.06), (0.09, length)], 0.03, 0.03)
    a = np.linspace(0, 2 * np.pi, 73)[:, None]
    t = np.linspace(0, 1, 12)[None]
    r = 0.16 + (wide - 0.16) * t
    ripple = 1 + 0.10 * t * np.sin(9 * a)
    skirt = sheet(
        np.stack([r * ripple * np.cos(a), 0.45 * r * ripple * np.sin(a), waist + 0.01 - (waist + 0.01) * t + 0 * a], -1)[::-1],
        0.003,
    )
    dye = pick(random, cloth(random), bright(random))
    sash = _flat([(0.157, waist - 0.02), (0.152, waist + 0.025)], 0.06, 0.03)
    return hanging(
        [Part(joined([body, skirt]), dye), Part(sash, pick(random, dye, BLACK, bright(random))), _hanger(random, length, 0.17)]
    )


def bathrobe(random: np.random.Generator) -> list[Part]:
    """A robe on a hook, with a shawl collar and a belt."""
    length, dye = (
        between(random, 1.05, 1.25),
        replace(pick(random, WHITE, bright(random), grey(random, 0.2)), texture="canvas", repeat=2.0),
    )
    body = _flat([(0.28, 0), (0.25, length * 0.45), (0.22, length * 0.6), (0.2, length - 0.08), (0.04, length)], 0.08, 0.06)
    sleeves = [_sleeve(side, (0.18, length - 0.08), 0.5, 0.17, 6) for side in SIDES]
    shawl = [capsule((s * 0.05, -0.1, length - 0.04), (-s * 0.02, -0.115, length * 0.62), 0.028, 0.022) for s in SIDES]
    belt = [
        soft((0, -0.07, length * 0.58), (0.46, 0.11, 0.05), 0.5),
        capsule((0.03, -0.125, length * 0.58), (0.06, -0.12, length * 0.3), 0.016),
        capsule((-0.01, -0.125, length * 0.58), (-0.03, -0.12, length * 0.34), 0.016),
    ]
    hook = rod((0, 0.06, length + 0.01), (0, -0.02, length + 0.01), 0.012)
    return hanging(
        [
            Part(joined([body, *sleeves]), dye),
            Part(joined([*shawl, *belt]), pick(random, dye, dye.tinted((0.7, 0.7, 0.7)))),
            Part(hook, STEEL),
        ]
    )


def apron(random: np.random.Generator) -> list[Part]:
    """A kitchen apron on a hook, with a bib, a pocket and strings."""
    dye, length = pick(random, cloth(random), Material("striped", repeat=3.0), BLACK), between(random, 0.75, 0.95)
    body = _flat([(0.3, 0), (0.29, length * 0.5), (0.24, length * 0.6), (0.13, length * 0.72), (0.12, length)], 0.008, 0.02)
    pocket = box((0, -0.03, length * 0.34), (0.26, 0.008, 0.15), 0.003)
    strap = tube([(-0.115, 0, length), (-0.02, 0, length + 0.13), (0.02, 0, length + 0.13), (0.115, 0, length)], 0.008, 8)
    strings = [capsule((s * 0.28, 0, length * 0.55), (s * 0.33, 0, length * 0.25), 0.007) for s in SIDES]
    return hanging(
        [
            Part(joined([body, pocket]), dye),
            Part(joined([strap, *strings]), pick(random, dye, BLACK, WHITE)),
            Part(rod((0, 0.02, length + 0.12), (0, -0.03, length + 0.12), 0.01), STEEL),
        ]
    )


def clothes(random: np.random.Generator) -> list[Part]:
    """A heap of crumpled clothes, or a pile of folded ones."""
    if random.random() < 0.5:
        parts, z = [], 0.0
        for _ in range(int(random.integers(3, 8))):
            layers, thickness = 2, between(random, 0.012, 0.02)
            pile = folded(between(random, 0.28, 0.36), between(random, 0.22, 0.28), layers, thickness)
            parts.append(
                Part(
                    pile.transformed(yaw_matrix(between(random, -5, 5)), (0, 0, z)),
                    pick(random, cloth(random), Material("denim", repeat=4.0)),
                )
            )
            z += layers * thickness
        return standing(parts)
    parts = []
    for i in range(int(random.integers(3, 6))):
        place = (between(random, -0.12, 0.12), between(random, -0.09, 0.09), 0.05 + 0.04 * i)
        size = (between(random, 0.22, 0.36), between(random, 0.18, 0.28), 0.12)
        parts.append(
            Part(crumpled(place, size, between(random, 0, 6), 1.0), pick(random, cloth(random), Material("denim", repeat=4.0)))
        )
    return standing(parts)


KINDS = {
    "jacket": Kind(jacket, "wall", low=(0.6, 0.9)),
    "lab coat": Kind(lab_coat, "wall", low=(0.6, 0.8)),
    "shirt": Kind(shirt, "wall", low=(0.9, 1.2)),
    "trousers": Kind(trousers, "wall", low=(0.6, 0.8)),
    "dress": Kind(dress, "wall", low=(0.5, 0.7)),
    "bathrobe": Kind(bathrobe, "wall", low=(0.5, 0.7)),
    "apron": Kind(apron, "wall", low=(0.7, 0.9)),
    "clothes": Kind(clothes, "top"),
}
