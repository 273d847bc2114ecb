"""Graph-based segmentation of a mesh (Felzenszwalb and Huttenlocher 2004), the usual geometric baseline of 3D instances."""

from __future__ import annotations

import numpy as np


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
