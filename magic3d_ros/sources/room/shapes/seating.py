"""Procedural furniture to sit and to eat at. Sizes are those of ordinary furniture; fronts face -y."""

from __future__ import annotations

from itertools import pairwise

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, revolved, tilt_matrix

Colour = tuple[float, float, float]

SIDES = (-1, 1)


def sofa(width: float = 1.9, seats: int = 2, fabric: str = "linen", colour: Colour = (0.42, 0.40, 0.46),
         pillow: Colour = (0.75, 0.35, 0.15)) -> list[Part]:
    """A couch with arms, seat and back cushions and a throw pillow at each end."""
    frame = [box((0, 0, 0.22), (width, 0.85, 0.20), 0.03), box((0, 0.36, 0.52), (width, 0.18, 0.62), 0.06)]
    frame += [box((side * (width / 2 - 0.09), -0.02, 0.36), (0.18, 0.84, 0.50), 0.06) for side in SIDES]
    cushion = (width - 0.38) / seats
    for i in range(seats):
        x = -width / 2 + 0.19 + cushion * (i + 0.5)
        frame.append(box((x, -0.08, 0.385), (cushion - 0.01, 0.66, 0.16), 0.055))
        frame.append(_leaning((x, 0.20, 0.45), (cushion - 0.02, 0.17, 0.42), 0.07, -12))
    legs = [box((side * (width / 2 - 0.12), y, 0.06), (0.06, 0.06, 0.12)) for side in SIDES for y in (-0.33, 0.33)]
    pillows = [_leaning((side * (width / 2 - 0.40), 0.06, 0.46), (0.40, 0.14, 0.38), 0.069, -24) for side in SIDES]
    return [Part(joined(frame), Material(fabric, colour, repeat=2.0)),
            Part(joined(pillows), Material(fabric, pillow, repeat=4.0)), Part(joined(legs), Material("walnut"))]


def armchair(fabric: str = "linen", colour: Colour = (0.55, 0.22, 0.16)) -> list[Part]:
    """A one-seat couch."""
    parts = sofa(0.95, 1, fabric, colour)
    return [parts[0], parts[2]]


