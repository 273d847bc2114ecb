"""The planes that bound a room: floor, walls, ceiling. What merely stands in the room never reaches behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.plane import Plane, largest_plane
from magic3d_ros.instances.regions import MeshGraph

# Measured constants of the recipe (docs/instances.md): plane tolerance 3 cm, normals within cos .85, at least 2 % of the
# vertices, at most 14 planes; structure has less than 4 % of the vertices more than 8 cm behind it; a vertex belongs to
# it within 3.9 cm and cos .8.
_TOLERANCE, _COSINE = 0.03, 0.85
_MIN_SHARE, _MAX_PLANES = 0.02, 14
_BEHIND_DISTANCE, _BEHIND_SHARE = 0.08, 0.04
_MEMBER_TOLERANCE, _MEMBER_COSINE = 0.039, 0.8
_SAMPLE = 10000  # vertices on which planes are sought: 2 % of them are still 200
# A plane whose normal is within 45 degrees of the vertical is floor or ceiling rather than wall.
_LEVEL = 0.7
# A level plane this far above the lowest one is a table or a shelf, not the floor (metres; stairs and rugs stay below).
_FLOOR_STEP = 0.3
# A thing lies in a plane with more than half of its vertices (recipe); in Lab with L halved, shading and white balance move
# a wall by up to about this much, while a display or a board on it differs by more.
_FLUSH_SHARE, _SAME_COLOR = 0.5, 12.0


@dataclass(frozen=True)
class Structure:
    """planes: the bounding planes, with names: "floor", "wall" or "ceiling" for each.
    membership: (n,) int index of the plane each vertex lies on, -1 = none. up: (3,) unit."""

    planes: list[Plane]
    names: list[str]
    membership: np.ndarray
    up: np.ndarray

    def part(self, chosen: np.ndarray) -> Structure:
        """The same planes for some of the vertices, (n,) bool."""
        return Structure(self.planes, self.names, self.membership[chosen], self.up)


def find_structure(graph: MeshGraph, up: np.ndarray, seed: int = 0, most: int = _SAMPLE) -> Structure:
    """Floor, walls and ceiling of a surface; `seed` fixes the random proposals so that the same surface gives the same planes.

    most: vertices on which planes are sought at most.
    """
    n = len(graph)
    membership = np.full(n, -1, np.int64)
    planes: list[Plane] = []
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(n, min(n, most), replace=False)) if n else np.zeros(0, np.int64)
    points, normals = graph.vertices[sample].astype(np.float32), graph.normals[sample].astype(np.float32)
    free = np.ones(n, bool)
    for _ in range(_MAX_PLANES):
        left = free[sample]
        if left.sum() < max(3, _MIN_SHARE * len(sample)):
            break
        found = largest_plane(points[left], normals[left], rng, _TOLERANCE, _COSINE)
        if found is None or found[1].sum() < _MIN_SHARE * len(sample):
            break
        plane = found[0]
        members = free & plane.holds(graph.vertices, graph.normals, _MEMBER_TOLERANCE, _MEMBER_COSINE)
        if (plane.distance(points) < -_BEHIND_DISTANCE).mean() < _BEHIND_SHARE:
            membership[members] = len(planes)
            planes.append(plane)
        free &= ~members
    return _named(planes, membership, up)


def _named(planes: list[Plane], membership: np.ndarray, up: np.ndarray) -> Structure:
    """Names by the up axis; level planes well above the lowest (a table whose underside was not seen) are dropped."""
    rise = [float(p.normal @ up) for p in planes]
    height = [float(p.point @ up) for p in planes]
    floors = [h for r, h in zip(rise, height, strict=True) if r > _LEVEL]
    names = []
    for r, h in zip(rise, height, strict=True):
        if r > _LEVEL:
            names.append("floor" if h < min(floors) + _FLOOR_STEP else "")
        else:
            names.append("ceiling" if r < -_LEVEL else "wall")
    number = np.cumsum([bool(name) for name in names]) - 1
    for k, name in enumerate(names):
        membership[membership == k] = number[k] if name else -1
    return Structure([p for p, name in zip(planes, names, strict=True) if name], [name for name in names if name], membership,
                     np.asarray(up, np.float64))


def structure_of(graph: MeshGraph, thing: np.ndarray, count: int, structure: Structure) -> list[str]:
    """For each of `count` things "floor", "wall", "ceiling", or "" = an object. thing: (n,) 0 ... count-1 for each vertex.

    The largest thing on a plane is the structure itself, and so are others on it of nearly its colour (the wall beyond a
    shelf); what lies flush in the plane but looks different (a display, a whiteboard, a rug) is an object.
    """
    names = [""] * count
    size = np.maximum(np.bincount(thing, minlength=count), 1)
    color = np.stack([np.bincount(thing, graph.lab[:, k], count) for k in range(3)], 1) / size[:, None]
    for k, name in enumerate(structure.names):
        share = np.bincount(thing[structure.membership == k], minlength=count)
        flush = np.flatnonzero(share > _FLUSH_SHARE * size)
        if len(flush) == 0:
            continue
        main = flush[np.argmax(share[flush])]
        alike = np.linalg.norm(color[flush] - color[main], axis=1) < _SAME_COLOR
        for t in flush[alike]:
            names[t] = name
    return names
