"""Beds, bedroom cupboards and bedding. Lengths in metres, fronts towards -y."""

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
    legs,
    metal,
    ring,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import folded
from magic3d_ros.sources.room.shapes.varied.joinery import boards, fronts
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, joined, sphere, tilt_matrix, tube, yaw_matrix

SIDES = (-1, 1)


def _pillow(random: np.random.Generator, width: float, depth: float, height: float) -> Triangles:
    """A pillow lying flat: thick in its middle, its corners drawn out to points."""
    body = soft((0, 0, 0), (width, depth, height), 0.4, 32)
    points = body.positions.astype(np.float64)
    x, y = 2 * points[:, 0] / width, 2 * points[:, 1] / depth
    points[:, 2] *= (1 - 0.75 * x**4) * (1 - 0.75 * y**4) * (1 + 0.05 * np.sin(7 * x + between(random, 0, 6)) * np.cos(5 * y))
    pull = 1 - 0.07 * (1 - np.minimum(np.abs(x), np.abs(y)) ** 2)
    points[:, :2] *= pull[:, None]
    return Triangles(points.astype(np.float32), body.normals, points[:, :2].astype(np.float32))


def pillow(random: np.random.Generator) -> list[Part]:
    """One bed pillow, or two on each other."""
    size = (between(random, 0.5, 0.75), between(random, 0.38, 0.5), between(random, 0.13, 0.18))
    dye = pick(random, WHITE, WHITE, replace(cloth(random), texture="canvas"), Material("striped", repeat=2.0))
    parts = [Part(_pillow(random, *size), dye)]
    if random.random() < 0.4:
        parts.append(Part(_pillow(random, *size).transformed(yaw_matrix(8), (0.02, 0.02, size[2] * 0.72)), dye))
    return standing(parts)


def cushion(random: np.random.Generator) -> list[Part]:
    """A square cushion that lies or leans, with piping or a button; or a round one."""
    size, dye = between(random, 0.36, 0.52), cloth(random)
    if random.random() < 0.25:
        round_ = soft((0, 0, 0.06), (size, size, 0.13), 0.8)
        return standing([Part(round_, dye), Part(sphere((0, 0, 0.118), 0.018, 12), pick(random, dye, BLACK, bright(random)))])
    parts = [Part(_pillow(random, size, size, 0.17), dye)]
    lean = pick(random, 0, 0, 62)
    return standing(turned(parts, tilt_matrix(lean)))


def blanket(random: np.random.Generator) -> list[Part]:
    """A thick blanket folded to a pile, or rolled up."""
    dye = pick(random, cloth(random), bright(random, saturation=(0.2, 0.6)), Material("checked", repeat=2.0))
    if random.random() < 0.25:
        return [
            Part(rod((-0.3, 0, 0.11), (0.3, 0, 0.11), 0.11), dye),
            Part(joined([rod((x, 0, 0.11), (x + 0.02, 0, 0.11), 0.1125) for x in (-0.2, 0.18)]), plain(0.2, 0.1, 0.05)),
        ]
    return [
        Part(
            folded(
                between(random, 0.45, 0.6), between(random, 0.35, 0.45), int(random.integers(3, 7)), between(random, 0.03, 0.05)
            ),
            dye,
        )
    ]


def bed_sheet(random: np.random.Generator) -> list[Part]:
    """Sheets and covers in a pile, each folded to the same size."""
    w, d, parts, z = between(random, 0.5, 0.62), between(random, 0.32, 0.42), [], 0.0
    for _ in range(int(random.integers(2, 5))):
        dye = pick(random, WHITE, replace(cloth(random), texture="canvas"), Material("striped", repeat=3.0))
        parts.append(Part(folded(w, d, 4, 0.009).transformed(translation=(between(random, -0.01, 0.01), 0, z)), dye))
        z += 0.036
    return standing(parts)


def sleeping_bag(random: np.random.Generator) -> list[Part]:
    """Rolled with two straps, or spread out with its hood open."""
    dye = bright(random, value=(0.1, 0.45))
    if random.random() < 0.5:
        roll = soft((0, 0, 0.13), (0.48, 0.26, 0.26), 0.35)
        straps = [
            ring((0, 0, 0), 0.13, 0.02).transformed(np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), (x, 0, 0.13))
            for x in (-0.13, 0.13)
        ]
        return standing([Part(roll, dye), Part(joined(straps), BLACK)])
    body = soft((0, 0, 0.05), (0.75, 2.0, 0.1), 0.45)
    points = body.positions.astype(np.float64)
    points[:, 0] *= 1 - 0.35 * np.clip(-points[:, 1], 0, 1)
    hood = soft((0, 0.88, 0.07), (0.5, 0.3, 0.1), 0.6)
    seams = [box((0, y, 0.09), (0.5, 0.015, 0.02), 0.006) for y in np.linspace(-0.6, 0.6, 5)]
    return standing(
        [
            Part(Triangles(points.astype(np.float32), body.normals, body.uv), dye),
            Part(hood, BLACK),
            Part(joined(seams), dye.tinted((0.6, 0.6, 0.6))),
        ]
    )


