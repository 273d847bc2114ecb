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
    sides = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64)
    keys = np.sort(sides.min(1) * len(vertices) + sides.max(1))
    keys = keys[np.diff(keys, prepend=-1) > 0]  # once each; np.unique takes four times as long
    first, second = np.divmod(keys, max(len(vertices), 1))
    edges = np.stack([first, second], 1)
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
    order = np.argsort(weights, kind="stable")
    ends = edges[order].T
    parent, size, limit = list(range(count)), [1] * count, [float(k)] * count
    # Written out in full: a function that follows parents takes as long again as all else here.
    for i, j, weight in zip(*ends.tolist(), weights[order].tolist(), strict=True):
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        while parent[j] != j:
            parent[j] = j = parent[parent[j]]
        if i != j and weight <= limit[i] and weight <= limit[j]:
            if size[i] < size[j]:
                i, j = j, i
            parent[j] = i
            size[i] += size[j]
            limit[i] = weight + k / size[i]
    segment = _roots(parent)
    small = np.array(size)[segment] < min_size
    first, second = ends
    open_ = (segment[first] != segment[second]) & (small[first] | small[second])  # one in three to one in a hundred
    for i, j in zip(segment[first[open_]].tolist(), segment[second[open_]].tolist(), strict=True):
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        while parent[j] != j:
            parent[j] = j = parent[parent[j]]
        if i != j and (size[i] < min_size or size[j] < min_size):
            if size[i] < size[j]:
                i, j = j, i
            parent[j] = i
            size[i] += size[j]
    return np.unique(_roots(parent), return_inverse=True)[1].ravel()


def _roots(parent: list[int]) -> np.ndarray:
    """Where the parents of each end."""
    root = np.array(parent, np.int64)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            return root
        root = further
