"""The surface of a map parted into whole things, by networks that learned it from rendered rooms (docs/instances.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances.agglomeration import gap_pairs
from magic3d_ros.instances.region_classifier import Network, RegionClassifier
from magic3d_ros.instances.region_features import whole_features
from magic3d_ros.instances.region_statistics import RegionStatistics, region_statistics
from magic3d_ros.instances.region_tree import RegionTree, grow
from magic3d_ros.instances.regions import MeshGraph, basins, concavity, contrast
from magic3d_ros.instances.structure import Structure

# What was one thing in the last run stays one more readily: logits by which pairs that were one, or two, are moved. Pairs near
# the threshold would otherwise flip from run to run, ids with them.
_INERTIA = 0.5


@dataclass(frozen=True)
class WholeThings:
    """label (n,) int thing of each vertex, 0 ... T-1. quality (T,) 0..1: mean probability that it overlaps a true thing by an
    IoU of .5, .6, ... .9: what average precision expects of it."""

    label: np.ndarray
    quality: np.ndarray


def basin_statistics(graph: MeshGraph, structure: Structure,
                     learned_edges: np.ndarray | None = None) -> tuple[np.ndarray, RegionStatistics]:
    """(n,) basin of each vertex, and the sums over basins and their borders. learned_edges (n,) 0..1: of a 2D edge network, in
    place of the surface's own contrast."""
    crease = concavity(graph)
    color_edge = contrast(graph) if learned_edges is None else learned_edges
    basin = basins(graph, crease, color_edge)
    return basin, region_statistics(graph, basin, crease, color_edge, gap_pairs(graph), structure)


def whole_things(graph: MeshGraph, structure: Structure, classifier: RegionClassifier, probability: float,
                 known: np.ndarray | None = None, learned_edges: np.ndarray | None = None) -> WholeThings:
    """Part a surface: neighbours that are one thing with at least `probability` are one; lower gives fewer and larger things.

    known (n,) int: id that the last run gave to the place of each vertex, -1 = none.
    """
    if len(graph) == 0:
        return WholeThings(np.zeros(0, np.int64), np.zeros(0))
    basin, regions = basin_statistics(graph, structure, learned_edges)
    was = np.full(len(regions), -1) if known is None else majority(basin, known)
    tree = grow(regions, lambda features, pairs: _joined(classifier.join, features, was[pairs]))
    nodes, label = np.unique(tree.parted(probability), return_inverse=True)
    return WholeThings(label.ravel()[basin], region_quality(tree, classifier.whole)[nodes])


def region_quality(tree: RegionTree, whole: Network) -> np.ndarray:
    """(N,) for each node the mean probability over IoU .5 ... .9 (the network's first output, IoU .25, is not part of AP)."""
    return np.asarray(whole(whole_features(tree.sums, tree.low, tree.high, tree.joins()))[:, 1:].mean(1))


def _joined(join: Network, features: np.ndarray, was: np.ndarray) -> np.ndarray:
    """(Q,) probabilities of being one thing. was (Q, 2): what either's largest basin belonged to, -1 = nothing."""
    probability = join(features)[:, 0]
    both = (was >= 0).all(1)
    if not both.any():
        return probability
    odds = probability / np.maximum(1.0 - probability, 1e-9)
    odds = odds * np.exp(np.where(both, np.where(was[:, 0] == was[:, 1], _INERTIA, -_INERTIA), 0.0))
    return odds / (1.0 + odds)


def majority(basin: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(B,) the value that most vertices of each basin have. basin (n,) 0 ... B-1, known (n,) int from -1 on."""
    span = int(known.max()) + 2
    key, count = np.unique(basin * span + known + 1, return_counts=True)
    order = np.argsort(count, kind="stable")
    most = np.empty(int(basin.max()) + 1, np.int64)
    most[key[order] // span] = key[order] % span - 1  # the last assignment, of the largest count, stays
    return most