def bed(random: np.random.Generator) -> list[Part]:
    """A frame of wood, metal bars, or upholstered; a mattress, pillows, a duvet over its edges. Head towards +y."""
    width, length, frame = pick(random, 0.95, 1.4, 1.6), between(random, 1.95, 2.08), int(random.integers(3))
    low, head = between(random, 0.28, 0.36), between(random, 0.75, 1.15)
    wood_, finish, upholstery = wood(random), pick(random, BLACK, WHITE, STEEL), cloth(random)
    if frame == 1:
        ends, rails = ((1, head), (-1, low + 0.25)), ((1, head - 0.05), (1, low), (-1, low + 0.2), (-1, low))
        bars = [rod((x * width / 2, y * length / 2, 0), (x * width / 2, y * length / 2, h), 0.02) for x in SIDES for y, h in ends]
        bars += [rod((-width / 2, y * length / 2, z), (width / 2, y * length / 2, z), 0.015) for y, z in rails]
        bars += [
            rod((x, length / 2, low), (x, length / 2, head - 0.05), 0.009) for x in np.linspace(-width * 0.4, width * 0.4, 7)
        ]
        bars += [box((x * width / 2, 0, low), (0.03, length, 0.06)) for x in SIDES]
        base = [Part(joined(bars), finish)]
    else:
        pieces = [
            box((0, length / 2 + 0.03, head / 2), (width + 0.08, 0.06, head), 0.028 if frame == 2 else 0.006),
            box((0, -length / 2 - 0.02, (low + 0.12) / 2), (width + 0.06, 0.04, low + 0.12), 0.006),
        ]
        pieces += [box((x * (width / 2 + 0.02), 0, low - 0.03), (0.03, length, 0.16)) for x in SIDES]
        pieces += [box((x * width / 2, -length / 2 + 0.03, low / 2), (0.06, 0.06, low)) for x in SIDES]
        base = [Part(joined(pieces), upholstery if frame == 2 else wood_)]
    mattress = box((0, 0, low + 0.08), (width - 0.02, length - 0.04, 0.2))
    pillows = [
        _pillow(random, min(0.65, width * 0.7), 0.42, 0.16).transformed(translation=(x, length / 2 - 0.28, low + 0.23))
        for x in ((0.0,) if width < 1.2 else (-width / 4, width / 4))
    ]
    duvet = [
        box((0, -length * 0.14, low + 0.19), (width + 0.06, length * 0.7, 0.09), 0.04),
        box((0, length * 0.19, low + 0.225), (width + 0.05, 0.3, 0.06), 0.028),
    ]
    drops = [box((x * (width / 2 + 0.02), -length * 0.14, low + 0.09), (0.03, length * 0.68, 0.22)) for x in SIDES]
    cover = pick(random, cloth(random), cloth(random), WHITE, Material("checked", repeat=1.0))
    return standing(
        [*base, Part(mattress, WHITE), Part(joined(pillows), pick(random, WHITE, cover)), Part(joined([*duvet, *drops]), cover)]
    )


def _case(
    random: np.random.Generator, width: float, depth: float, height: float, rows: int, columns: int, leg: float
) -> list[Part]:
    """A cupboard on legs or a plinth, a little overhanging top, its front divided into rows x columns."""
    body, face = boards(random), boards(random)
    panels, handles = fronts(-width / 2 + 0.01, -depth / 2, leg + 0.01, width - 0.02, height - leg - 0.035, rows, columns)
    foot = (
        legs(width - 0.04, depth - 0.04, leg, 0.04, random.random() < 0.5)
        if leg > 0.08
        else box((0, 0.02, leg / 2), (width - 0.02, depth - 0.06, leg))
    )
    return [
        Part(
            joined(
                [
                    box((0, 0, leg + (height - leg) / 2), (width, depth, height - leg)),
                    box((0, 0, height - 0.01), (width + 0.03, depth + 0.03, 0.02), 0.005),
                    foot,
                ]
            ),
            body,
        ),
        Part(joined(panels), pick(random, body, face)),
        Part(joined(handles), metal(random)),
    ]


def nightstand(random: np.random.Generator) -> list[Part]:
    """One to three drawers, or a drawer above an open compartment."""
    return _case(
        random,
        between(random, 0.38, 0.55),
        between(random, 0.34, 0.42),
        between(random, 0.42, 0.62),
        int(random.integers(1, 4)),
        1,
        pick(random, 0.05, 0.16),
    )


def chest_of_drawers(random: np.random.Generator) -> list[Part]:
    """Three to five rows of drawers in one or two columns."""
    return _case(
        random,
        between(random, 0.75, 1.4),
        between(random, 0.4, 0.5),
        between(random, 0.75, 1.15),
        int(random.integers(3, 6)),
        int(random.integers(1, 3)),
        pick(random, 0.06, 0.14),
    )


