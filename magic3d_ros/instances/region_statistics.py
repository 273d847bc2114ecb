"""Sums over regions and over the borders between them, from which every feature of regions and pairs is computed.

All are sums, minima or maxima, so that the statistics of a merged region need no look at its vertices. Vertices and edges are
counted as those of a mesh of 2 cm: a finer one's count for less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances.regions import SPACING, MeshGraph
from magic3d_ros.instances.structure import Structure

NAMES = ("floor", "wall", "ceiling")
# Bins of the colour histogram: OpenCV's 8-bit Lab, L halved; narrow around grey (128), where most of a room is.
_LIGHTNESS_BINS = np.array([20.0, 40.0, 60.0, 80.0, 100.0])
_CHROMA_BINS = np.array([116.0, 124.0, 132.0, 140.0])
_CHROMA = len(_CHROMA_BINS) + 1
COLOR_BINS = (len(_LIGHTNESS_BINS) + 1) * _CHROMA**2
EVIDENCE_STEPS = (0.1, 0.4, 0.8)
"""Crease and contrast of an edge (0..1) above which it is counted: weak, clear, certain. A mean hides a gap in a crease."""
_BEND_LIMIT = 0.6  # radians an edge: beyond, normals averaged over three rings say no more
_CHANGE_LIMIT = 40.0  # Lab

# Columns of a region's sums.
SIZE, CREASE, CONTRAST, RIM = range(4)
POSITION = slice(4, 7)
MOMENT = slice(7, 13)  # xx yy zz xy xz yz
NORMAL = slice(13, 16)
COLOR = slice(16, 19)
COLOR_SQUARE = slice(19, 22)
ON_NAMED = slice(22, 25)  # vertices on floor, walls, ceiling
OUTER = slice(25, 29)  # edges to other regions, their crease, their contrast; gaps
HISTOGRAM = slice(29, 29 + COLOR_BINS)
PLANES = slice(29 + COLOR_BINS, None)  # vertices on each structure plane

# Columns of a border's sums; crease, contrast, bend, ... over its edges only.
EDGES, GAPS, BORDER_CREASE, BORDER_CONTRAST, BEND, ALIKE, CHANGE, GAP_LENGTH = range(8)
CREASE_STEPS = slice(8, 11)
CONTRAST_STEPS = slice(11, 14)
PLACE = slice(14, 17)  # middles of edges and gaps
BORDER_COLUMNS = 17
_OUTER_OF_BORDER = [EDGES, BORDER_CREASE, BORDER_CONTRAST, GAPS]


@dataclass
class RegionStatistics:
    """Regions in slots, which fall empty as regions merge.

    sums (R, C); low, high (R, 3) extents along the room's axes, metres, height above the floor last; pairs (P, 2) int slots,
    smaller first, in ascending order; borders (P, 17) sums over the edges and gaps between the two.
    """

    sums: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pairs: np.ndarray
    borders: np.ndarray

    def __len__(self) -> int:
        return len(self.sums)

    def keys(self) -> np.ndarray:
        """(P,) int one number for each pair, ascending."""
        return self.pairs[:, 0] * len(self) + self.pairs[:, 1]

    def merge(self, kept: np.ndarray, gone: np.ndarray) -> np.ndarray:
        """Regions `gone` (M,) become part of regions `kept` (M,), none of which is gone -> (P',) bool: new or changed pairs."""
        place = np.arange(len(self))
        place[gone] = kept
        np.add.at(self.sums, kept, self.sums[gone])
        np.minimum.at(self.low, kept, self.low[gone])
        np.maximum.at(self.high, kept, self.high[gone])
        pairs = np.sort(place[self.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        outer = self.sums[:, OUTER]  # a view; what lies inside now was counted from both sides
        np.subtract.at(outer, pairs[~apart, 0], 2.0 * self.borders[~apart][:, _OUTER_OF_BORDER])
        key, inverse = np.unique(pairs[apart, 0] * len(self) + pairs[apart, 1], return_inverse=True)
        self.borders = _sums(self.borders[apart], inverse.ravel(), len(key))
        self.pairs = np.stack([key // len(self), key % len(self)], 1)
        touched = np.zeros(len(self), bool)
        touched[kept] = True
        return touched[self.pairs].any(1)


def region_statistics(graph: MeshGraph, basin: np.ndarray, crease: np.ndarray, contrast: np.ndarray, gaps: np.ndarray,
                      structure: Structure) -> RegionStatistics:
    """Sums over basins, (n,) 0 ... B-1 of each vertex.

    crease, contrast: (n,) 0..1; an edge has the larger of its ends'. gaps: (G, 2) vertices that face each other across a gap.
    """
    count = int(basin.max(initial=-1)) + 1
    if count == 0:
        return RegionStatistics(np.zeros((0, PLANES.start + len(structure.planes))), np.zeros((0, 3)), np.zeros((0, 3)),
                                np.zeros((0, 2), np.int64), np.zeros((0, BORDER_COLUMNS)))
    axes = _room_axes(structure)
    at = graph.vertices @ axes.T
    floors = [float(p.point @ structure.up) for p, name in zip(structure.planes, structure.names, strict=True) if name == "floor"]
    at -= (*at[:, :2].mean(0), min(floors) if floors else at[:, 2].min())
    x, y, z = at.T
    planes = (structure.membership[:, None] == np.arange(len(structure.planes))).astype(np.float64)
    named = np.stack([planes[:, [k for k, name in enumerate(structure.names) if name == wanted]].sum(1) for wanted in NAMES], 1)
    bins = (np.digitize(graph.lab[:, 0], _LIGHTNESS_BINS) * _CHROMA + np.digitize(graph.lab[:, 1], _CHROMA_BINS)) * _CHROMA \
        + np.digitize(graph.lab[:, 2], _CHROMA_BINS)
    histogram = np.bincount(basin * COLOR_BINS + bins, minlength=count * COLOR_BINS).reshape(count, COLOR_BINS)
    pairs, borders, outer = _borders(graph, basin, crease, contrast, gaps, at)
    of_vertex = np.column_stack([np.ones(len(graph)), crease, contrast, graph.border, at, x * x, y * y, z * z, x * y, x * z,
                                 y * z, graph.normals @ axes.T, graph.lab, graph.lab**2, named])
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, basin, at)
    np.maximum.at(high, basin, at)
    finer = graph.spacing / SPACING
    of_vertices = _sums(of_vertex, basin, count) * finer**2
    of_vertices[:, RIM] /= finer  # a line, as borders are
    sums = np.column_stack([of_vertices, outer, histogram * finer**2, _sums(planes, basin, count) * finer**2])
    return RegionStatistics(sums, low, high, pairs, borders)


def _borders(graph: MeshGraph, basin: np.ndarray, crease: np.ndarray, contrast: np.ndarray, gaps: np.ndarray,
             at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (P, 2), sums over the edges and gaps between them (P, 17), and over all edges and gaps of each basin (B, 4)."""
    first, second = graph.edges.T
    across = basin[first] != basin[second]
    first, second = first[across], second[across]
    gaps = gaps[basin[gaps[:, 0]] != basin[gaps[:, 1]]]
    along = graph.vertices[second] - graph.vertices[first]
    turn = graph.normals[second] - graph.normals[first]
    edge_crease, edge_contrast = np.maximum(crease[first], crease[second]), np.maximum(contrast[first], contrast[second])
    rows = np.zeros((len(first) + len(gaps), BORDER_COLUMNS))
    of_edges, of_gaps = rows[: len(first)], rows[len(first):]
    of_edges[:, EDGES], of_gaps[:, GAPS] = 1.0, 1.0
    of_edges[:, BORDER_CREASE], of_edges[:, BORDER_CONTRAST] = edge_crease, edge_contrast
    of_edges[:, BEND] = np.clip(-(turn * along).sum(1) / (np.linalg.norm(along, axis=1) + 1e-6), -_BEND_LIMIT, _BEND_LIMIT)
    of_edges[:, ALIKE] = (graph.normals[first] * graph.normals[second]).sum(1)
    of_edges[:, CHANGE] = np.minimum(np.linalg.norm(graph.lab[first] - graph.lab[second], axis=1), _CHANGE_LIMIT)
    of_edges[:, CREASE_STEPS] = edge_crease[:, None] > EVIDENCE_STEPS
    of_edges[:, CONTRAST_STEPS] = edge_contrast[:, None] > EVIDENCE_STEPS
    of_gaps[:, GAP_LENGTH] = np.linalg.norm(at[gaps[:, 0]] - at[gaps[:, 1]], axis=1)
    one, other = np.concatenate([first, gaps[:, 0]]), np.concatenate([second, gaps[:, 1]])
    rows[:, PLACE] = (at[one] + at[other]) / 2
    one, other = basin[one], basin[other]
    count = int(basin.max()) + 1
    rows *= graph.spacing / SPACING
    key, inverse = np.unique(np.minimum(one, other) * count + np.maximum(one, other), return_inverse=True)
    outer = _sums(rows[:, _OUTER_OF_BORDER], one, count) + _sums(rows[:, _OUTER_OF_BORDER], other, count)
    return np.stack([key // count, key % count], 1), _sums(rows, inverse.ravel(), len(key)), outer


def _room_axes(structure: Structure) -> np.ndarray:
    """(3, 3) rows: two level axes, along the largest wall where there is one, and up."""
    walls = [p.normal for p, name in zip(structure.planes, structure.names, strict=True) if name == "wall"]
    along = walls[0] if walls else np.eye(3)[np.argmin(np.abs(structure.up))]
    along = along - structure.up * (along @ structure.up)
    along = along / np.linalg.norm(along)
    return np.stack([along, np.cross(structure.up, along), structure.up])


def _sums(values: np.ndarray, of: np.ndarray, count: int) -> np.ndarray:
    """(count, C) sums of rows (N, C) over the group `of` (N,) each belongs to."""
    if values.shape[1] == 0:
        return np.zeros((count, 0))
    return np.stack([np.bincount(of, column, count) for column in values.T], 1)
