"""Graph-based segmentation of a mesh (Felzenszwalb and Huttenlocher 2004), the usual geometric baseline of 3D instances."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

# The mean change of red, green and blue (0..1) beside the normals, of colours averaged over three rings: the best of twelve
# variants on replica_office0 (AP .239; .192 with raw colours), so that the baseline is measured at its best.
_COLOR_SHARE, _COLOR_RINGS = 0.3, 3


def mesh_weights(vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (E, 2) of a triangle mesh, and how much their ends differ: (E,).

    1 - cos of the angle between the normals, squared where the surface is convex (ScanNet's segmentator), plus .3 of the change
    of smoothed colour. vertices (N, 3), faces (M, 3) int, colors (N, 3) uint8.
    """
    corners = vertices[faces].astype(np.float64)
    by_face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(normals, faces[:, corner], by_face)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    edges = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64), axis=1), axis=0)
    first, second = edges.T
    bend = 1.0 - (normals[first] * normals[second]).sum(1)
    along = (vertices[second] - vertices[first]).astype(np.float64)
    convex = (normals[second] * along).sum(1) > 0
    smooth = _averaged(colors / 255.0, edges, _COLOR_RINGS)
    return edges, np.where(convex, bend**2, bend) + _COLOR_SHARE * np.abs(smooth[first] - smooth[second]).mean(1)


def _averaged(values: np.ndarray, edges: np.ndarray, rings: int) -> np.ndarray:
    """Values averaged over each vertex and its neighbours, `rings` times."""
    n = len(values)
    links = sparse.coo_matrix((np.ones(len(edges)), tuple(edges.T)), shape=(n, n))
    mean = sparse.csr_matrix(links + links.T + sparse.eye(n))
    mean = sparse.diags(1.0 / np.asarray(mean.sum(1)).ravel()) @ mean
    for _ in range(rings):
        values = mean @ values
    return values


def segment_mesh(edges: np.ndarray, weights: np.ndarray, count: int, k: float, min_size: int = 20) -> np.ndarray:
    """(count,) int segment of each vertex.

    edges (E, 2), weights (E,): neighbouring vertices and how much they differ. Two segments join when the edge between them
    weighs no more than each segment's heaviest inner edge + k / its size. Segments under `min_size` vertices (20, as in
    ScanNet's segmentator) join a neighbour at the end.
    """
    parent = list(range(count))
    size = [1] * count
    limit = [float(k)] * count
    order = np.argsort(weights, kind="stable")
    pairs = edges[order].tolist()

    def root(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    def join(i: int, j: int) -> int:
        if size[i] < size[j]:
            i, j = j, i
        parent[j] = i
        size[i] += size[j]
        return i

    for (a, b), weight in zip(pairs, weights[order].tolist(), strict=True):
        i, j = root(a), root(b)
        if i != j and weight <= limit[i] and weight <= limit[j]:
            i = join(i, j)
            limit[i] = weight + k / size[i]
    for a, b in pairs:
        i, j = root(a), root(b)
        if i != j and (size[i] < min_size or size[j] < min_size):
            join(i, j)
    return np.unique([root(v) for v in range(count)], return_inverse=True)[1].ravel()