def wardrobe(random: np.random.Generator) -> list[Part]:
    """Two or three doors, one sometimes a mirror; or sliding doors."""
    width, depth, h = between(random, 0.9, 1.8), between(random, 0.55, 0.62), between(random, 1.9, 2.15)
    count = 2 if width < 1.25 else 3
    parts = _case(random, width, depth, h, 1, count, 0.06)
    if random.random() < 0.4:
        step = (width - 0.02) / count
        x = -width / 2 + 0.01 + step * (int(random.integers(count)) + 0.5)
        parts.append(Part(front((x, -depth / 2 - 0.020, h * 0.52), step * 0.7, h * 0.8), Material("reflection")))
    return parts


def vanity_table(random: np.random.Generator) -> list[Part]:
    """A table with drawers at its sides, a mirror above and a stool before it."""
    w, d, h, board = between(random, 0.85, 1.1), 0.42, between(random, 0.72, 0.78), pick(random, wood(random), WHITE)
    top = [
        box((0, 0, h), (w, d, 0.025), 0.006),
        *(box((x * (w / 2 - 0.14), 0, h - 0.11), (0.26, d - 0.03, 0.18)) for x in SIDES),
        legs(w, d, h - 0.2, 0.045, True),
    ]
    if random.random() < 0.5:
        glass = rod((0, d / 2 - 0.03, h + 0.36), (0, d / 2 - 0.045, h + 0.36), 0.3, segments=40)
        frame = [ring((0, d / 2 - 0.035, h + 0.36), 0.3, 0.035, upright=True), box((0, d / 2 - 0.02, h + 0.05), (0.3, 0.03, 0.1))]
    else:
        glass = box((0, d / 2 - 0.04, h + 0.4), (w * 0.6, 0.01, 0.66))
        frame = [box((0, d / 2 - 0.02, h + 0.38), (w * 0.66, 0.03, 0.76), 0.01)]
    stool = [box((0, -d / 2 - 0.12, 0.44), (0.38, 0.32, 0.08), 0.035)]
    stool_legs = legs(0.32, 0.26, 0.42, 0.04, True).transformed(translation=(0, -d / 2 - 0.12, 0))
    knobs = [sphere((x * (w / 2 - 0.14), -d / 2, h - 0.11), 0.014, 12) for x in SIDES]
    return standing(
        [
            Part(joined([*top, *frame, stool_legs]), board),
            Part(glass, Material("brushed", (0.75, 0.85, 0.9), repeat=0.5)),
            Part(joined(stool), cloth(random)),
            Part(joined(knobs), metal(random)),
        ]
    )


def storage_chest(random: np.random.Generator) -> list[Part]:
    """A trunk with a rounded lid, iron bands and a lock, or a plain box with a cushion on its lid."""
    w, d, h, body = between(random, 0.7, 1.1), between(random, 0.4, 0.5), between(random, 0.32, 0.44), wood(random)
    if random.random() < 0.5:
        half = rod((-w / 2, 0, h), (w / 2, 0, h), d / 2, segments=36)
        points = half.positions.copy()
        points[:, 2] = h + np.maximum(points[:, 2] - h, 0) * 0.7
        lid = Triangles(points, half.normals, half.uv)
        bands = [box((x * w * 0.34, -d / 2 - 0.003, h / 2), (0.045, 0.01, h)) for x in SIDES]
        bands += [
            tube(
                [(x * w * 0.34, -d / 2 * np.cos(a) * 1.005, h + 0.7 * d / 2 * np.sin(a)) for a in np.linspace(0, np.pi, 10)],
                0.012,
                8,
            )
            for x in SIDES
        ]
        lock = box((0, -d / 2 - 0.008, h - 0.03), (0.08, 0.02, 0.1), 0.006)
        return [
            Part(joined([box((0, 0, h / 2), (w, d, h)), lid]), body),
            Part(joined([*bands, lock]), pick(random, BLACK, Material("brushed", (0.7, 0.5, 0.2)))),
        ]
    panels = [box((x * w * 0.25, -d / 2 - 0.004, h / 2), (w * 0.4, 0.01, h * 0.6), 0.003) for x in SIDES]
    return [
        Part(
            joined([box((0, 0, h / 2), (w, d, h)), box((0, 0, h + 0.012), (w + 0.03, d + 0.03, 0.026), 0.006), *panels]),
            pick(random, body, WHITE),
        ),
        Part(box((0, 0, h + 0.055), (w * 0.97, d * 0.94, 0.06), 0.025), cloth(random)),
    ]


KINDS = {
    "pillow": Kind(pillow, "top"),
    "cushion": Kind(cushion, "top"),
    "blanket": Kind(blanket, "top"),
    "bed sheet": Kind(bed_sheet, "top"),
    "sleeping bag": Kind(sleeping_bag, "middle"),
    "bed": Kind(bed, "floor"),
    "nightstand": Kind(nightstand, "floor", carries=True),
    "chest of drawers": Kind(chest_of_drawers, "floor", carries=True),
    "wardrobe": Kind(wardrobe, "floor"),
    "vanity table": Kind(vanity_table, "floor"),
    "storage chest": Kind(storage_chest, "floor"),
}
