"""The recipe of 3D regions (docs/instances.md): basins between creases and colour edges, joined while that is cheap."""

from __future__ import annotations

import numpy as np

from magic3d_ros.instances.agglomeration import Grouping, agglomerate, boundaries, gap_pairs
from magic3d_ros.instances.learned_regions import majority
from magic3d_ros.instances.merging_boundaries import MASK_TRUST, voted
from magic3d_ros.instances.regions import MeshGraph, basins, concavity, contrast
from magic3d_ros.instances.structure import Structure


def segment(graph: MeshGraph, structure: Structure, threshold: float, known: np.ndarray | None = None,
            learned_edges: np.ndarray | None = None, tracks: np.ndarray | None = None,
            mask_trust: float = MASK_TRUST) -> tuple[np.ndarray, Grouping]:
    """(n,) int thing of each vertex, 0 ... T-1, and what is known of the things.

    known (n,) int: id that the last run gave to the place of each vertex, -1 = none. learned_edges (n,) 0..1: evidence of a 2D
    edge network, averaged over views (edge_evidence.py); None = the contrast of the surface itself. tracks (n,) int:
    which merged 2D masks lie there, -1 = none, trusted by `mask_trust` 0..1.
    """
    if len(graph) == 0:
        return np.zeros(0, np.int64), Grouping(np.zeros(0, np.int64), np.zeros(0))
    color_edge = contrast(graph) if learned_edges is None else learned_edges
    crease = concavity(graph)
    basin = basins(graph, crease, color_edge)
    size = np.bincount(basin)
    color = np.stack([np.bincount(basin, graph.lab[:, k]) for k in range(3)], 1) / size[:, None]
    planes = np.zeros((len(size), len(structure.planes)))
    on = structure.membership >= 0
    np.add.at(planes, (basin[on], structure.membership[on]), 1.0)
    border = boundaries(graph, basin, crease, color_edge, gap_pairs(graph))
    if tracks is not None:
        border = voted(border, basin, tracks, mask_trust)
    was = None if known is None else majority(basin, known)
    grouping = agglomerate(size * graph.cell, color, planes / size[:, None], border, threshold, was)
    return grouping.label[basin], grouping
