"""What is known of one separate thing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from magic3d_ros.geometry.box import OrientedBox


@dataclass(frozen=True)
class InstanceView:
    """How one keyframe sees a thing.

    stamp: of the keyframe. box: (x0, y0, x1, y1) pixels, ends excluded. visible: share of the thing's points that the keyframe
    sees. cut: touches the image border. score: larger is better for recognising it.
    """

    stamp: int
    box: tuple[int, int, int, int]
    visible: float
    cut: bool
    score: float


@dataclass
class Instance:
    """One thing or piece of structure.

    kind: "object" or "structure". structure: "floor", "wall", "ceiling" or "" (objects; a table is an object whose
    horizontal top language and geometry name).
    first_seen, last_seen: stamps (ns) of keyframes. views: the best ones, best first. n_views: all keyframes that saw it.
    confidence: 0..1 of being one separate thing.
    """

    id: int
    kind: str
    structure: str
    box: OrientedBox
    centroid: np.ndarray
    n_points: int
    confidence: float
    first_seen: int
    last_seen: int
    n_views: int
    views: list[InstanceView] = field(default_factory=list)


@dataclass(frozen=True)
class InstanceMap:
    """labels: (N,) int32 instance id of each surface vertex, -1 = none; instances by id."""

    labels: np.ndarray
    instances: dict[int, Instance]
