"""Superpoints: a surface over-segmented so finely that things are sets of segments, and what a network is told of each.

As SPFormer (Sun et al. 2023), on the segments that Segment3D's post-processing snaps masks to: a room is 1000 to 2500 of them in
place of 100,000 points, so that masks, matching and attention cost little, and borders of things are exact from the start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh
from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.instances.agglomeration import gap_pairs
from magic3d_ros.instances.region_features import PAIR_FEATURES, pair_features
from magic3d_ros.instances.region_statistics import region_statistics
from magic3d_ros.instances.regions import MeshGraph, concavity, contrast, mesh_graph
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES, node_features
from magic3d_ros.instances.structure import Structure, find_structure
from magic3d_ros.mapping.surface import Surface

SEGMENT_K, SEGMENT_POINTS = 0.01, 20
"""Felzenszwalb's scale and fewest vertices (Segment3D, ScanNet's segmentator). Their true majorities score .724 / .887 / .971 on
replica_office0, where .954 / 1 / 1 is the most that the mapped surface allows; with k 1 .440 / .733 / .773."""

BORDER_COLUMN = 2
"""Of the pair features: log(1 + edges between the two), the weight of a border where affinities are averaged."""


@dataclass(frozen=True)
class SuperpointGraph:
    """S superpoints of n points, and P pairs of them that touch or face each other across a gap.

    points (n, 3) float32 metres, z up; colors (n, 3) uint8; superpoint (n,) int32 0 ... S-1; nodes (S, NODE_FEATURES) and edges
    (P, PAIR_FEATURES) float32; pairs (P, 2) int32.
    """

    points: np.ndarray
    colors: np.ndarray
    superpoint: np.ndarray
    nodes: np.ndarray
    pairs: np.ndarray
    edges: np.ndarray

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def size(self) -> np.ndarray:
        """(S,) float32 points of each."""
        return np.bincount(self.superpoint, minlength=len(self)).astype(np.float32)

    @property
    def center(self) -> np.ndarray:
        """(S, 3) float32 mean place of each."""
        sums = np.stack([np.bincount(self.superpoint, self.points[:, axis], len(self)) for axis in range(3)], 1)
        return (sums / self.size[:, None]).astype(np.float32)

    @property
    def border(self) -> np.ndarray:
        """(P,) float32 weight of each pair's border: more for longer ones, little for gaps."""
        return np.maximum(self.edges[:, BORDER_COLUMN], 0.1)


@dataclass(frozen=True)
class SegmentedGraph:
    """A surface with its superpoints; any part of it can be looked at by itself.

    graph: its vertices without loose specks, with colors (n, 3) uint8; structure: planes that bound it, and which way is up;
    segment: (n,) int superpoint of each.
    """

    graph: MeshGraph
    colors: np.ndarray
    structure: Structure
    segment: np.ndarray

    def whole(self) -> SuperpointGraph:
        """All of it."""
        if len(self.graph) == 0:
            return _NOTHING
        number = np.unique(self.segment, return_inverse=True)[1].ravel()
        graph = self.graph
        sums = region_statistics(graph, number, concavity(graph), contrast(graph), gap_pairs(graph), self.structure)
        points = graph.vertices @ upright_rotation(self.structure.up).T
        return SuperpointGraph(points.astype(np.float32), self.colors, number.astype(np.int32), node_features(sums),
                               sums.pairs.astype(np.int32), pair_features(sums, np.arange(len(sums.pairs))))

    def part(self, chosen: np.ndarray) -> SuperpointGraph:
        """What a view shows: (n,) bool of the vertices. Superpoints that it cuts are as large as what is left."""
        left = SegmentedGraph(self.graph.part(chosen), self.colors[chosen], self.structure.part(chosen), self.segment[chosen])
        return left.whole()


_NOTHING = SuperpointGraph(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros(0, np.int32),
                           np.zeros((0, NODE_FEATURES), np.float32), np.zeros((0, 2), np.int32),
                           np.zeros((0, PAIR_FEATURES), np.float32))


def segmented_surface(surface: Surface, up: np.ndarray) -> SegmentedGraph:
    """Over-segment a surface, (3,) unit `up`. Loose specks and vertices that are not finite are in no superpoint."""
    graph = mesh_graph(surface)
    return segmented(surface, graph, find_structure(graph, up))


def segmented(surface: Surface, graph: MeshGraph, structure: Structure) -> SegmentedGraph:
    """Over-segment the part of a surface that is in `graph`, with planes that bound it."""
    colors = surface.colors[graph.index]
    if len(graph) == 0:
        return SegmentedGraph(graph, colors, structure, np.zeros(0, np.int64))
    number = np.full(len(surface), -1)
    number[graph.index] = np.arange(len(graph))
    faces = number[surface.faces]
    edges, weights = mesh_weights(graph.vertices, faces[(faces >= 0).all(1)], colors)
    return SegmentedGraph(graph, colors, structure, segment_mesh(edges, weights, len(graph), SEGMENT_K, SEGMENT_POINTS))
