"""Games, toys of animals, and what people watch the sky with."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    legs,
    lying,
    metal,
    open_box,
    plastic,
    rod,
    soft,
    standing,
    toned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, revolved, sphere


def billiard_table(random: np.random.Generator) -> list[Part]:
    """Cloth between wooden cushions with six pockets, balls, a cue."""
    length, width, frame = random.uniform(1.7, 2.1), random.uniform(0.95, 1.1), wood(random)
    rims = (
        [box((0, s * (width / 2 - 0.06), 0.8), (length, 0.12, 0.08), 0.01) for s in (-1, 1)]
        + [box((s * (length / 2 - 0.06), 0, 0.8), (0.12, width, 0.08), 0.01) for s in (-1, 1)]
        + [box((0, 0, 0.70), (length - 0.1, width - 0.1, 0.14))]
    )
    pockets = [
        cylinder((x, s * (width / 2 - 0.115), 0.78), 0.055, 0.063)
        for s in (-1, 1)
        for x in (-length / 2 + 0.115, 0, length / 2 - 0.115)
    ]
    balls = [
        Part(sphere((random.uniform(-0.35, 0.35) * length, random.uniform(-0.3, 0.3) * width, 0.815), 0.028, 16), bright(random))
        for _ in range(8)
    ] + [Part(sphere((0.2, 0.1, 0.815), 0.028, 16), WHITE)]
    cue = Part(rod((-length * 0.35, -0.2, 0.82), (length * 0.3, 0.22, 0.83), 0.014, 0.006), Material("pine", repeat=2.0))
    cloth_colour = Material("linen", (0.03, 0.32, 0.12) if random.random() < 0.75 else (0.03, 0.15, 0.4), repeat=5.0)
    return standing(
        [
            Part(joined([*rims, legs(length - 0.2, width - 0.2, 0.64, 0.12)]), frame),
            Part(box((0, 0, 0.775), (length - 0.22, width - 0.22, 0.02)), cloth_colour),
            Part(joined(pockets), BLACK),
            *balls,
            cue,
        ]
    )


def telescope(random: np.random.Generator) -> list[Part]:
    """A tube on a tripod, looking up."""
    paint, high = WHITE if random.random() < 0.5 else plastic(random), random.uniform(0.85, 1.1)
    feet = [
        capsule((0, 0, high - 0.05), (0.38 * np.cos(a), 0.38 * np.sin(a), 0.012), 0.018, 0.012)
        for a in np.arange(3) * 2.094 + 0.5
    ]
    d = np.array([0.2, -0.8, 0.55])
    d /= np.linalg.norm(d)
    p = np.array([0, 0, high + 0.06])
    tube_of = [rod(p - d * 0.35, p + d * 0.4, 0.05, segments=28), rod(p + d * 0.4, p + d * 0.55, 0.062, segments=28)]
    dark = [
        rod(p - d * 0.35, p - d * 0.47, 0.025),
        rod(p - d * 0.47, p - d * 0.47 + [0, 0, 0.08], 0.018),
        rod(p - d * 0.3 + [0, 0, 0.08], p - d * 0.05 + [0, 0, 0.08], 0.016),
        cylinder((0, 0, high - 0.08), 0.035, 0.1),
    ]
    return standing(
        [
            Part(joined(feet), metal(random) if random.random() < 0.6 else wood(random)),
            Part(joined(tube_of), paint),
            Part(joined(dark), BLACK),
        ]
    )


def tripod(random: np.random.Generator) -> list[Part]:
    """Three legs in two sections, a column, a pan head with a handle; a camera on some."""
    high = random.uniform(1.0, 1.4)
    bodies = [
        part
        for a in np.arange(3) * 2.094 + 0.5
        for part in (
            capsule((0.03 * np.cos(a), 0.03 * np.sin(a), high - 0.15), (0.22 * np.cos(a), 0.22 * np.sin(a), high * 0.45), 0.016),
            capsule((0.22 * np.cos(a), 0.22 * np.sin(a), high * 0.45), (0.38 * np.cos(a), 0.38 * np.sin(a), 0.011), 0.011),
        )
    ]
    bodies += [
        cylinder((0, 0, high * 0.5), 0.012, high * 0.48),
        box((0, 0, high), (0.08, 0.08, 0.06), 0.01),
        capsule((0, 0.04, high), (0.02, 0.2, high - 0.08), 0.010),
    ]
    parts = [Part(joined(bodies), BLACK if random.random() < 0.7 else STEEL)]
    if random.random() < 0.4:
        parts.append(
            Part(
                joined(
                    [
                        box((0, 0, high + 0.08), (0.14, 0.06, 0.09), 0.012),
                        rod((0, -0.03, high + 0.08), (0, -0.12, high + 0.08), 0.035),
                    ]
                ),
                BLACK,
            )
        )
    return standing(parts)


def balloon(random: np.random.Generator) -> list[Part]:
    """One to four, tied to a weight with strings."""
    parts, strings = [], []
    for _ in range(int(random.integers(1, 5))):
        a, spread, high, r = (
            random.uniform(0, 6.28),
            random.uniform(0.05, 0.22),
            random.uniform(0.3, 0.6),
            random.uniform(0.1, 0.14),
        )
        x, y = spread * np.cos(a), spread * np.sin(a)
        body = revolved(
            [(0, -1.3), (0.05, -1.27), (0.4, -0.95), (0.8, -0.5), (1.0, 0.1), (0.86, 0.62), (0.5, 0.92), (0, 1.05)], 24, 0.2
        ).transformed(scale=r, translation=(x, y, high))
        parts.append(Part(body, bright(random)))
        strings.append(rod((0, 0, 0.02), (x, y, high - 1.28 * r), 0.0015, segments=5))
    return standing([*parts, Part(joined([*strings, cylinder((0, 0, 0), 0.03, 0.03)]), WHITE)])


def board_game(random: np.random.Generator) -> list[Part]:
    """A chess board with its men, or a printed box."""
    if random.random() < 0.4:
        w, h = random.uniform(0.26, 0.4), random.uniform(0.05, 0.08)
        return standing(
            [
                Part(box((0, 0, h / 2), (w, w * 0.75, h)), bright(random)),
                Part(lying((0, 0, h + 0.001), w, w * 0.75), Material(f"package:{int(random.integers(100))}")),
            ]
        )
    s = random.uniform(0.04, 0.055)
    squares = [box((s * (i - 3.5), s * (j - 3.5), 0.0205), (s, s, 0.001)) for i in range(8) for j in range(8) if (i + j) % 2 == 0]
    sides: list[list[Triangles]] = [[], []]
    for side, rows in ((0, (0, 1)), (1, (7, 6))):
        for k, row in enumerate(rows):
            for i in range(8):
                if random.random() < 0.8:
                    j = row if random.random() < 0.7 else row + (1, -1)[side] * int(random.integers(1, 3))
                    high = s * (0.8 if k else (1.0, 1.15, 1.3, 1.7)[min(i, 7 - i)])
                    sides[side].append(
                        revolved(
                            [
                                (0, 0),
                                (s * 0.32, 0),
                                (s * 0.3, high * 0.1),
                                (s * 0.13, high * 0.35),
                                (s * 0.1, high * 0.65),
                                (s * 0.22, high * 0.75),
                                (s * 0.2, high * 0.95),
                                (0, high),
                            ],
                            12,
                            0.05,
                        ).transformed(translation=(s * (i - 3.5), s * (j - 3.5), 0.021))
                    )
    return standing(
        [
            Part(box((0, 0, 0.01), (s * 8.8, s * 8.8, 0.02)), wood(random)),
            Part(box((0, 0, 0.0201), (s * 8, s * 8, 0.001)), Material("pine", (1.1, 1.1, 1.1))),
            Part(joined(squares), Material("walnut", (0.6, 0.6, 0.6))),
            Part(joined(sides[0]), WHITE),
            Part(joined(sides[1]), BLACK),
        ]
    )


def cat_tree(random: np.random.Generator) -> list[Part]:
    """Platforms and a hut of plush on posts wound with rope."""
    plush, rope = (
        toned(random, Material("carpet", repeat=4.0), 1.3, 1.15, 0.95, 0.3),
        Material("wicker", (1.0, 0.9, 0.7), repeat=8.0),
    )
    height = random.uniform(0.9, 1.35)
    boards = [
        box((0, 0, 0.025), (0.5, 0.42, 0.05), 0.01),
        box((-0.08, 0.02, height * 0.5), (0.34, 0.34, 0.04), 0.01),
        box((0.1, 0, height), (0.34, 0.34, 0.04), 0.01),
        open_box((0.3, 0.3, 0.25), 0.02).transformed(translation=(-0.08, 0.02, height * 0.5 + 0.02)),
        soft((0.1, 0, height + 0.05), (0.34, 0.34, 0.08), 0.5),
    ]
    posts = [
        cylinder((x, y, 0.04), 0.045, high)
        for x, y, high in ((0.14, 0.06, height - 0.05), (-0.16, 0.1, height * 0.5 - 0.05), (-0.02, -0.08, height * 0.5 - 0.05))
    ]
    toy = [rod((0.2, -0.1, height), (0.2, -0.1, height - 0.2), 0.002, segments=5), sphere((0.2, -0.1, height - 0.22), 0.03, 14)]
    return standing(
        [
            Part(joined(boards), plush),
            Part(joined(posts), rope),
            Part(joined(toy), bright(random)),
            Part(rod((-0.08, -0.1315, height * 0.5 + 0.14), (-0.08, -0.133, height * 0.5 + 0.14), 0.085), BLACK),
        ]
    )


KINDS = {
    "billiard table": Kind(billiard_table, "middle"),
    "telescope": Kind(telescope, "middle"),
    "tripod": Kind(tripod, "middle"),
    "balloon": Kind(balloon, "top"),
    "board game": Kind(board_game, "top"),
    "cat tree": Kind(cat_tree, "floor"),
}
