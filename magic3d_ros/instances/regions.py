"""The surface as a graph, and its smallest regions: basins between concave creases.

Recipe and constants were measured on fused 2 cm meshes with exact ground truth (docs/instances.md). Sizes are areas. Creases and
changes of colour are steps, as sharp as the mesh can show: they are told by what happens from a vertex to the next, however fine
the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sparse
from scipy.sparse import csgraph

from magic3d_ros.mapping.surface import Surface

SPACING = 0.02  # metres from a vertex to the next, as in a map of 2 cm voxels; a keyframe's own depth image has about that, too
MIN_COMPONENT = 0.016  # square metres; smaller loose pieces are specks of sensor noise
_NORMAL_RINGS = 3
_COLOR_RINGS = 1
_LIGHTNESS = 0.5  # shading changes L more than material does
_CREASE_FROM, _CREASE_RANGE = 0.03, 0.25  # concavity per edge (rad) at which a crease begins, and until it is certain
# Change of Lab (L halved) from a vertex to the next at which contrast begins, and until it is certain: a vertex in a plain
# area has 1 to 3. Measured on an office, a rendered living room and a kitchen; see docs/instances.md.
_CONTRAST_FROM, _CONTRAST_RANGE = 4.0, 12.0
_EDGE_SHARE = 0.5  # of colour edges in the altitude
_MAX_ALTITUDE = 1.2


@dataclass(frozen=True)
class MeshGraph:
    """The parts of a surface that are worth separating.

    index (n,) int64 numbers of the vertices in the surface; vertices (n, 3) float64 metres; edges (E, 2) int64;
    component (n,) int32; border (n,) bool beside a hole or the rim; normals (n, 3) float64 unit, smoothed;
    lab (n, 3) float64 CIE Lab with L halved, smoothed; neighbours (n, n) sparse: ones for edges and on the diagonal.
    spacing: metres from a vertex to the next.
    """

    index: np.ndarray
    vertices: np.ndarray
    edges: np.ndarray
    component: np.ndarray
    border: np.ndarray
    normals: np.ndarray
    lab: np.ndarray
    neighbours: sparse.csr_matrix
    spacing: float = SPACING

    def __len__(self) -> int:
        return len(self.index)

    @property
    def cell(self) -> float:
        """Square metres that a vertex stands for."""
        return self.spacing**2

    def part(self, chosen: np.ndarray) -> MeshGraph:
        """The graph of some of the vertices, (n,) bool, and the edges between them."""
        number = np.cumsum(chosen) - 1
        edges = number[self.edges[chosen[self.edges].all(1)]]
        return MeshGraph(self.index[chosen], self.vertices[chosen], edges, self.component[chosen], self.border[chosen],
                         self.normals[chosen], self.lab[chosen], self.neighbours[chosen][:, chosen], self.spacing)


def mesh_graph(surface: Surface, spacing: float = SPACING) -> MeshGraph:
    """The graph of a surface without its loose pieces (components under 160 square centimetres) and non-finite vertices.

    spacing: metres from a vertex to the next, a voxel of the map.
    """
    n = len(surface)
    faces = np.asarray(surface.faces, np.int64).reshape(-1, 3)
    finite = np.isfinite(surface.vertices).all(1)
    if not finite.all():
        faces = faces[finite[faces].all(1)]
    edges, border = _edges(faces, n)
    component = csgraph.connected_components(_adjacency(edges, n), directed=False)[1] if n else np.zeros(0, np.int32)
    keep = (np.bincount(component, minlength=1)[component] * spacing**2 >= MIN_COMPONENT) & finite
    number = np.cumsum(keep) - 1
    index = np.flatnonzero(keep)
    edges = number[edges[keep[edges[:, 0]]]]
    faces = number[faces[keep[faces[:, 0]]]]
    vertices = np.asarray(surface.vertices[index], np.float64)
    component = np.unique(component[index], return_inverse=True)[1].astype(np.int32).ravel()
    neighbours = _adjacency(edges, len(index)) + sparse.eye(len(index), dtype=np.float32, format="csr")
    neighbours = sparse.csr_matrix(neighbours)
    neighbours.sort_indices()
    normals = _unit(smoothed(_vertex_normals(vertices, faces), neighbours, _NORMAL_RINGS))
    lab = cv2.cvtColor(np.ascontiguousarray(surface.colors[index][None]).reshape(1, -1, 3), cv2.COLOR_RGB2LAB)[0] if len(index) \
        else np.zeros((0, 3))
    lab = smoothed(lab.astype(np.float64), neighbours, _COLOR_RINGS) * (_LIGHTNESS, 1.0, 1.0)
    return MeshGraph(index, vertices, edges, component, border[index], normals, lab, neighbours, spacing)


def smoothed(values: np.ndarray, neighbours: sparse.csr_matrix, rings: int) -> np.ndarray:
    """Values averaged over each vertex and its neighbours, `rings` times."""
    if rings == 0 or len(values) == 0:
        return values
    mean = sparse.diags(1.0 / np.asarray(neighbours.sum(1)).ravel()) @ neighbours
    for _ in range(rings):
        values = mean @ values
    return values


def concavity(graph: MeshGraph) -> np.ndarray:
    """(n,) 0..1: how certainly each vertex lies in a concave crease, where one thing usually ends and another begins."""
    first, second = graph.edges.T
    along = graph.vertices[second] - graph.vertices[first]
    length = np.linalg.norm(along, axis=1) + 1e-6
    bend = -((graph.normals[second] - graph.normals[first]) * along).sum(1) / length
    return np.clip((_largest(bend, graph) - _CREASE_FROM) / _CREASE_RANGE, 0.0, 1.0)


def contrast(graph: MeshGraph) -> np.ndarray:
    """(n,) 0..1: how certainly each vertex lies where the surface changes colour.

    Stands where the published recipe has the edges of a 2D network (HED) averaged over the views, where there are none
    (edge_evidence.py): without either, magazines on a table and papers on a wall are lost.
    """
    first, second = graph.edges.T
    change = np.linalg.norm(graph.lab[second] - graph.lab[first], axis=1)
    return np.clip((_largest(change, graph) - _CONTRAST_FROM) / _CONTRAST_RANGE, 0.0, 1.0)


def _largest(of_edge: np.ndarray, graph: MeshGraph) -> np.ndarray:
    """(n,) the largest non-negative value among each vertex's edges."""
    largest = np.zeros(len(graph))
    np.maximum.at(largest, graph.edges[:, 0], of_edge)
    np.maximum.at(largest, graph.edges[:, 1], of_edge)
    return largest


