"""Basins grow together into things: the cheapest pair of neighbours first, until the cheapest costs too much.

A cost is low where the border between two regions is no crease, shows no edge in colour, and both have one colour.
Costs and constants: the recipe of docs/instances.md, measured on a room with exact ground truth.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.instances.regions import SPACING, MeshGraph

_COLOR_RANGE = 60.0  # Lab distance (L halved) that counts as wholly different
_ON_PLANE = 0.5  # share of a region's vertices on a structure plane that makes it part of it
_FORBIDDEN = 9.0  # far above any threshold; still lets scraps be absorbed
# Square metres. Regions of less than _SCRAP are absorbed before all others, those of less than _SMALL more readily than large
# ones. The recipe had .04 and .06, which swallow mugs (.044 to .056); see docs/instances.md.
_SCRAP, _SCRAP_FACTOR = 0.02, 0.01
_SMALL = 0.04
_LARGE = 0.16  # two different structure planes never merge when both have more
_GAP_REACH, _GAP_JUMP, _GAP_NEIGHBOURS = 0.06, 0.045, 12  # metres; at 2 cm 11 neighbours and the vertex itself
# Across a gap one surface must continue the other: alike normals, and the gap within both tangent planes (cosines). Without
# this two sofas that nearly touch become one (replica_office0: AP .147 -> .210 at threshold .6).
_GAP_FACING, _GAP_TANGENT = 0.7, 0.5
# Regions that were one thing in the last run merge more cheaply, those that were two less: otherwise pairs near the threshold
# merge and part from run to run, and ids with them. More keeps more ids and more early mistakes: docs/instances.md.
_INERTIA = 0.3


@dataclass(frozen=True)
class Boundaries:
    """Evidence between basins.

    pairs (P, 2) int of two basins each, smaller first; color_edge, crease (P,) sums over the mesh edges between them;
    edges (P,) their number; 0 edges = they face each other across a gap only.
    """

    pairs: np.ndarray
    color_edge: np.ndarray
    crease: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class Grouping:
    """label (B,) int thing of each basin, 0 ... T-1. separation (T,): cost of the cheapest merge that was not made, without the
    discount for small regions (infinite for a thing without neighbours)."""

    label: np.ndarray
    separation: np.ndarray


def gap_pairs(graph: MeshGraph) -> np.ndarray:
    """(G, 2) vertices between which the surface continues across a gap: rims of holes and of pieces that do not touch.

    Rim vertices look at up to 11 others (at 2 cm; as many more as the mesh is finer) within 6 cm that lie on another component or
    more than 4.5 cm away, and whose surface is the continuation of theirs.
    """
    rim = np.flatnonzero(graph.border)
    if len(rim) < 2:
        return np.zeros((0, 2), np.int64)
    points = graph.vertices[rim]
    nearest = min(max(2, round(_GAP_NEIGHBOURS * SPACING / graph.spacing)), len(rim))
    distance, other = cKDTree(points).query(points, nearest, distance_upper_bound=_GAP_REACH)
    first = np.repeat(rim, distance.shape[1])
    found = np.isfinite(distance).ravel()
    first, second, distance = first[found], rim[other.ravel()[found]], distance.ravel()[found]
    across = (first != second) & ((graph.component[first] != graph.component[second]) | (distance > _GAP_JUMP))
    first, second = first[across], second[across]
    bridge = (graph.vertices[second] - graph.vertices[first]) / np.maximum(distance[across, None], 1e-9)
    normal_1, normal_2 = graph.normals[first], graph.normals[second]
    continues = (((normal_1 * normal_2).sum(1) > _GAP_FACING) & (np.abs((bridge * normal_1).sum(1)) < _GAP_TANGENT)
                 & (np.abs((bridge * normal_2).sum(1)) < _GAP_TANGENT))
    return np.stack([first[continues], second[continues]], 1)


def boundaries(graph: MeshGraph, basin: np.ndarray, crease: np.ndarray, color_edge: np.ndarray, gaps: np.ndarray) -> Boundaries:
    """Sum the evidence along the borders of basins. crease, color_edge: (n,); an edge has the larger value of its ends."""
    first, second = graph.edges.T
    across = basin[first] != basin[second]
    first, second = first[across], second[across]
    gaps = gaps[basin[gaps[:, 0]] != basin[gaps[:, 1]]]
    one = np.concatenate([basin[first], basin[gaps[:, 0]]])
    other = np.concatenate([basin[second], basin[gaps[:, 1]]])
    count = int(basin.max()) + 1 if len(basin) else 1
    key, inverse = np.unique(np.minimum(one, other) * count + np.maximum(one, other), return_inverse=True)
    inverse = inverse.ravel()[: len(first)]
    return Boundaries(np.stack([key // count, key % count], 1),
                      np.bincount(inverse, np.maximum(color_edge[first], color_edge[second]), len(key)),
                      np.bincount(inverse, np.maximum(crease[first], crease[second]), len(key)),
                      np.bincount(inverse, minlength=len(key)))


def agglomerate(areas: np.ndarray, colors: np.ndarray, on_plane: np.ndarray, border: Boundaries, threshold: float,
                known: np.ndarray | None = None) -> Grouping:
    """Merge basins, cheapest pair first, until the cheapest merge costs more than `threshold`.

    areas (B,) square metres; colors (B, 3) mean Lab; on_plane (B, K) share of vertices on each structure plane; known (B,) id of
    the thing that each basin was part of before, -1 = none.
    """
    regions = _Regions(areas, colors, on_plane, border, np.full(len(areas), -1) if known is None else known)
    queue = [(regions.cost(i, j), i, j, 0, 0) for i, j in border.pairs.tolist()]
    heapq.heapify(queue)
    version = [0] * len(areas)
    while queue:
        cost, i, j, version_i, version_j = heapq.heappop(queue)
        if version[i] != version_i or version[j] != version_j:
            continue
        if cost > threshold:
            break
        if len(regions.border[i]) < len(regions.border[j]):
            i, j = j, i
        regions.merge(i, j)
        version[i] += 1
        version[j] = -1
        for k in regions.border[i]:
            a, b = (i, k) if i < k else (k, i)
            heapq.heappush(queue, (regions.cost(a, b), a, b, version[a], version[b]))
    return regions.grouping()


class _Regions:
    """Regions that merge, with the evidence on their borders. Plain lists: numpy is slow at single numbers."""

    def __init__(self, areas: np.ndarray, colors: np.ndarray, on_plane: np.ndarray, border: Boundaries,
                 known: np.ndarray) -> None:
        self.area = areas.astype(float).tolist()
        self.known = known.tolist()
        self.color = colors.astype(float).tolist()
        self.planes = on_plane.astype(float).tolist()
        self.plane = [_plane_of(shares) for shares in self.planes]
        self.parent = list(range(len(self.area)))
        self.border: list[dict[int, list[float]]] = [{} for _ in self.area]  # region -> {neighbour: [color_edge, crease, edges]}
        for (i, j), *evidence in zip(border.pairs.tolist(), border.color_edge.tolist(), border.crease.tolist(),
                                     border.edges.tolist(), strict=True):
            self.border[i][j] = self.border[j][i] = evidence

    def cost(self, i: int, j: int) -> float:
        """What merging two neighbours costs, with the discount for small regions and with regard to what was known."""
        smaller = min(self.area[i], self.area[j])
        cost = self.full_cost(i, j)
        if self.known[i] >= 0 and self.known[j] >= 0:
            cost *= 1.0 - _INERTIA if self.known[i] == self.known[j] else 1.0 + _INERTIA
        if smaller < _SCRAP:
            return cost * _SCRAP_FACTOR * smaller / _SCRAP
        return cost * min(1.0, smaller / _SMALL) ** 0.5

    def full_cost(self, i: int, j: int) -> float:
        """The cost without the discount for small regions."""
        edge, crease, edges = self.border[i][j]
        a, b = self.color[i], self.color[j]
        distance = ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2) ** 0.5
        color = min(1.0, distance / _COLOR_RANGE)
        plane_i, plane_j = self.plane[i], self.plane[j]
        if edges == 0:  # across a gap
            return 0.35 + 1.2 * color + (0.0 if plane_i == plane_j else _FORBIDDEN)
        edge, crease = edge / edges, crease / edges
        if plane_i < 0 and plane_j < 0:  # two objects
            return crease * (0.5 + 1.2 * color) + 0.5 * edge + 0.6 * color
        if plane_i == plane_j:  # two pieces of one wall
            return 0.6 * (crease + edge + 0.6 * color)
        cost = crease + 0.5 * edge + 0.6 * color
        if plane_i >= 0 and plane_j >= 0:  # two walls
            return cost + (_FORBIDDEN if min(self.area[i], self.area[j]) > _LARGE else 0.3)
        return cost + 0.3  # an object against a wall

    def merge(self, i: int, j: int) -> None:
        """Region j becomes part of region i."""
        total = self.area[i] + self.area[j]
        share = self.area[j] / total
        self.color[i] = [a + (b - a) * share for a, b in zip(self.color[i], self.color[j], strict=True)]
        self.planes[i] = [a + (b - a) * share for a, b in zip(self.planes[i], self.planes[j], strict=True)]
        self.plane[i] = _plane_of(self.planes[i])
        if self.area[j] > self.area[i]:
            self.known[i] = self.known[j]
        self.area[i] = total
        self.parent[j] = i
        mine = self.border[i]
        for k, theirs in self.border[j].items():
            if k == i:
                continue
            del self.border[k][j]
            if k in mine:
                both = mine[k]
                both[0] += theirs[0]
                both[1] += theirs[1]
                both[2] += theirs[2]
            else:
                mine[k] = self.border[k][i] = theirs
        del mine[j]
        self.border[j] = {}

    def grouping(self) -> Grouping:
        """What has become of the basins."""
        root = np.array(self.parent, np.int64)
        while True:
            further = root[root]
            if np.array_equal(further, root):
                break
            root = further
        roots, label = np.unique(root, return_inverse=True)
        separation = [min((self.full_cost(r, k) for k in self.border[r]), default=float("inf")) for r in roots.tolist()]
        return Grouping(label.ravel(), np.array(separation, np.float64))


def _plane_of(shares: list[float]) -> int:
    """The structure plane a region belongs to, -1 = none (an object)."""
    best = max(shares, default=0.0)
    return shares.index(best) if best > _ON_PLANE else -1
