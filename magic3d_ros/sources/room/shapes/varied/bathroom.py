"""Bathrooms: what is built in and what lies on the shelf. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    ceramic,
    front,
    grey,
    hanging,
    metal,
    open_box,
    plastic,
    ring,
    rod,
    soft,
    standing,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import hung_cloth
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS, band, printed, solid
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, sphere, tilt_matrix

SIDES = (-1, 1)


def toilet(random: np.random.Generator) -> list[Part]:
    """A bowl with its lid down or up and a cistern behind it; or hung on the wall below a plate with two buttons."""
    foot = [(0.13, 0), (0.12, 0.05), (0.12, 0.18), (0.18, 0.33), (0.19, 0.39)]
    bowl = vessel(foot, 0.03, 36).transformed(scale=(1, 1.3, 1), translation=(0, -0.12, 0))
    seat = revolved([(0.115, 0.39), (0.195, 0.39), (0.195, 0.41), (0.115, 0.41), (0.115, 0.39)], 36)
    lid = solid([(0.195, 0.41), (0.195, 0.42), (0.15, 0.432)], 36)
    closed = random.random() < 0.6
    top = joined([seat, lid] if closed else [seat]).transformed(scale=(1, 1.3, 1), translation=(0, -0.12, 0))
    upright = [] if closed else [lid.transformed(tilt_matrix(80), (0, 0.52, 0.60), (1, 1.1, 1))]
    if closed or random.random() < 0.7:
        tank = [box((0, 0.23, 0.58), (0.38, 0.17, 0.38), 0.03), box((0, 0.18, 0.3), (0.24, 0.26, 0.24), 0.02)]
        if not closed:
            tank.append(box((0, 0.13, 0.6), (0.34, 0.025, 0.38), 0.012))
        button = cylinder((0, 0.23, 0.77), 0.025, 0.006)
        return standing(
            [Part(joined([bowl, *tank]), WHITE), Part(top, pick(random, WHITE, WHITE, BLACK, wood(random))), Part(button, STEEL)]
        )
    return standing(
        [
            Part(joined([bowl, *upright, box((0, 0.17, 0.5), (0.5, 0.1, 1.0))]), WHITE),
            Part(top, WHITE),
            Part(box((0, 0.118, 0.92), (0.24, 0.01, 0.16), 0.004), STEEL),
        ]
    )


def washbasin(random: np.random.Generator) -> list[Part]:
    """A basin on a column, or on a cupboard, with a tap."""
    h, w = between(random, 0.78, 0.86), between(random, 0.45, 0.62)
    basin = vessel([(0.1, h - 0.15), (0.19, h - 0.09), (0.25, h - 0.02), (0.25, h)], 0.025, 36).transformed(
        scale=(w / 0.5, 0.85, 1)
    )
    tap = joined(
        [
            cylinder((0, 0.17, h - 0.01), 0.02, 0.11),
            capsule((0, 0.17, h + 0.08), (0, 0.05, h + 0.07), 0.013),
            box((0, 0.17, h + 0.115), (0.014, 0.07, 0.012), 0.004),
        ]
    )
    if random.random() < 0.5:
        column = solid([(0.11, 0), (0.08, 0.08), (0.075, h * 0.6), (0.12, h - 0.12)])
        back = box((0, 0.19, h - 0.045), (w * 0.85, 0.07, 0.09), 0.015)
        return [Part(joined([basin, column.transformed(translation=(0, 0.06, 0)), back]), WHITE), Part(tap, STEEL)]
    low, board = pick(random, 0.0, 0.3), pick(random, wood(random), WHITE, grey(random))
    case = box((0, 0.02, (low + h - 0.1) / 2), (w * 0.96, 0.4, h - 0.1 - low))
    slab = box((0, 0, h - 0.06), (w * 1.1, 0.47, 0.08), 0.012)
    handles = [rod((x - 0.05, -0.21, h - 0.2), (x + 0.05, -0.21, h - 0.2), 0.007) for x in (-w / 4, w / 4)]
    return standing([Part(case, board), Part(joined([slab, basin]), WHITE), Part(joined([tap, *handles]), STEEL)])


def bathtub(random: np.random.Generator) -> list[Part]:
    """A tub in a panelled box, or one that stands free on its own."""
    length, width, h = between(random, 1.5, 1.85), between(random, 0.7, 0.82), between(random, 0.52, 0.6)
    tap = joined([rod((0, 0, h), (0, 0, h + 0.1), 0.018), capsule((0, 0, h + 0.1), (0, -0.13, h + 0.08), 0.014)])
    if random.random() < 0.5:
        tub = vessel([(0.3, 0.05), (0.42, 0.15), (0.5, h), (0.53, h + 0.012)], 0.035, 48).transformed(
            scale=(length / 1.06, width / 1.06, 1)
        )
        feet = [sphere((x * length * 0.28, y * width * 0.25, 0.05), 0.05, 12) for x in SIDES for y in SIDES]
        return [Part(tub, WHITE), Part(joined([*feet, tap.transformed(translation=(0, width * 0.47, 0))]), STEEL)]
    inner = soft((0, 0, h + 0.02), (length * 0.88, width * 0.8, 0.8), 0.4)
    inside = type(inner)(inner.positions.reshape(-1, 3, 3)[:, ::-1].reshape(-1, 3), -inner.normals, inner.uv)
    kept = np.repeat(inside.positions.reshape(-1, 3, 3)[..., 2].max(1) < h + 0.021, 3)
    hollow = type(inner)(inside.positions[kept], inside.normals[kept], inside.uv[kept])
    rim = [box((x * (length * 0.47), 0, h), (length * 0.06, width, 0.04), 0.012) for x in SIDES]
    rim += [box((0, y * width * 0.45, h), (length, width * 0.1, 0.04), 0.012) for y in SIDES]
    apron = [box((0, y * (width / 2 - 0.02), h / 2), (length - 0.02, 0.02, h)) for y in SIDES]
    apron += [box((x * (length / 2 - 0.02), 0, h / 2), (0.02, width - 0.02, h)) for x in SIDES]
    return [
        Part(joined([hollow, *rim]), WHITE),
        Part(joined(apron), pick(random, WHITE, WHITE, Material("tiles", repeat=2.0), wood(random))),
        Part(tap.transformed(translation=(length * 0.3, width * 0.46, 0)), STEEL),
    ]


def shower(random: np.random.Generator) -> list[Part]:
    """A cabin: a tray, panes in a frame, and a shower head on its rail behind them."""
    w, d, h = between(random, 0.8, 1.0), between(random, 0.78, 0.95), between(random, 1.9, 2.1)
    bars = [rod((x * w / 2, y * d / 2, 0.1), (x * w / 2, y * d / 2, h), 0.016) for x in SIDES for y in SIDES]
    bars += [rod((x * w / 2, -d / 2, z), (x * w / 2, d / 2, z), 0.014) for x in SIDES for z in (0.11, h)]
    bars += [rod((-w / 2, y * d / 2, z), (w / 2, y * d / 2, z), 0.014) for y in SIDES for z in (0.11, h)]
    bars.append(rod((0.03, -d / 2 - 0.03, h * 0.45), (0.03, -d / 2 - 0.03, h * 0.6), 0.012))
    rail = [
        rod((0, d / 2 - 0.05, 0.9), (0, d / 2 - 0.05, h - 0.1), 0.012),
        rod((0, d / 2 - 0.05, h - 0.12), (0, d / 2 - 0.25, h - 0.1), 0.01),
        rod((0, d / 2 - 0.25, h - 0.14), (0, d / 2 - 0.25, h - 0.1), 0.07, 0.03),
        box((0, d / 2 - 0.06, 1.0), (0.26, 0.05, 0.05), 0.02),
    ]
    walls = [box((0, d / 2, h / 2), (w, 0.02, h - 0.1)), box((-w / 2, 0, h / 2), (0.02, d, h - 0.1))]
    pane = box((w / 4 - 0.01, -d / 2, h / 2 + 0.05), (w / 2 - 0.04, 0.01, h - 0.15))
    return [
        Part(open_box((w, d, 0.11), 0.04), WHITE),
        Part(joined([*bars, *rail]), STEEL),
        Part(joined(walls), pick(random, Material("tiles", repeat=2.0), WHITE, GLASS)),
        Part(pane, GLASS),
    ]


def shower_curtain(random: np.random.Generator) -> list[Part]:
    """A curtain in folds on a rail with rings."""
    width, height = between(random, 0.9, 1.8), between(random, 1.6, 1.9)
    sheet = hung_cloth(width, height, folds=int(random.integers(6, 12)), depth=0.035).transformed(translation=(0, -0.09, 0))
    rail = [rod((-width / 2 - 0.05, -0.09, height + 0.04), (width / 2 + 0.05, -0.09, height + 0.04), 0.012)]
    rail += [
        ring((x, -0.09, height + 0.03), 0.02, 0.005, segments=12) for x in np.linspace(-width / 2 + 0.03, width / 2 - 0.03, 9)
    ]
    rail += [rod((x * (width / 2 + 0.04), -0.09, height + 0.04), (x * (width / 2 + 0.04), 0, height + 0.04), 0.01) for x in SIDES]
    dye = pick(random, WHITE, Material("striped", repeat=1.0), Material("checked", repeat=1.0), bright(random, value=(0.4, 0.8)))
    return hanging([Part(sheet, dye), Part(joined(rail), STEEL)])


def toilet_paper(random: np.random.Generator) -> list[Part]:
    """One roll, or a pile of rolls, with the cardboard tube in the middle."""

    def roll(x: float, y: float, z: float) -> list[Part]:
        r = 0.054
        paper = revolved([(0.02, 0), (r, 0), (r, 0.1), (0.02, 0.1)], 28).transformed(translation=(x, y, z))
        return [
            Part(paper, Material("plaster", repeat=9.0)),
            Part(cylinder((x, y, z + 0.001), 0.0205, 0.0985), plain(0.42, 0.30, 0.18)),
        ]

    places: list[tuple[float, float, float]] = pick(
        random, [(0, 0, 0)], [(0, 0, 0), (0, 0, 0.1)], [(-0.056, 0, 0), (0.056, 0, 0), (0, 0, 0.1)]
    )
    loose = box((places[-1][0], -0.0548, places[-1][2] + 0.055), (0.05, 0.001, 0.09))
    return [*(part for place in places for part in roll(*place)), Part(loose, WHITE)]


def bath_mat(random: np.random.Generator) -> list[Part]:
    """A thick mat with rounded edges."""
    width, depth = between(random, 0.5, 0.85), between(random, 0.4, 0.55)
    pile = pick(random, bright(random), grey(random, 0.2), WHITE).tinted((1.8, 1.8, 1.8))  # the carpet texture is a dark grey
    return [Part(box((0, 0, 0.011), (width, depth, 0.022), 0.0105), replace(pile, texture="carpet", repeat=5.0))]


def soap_dispenser(random: np.random.Generator) -> list[Part]:
    """A bottle with a pump, or a bar of soap on its dish."""
    if random.random() < 0.25:
        dish = vessel([(0.035, 0), (0.055, 0.012), (0.06, 0.02)], 0.004).transformed(scale=(1.15, 0.8, 1))
        return [
            Part(dish, ceramic(random)),
            Part(soft((0, 0, 0.026), (0.085, 0.055, 0.03), 0.6), bright(random, saturation=(0.1, 0.5), value=(0.5, 0.85))),
        ]
    h, r = between(random, 0.11, 0.16), between(random, 0.03, 0.04)
    side = [(r, 0), (r, h * 0.75), (r * 0.4, h * 0.85), (r * 0.4, h * 0.9)]
    pump = [
        cylinder((0, 0, h * 0.88), r * 0.45, 0.016),
        rod((0, 0, h * 0.88), (0, 0, h + 0.04), 0.005),
        cylinder((0, 0, h + 0.035), 0.012, 0.012),
        capsule((0, 0, h + 0.042), (0, -0.045, h + 0.036), 0.006, 0.005),
    ]
    bottle = pick(random, ceramic(random), bright(random), GLASS, BLACK, STEEL)
    return [
        Part(solid(side), bottle),
        Part(joined(pump), pick(random, WHITE, STEEL, BLACK)),
        *([band(side, h * 0.2, h * 0.6, printed(random, 8.0))] if random.random() < 0.5 else []),
    ]


def shampoo(random: np.random.Generator) -> list[Part]:
    """One to three flat bottles and a tube that stands on its cap."""
    parts: list[Part] = []
    for i in range(int(random.integers(1, 4))):
        h, w, flat = between(random, 0.16, 0.23), between(random, 0.05, 0.07), between(random, 0.5, 0.7)
        move, label = (0.085 * i, between(random, -0.01, 0.01), 0), Material(f"package:{int(random.integers(40))}")
        side = pick(
            random,
            [(w * 0.5, 0), (w * 0.52, h * 0.7), (w * 0.3, h * 0.85)],
            [(w * 0.34, 0), (w * 0.34, 0.03), (w * 0.5, 0.04), (w * 0.55, h * 0.97)],
        )
        body = solid(side).transformed(scale=(1, flat, 1), translation=move)
        cap = cylinder((0, 0, side[-1][1]), w * 0.26, h - side[-1][1], 20).transformed(translation=move)
        parts += [
            Part(body, pick(random, bright(random), WHITE)),
            Part(cap, pick(random, WHITE, BLACK, bright(random))),
            Part(front((move[0], move[1] - w * 0.54 * flat - 0.001, h * 0.45), w * 0.62, h * 0.42), label),
        ]
    return standing(parts)


def toothbrush(random: np.random.Generator) -> list[Part]:
    """Brushes and a tube of paste in a cup, or an electric brush on its charger."""
    if random.random() < 0.3:
        return [
            Part(
                joined(
                    [
                        cylinder((0, 0, 0), 0.03, 0.025),
                        rod((0, 0, 0.2), (0, 0, 0.225), 0.006),
                        box((0, -0.007, 0.235), (0.012, 0.018, 0.02), 0.005),
                    ]
                ),
                WHITE,
            ),
            Part(rod((0, 0, 0.025), (0, 0, 0.2), 0.015, 0.009), pick(random, WHITE, BLACK, bright(random))),
        ]
    h, r = between(random, 0.09, 0.11), between(random, 0.033, 0.04)
    parts = [Part(vessel([(r * 0.9, 0), (r, h)], 0.003), pick(random, GLASS, ceramic(random), plastic(random)))]
    for i in range(int(random.integers(1, 4))):
        a = 2.1 * i + between(random, 0, 1)
        tip = (1.15 * r * np.cos(a), 1.15 * r * np.sin(a), between(random, 0.17, 0.195))
        head = box((0, 0, 0), (0.012, 0.016, 0.026), 0.004).transformed(translation=tip)
        parts += [Part(rod((-0.4 * tip[0], -0.4 * tip[1], 0.006), tip, 0.006, 0.004), bright(random)), Part(head, WHITE)]
    return parts


def perfume(random: np.random.Generator) -> list[Part]:
    """Small bottles with stoppers, a lipstick, a jar of cream."""
    colour = plain(*pick(random, (0.6, 0.3, 0.1), (0.55, 0.2, 0.25), (0.2, 0.35, 0.5)))
    flask = pick(random, box((0, 0, 0.035), (0.06, 0.028, 0.07), 0.006), soft((0, 0, 0.035), (0.075, 0.035, 0.07), 0.9))
    stopper = [
        rod((0, 0, 0.068), (0, 0, 0.08), 0.009),
        pick(random, box((0, 0, 0.095), (0.026, 0.026, 0.032), 0.004), sphere((0, 0, 0.093), 0.017, 16)),
    ]
    jar = [solid([(0.026, 0), (0.028, 0.03)]).transformed(translation=(0.075, -0.01, 0))]
    lipstick = [cylinder((-0.06, -0.01, 0), 0.01, 0.045, 14), rod((-0.06, -0.01, 0.045), (-0.06, -0.01, 0.062), 0.007)]
    gold = pick(random, metal(random), BLACK, Material("brushed", (0.9, 0.65, 0.3)))
    return standing(
        [
            Part(flask, colour),
            Part(joined([*stopper, lipstick[0]]), gold),
            Part(lipstick[1], plain(0.5, 0.02, 0.04)),
            Part(joined(jar), WHITE),
            Part(cylinder((0.075, -0.01, 0.03), 0.029, 0.016), gold),
        ]
    )


KINDS = {
    "toilet": Kind(toilet, "floor"),
    "washbasin": Kind(washbasin, "floor"),
    "bathtub": Kind(bathtub, "floor"),
    "shower": Kind(shower, "floor"),
    "shower curtain": Kind(shower_curtain, "wall", low=(0.15, 0.3)),
    "toilet paper": Kind(toilet_paper, "top"),
    "bath mat": Kind(bath_mat, "middle"),
    "soap dispenser": Kind(soap_dispenser, "top"),
    "shampoo": Kind(shampoo, "top"),
    "toothbrush": Kind(toothbrush, "top"),
    "perfume": Kind(perfume, "top"),
}
