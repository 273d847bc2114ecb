"""Cupboards, cabinets, lockers and shelves. Measures of catalogues of furniture."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, STEEL, about, bright, grey, legs, metal, wood
from magic3d_ros.sources.room.shapes.varied.joinery import boards, fronts
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, cylinder, joined


def _cupboard(
    random: np.random.Generator, width: float, depth: float, height: float, rows: int, columns: int, leg: float = 0.0
) -> list[Part]:
    case = box((0, 0.01, leg + (height - leg) / 2), (width, depth - 0.02, height - leg))
    panels, handles = fronts(
        -width / 2 + 0.012, -depth / 2 + 0.02, leg + 0.012, width - 0.024, height - leg - 0.03, rows, columns
    )
    body = boards(random)
    parts = [
        Part(case, body),
        Part(joined(panels), body if random.random() < 0.6 else boards(random)),
        Part(joined(handles), metal(random)),
    ]
    if leg > 0.04:
        parts.append(Part(legs(width - 0.06, depth - 0.06, leg, 0.04), metal(random)))
    return parts


def sideboard(random: np.random.Generator) -> list[Part]:
    """Low and long, doors side by side."""
    return _cupboard(
        random,
        random.uniform(1.1, 1.9),
        about(random, 0.42),
        about(random, 0.78),
        1,
        int(random.integers(3, 5)),
        float(random.choice([0.05, 0.15])),
    )


def tv_cabinet(random: np.random.Generator) -> list[Part]:
    """Lower still, drawers side by side under an open shelf."""
    width, depth, height = random.uniform(1.1, 1.9), about(random, 0.40), about(random, 0.30)
    board = boards(random)
    parts = _cupboard(random, width, depth, height, 1, 3)
    sides = [box((side * (width / 2 - 0.01), 0, height + 0.07), (0.02, depth, 0.14)) for side in (-1, 0, 1)]
    return [*parts, Part(joined([*sides, box((0, 0, height + 0.15), (width, depth, 0.02))]), board)]


def cabinet(random: np.random.Generator) -> list[Part]:
    """As high as a man or half so, two doors above drawers."""
    return _cupboard(
        random, random.uniform(0.6, 1.1), about(random, 0.42), random.uniform(1.0, 2.0), int(random.integers(1, 3)), 2
    )


def file_cabinet(random: np.random.Generator) -> list[Part]:
    """Sheet steel, two to four drawers with a label each."""
    rows, width, depth = int(random.integers(2, 5)), about(random, 0.44, 0.08), about(random, 0.58, 0.1)
    height, paint = 0.33 * rows + 0.05, grey(random, 0.05, 0.8)
    panels, handles = fronts(-width / 2 + 0.01, -depth / 2 + 0.02, 0.04, width - 0.02, height - 0.06, rows, 1)
    labels = [box((0, -depth / 2 - 0.001, 0.04 + (height - 0.06) / rows * (i + 0.88)), (0.09, 0.004, 0.035)) for i in range(rows)]
    return [
        Part(joined([box((0, 0.01, height / 2), (width, depth - 0.02, height)), *panels]), paint),
        Part(joined(handles), STEEL),
        Part(joined(labels), Material("document", (1, 1, 1), repeat=8.0)),
    ]


def display_cabinet(random: np.random.Generator) -> list[Part]:
    """Glazed in front, with lit shelves and what is shown on them."""
    width, depth, height = random.uniform(0.6, 1.0), about(random, 0.4), random.uniform(1.4, 2.0)
    board = boards(random)
    frame = [box((side * (width / 2 - 0.02), 0, height / 2), (0.04, depth, height)) for side in (-1, 1)]
    frame += [box((0, 0, z), (width, depth, 0.05)) for z in (0.025, height - 0.025)]
    frame += [
        box((0, depth / 2 - 0.01, height / 2), (width, 0.02, height)),
        box((0, -depth / 2 + 0.015, height / 2), (0.03, 0.03, height)),
    ]
    levels = np.linspace(0.05, height - 0.05, int(random.integers(4, 6)))[:-1]
    shelves = [box((0, 0, z), (width - 0.05, depth - 0.05, 0.012)) for z in levels[1:]]
    shown = [
        cylinder((x, 0.02, z + 0.006), random.uniform(0.03, 0.06), random.uniform(0.08, 0.22))
        for z in levels
        for x in (-width * 0.25, 0.05, width * 0.28)
    ]
    glint = Material("reflection", (0.5, 0.55, 0.6))
    panes = [box((side * width / 4, -depth / 2 + 0.012, height / 2), (0.01, 0.004, height - 0.12)) for side in (-1, 1)]
    return [
        Part(joined(frame), board),
        Part(joined(shelves), Material("", (0.6, 0.68, 0.68))),
        Part(joined(shown), bright(random)),
        Part(joined(panes), glint),
    ]


def locker(random: np.random.Generator) -> list[Part]:
    """A row of tall steel doors with slots."""
    columns, depth, height = int(random.integers(2, 5)), 0.48, random.uniform(1.6, 1.9)
    width, paint, rows = 0.32 * columns, bright(random, (0.5, 0.7), (0.1, 0.6), (0.2, 0.6)), int(random.integers(1, 3))
    panels, handles = fronts(-width / 2, -depth / 2 + 0.02, 0.10, width, height - 0.12, rows, columns)
    slots = [
        box(
            (0.32 * (j + 0.5) - width / 2, -depth / 2 + 0.001, 0.1 + (height - 0.12) * (i + 0.92) / rows - 0.03 * k),
            (0.16, 0.004, 0.01),
        )
        for i in range(rows)
        for j in range(columns)
        for k in range(4)
    ]
    return [
        Part(box((0, 0.01, (height + 0.08) / 2), (width, depth - 0.02, height - 0.08)), grey(random, 0.3, 0.7)),
        Part(joined(panels), paint),
        Part(joined([*handles, *slots]), BLACK),
        Part(legs(width, depth, 0.1, 0.04), BLACK),
    ]


def shelf(random: np.random.Generator) -> list[Part]:
    """Open steel or wooden shelves on four posts, boxes on some."""
    width, depth, height = random.uniform(0.7, 1.2), random.uniform(0.35, 0.5), random.uniform(1.4, 2.0)
    levels = np.linspace(0.12, height - 0.02, int(random.integers(4, 6)))
    posts = [
        box((i * (width / 2 - 0.015), j * (depth / 2 - 0.015), height / 2), (0.03, 0.03, height))
        for i in (-1, 1)
        for j in (-1, 1)
    ]
    boards = [box((0, 0, z), (width, depth, 0.025)) for z in levels]
    boxes = [
        box((random.uniform(-0.25, 0.25) * width, 0, z + 0.0125 + high / 2), (random.uniform(0.2, 0.4), depth * 0.8, high))
        for z in levels[:-1]
        for high in [random.uniform(0.12, 0.24)]
    ]
    material = metal(random) if random.random() < 0.5 else wood(random)
    return [
        Part(joined(posts), material),
        Part(joined(boards), material if random.random() < 0.5 else wood(random)),
        Part(joined(boxes), Material("plaster", (0.46, 0.30, 0.17))),
    ]


KINDS = {
    "sideboard": Kind(sideboard, "floor", carries=True),
    "tv cabinet": Kind(tv_cabinet, "floor", carries=True),
    "cabinet": Kind(cabinet, "floor"),
    "file cabinet": Kind(file_cabinet, "floor", carries=True),
    "display cabinet": Kind(display_cabinet, "floor"),
    "locker": Kind(locker, "floor"),
    "shelf": Kind(shelf, "floor"),
}
