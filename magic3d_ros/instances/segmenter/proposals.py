"""From the masks of queries to things that do not overlap: pieces by density, snapped to a mesh, one label a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh
from magic3d_ros.geometry.open3d_import import load_open3d

CLUSTER_RADIUS, CLUSTER_POINTS = 2.5, 5
"""DBSCAN (Ester et al. 1996): radius in voxels, .05 m at the paper's 2 cm, and points (Segment3D)."""

FEWEST_POINTS = 16
"""A mask of 15 points or fewer is dropped (Segment3D)."""

SEGMENT_K, SEGMENT_POINTS = 0.01, 20
"""Over-segments of the mesh: scale and fewest vertices (Segment3D, ScanNet's segmentator)."""

INSIDE = 0.5
"""Mask value from which a voxel, or the mean of it from which a segment, belongs to a mask (Segment3D)."""

DUPLICATE = 0.75
"""IoU with a better mask from which one is the same again."""

LEFT = 0.5
"""Share of a mask that better ones must leave for it to become a thing: what is mostly taken was found already."""


@dataclass(frozen=True)
class Proposals:
    """labels: (N,) int32 thing of each point, -1 = none; things count from 0, surest first. scores: (T,) float32 0..1,
    P(object) x mean mask value."""

    labels: np.ndarray
    scores: np.ndarray


def pieces(mask: np.ndarray, places: np.ndarray, radius: float) -> list[np.ndarray]:
    """The parts of a mask that are apart in space, each as rows of (V, 3) places; mask: (M,) rows. Lone voxels are in none.

    radius: metres of DBSCAN.
    """
    open3d = load_open3d()
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(places[mask].astype(np.float64)))
    part = np.asarray(cloud.cluster_dbscan(radius, CLUSTER_POINTS))
    return [mask[part == number] for number in range(int(part.max(initial=-1)) + 1)]


def without_duplicates(values: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Rows of (Q, V) mask values that remain, best first, when of two masks that overlap by DUPLICATE the worse one goes."""
    inside = (values > INSIDE).astype(np.float32)
    shared = inside @ inside.T
    size = shared.diagonal()
    overlap = shared / np.maximum(size[:, None] + size[None] - shared, 1)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if size[row] and all(overlap[row, other] < DUPLICATE for other in kept):
            kept.append(row)
    return np.array(kept, np.int64)


def mesh_segments(vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """(N,) int over-segment of each vertex of a mesh, small enough that a border of a thing is a border of segments."""
    edges, weights = mesh_weights(vertices, faces, colors)
    return segment_mesh(edges, weights, len(vertices), SEGMENT_K, SEGMENT_POINTS)


def snapped(values: sparse.csr_matrix, row: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """(T, S) bool: whether each segment joins each mask, by the mean of its points' mask values.

    values: (T, V) of voxels; row: (N,) voxel of each point; segments: (N,) segment of each point.
    """
    count = int(segments.max(initial=-1)) + 1
    share = sparse.coo_matrix((np.ones(len(row), np.float32), (segments, row)), shape=(count, values.shape[1])).tocsr()
    size = np.maximum(np.bincount(segments, minlength=count), 1)
    mean = (share @ values.T).toarray().T / size
    return mean > INSIDE


def painted(masks: list[np.ndarray], scores: np.ndarray, count: int) -> Proposals:
    """One label for each of `count` points: surer masks first, each takes what is left.

    masks: rows of points. A mask that has less than LEFT of itself or fewer than FEWEST_POINTS left becomes no thing.
    """
    labels = np.full(count, -1, np.int32)
    kept: list[int] = []
    for number in np.argsort(-scores, kind="stable").tolist():
        free = masks[number][labels[masks[number]] < 0]
        if len(free) >= FEWEST_POINTS and len(free) >= LEFT * len(masks[number]):
            labels[free] = len(kept)
            kept.append(number)
    return Proposals(labels, scores[kept].astype(np.float32))
