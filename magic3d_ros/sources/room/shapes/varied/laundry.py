"""Washing, drying and ironing. Lengths in metres, fronts towards -y."""

from __future__ import annotations

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
    open_box,
    ring,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import hung_cloth
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import Triangles, box, dome, joined, tilt_matrix, tube, yaw_matrix

SIDES = (-1, 1)


def _machine(random: np.random.Generator) -> tuple[list[Part], float, float]:
    """A laundry machine without its door: parts, height, the middle of its face."""
    h, housing = between(random, 0.82, 0.88), pick(random, WHITE, WHITE, WHITE, grey(random, 0.2), STEEL)
    panel = Material(f"buttons:{int(random.integers(12))}")
    drawer = box((-0.19, -0.3, h - 0.07), (0.17, 0.012, 0.075), 0.004)
    dial = rod((0.02, -0.295, h - 0.07), (0.02, -0.325, h - 0.07), 0.03, 0.026)
    gap = [box((0, -0.2955, h - 0.135), (0.595, 0.004, 0.005)), box((0, -0.2955, 0.11), (0.595, 0.004, 0.005))]
    return (
        [
            Part(joined([box((0, 0, h / 2), (0.6, 0.59, h)), drawer]), housing),
            Part(dial, STEEL),
            Part(joined(gap), BLACK),
            Part(front((0.18, -0.2965, h - 0.07), 0.16, 0.08), panel),
        ],
        h,
        h * 0.46,
    )


def washing_machine(random: np.random.Generator) -> list[Part]:
    """A round porthole of glass in a ring, a drawer and a dial above it."""
    parts, _, middle = _machine(random)
    radius = between(random, 0.15, 0.19)
    rim = ring((0, -0.3, middle), radius, 0.05, upright=True)
    glass = dome((0, 0, 0), (radius * 0.95, radius * 0.95, 0.05)).transformed(tilt_matrix(90), (0, -0.292, middle))
    handle = box((-radius, -0.325, middle), (0.03, 0.02, 0.08), 0.008)
    return [
        *parts,
        Part(joined([rim, handle]), pick(random, STEEL, WHITE, BLACK, grey(random))),
        Part(glass, plain(0.05, 0.06, 0.07)),
    ]


def tumble_dryer(random: np.random.Generator) -> list[Part]:
    """A large flat door, round or square, white or of glass, and a vent below."""
    parts, _, middle = _machine(random)
    if random.random() < 0.5:
        door = rod((0, -0.29, middle), (0, -0.33, middle), 0.22, 0.21, 40)
    else:
        door = box((0, -0.3, middle), (0.44, 0.04, 0.44), 0.018)
    slots = [box((0.15, -0.297, 0.03 + 0.018 * i), (0.2, 0.006, 0.008)) for i in range(4)]
    return [*parts, Part(door, pick(random, WHITE, WHITE, grey(random), BLACK)), Part(joined(slots), BLACK)]


def iron(random: np.random.Generator) -> list[Part]:
    """A steam iron on its sole, or standing on its heel."""
    outline = [(0.055, 0), (0.055, 0.02), (0.05, 0.04), (0.035, 0.06)]
    body = solid(outline).transformed(scale=(1, 1.9, 1), translation=(0, 0, 0.006))
    pointed = body.positions.copy()
    pointed[:, 0] *= np.clip((0.11 - pointed[:, 1]) / 0.2, 0, 1) ** 0.6
    sole = solid([(0.057, 0), (0.057, 0.008)]).transformed(scale=(1, 1.9, 1))
    sole_points = sole.positions.copy()
    sole_points[:, 0] *= np.clip((0.115 - sole_points[:, 1]) / 0.2, 0, 1) ** 0.6
    grip = tube([(0, 0.07, 0.05), (0, 0.05, 0.105), (0, -0.07, 0.115), (0, -0.09, 0.05)], 0.015)
    housing = pick(random, WHITE, bright(random), bright(random), grey(random))
    parts = [
        Part(Triangles(pointed.astype(np.float32), body.normals, body.uv), housing),
        Part(grip, pick(random, housing, BLACK, bright(random))),
        Part(Triangles(sole_points.astype(np.float32), sole.normals, sole.uv), STEEL),
    ]
    return standing(turned(parts, tilt_matrix(78)) if random.random() < 0.4 else turned(parts, yaw_matrix(90)))


def ironing_board(random: np.random.Generator) -> list[Part]:
    """A padded board, pointed at one end, on crossed legs; sometimes folded against the wall."""
    length, width, h = between(random, 1.1, 1.35), between(random, 0.32, 0.42), between(random, 0.78, 0.92)
    pad = box((0, 0, h), (length, width, 0.025), 0.01, 0.04)
    points = pad.positions.copy()
    points[:, 1] *= 1 - 0.75 * np.clip((points[:, 0] / length - 0.12) / 0.38, 0, 1) ** 2
    frame = [tube([(-length * 0.3, y * 0.16, 0.015), (length * 0.2, y * 0.05, h - 0.02)], 0.012) for y in SIDES]
    frame += [tube([(length * 0.3, y * 0.13, 0.015), (-length * 0.25, y * 0.08, h - 0.02)], 0.012) for y in SIDES]
    frame += [tube([(x * length * 0.3, -0.17, 0.015), (x * length * 0.3, 0.17, 0.015)], 0.013) for x in SIDES]
    parts = [
        Part(Triangles(points.astype(np.float32), pad.normals, pad.uv), cloth(random)),
        Part(joined(frame), pick(random, WHITE, STEEL, BLACK)),
    ]
    return standing(parts)


