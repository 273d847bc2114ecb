"""What a table is laid with, and what is on a kitchen counter beside the pots. Lengths in metres."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    ceramic,
    cloth,
    open_box,
    plastic,
    rod,
    soft,
    standing,
    turned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS, Side, band, lining, printed, shell, solid
from magic3d_ros.sources.room.triangles import Triangles, box, cylinder, joined, sphere, tilt_matrix, tube, yaw_matrix


def _bowl_side(radius: float, height: float, foot: float = 0.45) -> Side:
    angles = np.linspace(0, np.pi / 2, 8)
    return [
        (radius * foot, 0),
        *((radius * (foot + (1 - foot) * np.sin(a)), height * (0.08 + 0.92 * (1 - np.cos(a)))) for a in angles[1:]),
    ]


def bowl(random: np.random.Generator) -> list[Part]:
    """A cereal or salad bowl: glazed inside and outside alike or not, of wood, or of steel."""
    radius = between(random, 0.06, 0.15)
    side = _bowl_side(radius, radius * between(random, 0.5, 0.95), between(random, 0.4, 0.6))
    outside = pick(random, ceramic(random), bright(random), wood(random), STEEL)
    return [Part(shell(side), outside), Part(lining(side), pick(random, outside, WHITE) if outside.texture == "" else outside)]


def fruit_bowl(random: np.random.Generator) -> list[Part]:
    """Apples, oranges and lemons in a wide bowl."""
    radius = between(random, 0.12, 0.18)
    side = _bowl_side(radius, 0.08, 0.5)
    parts = [Part(vessel(side, 0.005), pick(random, ceramic(random), wood(random), Material("wicker", repeat=4.0)))]
    colours = [Material("orange"), plain(0.5, 0.03, 0.02), plain(0.30, 0.45, 0.05), plain(0.75, 0.55, 0.05)]
    for i in range(8):
        a, r = i * 0.9, 0.0 if i == 7 else radius * 0.55
        size = between(random, 0.034, 0.042)
        parts.append(Part(sphere((r * np.cos(a), r * np.sin(a), 0.14 if i == 7 else 0.085), size, 20), pick(random, *colours)))
    return parts


def _plate(radius: float, height: float = 0.02) -> Triangles:
    return vessel([(radius * 0.58, 0), (radius * 0.66, 0.004), (radius * 0.72, height * 0.6), (radius, height)], 0.004, 36)


def plate(random: np.random.Generator) -> list[Part]:
    """A flat or a soup plate, often with a coloured rim."""
    radius, height = between(random, 0.085, 0.145), between(random, 0.015, 0.035)
    rim = Part(lining([(radius * 0.9, height * 0.92), (radius * 1.003, height + 0.001)], 0.0006), bright(random))
    return [Part(_plate(radius, height), ceramic(random)), *([rim] if random.random() < 0.5 else [])]


def dishes(random: np.random.Generator) -> list[Part]:
    """A stack of plates with bowls on it, or plates beside two stacked cups."""
    radius, glaze = between(random, 0.1, 0.14), ceramic(random)
    count = int(random.integers(4, 9))
    plates = [_plate(radius).transformed(translation=(0, 0, 0.009 * i)) for i in range(count)]
    small = radius * between(random, 0.5, 0.7)
    bowls = [
        vessel(_bowl_side(small, small * 0.6), 0.004).transformed(translation=(0, 0, 0.009 * count + 0.012 + 0.02 * i))
        for i in range(int(random.integers(1, 4)))
    ]
    beside = [
        vessel([(0.03, 0), (0.04, 0.01), (0.042, 0.08)], 0.004).transformed(translation=(radius + 0.05, 0, 0.035 * i))
        for i in range(2)
    ]
    others = Part(joined(pick(random, bowls, beside)), pick(random, glaze, ceramic(random)))
    return standing([Part(joined(plates), glaze), others])


def tray(random: np.random.Generator) -> list[Part]:
    """A shallow tray with two handles, or a round one."""
    material = pick(random, wood(random), STEEL, plastic(random), bright(random))
    if random.random() < 0.3:
        radius = between(random, 0.14, 0.2)
        return [Part(vessel([(radius * 0.95, 0), (radius, 0.025)], 0.004, 40), material)]
    width, depth = between(random, 0.34, 0.5), between(random, 0.24, 0.34)
    grip = ((-0.01, -0.06, 0.035), (0.012, -0.05, 0.055), (0.012, 0.05, 0.055), (-0.01, 0.06, 0.035))
    ends = [tube([(side * (width / 2 + x), y, z) for x, y, z in grip], 0.006, 8) for side in (-1, 1)]
    return [Part(joined([open_box((width, depth, 0.04), 0.009, 1.04), *ends]), material)]


def _blade_and_handle(length: float, width: float, share: float) -> tuple[Triangles, Triangles]:
    """A flat tool lying along +y: its handle, then its blade."""
    grip = box((0, length * (share / 2 - 0.5), 0.007), (0.018, length * share, 0.014), 0.006)
    steel = box((0, length * share / 2, 0.007), (width, length * (1 - share), 0.002))
    return steel, grip


def cutlery(random: np.random.Generator) -> list[Part]:
    """A knife, a fork and a spoon side by side, or in a box."""
    pieces = [rod((0, -0.10, 0.004), (0, 0.03, 0.004), 0.006, 0.004), box((0, 0.07, 0.004), (0.016, 0.09, 0.002))]
    fork = [rod((0.035, -0.10, 0.004), (0.035, 0.04, 0.004), 0.006, 0.003), box((0.035, 0.055, 0.005), (0.024, 0.03, 0.002))]
    fork += [box((0.035 + x, 0.09, 0.007), (0.003, 0.045, 0.002)) for x in (-0.0105, -0.0035, 0.0035, 0.0105)]
    spoon = [
        rod((0.075, -0.10, 0.004), (0.075, 0.05, 0.004), 0.006, 0.003),
        soft((0.075, 0.075, 0.005), (0.036, 0.058, 0.01), 1.0),
    ]
    laid = joined([*pieces, *fork, *spoon])
    if random.random() < 0.5:
        return standing([Part(laid, STEEL)])
    cup = vessel([(0.045, 0), (0.05, 0.006), (0.052, 0.13)], 0.004)
    turns = [tilt_matrix(90 + lean) for lean in (-8, 4, 9, -3)]
    upright = [
        laid.transformed(yaw_matrix(between(random, 0, 360)) @ turn, (0.0, 0.0, 0.12), 0.95).transformed(scale=(0.55, 0.55, 1.0))
        for turn in turns[:2]
    ]
    return [Part(cup, pick(random, STEEL, ceramic(random), plastic(random))), Part(joined(upright), STEEL)]


def kitchen_knife(random: np.random.Generator) -> list[Part]:
    """Knives in a leaning block, or a chef's knife that lies on the table."""
    if random.random() < 0.4:
        steel, grip = _blade_and_handle(between(random, 0.28, 0.36), between(random, 0.03, 0.05), 0.38)
        return [Part(steel, STEEL), Part(grip, pick(random, BLACK, wood(random)))]
    height, lean = between(random, 0.20, 0.24), tilt_matrix(-between(random, 12, 22))
    block = box((0, 0, height / 2), (0.10, 0.13, height), 0.006).transformed(lean)
    grips = [
        box((x, y, height + 0.05), (0.017, 0.026, 0.11), 0.006).transformed(lean)
        for x in (-0.03, 0.0, 0.03)
        for y in (-0.035, 0.035)
    ]
    foot = box((0, 0.01, -0.008), (0.10, 0.16, 0.03))
    handles = pick(random, BLACK, BLACK, STEEL, plain(0.25, 0.02, 0.02))
    return standing([Part(joined([block, foot]), pick(random, wood(random), BLACK)), Part(joined(grips), handles)])


