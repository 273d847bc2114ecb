"""Tables and desks. Measures of catalogues of furniture."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import about, bright, grey, legs, metal, rod, wood
from magic3d_ros.sources.room.shapes.varied.joinery import boards, fronts
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, cylinder, joined


def coffee_table(random: np.random.Generator) -> list[Part]:
    """Low; round or square, with or without a shelf underneath."""
    width, depth, height = random.uniform(0.8, 1.2), random.uniform(0.5, 0.7), random.uniform(0.36, 0.46)
    board = boards(random)
    if random.random() < 0.35:
        radius = random.uniform(0.36, 0.5)
        top, foot = (
            cylinder((0, 0, height - 0.03), radius, 0.03, 40),
            legs(radius * 1.2, radius * 1.2, height - 0.03, 0.04, True, 0.08),
        )
        return [Part(top, board), Part(foot, board if random.random() < 0.5 else metal(random))]
    parts = [
        Part(box((0, 0, height - 0.02), (width, depth, 0.04), 0.004), board),
        Part(
            legs(width - 0.02, depth - 0.02, height - 0.04, random.uniform(0.03, 0.07)),
            board if random.random() < 0.5 else metal(random),
        ),
    ]
    return [*parts, Part(box((0, 0, 0.14), (width - 0.08, depth - 0.08, 0.02)), board)] if random.random() < 0.5 else parts


def side_table(random: np.random.Generator) -> list[Part]:
    """A small round or square top on one column or thin legs."""
    radius, height, board = random.uniform(0.18, 0.26), random.uniform(0.45, 0.6), boards(random)
    if random.random() < 0.5:
        foot = joined([cylinder((0, 0, 0), radius * 0.7, 0.015, 32), cylinder((0, 0, 0.01), 0.018, height - 0.03)])
        return [Part(cylinder((0, 0, height - 0.02), radius, 0.02, 36), board), Part(foot, metal(random))]
    return [
        Part(box((0, 0, height - 0.012), (2 * radius, 2 * radius, 0.024)), board),
        Part(legs(2 * radius, 2 * radius, height - 0.02, 0.028), metal(random)),
    ]


def desk(random: np.random.Generator) -> list[Part]:
    """A writing desk with a block of drawers on one side."""
    width, depth, side = random.uniform(1.1, 1.7), random.uniform(0.6, 0.8), float(random.choice([-1.0, 1.0]))
    board, frame, x = boards(random), metal(random), side * (width / 2 - 0.23)
    panels, handles = fronts(x - 0.2, -depth / 2 + 0.04, 0.1, 0.4, 0.56, 3, 1)
    case = box((x, 0.01, 0.38), (0.4, depth - 0.08, 0.58))
    posts = [box((-side * (width / 2 - 0.05), y, 0.35), (0.05, 0.05, 0.7)) for y in (-depth / 2 + 0.06, depth / 2 - 0.06)]
    posts += [box((x + dx, dy, 0.05), (0.04, 0.04, 0.1)) for dx in (-0.17, 0.17) for dy in (-depth / 3, depth / 3)]
    return [
        Part(box((0, 0, 0.725), (width, depth, 0.03)), board),
        Part(joined([case, *panels]), board if random.random() < 0.5 else grey(random)),
        Part(joined([*handles, *posts]), frame),
    ]


def standing_desk(random: np.random.Generator) -> list[Part]:
    """A top on two telescopic columns with long feet, raised to stand at."""
    width, depth, height = random.uniform(1.2, 1.6), random.uniform(0.65, 0.8), random.uniform(0.95, 1.1)
    frame = [box((s * width * 0.33, 0, 0.02), (0.07, depth * 0.9, 0.04)) for s in (-1, 1)]
    frame += [box((s * width * 0.33, 0, height * 0.3), (0.08, 0.11, height * 0.6)) for s in (-1, 1)]
    frame += [box((s * width * 0.33, 0, height * 0.72), (0.06, 0.09, height * 0.5)) for s in (-1, 1)]
    frame.append(box((0, 0, height - 0.06), (width * 0.7, 0.05, 0.05)))
    return [Part(box((0, 0, height - 0.0125), (width, depth, 0.025), 0.004), boards(random)), Part(joined(frame), grey(random))]


def workbench(random: np.random.Generator) -> list[Part]:
    """A thick top on heavy legs with a shelf and a vice."""
    width, depth, height = random.uniform(1.3, 1.9), random.uniform(0.6, 0.75), random.uniform(0.82, 0.92)
    frame = joined(
        [
            legs(width - 0.1, depth - 0.06, height - 0.06, 0.09),
            box((0, 0, 0.2), (width - 0.16, depth - 0.12, 0.03)),
            box((0, depth / 2 - 0.08, height - 0.14), (width - 0.2, 0.03, 0.12)),
        ]
    )
    x = -width * 0.36
    vice = [
        box((x, -depth / 2 - 0.02, height - 0.07), (0.24, 0.05, 0.13)),
        rod((x, -depth / 2, height - 0.08), (x, -depth / 2 - 0.14, height - 0.08), 0.014),
        rod((x - 0.12, -depth / 2 - 0.13, height - 0.08), (x + 0.12, -depth / 2 - 0.13, height - 0.08), 0.009),
    ]
    return [
        Part(box((0, 0, height - 0.03), (width, depth, 0.06)), wood(random)),
        Part(frame, wood(random) if random.random() < 0.6 else bright(random)),
        Part(joined(vice), Material("", (0.10, 0.12, 0.16))),
    ]


def conference_table(random: np.random.Generator) -> list[Part]:
    """Long, with rounded ends, on two slab feet."""
    width, depth = random.uniform(1.8, 2.4), random.uniform(0.9, 1.1)
    ends = [cylinder((s * (width - depth) / 2, 0, 0.70), depth / 2, 0.04, 48) for s in (-1, 1)]
    feet = [box((s * width * 0.28, 0, 0.35), (0.08, depth * 0.55, 0.70)) for s in (-1, 1)]
    return [
        Part(joined([box((0, 0, 0.72), (width - depth, depth, 0.04)), *ends]), boards(random)),
        Part(joined(feet), boards(random)),
    ]


def reception_desk(random: np.random.Generator) -> list[Part]:
    """A high counter with a panel towards visitors and a ledge on top."""
    width, depth, height, panel = random.uniform(1.5, 2.2), 0.7, about(random, 1.1, 0.06), boards(random)
    body = [box((0, -depth / 2 + 0.03, height / 2), (width, 0.06, height))] + [
        box((s * (width / 2 - 0.03), 0, height * 0.45), (0.06, depth, height * 0.9)) for s in (-1, 1)
    ]
    strips = [box((0, -depth / 2 - 0.004, z), (width, 0.012, 0.05)) for z in (0.06, height * 0.5)]
    return [
        Part(joined(body), panel),
        Part(
            joined([box((0, -0.2, height + 0.02), (width + 0.06, 0.36, 0.04)), box((0, 0.05, 0.73), (width - 0.1, 0.6, 0.03))]),
            boards(random),
        ),
        Part(joined(strips), metal(random)),
    ]


KINDS = {
    "coffee table": Kind(coffee_table, "middle", carries=True),
    "side table": Kind(side_table, "middle", carries=True),
    "desk": Kind(desk, "floor", carries=True),
    "standing desk": Kind(standing_desk, "floor", carries=True),
    "workbench": Kind(workbench, "floor", carries=True),
    "conference table": Kind(conference_table, "middle", carries=True),
    "reception desk": Kind(reception_desk, "middle"),
}
