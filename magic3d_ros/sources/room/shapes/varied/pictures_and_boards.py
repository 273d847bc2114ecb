"""Pictures and boards on walls; their backs on y = 0."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    front,
    grey,
    hanging,
    metal,
    plastic,
    rod,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, joined, sphere, tilt_matrix, tube


def bars_around(width: float, height: float, rim: float, depth: float = 0.025) -> Triangles:
    """Four bars around a picture of width x height whose middle is the origin, the picture's face at y = -depth / 2."""
    bars = [box((0, -depth / 2, s * (height + rim) / 2), (width + 2 * rim, depth, rim), 0.004) for s in (-1, 1)]
    return joined([*bars, *[box((s * (width + rim) / 2, -depth / 2, 0), (rim, depth, height), 0.004) for s in (-1, 1)]])


def plate(width: float, height: float, depth: float) -> Triangles:
    """A flat box around x = z = 0, its back on y = 0."""
    return box((0, -depth / 2, 0), (width, depth, height))


def picture_frame(random: np.random.Generator) -> list[Part]:
    """A photograph in a frame, on a white mount most often."""
    width, height = random.uniform(0.18, 0.4), random.uniform(0.18, 0.5)
    mount = random.uniform(0.6, 0.8) if random.random() < 0.6 else 1.0
    picture = Material(
        f"{('painting', 'window_view')[int(random.integers(2))]}:{int(random.integers(6))}",
        (1, 1, 1) if random.random() < 0.6 else (0.8, 0.7, 0.6),
    )
    return hanging(
        [
            Part(
                bars_around(width, height, random.uniform(0.012, 0.03)),
                wood(random) if random.random() < 0.5 else plastic(random),
            ),
            Part(plate(width, height, 0.012), WHITE),
            Part(front((0, -0.0125, 0), width * mount, height * mount), picture),
        ]
    )


def painting(random: np.random.Generator) -> list[Part]:
    """A large canvas, framed in gold or wood, or bare."""
    width, height = random.uniform(0.5, 1.3), random.uniform(0.45, 0.9)
    picture = Material(f"painting:{int(random.integers(8))}").tinted(tuple(random.uniform(0.7, 1.1, 3).tolist()))
    parts = [Part(plate(width, height, 0.02), WHITE), Part(front((0, -0.0205, 0), width, height), picture)]
    if random.random() < 0.7:
        frame = Material("brushed", (0.75, 0.52, 0.18)) if random.random() < 0.4 else wood(random)
        parts.append(Part(bars_around(width, height, random.uniform(0.03, 0.08), 0.05), frame))
    return hanging(parts)


def poster(random: np.random.Generator) -> list[Part]:
    """A large print without a frame: a picture with words."""
    width = random.uniform(0.42, 0.85)
    return hanging(
        [
            Part(plate(width, width * 1.41, 0.003), WHITE),
            Part(front((0, -0.0035, 0), width * 0.97, width * 1.37), Material(f"package:{int(random.integers(200))}")),
        ]
    )


def map_print(random: np.random.Generator) -> list[Part]:
    """A map of the world between two rods."""
    width = random.uniform(0.7, 1.4)
    rods = [
        rod((-width / 2 - 0.02, -0.012, s * width * 0.26), (width / 2 + 0.02, -0.012, s * width * 0.26), 0.012) for s in (-1, 1)
    ]
    sheet = front((0, -0.0045, 0), width, width * 0.5)
    flipped = Triangles(
        sheet.positions, sheet.normals, sheet.uv * np.array([1, -1], np.float32) + np.array([0, 1], np.float32)
    )  # the south pole is first
    return hanging(
        [
            Part(plate(width, width * 0.5, 0.003), WHITE),
            Part(flipped, Material(f"globe:{int(random.integers(6))}")),
            Part(joined(rods), wood(random)),
        ]
    )


def whiteboard(random: np.random.Generator) -> list[Part]:
    """A white board in an aluminium frame, a tray with pens, written on or clean."""
    width, height = random.uniform(0.9, 1.8), random.uniform(0.7, 1.1)
    tray = box((0, -0.05, -height / 2 - 0.01), (width * 0.5, 0.07, 0.012))
    pens = [
        Part(rod((x, -0.055, -height / 2 + 0.004), (x + 0.12, -0.055, -height / 2 + 0.004), 0.009, segments=10), bright(random))
        for x in (-0.15, 0.05)
    ]
    face = Material(f"whiteboard:{int(random.integers(6))}") if random.random() < 0.7 else WHITE
    return hanging(
        [
            Part(plate(width, height, 0.015), WHITE),
            Part(front((0, -0.0155, 0), width, height), face),
            Part(joined([bars_around(width, height, 0.025), tray]), STEEL),
            *pens,
        ]
    )