def cooking_utensils(random: np.random.Generator) -> list[Part]:
    """Spoons, spatulas, ladles and a whisk in a crock."""
    h, r = between(random, 0.13, 0.18), between(random, 0.05, 0.065)
    crock = Part(vessel([(r * 0.92, 0), (r, 0.01), (r, h)], 0.006), pick(random, ceramic(random), STEEL, bright(random)))
    parts = [crock]
    for i in range(6):
        a, reach = i * 1.05 + between(random, -0.2, 0.2), between(random, 0.28, 0.36)
        out = np.array([np.cos(a), np.sin(a), 0.0])
        foot, tip = np.array([0, 0, 0.02]) - 0.3 * r * out, np.array([0, 0, reach - 0.07]) + 1.3 * r * out
        size = pick(random, (0.055, 0.018, 0.08), (0.065, 0.008, 0.09), (0.05, 0.05, 0.07), (0.07, 0.07, 0.055))
        head = soft((0, 0, 0), size, pick(random, 1.0, 0.4)).transformed(yaw_matrix(np.degrees(a)), tip + (tip - foot) * 0.12)
        parts.append(Part(joined([rod(foot, tip, 0.006), head]), pick(random, wood(random), wood(random), STEEL, BLACK)))
    return parts


def cutting_board(random: np.random.Generator) -> list[Part]:
    """A board with a grip or a juice groove, lying or leaning upright."""
    width, depth = between(random, 0.18, 0.26), between(random, 0.28, 0.4)
    pieces = [box((0, 0, 0.011), (width, depth, 0.022), 0.008)]
    if random.random() < 0.6:
        pieces.append(box((0, depth / 2 + 0.04, 0.011), (0.045, 0.10, 0.022), 0.01))
    parts = [Part(joined(pieces), pick(random, wood(random), wood(random), WHITE, bright(random)))]
    return standing(turned(parts, tilt_matrix(72)) if random.random() < 0.4 else parts)


