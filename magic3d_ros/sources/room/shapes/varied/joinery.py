"""Boards, doors and drawers."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material
from magic3d_ros.sources.room.shapes.varied.building import grey, rod, wood
from magic3d_ros.sources.room.triangles import Triangles, box


def boards(random: np.random.Generator) -> Material:
    """What cupboards and table tops are made of: wood, or boards painted white, grey or black."""
    return wood(random) if random.random() < 0.6 else grey(random)


def fronts(
    x: float, y: float, low: float, width: float, height: float, rows: int, columns: int
) -> tuple[list[Triangles], list[Triangles]]:
    """Doors or drawers before a cupboard's face at y, a gap of 6 mm around each, and a handle for each. x: of the left edge."""
    panels, handles = [], []
    wide, high = width / columns, height / rows
    for i in range(rows):
        for j in range(columns):
            middle = (x + wide * (j + 0.5), low + high * (i + 0.5))
            panels.append(box((middle[0], y - 0.009, middle[1]), (wide - 0.006, 0.018, high - 0.006)))
            if high > wide:  # a door: an upright handle on the side where it opens
                across = middle[0] + (0.5 - j % 2) * (wide - 0.08)
                handles.append(rod((across, y - 0.035, middle[1] - 0.06), (across, y - 0.035, middle[1] + 0.06), 0.006))
            else:
                above = middle[1] + high * 0.2
                half = min(0.07, wide * 0.3)
                handles.append(rod((middle[0] - half, y - 0.035, above), (middle[0] + half, y - 0.035, above), 0.006))
    return panels, handles
