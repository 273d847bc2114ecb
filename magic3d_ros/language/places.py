"""What geometry alone says of things: where the horizontal surfaces are that things can be put on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.mapping.surface import Surface

TABLE_HEIGHT = (0.4, 1.15)
"""m above the floor: from coffee tables to kitchen counters (usual furniture heights .4-.5, .72-.76, .85-.95, bars 1.1)."""
_HORIZONTAL = 0.9
"""Cosine with up: within 26 degrees, as the normals of a 2 cm map are that noisy."""
_WHOLE_AREA = 0.35
"""m^2 of horizontal surface that make a full table; a chair's seat has .16, a small side table .2."""
_WHOLE_SHARE = 0.4
"""of a thing's seen surface that is horizontal and at the height of a table; chairs reach .25, seen tables .5 and more."""


class KnownObject(Protocol):
    """What language needs to know of a thing (scene.SceneObject and instances.Instance have it)."""

    @property
    def id(self) -> int:
        """Stable number."""
        ...

    @property
    def kind(self) -> str:
        """object or structure."""
        ...

    @property
    def box(self) -> OrientedBox:
        """Its third axis is up."""
        ...

    @property
    def centroid(self) -> np.ndarray:
        """(3,) in the world frame."""
        ...


def upward(objects: Sequence[KnownObject]) -> np.ndarray:
    """(3,) unit: the third axis that the boxes share; +z without any."""
    return np.asarray(objects[0].box.rotation[:, 2], np.float64) if objects else np.array([0.0, 0.0, 1.0])


def floor_height(surface: Surface, objects: Sequence[KnownObject], floor_ids: Sequence[int], up: np.ndarray) -> float:
    """Height along `up` of the floor: of the lowest thing known as floor, else of the lowest hundredth of the surface."""
    heights = [float(np.asarray(o.centroid) @ up) for o in objects if o.id in floor_ids]
    if heights:
        return min(heights)
    return float(np.percentile(surface.vertices @ up.astype(np.float32), 1.0)) if len(surface) else 0.0


def table_likeness(surface: Surface, labels: np.ndarray, objects: Sequence[KnownObject], up: np.ndarray,
                   floor: float) -> dict[int, float]:
    """For each thing that is no structure, 0..1: how much it is a horizontal surface at the height of a table."""
    ids = [o.id for o in objects if o.kind == "object"]
    if not ids or len(surface.faces) == 0:
        return dict.fromkeys(ids, 0.0)
    corners = surface.vertices[surface.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    level = cross @ up > 2 * area * _HORIZONTAL
    height = corners.mean(1) @ up - floor
    level &= (height > TABLE_HEIGHT[0]) & (height < TABLE_HEIGHT[1])
    owner = labels[surface.faces[:, 0]]
    known = owner >= 0
    size = int(max(max(ids), owner.max(initial=0))) + 1
    whole = np.bincount(owner[known], area[known], size)
    flat = np.bincount(owner[known & level], area[known & level], size)
    return {i: float(min(1.0, flat[i] / _WHOLE_AREA) * min(1.0, flat[i] / max(whole[i], 1e-9) / _WHOLE_SHARE)) for i in ids}