def clothes_rack(random: np.random.Generator) -> list[Part]:
    """A drying rack with wings and laundry over its wires, or a rail on two posts with clothes on hangers."""
    finish = pick(random, WHITE, STEEL, BLACK)
    if random.random() < 0.6:
        width, h = between(random, 0.5, 0.6), between(random, 0.85, 1.0)
        wires = [tube([(x, -width / 2, h), (x, width / 2, h)], 0.004, 6) for x in np.linspace(-0.45, 0.45, 13)]
        wires += [tube([(-0.45, y * width / 2, h), (0.45, y * width / 2, h)], 0.009, 8) for y in SIDES]
        wires += [tube([(x * 0.4, y * width / 2, 0.01), (-x * 0.4, y * width / 2, h)], 0.010, 8) for x in SIDES for y in SIDES]
        hung = []
        for x in np.linspace(-0.36, 0.36, 5):
            if random.random() < 0.65:
                drop, wide = between(random, 0.25, 0.5), between(random, 0.25, width * 0.85)
                piece = hung_cloth(wide, drop, 2, 0.008).transformed(yaw_matrix(90), (x, 0, h + 0.006 - drop))
                back = hung_cloth(wide, drop * 0.8, 2, 0.008).transformed(yaw_matrix(90), (x + 0.015, 0, h + 0.006 - drop * 0.8))
                hung.append(Part(joined([piece, back]), cloth(random)))
        return [Part(joined(wires), finish), *hung]
    width, h = between(random, 0.8, 1.3), between(random, 1.4, 1.6)
    bars = [rod((x * width / 2, 0, 0.03), (x * width / 2, 0, h), 0.014) for x in SIDES] + [
        rod((-width / 2, 0, h), (width / 2, 0, h), 0.014)
    ]
    bars += [rod((x * width / 2, -0.22, 0.03), (x * width / 2, 0.22, 0.03), 0.014) for x in SIDES] + [
        rod((-width / 2, 0, 0.15), (width / 2, 0, 0.15), 0.012)
    ]
    clothes = []
    for x in np.arange(-width / 2 + 0.12, width / 2 - 0.1, 0.075):
        if random.random() < 0.8:
            drop = between(random, 0.6, 0.95)
            garment = soft((float(x), 0, h - 0.09 - drop / 2), (0.045, between(random, 0.38, 0.46), drop), 0.35)
            clothes.append(Part(garment, cloth(random)))
    return standing([Part(joined(bars), finish), *clothes])


def _heap(random: np.random.Generator, width: float, depth: float, z: float) -> list[Part]:
    """Crumpled laundry on top of a basket."""
    return [
        Part(soft((x * width, y * depth, z), (width * 0.6, depth * 0.65, 0.14), 0.8), cloth(random))
        for x, y in ((-0.18, 0.1), (0.17, -0.12), (0.08, 0.14), (-0.12, -0.14))
    ]


def laundry_basket(random: np.random.Generator) -> list[Part]:
    """A slotted plastic basket with laundry in it, a wicker hamper with a lid, or a cloth bag in a frame."""
    design = int(random.integers(3))
    if design == 0:
        w, d, h = between(random, 0.5, 0.62), between(random, 0.36, 0.42), between(random, 0.24, 0.3)
        basket = open_box((w * 0.86, d * 0.86, h), 0.006, 1.16)
        slots = [
            box((x * w * 0.3 + i * 0.03, side * d * 0.475, h * 0.55), (0.012, 0.006, h * 0.45))
            for side in SIDES
            for x in (-0.5, 0.5)
            for i in range(-2, 3)
        ]
        rim = [tube([(x * w / 2, -d / 2, h), (x * w / 2, d / 2, h)], 0.012, 8) for x in SIDES]
        rim += [tube([(-w / 2, y * d / 2, h), (w / 2, y * d / 2, h)], 0.012, 8) for y in SIDES]
        return [
            Part(joined([basket, *rim]), pick(random, WHITE, bright(random), grey(random))),
            Part(joined(slots), BLACK),
            *_heap(random, w, d, h * 0.85),
        ]
    if design == 1:
        r, h = between(random, 0.19, 0.24), between(random, 0.5, 0.62)
        hamper = solid([(r * 0.85, 0), (r, h * 0.5), (r * 0.95, h * 0.93)], 36)
        lid = solid([(r, h * 0.93), (r, h * 0.97), (r * 0.6, h), (0.02, h + 0.005)], 36)
        tint = between(random, 0.5, 1.2)
        return [Part(joined([hamper, lid]), Material("wicker", (tint, tint, tint), repeat=2.5))]
    w, d, h = between(random, 0.36, 0.45), between(random, 0.3, 0.36), between(random, 0.5, 0.6)
    frame = [tube([(x * w / 2, y * d / 2, 0.01), (-x * w / 2, y * d / 2, h)], 0.010, 8) for x in SIDES for y in SIDES]
    return [
        Part(open_box((w * 0.9, d * 0.9, h * 0.88), 0.006).transformed(translation=(0, 0, h * 0.12)), cloth(random)),
        Part(joined(frame), pick(random, STEEL, wood(random))),
        *_heap(random, w * 0.85, d * 0.85, h * 0.92),
    ]


KINDS = {
    "washing machine": Kind(washing_machine, "floor", carries=True),
    "tumble dryer": Kind(tumble_dryer, "floor", carries=True),
    "iron": Kind(iron, "top"),
    "ironing board": Kind(ironing_board, "middle"),
    "clothes rack": Kind(clothes_rack, "middle"),
    "laundry basket": Kind(laundry_basket, "floor"),
}
