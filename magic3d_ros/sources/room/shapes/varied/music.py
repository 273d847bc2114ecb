"""Instruments."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    about,
    bright,
    grey,
    lying,
    metal,
    ring,
    rod,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, revolved, tilt_matrix


def _plate_of(outline: list[tuple[float, float]], thick: float) -> Triangles:
    """An upright flat body: half widths at heights from bottom to top, rounded by a revolved profile pressed flat."""
    body = revolved([(0, outline[0][1]), *outline, (0, outline[-1][1])], 40, 0.02)
    widest = max(w for w, _ in outline)
    flat = body.positions.copy()
    across = np.abs(flat[:, 1]) / widest
    flat[:, 1] = np.sign(flat[:, 1]) * np.minimum(across * 6, 1.0) * thick / 2
    normals = body.normals * np.array([1, 0.3, 1], np.float32)
    faces = np.abs(flat[:, 1]) > thick * 0.49
    normals[faces] = np.stack([np.zeros(faces.sum()), np.sign(flat[faces, 1]), np.zeros(faces.sum())], 1)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return Triangles(flat, (normals / np.maximum(length, 1e-9)).astype(np.float32), flat[:, [2, 0]].copy())


def _strings(x: float, y: float, low: float, high: float, count: int) -> Triangles:
    return joined(
        rod((x * (i - (count - 1) / 2), y, low), (x * (i - (count - 1) / 2), y, high), 0.0012, segments=5) for i in range(count)
    )


def guitar(random: np.random.Generator) -> list[Part]:
    """On a stand: acoustic with a round hole, or electric with horns and pickups."""
    body_wood, neck = wood(random), Material("walnut", (0.6, 0.55, 0.5), repeat=3.0)
    bits = [box((0, -0.005, 0.72), (0.05, 0.022, 0.42)), box((0, -0.002, 0.98), (0.075, 0.016, 0.14))]
    pegs = [rod((s * 0.036, 0, z), (s * 0.062, 0, z), 0.008, segments=8) for s in (-1, 1) for z in (0.94, 0.98, 1.02)]
    stand = [capsule((s * 0.03, 0.10, 0.5), (s * 0.2, -0.1, 0.01), 0.011) for s in (-1, 1)] + [
        capsule((0, 0.10, 0.5), (0, 0.28, 0.01), 0.011),
        capsule((0, 0.1, 0.5), (0, 0.06, 0.62), 0.011),
        rod((-0.12, -0.06, 0.09), (0.12, -0.06, 0.09), 0.012),
    ]
    if random.random() < 0.55:
        outline = [
            (0.06, 0.08),
            (0.15, 0.10),
            (0.19, 0.17),
            (0.195, 0.24),
            (0.16, 0.33),
            (0.13, 0.39),
            (0.145, 0.46),
            (0.14, 0.53),
            (0.09, 0.57),
            (0.03, 0.58),
        ]
        body, extra = (
            _plate_of(outline, 0.1),
            [rod((0, -0.05, 0.41), (0, -0.0515, 0.41), 0.048), box((0, -0.055, 0.22), (0.13, 0.012, 0.02))],
        )
        paint = body_wood
        y = -0.058
    else:
        outline = [
            (0.05, 0.10),
            (0.13, 0.12),
            (0.165, 0.19),
            (0.16, 0.25),
            (0.12, 0.33),
            (0.12, 0.38),
            (0.15, 0.45),
            (0.12, 0.52),
            (0.05, 0.50),
            (0.03, 0.50),
        ]
        body, extra = (
            _plate_of(outline, 0.045),
            [box((0, -0.026, z), (0.085, 0.01, 0.03)) for z in (0.27, 0.36)]
            + [cylinder((0, 0, 0), 0.012, 0.012).transformed(tilt_matrix(90), (0.09, -0.022, z)) for z in (0.2, 0.25)],
        )
        paint, y = bright(random) if random.random() < 0.7 else BLACK, -0.032
    parts = [
        Part(body, paint),
        Part(joined(bits), neck),
        Part(joined(extra), BLACK),
        Part(joined([*pegs, _strings(0.007, y, 0.22, 0.95, 6)]), STEEL),
    ]
    return standing([*turned(parts, tilt_matrix(-10)), Part(joined(stand), BLACK)])


def violin(random: np.random.Generator) -> list[Part]:
    """Lying, its bow beside it."""
    outline = [
        (0.04, 0.0),
        (0.085, 0.015),
        (0.102, 0.07),
        (0.085, 0.13),
        (0.056, 0.165),
        (0.056, 0.2),
        (0.078, 0.24),
        (0.084, 0.29),
        (0.06, 0.34),
        (0.015, 0.355),
    ]
    varnish = Material("pine", (0.75, 0.32, 0.1), repeat=4.0).tinted((about(random, 0.9, 0.3),) * 3)
    parts = [
        Part(_plate_of(outline, 0.035), varnish),
        Part(
            joined(
                [
                    box((0, -0.022, 0.4), (0.026, 0.014, 0.26)),
                    box((0, -0.022, 0.07), (0.03, 0.01, 0.11)),
                    *[capsule((s * 0.035, -0.018, 0.11), (s * 0.028, -0.018, 0.18), 0.002, segments=6) for s in (-1, 1)],
                    *[rod((s * 0.01, 0, z), (s * 0.035, 0, z), 0.006, segments=8) for s in (-1, 1) for z in (0.55, 0.57)],
                    ring((0, 0.0, 0.59), 0.012, 0.012),
                ]
            ),
            BLACK,
        ),
        Part(joined([box((0, -0.03, 0.175), (0.05, 0.028, 0.005)), _strings(0.006, -0.04, 0.12, 0.52, 4)]), WHITE),
    ]
    stick = [
        Part(rod((0.15, -0.01, 0.0), (0.16, -0.01, 0.62), 0.004), wood(random)),
        Part(rod((0.16, -0.01, 0.02), (0.168, -0.01, 0.6), 0.0025), WHITE),
    ]
    return standing(turned([*parts, *stick], tilt_matrix(-90)))


def _keys(width: float, y: float, z: float, depth: float) -> list[Part]:
    count = round(width / 0.0235)
    white = [box((0.0235 * (i - (count - 1) / 2), y, z), (0.0222, depth, 0.02)) for i in range(count)]
    black = [
        box((0.0235 * (i + 0.5 - (count - 1) / 2), y + depth * 0.18, z + 0.014), (0.012, depth * 0.62, 0.016))
        for i in range(count - 1)
        if i % 7 not in (2, 6)
    ]
    return [Part(joined(white), WHITE), Part(joined(black), BLACK)]


def music_keyboard(random: np.random.Generator) -> list[Part]:
    """A keyboard with a panel and two loudspeakers on crossed legs."""
    width, case, height = random.uniform(0.8, 1.25), BLACK if random.random() < 0.7 else WHITE, random.uniform(0.7, 0.8)
    body = joined(
        [box((0, 0.06, height + 0.02), (width + 0.06, 0.18, 0.07), 0.008), box((0, -0.09, height), (width + 0.06, 0.14, 0.03))]
    )
    cross = [
        capsule((i * width * 0.36, -0.1 + j, 0.02), (-i * width * 0.36, -0.1 + j, height - 0.03), 0.016)
        for i in (-1, 1)
        for j in (0.0, 0.16)
    ] + [rod((s * width * 0.36, -0.2, 0.02), (s * width * 0.36, 0.18, 0.02), 0.016) for s in (-1, 1)]
    panel = [
        Part(lying((0, 0.07, height + 0.056), width * 0.4, 0.1), Material(f"buttons:{int(random.integers(8))}")),
        Part(joined([cylinder((s * width * 0.38, 0.07, height + 0.05), 0.05, 0.006) for s in (-1, 1)]), grey(random, 0.05, 0.2)),
    ]
    return standing([Part(body, case), *_keys(width, -0.09, height + 0.02, 0.13), *panel, Part(joined(cross), metal(random))])


def piano(random: np.random.Generator) -> list[Part]:
    """Upright: keys on a ledge, a music stand, pedals, a stool before some."""
    width, height, case = 1.45, random.uniform(1.1, 1.25), BLACK if random.random() < 0.5 else wood(random)
    body = [
        box((0, 0.12, height / 2), (width, 0.34, height), 0.01),
        box((0, -0.18, 0.62), (width, 0.34, 0.08)),
        box((0, 0.1, height + 0.012), (width + 0.04, 0.42, 0.03)),
        *[box((s * (width / 2 - 0.03), -0.18, 0.31), (0.06, 0.3, 0.62)) for s in (-1, 1)],
    ]
    body += [box((0, 0, 0), (0.7, 0.015, 0.24)).transformed(tilt_matrix(-15), (0, -0.08, 0.86))]
    pedals = [box((0.08 * i, -0.09, 0.05), (0.04, 0.1, 0.012)) for i in (-1, 0, 1)]
    sheets = [
        Part(box((0.11 * s, 0, 0), (0.21, 0.003, 0.29)).transformed(tilt_matrix(-15), (0, -0.095, 0.9)), Material("document:4"))
        for s in (-1, 1)
        if random.random() < 0.6
    ]
    return standing(
        [
            Part(joined(body), case),
            *_keys(1.22, -0.22, 0.665, 0.15),
            Part(joined(pedals), Material("brushed", (0.9, 0.65, 0.25))),
            *sheets,
        ]
    )


KINDS = {
    "guitar": Kind(guitar, "floor"),
    "violin": Kind(violin, "top"),
    "music keyboard": Kind(music_keyboard, "floor"),
    "piano": Kind(piano, "floor"),
}
