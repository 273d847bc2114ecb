"""One thing of the scene as users see it. A file of its own: saved things are read without the surface and what it needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.instances.instance import InstanceView


@dataclass(frozen=True)
class SceneObject:
    """One thing, with its best name. Fields as in instances.instance.Instance; `label` and `probability` from language, or from
    geometry for structure. support: id of what it stands or lies on, the floor included; -1 = it hangs, or nothing level was seen
    at its foot."""

    id: int
    kind: str
    label: str
    probability: float
    confidence: float
    box: OrientedBox
    centroid: np.ndarray
    n_points: int
    n_views: int
    first_seen: int
    last_seen: int
    views: tuple[InstanceView, ...] = ()
    support: int = -1
