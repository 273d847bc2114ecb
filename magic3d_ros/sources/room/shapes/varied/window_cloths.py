"""What hangs before windows; backs on y = 0."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Part
from magic3d_ros.sources.room.shapes.varied.building import WHITE, cloth, grey, hanging, metal, rod, wood
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, joined, sphere, surface, tilt_matrix, unit


def window_blind(random: np.random.Generator) -> list[Part]:
    """Slats between cords under a head rail."""
    width, height, paint = (
        random.uniform(0.7, 1.4),
        random.uniform(0.8, 1.3),
        wood(random) if random.random() < 0.35 else grey(random, 0.3),
    )
    lean = random.uniform(20, 60)
    slats = [
        box((0, 0, 0), (width, 0.035, 0.003)).transformed(tilt_matrix(lean), (0, -0.03, z))
        for z in np.arange(0.02, height - 0.05, 0.034)
    ]
    cords = [rod((width * x, -0.048, 0), (width * x, -0.048, height), 0.002, segments=6) for x in (-0.35, 0.35)] + [
        rod((width * 0.45, -0.06, height * 0.4), (width * 0.45, -0.06, height), 0.003, segments=6)
    ]
    return hanging(
        [
            Part(
                joined(
                    [
                        *slats,
                        box((0, -0.03, height - 0.02), (width + 0.01, 0.05, 0.04)),
                        box((0, -0.03, 0.008), (width, 0.03, 0.015)),
                    ]
                ),
                paint,
            ),
            Part(joined(cords), WHITE),
        ]
    )


def curtain(random: np.random.Generator) -> list[Part]:
    """Two hanging cloths in folds on a rod."""
    height, wide, fold = random.uniform(1.4, 2.1), random.uniform(0.4, 0.6), random.uniform(0.05, 0.08)
    gap, fabric, parts = random.uniform(0.1, 0.6), cloth(random), []
    for side in (-1, 1):
        x = np.linspace(-wide / 2, wide / 2, 60)
        wave = 0.035 * np.sin(x / fold * 2 * np.pi) - 0.05
        slope = 0.035 * 2 * np.pi / fold * np.cos(x / fold * 2 * np.pi)
        grid = np.stack([np.stack([x + side * (gap + wide) / 2, wave, np.full(60, z)], 1) for z in np.linspace(0, height, 12)], 1)
        normals = unit(np.stack([slope, -np.ones(60), np.zeros(60)], 1))[:, None].repeat(12, 1)
        uv = np.stack(np.meshgrid(x * 1.6, np.linspace(0, height, 12), indexing="ij"), -1)
        front_side = surface(grid, normals, uv)
        back = surface(grid[::-1] + np.array([0, 0.002, 0]), -normals[::-1], uv[::-1])
        parts.append(Part(joined([front_side, back]), fabric))
    pole = [
        rod((-wide - gap / 2 - 0.06, -0.05, height + 0.01), (wide + gap / 2 + 0.06, -0.05, height + 0.01), 0.014),
        *[sphere((s * (wide + gap / 2 + 0.07), -0.05, height + 0.01), 0.028, 14) for s in (-1, 1)],
        *[rod((s * (wide + gap / 2), 0, height + 0.01), (s * (wide + gap / 2), -0.05, height + 0.01), 0.01) for s in (-1, 1)],
    ]
    return hanging([*parts, Part(joined(pole), metal(random))])


KINDS = {"window blind": Kind(window_blind, "wall", low=(0.8, 1.1)), "curtain": Kind(curtain, "wall", low=(0.05, 0.6))}
