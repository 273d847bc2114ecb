"""What people ride."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    lying,
    ring,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, joined, tilt_matrix, tube, yaw_matrix


def skateboard(random: np.random.Generator) -> list[Part]:
    """A deck with raised ends on four wheels, or leaning on its side to show its print."""
    deck = [box((0, 0, 0.09), (0.5, 0.2, 0.012), 0.004)] + [
        soft((0, 0, 0), (0.2, 0.2, 0.012), 0.7).transformed(
            np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]), (s * 0.32, 0, 0.115)
        )
        for s, a in ((1, 0.35), (-1, -0.35))
    ]
    wheels = [rod((x, y - 0.016, 0.027), (x, y + 0.016, 0.027), 0.027) for x in (-0.19, 0.19) for y in (-0.085, 0.085)]
    trucks = [rod((x, -0.085, 0.03), (x, 0.085, 0.03), 0.01) for x in (-0.19, 0.19)] + [
        box((x, 0, 0.055), (0.05, 0.06, 0.05)) for x in (-0.19, 0.19)
    ]
    parts = [
        Part(joined(deck), wood(random) if random.random() < 0.5 else bright(random)),
        Part(joined(wheels), bright(random) if random.random() < 0.5 else WHITE),
        Part(joined(trucks), STEEL),
        Part(box((0, 0, 0.0965), (0.5, 0.19, 0.002)), BLACK),
    ]
    if random.random() < 0.4:
        parts.append(
            Part(
                lying((0, 0, -0.0835), 0.4, 0.15).transformed(np.diag([1, -1, -1])),
                Material(f"package:{int(random.integers(60))}"),
            )
        )
        return standing(turned(parts, tilt_matrix(-75)))
    return standing(turned(parts, yaw_matrix(20)))


def bicycle(random: np.random.Generator) -> list[Part]:
    """Two spoked wheels, a diamond frame, saddle, handlebars, chain and pedals, on its stand."""
    size, paint = random.uniform(0.85, 1.0), bright(random) if random.random() < 0.7 else BLACK
    r, a, b = 0.34, np.array([-0.52, 0, 0.34]), np.array([0.52, 0, 0.34])
    bottom, seat, head = np.array([-0.08, 0, 0.30]), np.array([-0.22, 0, 0.78]), np.array([0.34, 0, 0.82])
    tyres = [ring(p, r - 0.02, 0.04, True, 40) for p in (a, b)]
    spokes = [
        rod(p, p + (r - 0.03) * np.array([np.cos(t), 0, np.sin(t)]), 0.0018, segments=4)
        for p in (a, b)
        for t in np.arange(20) * np.pi / 10
    ]
    frame = [
        capsule(p, q, 0.017)
        for p, q in (
            (bottom, seat),
            (bottom, head - np.array([0.0, 0, 0.08])),
            (seat - np.array([0, 0, 0.06]), head),
            (bottom, a),
            (seat - np.array([0, 0, 0.06]), a),
            (head, b),
        )
    ]
    steel = [
        rod(seat, seat + np.array([-0.03, 0, 0.12]), 0.013),
        rod(head, head + np.array([-0.02, 0, 0.12]), 0.013),
        ring(bottom, 0.085, 0.012, True),
        *[rod(p + np.array([0, -0.03, 0]), p + np.array([0, 0.03, 0]), 0.02) for p in (a, b)],
        capsule(bottom, bottom + np.array([0.1, -0.05, -0.13]), 0.010),
        capsule(bottom, bottom + np.array([-0.1, 0.05, 0.13]), 0.010),
        capsule(a + np.array([0.05, 0.03, 0]), (-0.42, 0.14, 0.01), 0.01),
    ]
    dark = [
        soft(seat + np.array([-0.03, 0, 0.14]), (0.26, 0.15, 0.06), 0.7),
        tube(
            [
                head + np.array([x, y, z])
                for x, y, z in ((0.02, -0.28, 0.16), (-0.02, -0.15, 0.14), (-0.02, 0.15, 0.14), (0.02, 0.28, 0.16))
            ],
            0.014,
        ),
        box(bottom + np.array([0.1, -0.09, -0.14]), (0.09, 0.08, 0.02)),
        box(bottom + np.array([-0.1, 0.09, 0.13]), (0.09, 0.08, 0.02)),
        *tyres,
    ]
    parts = [Part(joined(frame), paint), Part(joined([*spokes, *steel]), STEEL), Part(joined(dark), BLACK)]
    return standing([Part(p.triangles.transformed(scale=size), p.material) for p in parts])


def wheelchair(random: np.random.Generator) -> list[Part]:
    """Two large wheels with rims, two castors, seat and back of cloth, foot rests, push handles."""
    fabric, w = BLACK if random.random() < 0.6 else bright(random, (0.5, 0.7)), random.uniform(0.44, 0.5)
    wheels = [
        rod_ring
        for s in (-1, 1)
        for rod_ring in (ring((0, 0, 0), 0.285, 0.03, True, 36).transformed(yaw_matrix(90), (s * (w / 2 + 0.05), 0.12, 0.30)),)
    ]
    steel = [
        ring((0, 0, 0), 0.25, 0.012, True, 32).transformed(yaw_matrix(90), (s * (w / 2 + 0.075), 0.12, 0.30)) for s in (-1, 1)
    ]
    steel += [
        rod(
            (s * (w / 2 + 0.05), 0.12, 0.3),
            (s * (w / 2 + 0.05), 0.12 + 0.28 * np.cos(t), 0.3 + 0.28 * np.sin(t)),
            0.003,
            segments=5,
        )
        for s in (-1, 1)
        for t in np.arange(12) * np.pi / 6
    ]
    steel += [
        tube(
            [
                (s * w / 2, 0.32, 0.92),
                (s * w / 2, 0.22, 0.90),
                (s * w / 2, 0.2, 0.5),
                (s * w / 2, 0.2, 0.25),
                (s * w / 2, -0.25, 0.25),
                (s * w / 2, -0.3, 0.5),
                (s * w / 2, 0.2, 0.5),
            ],
            0.012,
        )
        for s in (-1, 1)
    ]
    steel += [capsule((s * w / 2, -0.3, 0.48), (s * w * 0.35, -0.48, 0.12), 0.012) for s in (-1, 1)] + [
        tube([(s * w / 2, 0.2, 0.7), (s * w / 2, -0.12, 0.7), (s * w / 2, -0.14, 0.5)], 0.012) for s in (-1, 1)
    ]
    dark = [
        *wheels,
        *[rod((s * w / 2 - 0.015, -0.27, 0.09), (s * w / 2 + 0.015, -0.27, 0.09), 0.09) for s in (-1, 1)],
        *[box((s * w * 0.25, -0.52, 0.11), (w * 0.4, 0.15, 0.02)) for s in (-1, 1)],
        *[box((s * w / 2, 0.03, 0.715), (0.06, 0.28, 0.03), 0.01) for s in (-1, 1)],
        *[capsule((s * w / 2, 0.27, 0.91), (s * w / 2, 0.36, 0.93), 0.018) for s in (-1, 1)],
    ]
    return standing(
        [
            Part(joined(steel), STEEL),
            Part(joined(dark), BLACK),
            Part(joined([box((0, -0.05, 0.51), (w, 0.42, 0.04), 0.015), box((0, 0.2, 0.7), (w, 0.03, 0.38), 0.012)]), fabric),
        ]
    )


KINDS = {"skateboard": Kind(skateboard, "floor"), "bicycle": Kind(bicycle, "floor"), "wheelchair": Kind(wheelchair, "middle")}
