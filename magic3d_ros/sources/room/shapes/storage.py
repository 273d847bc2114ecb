"""Procedural furniture to keep things in, and books. Fronts face -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.textures.prints import COVERS
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, joined, rectangle, sphere, tilt_matrix

Colour = tuple[float, float, float]
SIDES = (-1, 1)
BOARD = 0.022
"""Metres: thickness of furniture board."""

PAPER = Material("", (0.78, 0.75, 0.66))


def bookshelf(width: float = 1.2, depth: float = 0.3, height: float = 1.8, shelves: int = 5, wood: str = "oak",
              colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """An open bookcase. Its shelves carry books at the heights that `shelf_height` gives."""
    pieces = [box((side * (width - BOARD) / 2, 0, height / 2), (BOARD, depth, height)) for side in SIDES]
    pieces.append(box((0, 0, height / 2), (BOARD, depth - 0.02, height)))
    pieces += [box((0, 0, shelf_height(i, height, shelves) - BOARD / 2), (width - 2 * BOARD, depth, BOARD))
               for i in range(shelves + 1)]
    back = box((0, depth / 2 - 0.004, height / 2), (width, 0.008, height))
    return [Part(joined(pieces), Material(wood, colour, repeat=0.8)),
            Part(back, Material(wood, (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7), repeat=0.8))]


def shelf_height(number: int, height: float, shelves: int) -> float:
    """Metres: top of board `number` (0 the lowest, `shelves` the top of the case)."""
    return 0.06 + (height - 0.06) * number / shelves


def books(count: int = 8, seed: int = 0, depth: float = 0.17, tallest: float = 0.27) -> list[Part]:
    """A row of upright books with printed spines, about 3.5 cm each."""
    random = np.random.default_rng(seed)
    widths = random.uniform(0.022, 0.05, count)
    x = -float(widths.sum()) / 2
    parts = []
    for width in widths:
        height, reach = float(random.uniform(0.70, 1.0) * tallest), float(depth * random.uniform(0.85, 1.0))
        kind = int(random.integers(24))
        red, green, blue = ((channel / 255) ** 2.2 for channel in COVERS[kind % len(COVERS)])
        middle, front = x + width / 2, -reach / 2
        spine = rectangle((middle - width / 2 + 0.001, front, 0), (width - 0.002, 0, 0), (0, 0, height), 0.1, stretched=True)
        covers = [box((middle + side * (width / 2 - 0.002), 0, height / 2), (0.003, reach - 0.002, height)) for side in SIDES]
        pages = box((middle, 0.003, height / 2), (width - 0.007, reach - 0.008, height - 0.012))
        cover = Material("", (red, green, blue))
        parts += [Part(spine, Material(f"book:{kind}")), Part(joined(covers), cover), Part(pages, PAPER)]
        x += width
    return parts


def book_pile(count: int = 4, seed: int = 0) -> list[Part]:
    """Books lying on each other, spines to the front."""
    random = np.random.default_rng(seed)
    parts: list[Part] = []
    z = 0.0
    for _ in range(count):
        thickness, turn = float(random.uniform(0.02, 0.04)), float(random.uniform(-14, 14))
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        kind = int(random.integers(24))
        red, green, blue = ((channel / 255) ** 2.2 for channel in COVERS[kind % len(COVERS)])
        # the spine's picture stands upright: laid on its side its `along` is the height of the book
        spine = rectangle((0.12, -0.085, thickness - 0.001), (0, 0, 0.002 - thickness), (-0.24, 0, 0), 0.1, stretched=True)
        covers = joined(box((0, 0, level), (0.24, 0.17, 0.003)) for level in (0.002, thickness - 0.002))
        pages = box((0, 0.003, thickness / 2), (0.232, 0.160, thickness - 0.006))
        for body, material in ((spine, Material(f"book:{kind}")), (covers, Material("", (red, green, blue))),
                               (pages, PAPER)):
            parts.append(Part(body.transformed(matrix, (0, 0, z)), material))
        z += thickness
    return parts


def chest(width: float = 0.9, depth: float = 0.45, height: float = 0.85, rows: int = 3, columns: int = 1, wood: str = "pine",
          colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A chest of drawers with round knobs; with more columns and lower, a sideboard or television bench."""
    body = [box((0, 0.008, (height + 0.06) / 2), (width - 0.01, depth - 0.016, height - 0.06)),
            box((0, 0, height - 0.012), (width + 0.02, depth + 0.02, 0.024), 0.006, 0.08)]
    body += [box((x * (width / 2 - 0.04), y * (depth / 2 - 0.04), 0.03), (0.05, 0.05, 0.06)) for x in SIDES for y in SIDES]
    fronts, knobs = [], []
    step_x, step_z = width / columns, (height - 0.09) / rows
    for column in range(columns):
        for row in range(rows):
            x, z = -width / 2 + step_x * (column + 0.5), 0.065 + step_z * (row + 0.5)
            fronts.append(box((x, -depth / 2, z), (step_x - 0.016, 0.02, step_z - 0.012), 0.004, 0.1))
            offsets = (-step_x / 4, step_x / 4) if step_x > 0.6 else (0.0,)
            knobs += [sphere((x + offset, -depth / 2 - 0.024, z), 0.017, 14) for offset in offsets]
    return [Part(joined(body), Material(wood, (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8), repeat=0.8)),
            Part(joined(fronts), Material(wood, colour, repeat=0.8)), Part(joined(knobs), Material("brushed", (0.35, 0.33, 0.3)))]