def food_container(random: np.random.Generator) -> list[Part]:
    """A clear box with a coloured lid; sometimes two on each other."""
    width, depth, height = between(random, 0.13, 0.24), between(random, 0.1, 0.17), between(random, 0.06, 0.12)
    body = box((0, 0, height / 2), (width * 0.94, depth * 0.94, height), 0.02)
    lid = box((0, 0, height), (width, depth, 0.018), 0.006)
    flaps = [box((side * width / 2, 0, height - 0.01), (0.01, depth * 0.45, 0.03), 0.003) for side in (-1, 1)]
    parts = [Part(body, plain(0.66, 0.7, 0.7)), Part(joined([lid, *flaps]), pick(random, bright(random), WHITE))]
    return parts if random.random() < 0.6 else [*parts, *turned(parts, np.eye(3), (0, 0, height + 0.01))]


def jar(random: np.random.Generator) -> list[Part]:
    """A glass of jam, pickles or noodles with a lid, or a ceramic canister."""
    h, r = between(random, 0.1, 0.2), between(random, 0.035, 0.06)
    side = [(r * 0.94, 0), (r, 0.008), (r, h * 0.78), (r * 0.85, h * 0.86)]
    lid = Part(
        solid([(r * 0.9, h * 0.85), (r * 0.9, h - 0.004), (r * 0.86, h)]), pick(random, bright(random), STEEL, wood(random))
    )
    if random.random() < 0.3:
        return [Part(solid(side), ceramic(random)), lid, band(side, h * 0.3, h * 0.55, WHITE)]
    filling = plain(*pick(random, (0.35, 0.02, 0.02), (0.5, 0.22, 0.02), (0.2, 0.26, 0.05), (0.6, 0.5, 0.3), (0.12, 0.05, 0.02)))
    paper = band([(radius + 0.001, z) for radius, z in side], h * 0.25, h * 0.55, printed(random, 7.0))
    return [Part(solid(side), GLASS), band(side, 0.004, h * 0.72, filling), lid, *([paper] if random.random() < 0.6 else [])]


