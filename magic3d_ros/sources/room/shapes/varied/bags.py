"""Bags and what else is carried. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    arc,
    bright,
    cloth,
    front,
    grey,
    open_box,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import crumpled
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, joined, revolved, sphere, tilt_matrix, tube

SIDES = (-1, 1)


def leather(random: np.random.Generator) -> Material:
    """Dyed leather: black, brown, or a colour."""
    tint = pick(random, (0.12, 0.12, 0.13), (0.6, 0.55, 0.5), (1.0, 1.0, 1.0), (1.5, 0.35, 0.3), (0.5, 0.7, 1.6))
    return Material("leather", tint, repeat=4.0)


def handbag(random: np.random.Generator) -> list[Part]:
    """A stiff bag with a flap and one grip, a soft one with two, or a small bag with a chain."""
    skin, w, h, d = leather(random), between(random, 0.24, 0.36), between(random, 0.18, 0.26), between(random, 0.09, 0.14)
    gold = pick(random, Material("brushed", (0.9, 0.65, 0.3)), STEEL)
    if random.random() < 0.5:
        body = soft((0, 0, h / 2), (w, d, h), 0.35)
        flap = soft((0, -d * 0.32, h * 0.72), (w * 0.96, d * 0.5, h * 0.52), 0.35)
        clasp = box((0, -d * 0.58, h * 0.52), (0.035, 0.014, 0.03), 0.005)
        grip = tube(arc((0, 0, h * 0.94), w * 0.28, 0, 180, between(random, 0.08, 0.14)), 0.008)
        return standing([Part(joined([body, flap, grip]), skin), Part(clasp, gold)])
    body = soft((0, 0, h / 2), (w, d, h), 0.3)
    points = body.positions.astype(np.float64)
    points[:, 1] *= 1.25 - 0.75 * np.clip(points[:, 2] / h, 0, 1)
    points[:, 0] *= 0.9 + 0.16 * np.clip(points[:, 2] / h, 0, 1)
    grips = [tube(arc((0, y, h * 0.95), w * 0.24, 0, 180, 0.15), 0.007) for y in (-d * 0.22, d * 0.22)]
    studs = [sphere((x * w * 0.24, y * d * 0.3, h * 0.9), 0.012, 10) for x in SIDES for y in SIDES]
    seam = box((0, -d * 0.5, h * 0.4), (w * 0.5, 0.02, h * 0.35), 0.008)
    return standing(
        [
            Part(joined([Triangles(points.astype(np.float32), body.normals, body.uv), *grips]), skin),
            Part(joined(studs), gold),
            Part(seam, skin.tinted((0.7, 0.7, 0.7))),
        ]
    )


def backpack(random: np.random.Generator) -> list[Part]:
    """A rucksack that stands: pocket in front, zips, loop above, straps behind; a large one carries a rolled mat."""
    s, dye = between(random, 0.85, 1.15), pick(random, cloth(random), bright(random), BLACK, grey(random))
    body = soft((0, 0, 0.22), (0.30, 0.17, 0.44), 0.5)
    pocket = soft((0, -0.09, 0.14), (0.24, 0.09, 0.2), 0.45)
    side = [soft((x * 0.15, 0, 0.12), (0.05, 0.12, 0.16), 0.6, 16) for x in SIDES]
    straps = [
        tube([(x * 0.07, 0.07, 0.4), (x * 0.10, 0.14, 0.32), (x * 0.11, 0.13, 0.16), (x * 0.11, 0.07, 0.05)], 0.018, 8)
        for x in SIDES
    ]
    zips = [
        tube([(-0.10, -0.128, 0.17), (-0.09, -0.125, 0.215), (0.09, -0.125, 0.215), (0.10, -0.128, 0.17)], 0.004, 6),
        tube([(-0.145, -0.03, 0.28), (-0.12, -0.045, 0.4), (0.12, -0.045, 0.4), (0.145, -0.03, 0.28)], 0.005, 6),
    ]
    top = tube(arc((0, 0.04, 0.425), 0.04, 0, 180, 0.04), 0.008)
    parts = [
        Part(joined([body, *side]), dye),
        Part(pocket, pick(random, dye, dye.tinted((0.6, 0.6, 0.6)), bright(random))),
        Part(joined([*straps, *zips, top]), BLACK),
    ]
    if random.random() < 0.25:
        parts.append(Part(rod((-0.2, 0, 0.49), (0.2, 0, 0.49), 0.055), bright(random)))
    return standing([Part(p.triangles.transformed(scale=s), p.material) for p in parts])


def suitcase(random: np.random.Generator) -> list[Part]:
    """A hard case with ribs, wheels and a pull-out handle, or an old case of leather with straps and corners."""
    if random.random() < 0.6:
        w, d, h = between(random, 0.36, 0.5), between(random, 0.21, 0.3), between(random, 0.5, 0.68)
        shell_ = pick(random, bright(random), BLACK, grey(random), grey(random, 0.3))
        ribs = [
            box((x, y * d / 2, h / 2 + 0.04), (0.02, 0.012, h * 0.9), 0.005)
            for x in np.linspace(-w * 0.38, w * 0.38, 6)
            for y in SIDES
        ]
        wheels = [
            rod((x * w * 0.4 - 0.012, y * d * 0.36, 0.025), (x * w * 0.4 + 0.012, y * d * 0.36, 0.025), 0.025, segments=14)
            for x in SIDES
            for y in SIDES
        ]
        pull = tube([(x * w * 0.18, d * 0.3, h + z) for x, z in ((-1, 0.02), (-1, 0.2), (1, 0.2), (1, 0.02))], 0.008, 8)
        trim = [
            box((0, 0, h / 2 + 0.04), (w + 0.004, 0.012, h + 0.004), 0.005),
            box((w * 0.5, 0, h / 2), (0.02, 0.03, 0.13), 0.008),
        ]
        parts = [Part(joined([box((0, 0, h / 2 + 0.04), (w, d, h), 0.04), *ribs]), shell_), Part(joined([*wheels, *trim]), BLACK)]
        return standing([*parts, Part(pull, STEEL)] if random.random() < 0.5 else parts)
    w, d, h, skin = between(random, 0.5, 0.7), between(random, 0.16, 0.22), between(random, 0.36, 0.46), leather(random)
    corners = [
        box((x * (w / 2 - 0.02), y * (d / 2 - 0.02), h / 2 + z * (h / 2 - 0.02)), (0.05, 0.05, 0.05), 0.012)
        for x in SIDES
        for y in SIDES
        for z in SIDES
    ]
    straps = [box((x * w * 0.28, 0, h / 2), (0.035, d + 0.008, h + 0.008)) for x in SIDES]
    buckles = [box((x * w * 0.28, -d / 2 - 0.006, h * 0.75), (0.045, 0.01, 0.04), 0.004) for x in SIDES]
    grip = tube([(-0.07, 0, h), (-0.06, 0, h + 0.035), (0.06, 0, h + 0.035), (0.07, 0, h)], 0.011)
    return standing(
        [
            Part(box((0, 0, h / 2), (w, d, h), 0.015), skin),
            Part(joined([*corners, *straps, grip]), skin.tinted((0.45, 0.4, 0.35))),
            Part(joined(buckles), Material("brushed", (0.9, 0.65, 0.3))),
        ]
    )


def shopping_bag(random: np.random.Generator) -> list[Part]:
    """A paper bag with a print and cords, a cloth bag, or a plastic bag; sometimes with groceries looking out."""
    w, d, h = between(random, 0.25, 0.36), between(random, 0.1, 0.17), between(random, 0.26, 0.4)
    kind = int(random.integers(3))
    if kind == 2:
        bag = crumpled((0, 0, h * 0.4), (w, d * 1.5, h * 0.8), between(random, 0, 6), 0.6)
        ears = [
            tube(
                [
                    (x * 0.07 - 0.03, 0, h * 0.72),
                    (x * 0.08 - 0.02, 0, h),
                    (x * 0.08 + 0.02, 0, h),
                    (x * 0.07 + 0.03, 0, h * 0.72),
                ],
                0.012,
                8,
            )
            for x in SIDES
        ]
        return standing([Part(joined([bag, *ears]), pick(random, WHITE, bright(random), plain(0.7, 0.72, 0.72)))])
    paper = pick(random, plain(0.45, 0.3, 0.16), WHITE, bright(random), BLACK) if kind == 0 else cloth(random)
    cords = [
        tube(
            [
                (-w * 0.2, y, h * 0.97),
                (-w * 0.18, y, h + 0.08),
                (-w * 0.05, y, h + 0.13),
                (w * 0.05, y, h + 0.13),
                (w * 0.18, y, h + 0.08),
                (w * 0.2, y, h * 0.97),
            ],
            0.004 if kind == 0 else 0.009,
            8,
        )
        for y in (-d / 2, d / 2)
    ]
    parts = [
        Part(open_box((w, d, h), 0.003, 1.0 if kind == 0 else 1.08), paper),
        Part(joined(cords), pick(random, paper, BLACK)),
        Part(
            front((0, -d * (0.5 if kind == 0 else 0.53) - 0.006, h * 0.5), w * 0.5, h * 0.45),
            Material(f"package:{int(random.integers(80))}"),
        ),
    ]
    if random.random() < 0.4:
        loaf = capsule((w * 0.2, 0, h * 0.4), (w * 0.3, 0, h + 0.1), 0.03)
        leaves = [soft((-w * 0.2, 0.01 * i, h + 0.02), (0.05, 0.05, 0.16), 1.0, 12) for i in SIDES]
        parts += [
            Part(loaf, plain(0.45, 0.24, 0.08)),
            Part(joined(leaves), plain(0.08, 0.25, 0.04)),
            Part(box((0, 0, h), (0.09, 0.06, 0.1)), bright(random)),
        ]
    return standing(parts)


def umbrella(random: np.random.Generator) -> list[Part]:
    """Furled with a crook handle, leaning; folded short; or open to dry, lying on its rim."""
    design, dye = int(random.integers(3)), pick(random, BLACK, bright(random), cloth(random))
    if design == 0:
        h = between(random, 0.82, 0.95)
        body = revolved([(0.006, 0), (0.008, 0.1), (0.032, h * 0.68), (0.02, h * 0.74), (0.008, h * 0.76)], 10)
        crook = tube(
            [
                (0, 0, h * 0.7),
                (0, 0, h * 0.93),
                *[(0.035 + 0.035 * np.cos(a), 0, h * 0.93 + 0.035 * np.sin(a)) for a in np.linspace(2.8, -0.3, 7)],
            ],
            0.009,
        )
        return standing(turned([Part(body, dye), Part(crook, pick(random, wood(random), BLACK))], tilt_matrix(-9)))
    if design == 1:
        h = between(random, 0.26, 0.32)
        body = rod((-h * 0.5, 0, 0.03), (h * 0.3, 0, 0.03), 0.03, 0.026, 10)
        return standing(
            [
                Part(body, dye),
                Part(
                    joined(
                        [capsule((h * 0.32, 0, 0.03), (h * 0.5, 0, 0.03), 0.015), rod((0, 0, 0.03), (0.025, 0, 0.03), 0.0315)]
                    ),
                    BLACK,
                ),
            ]
        )
    r = between(random, 0.45, 0.55)
    angles = np.linspace(0, 1.15, 9)
    dome_ = revolved([(r * np.sin(a) / np.sin(1.15), -0.55 * r * (1 - np.cos(a)) / (1 - np.cos(1.15))) for a in angles[::-1]], 8)
    under = Triangles(
        dome_.positions.reshape(-1, 3, 3)[:, ::-1].reshape(-1, 3) - np.array([0, 0, 0.004], np.float32), -dome_.normals, dome_.uv
    )
    stick = [rod((0, 0, 0.06), (0, 0, -0.62), 0.007), capsule((0, 0, -0.6), (0, 0, -0.7), 0.014)]
    tipped = turned([Part(joined([dome_, under]), dye), Part(joined(stick), BLACK)], tilt_matrix(62))
    return standing(tipped)


def wallet(random: np.random.Generator) -> list[Part]:
    """A folded wallet with a banknote showing, or a purse with a zip."""
    skin = leather(random)
    if random.random() < 0.5:
        note = box((0, 0.012, 0.012), (0.098, 0.085, 0.002))
        return [
            Part(joined([box((0, 0, z), (0.115, 0.09, 0.009), 0.004) for z in (0.006, 0.018)]), skin),
            Part(note, plain(0.3, 0.5, 0.3)),
        ]
    return [
        Part(box((0, 0, 0.014), (0.19, 0.1, 0.028), 0.012), skin),
        Part(
            joined([box((0, -0.05, 0.015), (0.17, 0.004, 0.006)), rod((0.09, -0.052, 0.015), (0.11, -0.06, 0.006), 0.004)]), STEEL
        ),
    ]


KINDS = {
    "handbag": Kind(handbag, "top"),
    "backpack": Kind(backpack, "floor"),
    "suitcase": Kind(suitcase, "floor"),
    "shopping bag": Kind(shopping_bag, "floor"),
    "umbrella": Kind(umbrella, "floor"),
    "wallet": Kind(wallet, "top"),
}