def wardrobe(width: float = 1.0, depth: float = 0.58, height: float = 1.95, wood: str = "oak",
             colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """Two tall doors with panels and bar handles, a cornice above and a plinth below."""
    body = [box((0, 0.01, height / 2), (width, depth - 0.02, height - 0.02)),
            box((0, 0, height - 0.03), (width + 0.06, depth + 0.05, 0.06)), box((0, 0, 0.04), (width + 0.02, depth + 0.01, 0.08))]
    doors, panels, handles = [], [], []
    for side in SIDES:
        x = side * width / 4
        doors.append(box((x, -depth / 2, height / 2), (width / 2 - 0.008, 0.022, height - 0.16), 0.004, 0.15))
        for low, high in ((0.14, height * 0.42), (height * 0.46, height - 0.16)):
            panels.append(box((x, -depth / 2 - 0.012, (low + high) / 2), (width / 2 - 0.16, 0.012, high - low), 0.006, 0.15))
        x, y = side * 0.04, -depth / 2 - 0.035
        handles.append(capsule((x, y, height * 0.45), (x, y, height * 0.55), 0.010))
    dark = (colour[0] * 0.75, colour[1] * 0.75, colour[2] * 0.75)
    return [Part(joined(body), Material(wood, dark, repeat=0.8)), Part(joined(doors), Material(wood, colour, repeat=0.8)),
            Part(joined(panels), Material(wood, dark, repeat=0.8)), Part(joined(handles), Material("brushed", (0.5, 0.5, 0.5)))]


def crate(width: float = 0.42, depth: float = 0.32, height: float = 0.28) -> list[Part]:
    """A slatted wooden box, open at the top."""
    slats: list[Triangles] = [box((0, 0, 0.008), (width, depth, 0.016))]
    slat, gap = height / 3 - 0.012, height / 3
    for row in range(3):
        z = 0.016 + gap * (row + 0.5)
        slats += [box((0, side * (depth - 0.012) / 2, z), (width, 0.012, slat)) for side in SIDES]
        slats += [box((side * (width - 0.012) / 2, 0, z), (0.012, depth - 0.024, slat)) for side in SIDES]
    slats += [box((x * (width / 2 - 0.025), y * (depth / 2 - 0.025), height / 2), (0.024, 0.024, height))
              for x in SIDES for y in SIDES]
    return [Part(joined(slats), Material("pine", repeat=1.5))]


def binders(count: int = 4, seed: int = 0) -> list[Part]:
    """Ring binders with labels and finger holes, upright."""
    random = np.random.default_rng(seed)
    parts = []
    for i in range(count):
        x = (i - (count - 1) / 2) * 0.078
        red, green, blue = ((c / 255) ** 2.2 for c in COVERS[int(random.integers(len(COVERS)))])
        shell = box((x, 0, 0.16), (0.074, 0.26, 0.32), 0.004, 0.15)
        label = box((x, -0.1305, 0.20), (0.050, 0.002, 0.14))
        hole = sphere((0, 0, 0), 0.012, 14).transformed(tilt_matrix(90), (x, -0.130, 0.05), (1.0, 1.0, 0.2))
        parts += [Part(shell, Material("", (red, green, blue))), Part(label, Material("", (0.85, 0.84, 0.8))),
                  Part(hole, Material("", (0.03, 0.03, 0.03)))]
    return parts