def basins(graph: MeshGraph, crease: np.ndarray, color_edge: np.ndarray) -> np.ndarray:
    """(n,) int basin of each vertex: a watershed by steepest descent over creases and colour edges.

    crease, color_edge: (n,) 0..1 for each vertex. Each vertex points to its lowest neighbour; pointers are followed by
    doubling, so that the number of rounds is logarithmic in the longest way down.
    """
    n = len(graph)
    if n == 0:
        return np.zeros(0, np.int64)
    altitude = smoothed(np.minimum(_EDGE_SHARE * color_edge + crease, _MAX_ALTITUDE), graph.neighbours, 1)
    order = np.argsort(altitude, kind="stable")  # ties go by vertex number: a plateau drains one way
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    lowest = np.minimum.reduceat(rank[graph.neighbours.indices], graph.neighbours.indptr[:-1])
    pointer = order[lowest]
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return np.unique(pointer, return_inverse=True)[1].ravel()
        pointer = further


def _edges(faces: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Undirected edges (E, 2) once each, and (n,) bool of vertices on an edge that has a face on one side only."""
    corners = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    corners = corners[corners[:, 0] != corners[:, 1]]
    corners.sort(axis=1)
    keys, count = np.unique(corners[:, 0] * max(n, 1) + corners[:, 1], return_counts=True)
    edges = np.stack([keys // max(n, 1), keys % max(n, 1)], 1)
    border = np.zeros(n, bool)
    border[edges[count == 1].ravel()] = True
    return edges, border


def _adjacency(edges: np.ndarray, n: int) -> sparse.csr_matrix:
    rows = np.concatenate([edges[:, 0], edges[:, 1]])
    columns = np.concatenate([edges[:, 1], edges[:, 0]])
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(n, n))


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) unit normals, the mean of the adjoining faces' by area: what the recipe's thresholds were measured with."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    by_face = np.cross(b - a, c - a)
    normals = np.stack([sum(np.bincount(faces[:, k], by_face[:, axis], len(vertices)) for k in range(3))
                        for axis in range(3)], 1) if len(faces) else np.zeros((len(vertices), 3))
    return _unit(normals)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
