"""What geometry alone says of things: where the horizontal surfaces are that things can be put on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.mapping.surface import Surface

TABLE_HEIGHT = (0.4, 1.15)
"""m above the floor: from coffee tables to kitchen counters (usual furniture heights .4-.5, .72-.76, .85-.95, bars 1.1)."""
_HORIZONTAL = 0.9
"""Cosine with up: within 26 degrees, as the normals of a 2 cm map are that noisy."""
_WHOLE_AREA = 0.4
"""m^2 of horizontal surface that make a full table, less counting by the square: a chair's seat has .16."""
_WHOLE_SHARE = 0.4
"""of a thing's seen surface that is horizontal; chairs reach .25 at the height of a table, seen tables .5 and more."""
_BACK = 0.15
"""m above the level surface: what rises higher than cups and books do is a back to lean on, and the level surface is a seat."""
_BACK_SHARE = 0.15
"""of a thing's seen surface, above its level part by so much, that make it no table at all."""
_FLOOR_THICKNESS = 0.08
"""m; the floor of a map waves by the sensor's noise at range (6-11 mm median at 1.5 m, growing with the square)."""


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

    @property
    def last_seen(self) -> int:
        """ns."""
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


def ground(surface: Surface, objects: Sequence[KnownObject]) -> tuple[np.ndarray, float]:
    """Up (3,) and the floor's height along it, from things that have a `label`."""
    up = upward(objects)
    floors = [o.id for o in objects if o.kind == "structure" and getattr(o, "label", "") == "floor"]
    return up, floor_height(surface, objects, floors, up)


@dataclass(frozen=True)
class Levels:
    """How much of a thing is a horizontal surface, 0..1: at the height of a table, and on the floor."""

    table: float
    floor: float


def levels(surface: Surface, labels: np.ndarray, objects: Sequence[KnownObject], up: np.ndarray,
           floor: float) -> dict[int, Levels]:
    """By id, for each thing that is no structure. labels (N,): thing of each surface vertex. floor: height along `up`, metres."""
    ids = [o.id for o in objects if o.kind == "object"]
    if not ids or len(surface.faces) == 0:
        return dict.fromkeys(ids, Levels(0.0, 0.0))
    corners = surface.vertices[surface.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    level = cross @ up > 2 * area * _HORIZONTAL
    height = corners.mean(1) @ up - floor
    owner = labels[surface.faces[:, 0]]
    size = int(max(max(ids), owner.max(initial=0))) + 1

    def areas(faces: np.ndarray) -> np.ndarray:
        return np.bincount(owner[faces], area[faces], size)

    known = owner >= 0
    whole = np.maximum(areas(known), 1e-9)
    at_table_height = known & level & (height > TABLE_HEIGHT[0]) & (height < TABLE_HEIGHT[1])
    tops = areas(at_table_height)
    middle = np.bincount(owner[at_table_height], (area * height)[at_table_height], size) / np.maximum(tops, 1e-9)
    backs = areas(known & (height > middle[np.maximum(owner, 0)] + _BACK)) / whole / _BACK_SHARE
    ground = areas(known & level & (np.abs(height) < _FLOOR_THICKNESS))
    return {i: Levels(float(min(1.0, tops[i] / _WHOLE_AREA) ** 2 * min(1.0, tops[i] / whole[i] / _WHOLE_SHARE)
                            * max(0.0, 1.0 - backs[i])),
                      float(min(1.0, ground[i] / whole[i] / _WHOLE_SHARE))) for i in ids}