def spice_rack(random: np.random.Generator) -> list[Part]:
    """Small jars in one to three rows, each a step higher, in a rack of wood or wire; or a salt and a pepper mill."""
    if random.random() < 0.3:
        mill = [
            (0.026, 0),
            (0.028, 0.01),
            (0.02, 0.07),
            (0.024, 0.12),
            (0.012, 0.13),
            (0.022, 0.15),
            (0.02, 0.17),
            (0.006, 0.185),
        ]
        return [
            Part(solid(mill).transformed(translation=(x, 0, 0)), material)
            for x, material in ((-0.035, wood(random)), (0.035, pick(random, wood(random), WHITE)))
        ]
    rows, columns, frame = int(random.integers(1, 4)), int(random.integers(4, 8)), pick(random, wood(random), BLACK, STEEL)
    width = 0.052 * columns + 0.01
    sides = [
        box((side * (width / 2 + 0.006), 0.025 * (rows - 1), 0.05 + 0.03 * rows), (0.01, 0.055 * rows, 0.1 + 0.06 * rows))
        for side in (-1, 1)
    ]
    parts = [Part(joined(sides), frame)]
    for row in range(rows):
        y, z = 0.05 * row, 0.07 * row
        board = [box((0, y, z + 0.005), (width, 0.052, 0.01)), box((0, y - 0.024, z + 0.03), (width, 0.006, 0.015))]
        parts.append(Part(joined(board), frame))
        for column in range(columns):
            x = (column - (columns - 1) / 2) * 0.052
            spice = plain(*pick(random, (0.4, 0.08, 0.02), (0.5, 0.3, 0.03), (0.12, 0.16, 0.04), (0.15, 0.08, 0.03)))
            parts += [
                Part(cylinder((x, y, z + 0.01), 0.021, 0.07, 14), spice),
                Part(cylinder((x, y, z + 0.08), 0.022, 0.02, 14), BLACK),
            ]
    return standing(parts)


def paper_towel(random: np.random.Generator) -> list[Part]:
    """A kitchen roll on a stand, with a loose sheet."""
    h, r = between(random, 0.22, 0.26), between(random, 0.045, 0.065)
    roll = [cylinder((0, 0, 0.014), r, h, 32), box((r + 0.008, -0.02, 0.014 + h / 2), (0.002, 0.11, h))]
    stand = [cylinder((0, 0, 0), r + 0.02, 0.014), rod((0, 0, 0), (0, 0, h + 0.06), 0.008), sphere((0, 0, h + 0.065), 0.014, 14)]
    return [Part(joined(roll), Material("plaster", repeat=9.0)), Part(joined(stand), pick(random, wood(random), STEEL, BLACK))]


def napkin(random: np.random.Generator) -> list[Part]:
    """A folded pile, or napkins standing in a holder."""
    size, dye = between(random, 0.12, 0.18), pick(random, cloth(random), WHITE, bright(random))
    if random.random() < 0.5:
        return [Part(joined([box((0.002 * (i % 2), 0, 0.004 + 0.007 * i), (size, size, 0.006), 0.002) for i in range(5)]), dye)]
    sheets = joined([box((0, 0.006 * (i - 2), size / 2 + 0.01), (size, 0.004, size)) for i in range(5)])
    holder = [box((0, y, 0.05), (size * 0.8, 0.005, 0.09)) for y in (-0.027, 0.027)] + [
        box((0, 0, 0.006), (size * 0.8, 0.06, 0.012))
    ]
    return [Part(sheets, dye), Part(joined(holder), pick(random, STEEL, wood(random), BLACK))]


KINDS = {
    "bowl": Kind(bowl, "top"),
    "fruit bowl": Kind(fruit_bowl, "top"),
    "plate": Kind(plate, "top"),
    "dishes": Kind(dishes, "top"),
    "tray": Kind(tray, "top"),
    "cutlery": Kind(cutlery, "top"),
    "kitchen knife": Kind(kitchen_knife, "top"),
    "cooking utensils": Kind(cooking_utensils, "top"),
    "cutting board": Kind(cutting_board, "top"),
    "food container": Kind(food_container, "top"),
    "jar": Kind(jar, "top"),
    "spice rack": Kind(spice_rack, "top"),
    "paper towel": Kind(paper_towel, "top"),
    "napkin": Kind(napkin, "top"),
}