def chair(wood: str = "oak", colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A dining chair with a slatted back."""
    pieces = [box((0, 0, 0.45), (0.43, 0.43, 0.035), 0.012)]
    for side in SIDES:
        pieces.append(box((side * 0.18, -0.18, 0.225), (0.038, 0.038, 0.45)))
        pieces.append(box((side * 0.18, 0.19, 0.225), (0.038, 0.038, 0.45)))
        post = box((0, 0, 0.25), (0.038, 0.034, 0.52)).transformed(tilt_matrix(-8), (side * 0.18, 0.19, 0.44))
        pieces.append(post)
        pieces.append(box((side * 0.18, 0, 0.22), (0.02, 0.36, 0.028)))
    pieces.append(box((0, 0.0, 0.22), (0.36, 0.02, 0.028)))
    pieces += [box((0, 0.19, 0.40), (0.34, 0.025, 0.06)), box((0, -0.18, 0.40), (0.34, 0.025, 0.06))]
    for height in (0.14, 0.24, 0.34):
        pieces.append(box((0, 0, height), (0.34, 0.018, 0.05), 0.008).transformed(tilt_matrix(-8), (0, 0.19, 0.44)))
    pieces.append(box((0, 0, 0.475), (0.40, 0.026, 0.09), 0.012).transformed(tilt_matrix(-8), (0, 0.19, 0.44)))
    return [Part(joined(pieces), Material(wood, colour, repeat=1.5))]


def rocking_chair(wood: str = "walnut", colour: Colour = (1.3, 1.3, 1.3)) -> list[Part]:
    """A chair with arms on two curved runners."""
    seat = chair(wood, colour)[0].triangles.transformed(translation=(0, 0, 0.05))
    runners = []
    for side in SIDES:
        points = [(side * 0.20, -0.45 + 0.16 * i, 0.02 + 0.075 * ((i - 3) / 3) ** 2) for i in range(7)]
        runners += [capsule(a, b, 0.02) for a, b in pairwise(points)]
        runners.append(box((side * 0.22, -0.02, 0.72), (0.06, 0.44, 0.03), 0.012))
        runners.append(capsule((side * 0.22, -0.20, 0.50), (side * 0.22, -0.20, 0.71), 0.018))
    return [Part(joined([seat, *runners]), Material(wood, colour, repeat=1.5))]


def stool(wood: str = "pine", colour: Colour = (1.0, 1.0, 1.0), height: float = 0.46) -> list[Part]:
    """A round stool on three splayed legs."""
    pieces = [cylinder((0, 0, height - 0.04), 0.17, 0.04)]
    for x, y in ((0.0, -1.0), (0.866, 0.5), (-0.866, 0.5)):
        pieces.append(capsule((0.17 * x, 0.17 * y, 0.018), (0.11 * x, 0.11 * y, height - 0.05), 0.018))
    return [Part(joined(pieces), Material(wood, colour, repeat=2.0))]


def table(width: float = 1.4, depth: float = 0.8, height: float = 0.75, top: float = 0.035, leg: float = 0.06, wood: str = "oak",
          colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A four-legged table with an apron: dining table, desk, sideboard or coffee table by its size."""
    pieces = [box((0, 0, height - top / 2), (width, depth, top), 0.008, 0.08)]
    inset = leg / 2 + 0.02
    pieces += [box((x * (width / 2 - inset), y * (depth / 2 - inset), (height - top) / 2), (leg, leg, height - top))
               for x in SIDES for y in SIDES]
    apron = min(0.08, height / 5)
    pieces += [box((0, y * (depth / 2 - inset), height - top - apron / 2), (width - 2 * inset, 0.02, apron)) for y in SIDES]
    pieces += [box((x * (width / 2 - inset), 0, height - top - apron / 2), (0.02, depth - 2 * inset, apron)) for x in SIDES]
    return [Part(joined(pieces), Material(wood, colour, repeat=0.8))]


def round_table(radius: float = 0.45, height: float = 0.74, wood: str = "walnut", colour: Colour = (1.2, 1.2, 1.2)) -> list[Part]:
    """A round table on one turned column."""
    turned = [(0, 0), (0.24, 0), (0.24, 0.02), (0.06, 0.06), (0.045, 0.3), (0.06, height * 0.6), (0.04, height - 0.05),
              (radius * 0.4, height - 0.035), (radius * 0.4, height - 0.03), (radius - 0.01, height - 0.03),
              (radius, height - 0.015), (radius - 0.008, height), (0, height)]
    return [Part(revolved(turned, 40), Material(wood, colour, repeat=0.8))]


def bed(width: float = 1.4, length: float = 2.0, wood: str = "oak", colour: Colour = (0.30, 0.42, 0.60)) -> list[Part]:
    """A bed with a headboard (at +y), a mattress, a quilt and two pillows."""
    frame = [box((0, length / 2, 0.45), (width + 0.08, 0.05, 0.90)), box((0, 0, 0.22), (width + 0.06, length, 0.16))]
    frame += [box((x * width / 2, y * (length / 2 - 0.05), 0.08), (0.07, 0.07, 0.16)) for x in SIDES for y in SIDES]
    mattress = box((0, -0.01, 0.38), (width, length - 0.06, 0.18), 0.05)
    quilt = box((0, -0.28, 0.44), (width + 0.05, length * 0.68, 0.14), 0.06)
    pillows = [_leaning((x * width / 4, length / 2 - 0.28, 0.44), (0.55, 0.36, 0.15), 0.07, 0) for x in SIDES]
    return [Part(joined(frame), Material(wood)), Part(joined([mattress, *pillows]), Material("canvas", repeat=2.0)),
            Part(quilt, Material("linen", colour, repeat=2.0))]


def _leaning(foot: tuple[float, float, float], size: tuple[float, float, float], rounding: float, degrees: float) -> Triangles:
    """A cushion standing on `foot`, its top leaning back by -degrees."""
    return box((0, 0, size[2] / 2), size, rounding).transformed(tilt_matrix(degrees), foot)
