"""Seats other than those of shapes/seating, racks, a cart, a screen."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, about, cloth, legs, metal, plastic, rod, soft, standing, wood
from magic3d_ros.sources.room.shapes.varied.joinery import boards
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, sphere, tilt_matrix, tube, yaw_matrix


def bench(random: np.random.Generator) -> list[Part]:
    """Slats on two frames, with a back half of the time."""
    width, seat = random.uniform(1.0, 1.6), about(random, 0.44, 0.06)
    slats = [box((0, y, seat), (width, 0.09, 0.025), 0.004) for y in (-0.16, -0.05, 0.06, 0.17)]
    if random.random() < 0.5:
        slats += [box((0, 0.22 + 0.2 * (z - seat), z), (width, 0.022, 0.09)) for z in (seat + 0.18, seat + 0.3, seat + 0.42)]
        backs = [capsule((s * width * 0.4, 0.2, 0), (s * width * 0.4, 0.32, seat + 0.46), 0.02) for s in (-1, 1)]
    else:
        backs = [box((s * width * 0.4, 0.16, seat / 2), (0.05, 0.05, seat)) for s in (-1, 1)]
    fronts = [box((s * width * 0.4, -0.16, seat / 2), (0.05, 0.05, seat)) for s in (-1, 1)]
    bars = [box((s * width * 0.4, 0, seat - 0.03), (0.05, 0.36, 0.035)) for s in (-1, 1)]
    return standing(
        [
            Part(joined(slats), wood(random)),
            Part(joined([*fronts, *backs, *bars]), metal(random) if random.random() < 0.5 else wood(random)),
        ]
    )


def ottoman(random: np.random.Generator) -> list[Part]:
    """A padded seat without a back: a drum or a block on short legs."""
    height, fabric = random.uniform(0.36, 0.46), cloth(random)
    if random.random() < 0.5:
        radius = random.uniform(0.24, 0.34)
        return standing([Part(soft((0, 0, height / 2), (2 * radius, 2 * radius, height), 0.45), fabric)])
    width, depth = random.uniform(0.5, 0.9), random.uniform(0.4, 0.55)
    return [
        Part(box((0, 0, 0.1 + (height - 0.1) / 2), (width, depth, height - 0.1), 0.04), fabric),
        Part(legs(width - 0.08, depth - 0.08, 0.12, 0.05, True), wood(random)),
    ]


def office_chair(random: np.random.Generator) -> list[Part]:
    """Five castors on a star, a gas spring, a seat, a curved back, arm rests most often."""
    seat, fabric = random.uniform(0.44, 0.52), cloth(random) if random.random() < 0.5 else BLACK
    frame, tall = BLACK if random.random() < 0.7 else metal(random), random.uniform(0.42, 0.7)
    star = [capsule((0, 0, 0.11), (0.30 * np.cos(a), 0.30 * np.sin(a), 0.075), 0.024, 0.016) for a in np.arange(5) * 1.2566 + 0.3]
    star += [sphere((0.30 * np.cos(a), 0.30 * np.sin(a), 0.032), 0.032, 12) for a in np.arange(5) * 1.2566 + 0.3]
    star += [cylinder((0, 0, 0.09), 0.028, seat - 0.12), capsule((0, 0.1, seat - 0.04), (0, 0.27, seat + 0.16), 0.02)]
    if random.random() < 0.7:
        star += [
            part
            for s in (-1, 1)
            for part in (
                capsule((s * 0.27, 0.08, seat - 0.02), (s * 0.29, 0.05, seat + 0.2), 0.016),
                box((s * 0.29, 0.0, seat + 0.21), (0.06, 0.26, 0.03), 0.012),
            )
        ]
    pad = soft((0, 0, seat), (0.50, 0.48, 0.09), 0.4)
    back = soft((0, 0, 0), (0.46, 0.08, tall), 0.45).transformed(tilt_matrix(-9), (0, 0.27, seat + 0.14 + tall / 2))
    return [Part(joined(star), frame), Part(joined([pad, back]), fabric)]


def coat_rack(random: np.random.Generator) -> list[Part]:
    """A stand with hooks around its top, a coat or a scarf on some."""
    height, material = random.uniform(1.65, 1.85), wood(random) if random.random() < 0.6 else metal(random)
    count = int(random.integers(3, 5))
    pole = [cylinder((0, 0, 0.05), 0.02, height - 0.05)]
    for i in range(count):
        turn = yaw_matrix(360 / count * i)
        pole.append(capsule((0, 0, 0.14), (0.24, 0, 0.015), 0.017).transformed(turn))
        pole.append(tube([(0.015, 0, height - 0.2), (0.13, 0, height - 0.1), (0.15, 0, height - 0.02)], 0.012).transformed(turn))
        pole.append(tube([(0.015, 0, height - 0.5), (0.10, 0, height - 0.44), (0.12, 0, height - 0.38)], 0.010).transformed(turn))
    coats = [
        Part(
            soft((0, 0, 0), (0.34, 0.16, 0.95), 0.6).transformed(
                yaw_matrix(random.uniform(0, 360)), (0.1 * np.cos(a), 0.1 * np.sin(a), height - 0.6)
            ),
            cloth(random),
        )
        for a in random.uniform(0, 6.28, int(random.integers(0, 3)))
    ]
    return standing([Part(joined(pole), material), *coats])


def shoe_rack(random: np.random.Generator) -> list[Part]:
    """Slanted bars in two or three rows with pairs of shoes."""
    width, rows = random.uniform(0.6, 0.9), int(random.integers(2, 4))
    frame = [box((s * width / 2, 0, rows * 0.11), (0.025, 0.28, rows * 0.22)) for s in (-1, 1)]
    frame += [
        rod((-width / 2, y, 0.08 + 0.22 * i + dz), (width / 2, y, 0.08 + 0.22 * i + dz), 0.008)
        for i in range(rows)
        for y, dz in ((-0.1, 0.0), (0.0, 0.025), (0.1, 0.05))
    ]
    parts = [Part(joined(frame), wood(random) if random.random() < 0.5 else metal(random))]
    for i in range(rows):
        for x in np.arange(-width / 2 + 0.13, width / 2 - 0.1, 0.24):
            if random.random() < 0.75:
                pair = [soft((x + s * 0.05, -0.01, 0.15 + 0.22 * i), (0.085, 0.26, 0.07), 0.7) for s in (-1, 1)]
                pair += [soft((x + s * 0.05, 0.06, 0.18 + 0.22 * i), (0.075, 0.12, 0.10), 0.6) for s in (-1, 1)]
                parts.append(Part(joined(pair), plastic(random)))
    return parts


def serving_cart(random: np.random.Generator) -> list[Part]:
    """Two or three trays on a frame with wheels and a push bar."""
    width, depth, height, frame = random.uniform(0.6, 0.85), random.uniform(0.4, 0.5), random.uniform(0.75, 0.9), metal(random)
    posts = [
        rod((i * width / 2, j * depth / 2, 0.08), (i * width / 2, j * depth / 2, height), 0.011) for i in (-1, 1) for j in (-1, 1)
    ]
    posts += [
        tube(
            [
                (width / 2, -depth / 2, height),
                (width / 2 + 0.09, -depth / 2, height + 0.05),
                (width / 2 + 0.09, depth / 2, height + 0.05),
                (width / 2, depth / 2, height),
            ],
            0.011,
        )
    ]
    wheels = [
        rod((i * width / 2, j * depth / 2 - 0.012, 0.045), (i * width / 2, j * depth / 2 + 0.012, 0.045), 0.045)
        for i in (-1, 1)
        for j in (-1, 1)
    ]
    levels = np.linspace(0.16, height - 0.03, int(random.integers(2, 4)))
    trays = [box((0, 0, z), (width, depth, 0.018)) for z in levels]
    rims = [box((0, j * depth / 2, z + 0.03), (width, 0.008, 0.05)) for z in levels[:-1] for j in (-1, 1)]
    return [Part(joined([*posts, *rims]), frame), Part(joined(wheels), BLACK), Part(joined(trays), boards(random))]


def room_divider(random: np.random.Generator) -> list[Part]:
    """Three or four folding panels of paper or cloth in frames."""
    panels, wide, height = int(random.integers(3, 5)), random.uniform(0.4, 0.5), random.uniform(1.5, 1.8)
    fold, frames, sheets, x, y = random.uniform(24, 36), [], [], 0.0, 0.0
    for i in range(panels):
        turn = yaw_matrix(fold if i % 2 else -fold)
        bars = [box((wide / 2 + s * (wide / 2 - 0.014), 0, height / 2), (0.028, 0.026, height)) for s in (-1, 1)]
        bars += [box((wide / 2, 0, z), (wide, 0.022, 0.028)) for z in np.linspace(0.05, height - 0.014, 4)]
        frames.append(joined(bars).transformed(turn, (x, y, 0)))
        sheets.append(box((wide / 2, 0, height / 2 + 0.02), (wide - 0.03, 0.006, height - 0.06)).transformed(turn, (x, y, 0)))
        x, y = x + wide * turn[0, 0], y + wide * turn[1, 0]
    return standing(
        [
            Part(joined(frames), wood(random)),
            Part(joined(sheets), cloth(random) if random.random() < 0.5 else Material("canvas", (0.9, 0.86, 0.75))),
        ]
    )


KINDS = {
    "bench": Kind(bench, "floor"),
    "ottoman": Kind(ottoman, "middle"),
    "office chair": Kind(office_chair, "middle"),
    "coat rack": Kind(coat_rack, "floor"),
    "shoe rack": Kind(shoe_rack, "floor"),
    "serving cart": Kind(serving_cart, "middle"),
    "room divider": Kind(room_divider, "floor"),
}
