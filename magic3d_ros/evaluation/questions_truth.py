"""What a thing of the map really is: the true instance that most of its points lie on, or the hand-made box that holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.evaluation.instance_metrics import TRANSFER_DISTANCE
from magic3d_ros.sources.room import SimulatedRoom

_BOX_MARGIN = 0.03
"""m added to each hand-made box: a voxel and a half of the map."""
_LARGER = 2.5
"""A thing that only has its centre in a hand-made box must not be larger than this many times the box."""


class Truth(Protocol):
    """Tells what is where."""

    def names(self, points: np.ndarray) -> frozenset[str]:
        """Names of what (n, 3) world points are a part of; empty where nothing is known of most of them."""
        ...


class InstanceTruth:
    """Of a scene with true instances. vertices (V, 3), instance (V,): id of each. named: id -> its names (class and own name)."""

    def __init__(self, vertices: np.ndarray, instance: np.ndarray, named: Mapping[int, frozenset[str]]) -> None:
        self._tree = cKDTree(vertices)
        self._instance = np.append(np.asarray(instance, np.int64), -1)
        self._named = named

    def instances(self, points: np.ndarray) -> np.ndarray:
        """(n,) the true instance nearest to each of (n, 3) points; -1 = none within 5 cm."""
        _, nearest = self._tree.query(points, distance_upper_bound=TRANSFER_DISTANCE)
        return self._instance[nearest]

    def instance(self, points: np.ndarray) -> int:
        """The true instance of most of the points; -1 = none."""
        if len(points) == 0:
            return -1
        ids, counts = np.unique(self.instances(points), return_counts=True)
        return int(ids[counts.argmax()])

    def names_of(self, instance: int) -> frozenset[str]:
        """Class and own name of an instance."""
        return self._named.get(instance, frozenset())

    def names(self, points: np.ndarray) -> frozenset[str]:
        """See Truth."""
        return self.names_of(self.instance(points))


class BoxTruth:
    """Of a recording whose things were marked by hand. labels: `axes` (3x3 rows), `floor` and `things` with name, low, high."""

    def __init__(self, labels: Mapping[str, Any]) -> None:
        self._axes, self._floor = np.array(labels["axes"], np.float64), float(labels["floor"])
        self._boxes = [LabelledBox(t["name"], np.array(t["low"]), np.array(t["high"])) for t in labels["things"]]

    def names(self, points: np.ndarray) -> frozenset[str]:
        """See Truth."""
        upright = np.asarray(points, np.float64) @ self._axes.T - (0.0, 0.0, self._floor)
        name = name_of(upright, self._boxes)
        return frozenset([name]) if name else frozenset()


@dataclass(frozen=True)
class LabelledBox:
    """A named region, low and high corner in the labels' upright axes."""

    name: str
    low: np.ndarray
    high: np.ndarray

    def inside(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool."""
        return np.asarray(((points >= self.low - _BOX_MARGIN) & (points <= self.high + _BOX_MARGIN)).all(1))

    @property
    def volume(self) -> float:
        """m^3."""
        return float(np.prod(self.high - self.low))


def name_of(points: np.ndarray, boxes: Sequence[LabelledBox]) -> str:
    """What a thing with these upright points (N, 3) is: the smallest box that holds half of them; if none does, the smallest that
    holds their mean and is not much smaller than the thing; else ""."""
    if len(points) == 0:
        return ""
    by_size = sorted(boxes, key=lambda b: b.volume)
    for box in by_size:
        if box.inside(points).mean() >= 0.5:
            return box.name
    size = np.linalg.norm(np.percentile(points, 98, 0) - np.percentile(points, 2, 0))
    for box in by_size:
        if box.inside(points.mean(0, keepdims=True))[0] and size <= _LARGER * np.linalg.norm(box.high - box.low):
            return box.name
    return ""


def truth_of_room(room: SimulatedRoom) -> InstanceTruth:
    """Exact geometry of a simulated room; what moves is no part of it."""
    mesh = room.mesh(0.8 * TRANSFER_DISTANCE)
    named = {i.id: frozenset((i.label, i.name)) for i in room.instances if not i.moving}
    return InstanceTruth(mesh.vertices, mesh.instance, named)


def truth_of_folder(folder: Path, names: Mapping[int, str]) -> InstanceTruth:
    """A recording with gt_mesh_labels.npz and instances.json. names: of instances, in place of their classes."""
    with np.load(folder / "gt_mesh_labels.npz", allow_pickle=False) as stored:
        vertices, instance = stored["vertices"], stored["instance"]
    listed = json.loads((folder / "instances.json").read_text(encoding="utf-8"))["instances"]
    named = {int(i["id"]): frozenset((names.get(int(i["id"]), i["class"]), i.get("name", i["class"]))) for i in listed}
    return InstanceTruth(vertices, instance, named | {i: frozenset((name,)) for i, name in names.items()})