def blackboard(random: np.random.Generator) -> list[Part]:
    """Dark green or black slate in a wooden frame with chalk."""
    width, height = random.uniform(0.8, 2.0), random.uniform(0.6, 1.1)
    slate = Material("plaster", (0.03, 0.09, 0.06) if random.random() < 0.5 else (0.03, 0.03, 0.035))
    lines = []
    for row in range(int(random.integers(2, 6))):
        x, z = -width * 0.4, height * (0.3 - 0.14 * row)
        points = [
            (x + 0.02 * i, -0.0215, z + 0.02 * float(np.sin(i * 1.9 + random.uniform(-0.8, 0.8))))
            for i in range(int(random.integers(8, max(10, int(width * 32)))))
        ]
        lines.append(tube(points, 0.0025, 4))
    ledge = box((0, -0.05, -height / 2 - 0.02), (width, 0.06, 0.015))
    return hanging(
        [
            Part(plate(width, height, 0.02), slate),
            Part(joined([bars_around(width, height, 0.05, 0.03), ledge]), wood(random)),
            Part(joined(lines), Material("", (0.75, 0.75, 0.72))),
        ]
    )


def notice_board(random: np.random.Generator) -> list[Part]:
    """Cork or felt with sheets and notes pinned on."""
    width, height = random.uniform(0.6, 1.3), random.uniform(0.5, 0.9)
    parts = [Part(bars_around(width, height, 0.03), wood(random) if random.random() < 0.7 else STEEL)]
    if random.random() < 0.5:
        return hanging(
            [
                *parts,
                Part(plate(width, height, 0.01), WHITE),
                Part(front((0, -0.0105, 0), width, height), Material(f"notices:{int(random.integers(6))}")),
            ]
        )
    felt = (
        Material("carpet", bright(random, (0.3, 0.7), (0.4, 0.8), (0.2, 0.5)).tint, repeat=4.0)
        if random.random() < 0.5
        else Material("carpet", (1.3, 0.85, 0.45), repeat=4.0)
    )
    parts.append(Part(plate(width, height, 0.012), felt))
    for i in range(int(random.integers(4, 9))):
        x, z = random.uniform(-0.38, 0.38) * width, random.uniform(-0.3, 0.3) * height
        parts.append(
            Part(
                front((x, -0.0135 - 0.0006 * i, z), 0.15, 0.21),
                Material(f"document:{int(random.integers(12))}")
                if random.random() < 0.6
                else Material(f"package:{int(random.integers(60))}"),
            )
        )
        parts.append(Part(sphere((x, -0.018, z + 0.09), 0.007, 10), bright(random)))
    return hanging(parts)


def flip_chart(random: np.random.Generator) -> list[Part]:
    """A board on three legs with a pad of large sheets, written on."""
    height = random.uniform(1.65, 1.85)
    pad = [
        Part(box((0, 0, 0), (0.70, 0.02, 1.0)), WHITE),
        Part(box((0, -0.02, 0), (0.66, 0.02, 0.94)), WHITE),
        Part(
            front((0, -0.031, -0.02), 0.64, 0.88),
            Material(f"document:{int(random.integers(12))}")
            if random.random() < 0.5
            else Material(f"whiteboard:{int(random.integers(6))}"),
        ),
        Part(box((0, -0.035, 0.47), (0.68, 0.02, 0.05)), grey(random)),
    ]
    lean = tilt_matrix(-8)
    parts = [Part(p.triangles.transformed(lean, (0, 0, height - 0.55)), p.material) for p in pad]
    feet = [capsule((s * 0.25, 0.05, height - 0.2), (s * 0.38, -0.28, 0.014), 0.014) for s in (-1, 1)] + [
        capsule((0, 0.1, height - 0.1), (0, 0.45, 0.014), 0.014),
        box((0, -0.1, height - 1.08), (0.66, 0.07, 0.02)),
    ]
    return [*parts, Part(joined(feet), metal(random))]


def projection_screen(random: np.random.Generator) -> list[Part]:
    """A white cloth pulled down from a case, black along its edges; a picture on some."""
    width = random.uniform(1.3, 2.0)
    height = width * random.uniform(0.6, 0.75)
    picture = (
        Material(f"screen:{int(random.integers(4))}", (0.8, 0.8, 0.8), 0.5)
        if random.random() < 0.4
        else Material("canvas", (0.95, 0.95, 0.95))
    )
    return hanging(
        [
            Part(box((0, -0.05, height / 2 + 0.05), (width + 0.12, 0.1, 0.1), 0.02), WHITE),
            Part(box((0, -0.05, 0), (width + 0.08, 0.004, height + 0.06)), BLACK),
            Part(front((0, -0.0535, 0), width, height), picture),
            Part(
                rod((-width / 2 - 0.05, -0.05, -height / 2 - 0.04), (width / 2 + 0.05, -0.05, -height / 2 - 0.04), 0.012), STEEL
            ),
        ]
    )


KINDS = {
    "picture frame": Kind(picture_frame, "wall", low=(1.0, 1.6)),
    "painting": Kind(painting, "wall", low=(1.0, 1.4)),
    "poster": Kind(poster, "wall", low=(0.8, 1.2)),
    "map": Kind(map_print, "wall", low=(1.0, 1.4)),
    "whiteboard": Kind(whiteboard, "wall", low=(0.8, 1.0)),
    "blackboard": Kind(blackboard, "wall", low=(0.8, 1.0)),
    "notice board": Kind(notice_board, "wall", low=(0.9, 1.3)),
    "flip chart": Kind(flip_chart, "middle"),
    "projection screen": Kind(projection_screen, "wall", low=(0.8, 1.0)),
}
