"""What the region classifier learns from: recordings with a true mesh, and every pair of regions that parting them meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.evaluation.instance_metrics import transfer_labels
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.learned_regions import basin_statistics
from magic3d_ros.instances.region_features import whole_features
from magic3d_ros.instances.region_statistics import SIZE, RegionStatistics
from magic3d_ros.instances.region_tree import RegionTree, grow
from magic3d_ros.instances.regions import mesh_graph
from magic3d_ros.instances.structure import find_structure
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source
from magic3d_ros.training.room_variations import RoomVariation

MOST_PAIRS, MOST_AT_ONCE = 12_000, 5_000
"""Pairs kept of a room and of one round: rooms count alike, and the many pairs of basins do not drown the few large ones."""
WRONG, SLACK = 0.1, 0.3
"""Before anything is learned regions join by the truth: a tenth of the probabilities are drawn by chance, all others vary by .3,
so that wrongly joined regions are met, too."""
_FULL_SIZE = 400.0  # vertices of the smaller region, from which on a pair counts in full
_FEWEST = 20.0  # vertices of a region, below which it is no example of a thing: things under 25 are dropped


@dataclass(frozen=True)
class TrueRoom:
    """A mapped room as basins. statistics: of basins. truth (B, 1 + T): vertices of each basin in no true thing, and in each.
    basin, thing (n,): of each vertex, thing -1 = none."""

    statistics: RegionStatistics
    truth: np.ndarray
    basin: np.ndarray
    thing: np.ndarray


@dataclass(frozen=True)
class Samples:
    """features (N, F) float32, target (N, C) 0..1, weight (N,)."""

    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray

    @staticmethod
    def joined(parts: list[Samples]) -> Samples:
        """All samples of all parts."""
        return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "target", "weight")))


def map_room(folder: Path, settings: Settings, kind: str, random: np.random.Generator) -> TrueRoom:
    """Map a recorded folder with gt_mesh_labels.npz. kind: how it is seen, one of room_variations.KINDS.

    Raises SourceError for a folder that cannot be read, ValueError naming one without truth or without surface.
    """
    truth_file = folder / "gt_mesh_labels.npz"
    if not truth_file.is_file():
        raise ValueError(f"{truth_file} is missing: training needs the truth; `magic3d room random:1000 --out FOLDER` writes it")
    with np.load(truth_file, allow_pickle=False) as stored:
        vertices, faces, instance = stored["vertices"], stored["faces"], stored["instance"]
    variation = RoomVariation.drawn(kind, random, vertices, faces)
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    for number, recorded in enumerate(open_source(str(folder), settings)):
        frame = variation.seen(number, recorded)
        if frame is None:
            continue
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        if is_keyframe:
            keyframes.add(frame)
            up.observe(frame.camera_to_world)
    surface = mapper.surface()
    graph = mesh_graph(surface, settings.map.voxel_size)
    if len(graph) == 0:
        raise ValueError(f"{folder} maps to no surface: are its depth images and poses right?")
    of_vertex = transfer_labels(vertices * variation.scale, instance, surface.vertices[graph.index])
    ids = np.unique(of_vertex[of_vertex >= 0])
    thing = np.where(of_vertex >= 0, np.searchsorted(ids, of_vertex), -1)
    basin, statistics = basin_statistics(graph, find_structure(graph, up.estimate(surface)))
    truth = np.zeros((len(statistics), len(ids) + 1))
    np.add.at(truth, (basin, thing + 1), 1.0)
    return TrueRoom(statistics, truth, basin, thing)


def met_pairs(room: TrueRoom, join: Callable[[np.ndarray], np.ndarray] | None,
              random: np.random.Generator) -> tuple[Samples, RegionTree]:
    """The pairs that parting a room meets, and the tree. join: features (Q, F) -> (Q,) probabilities; None = by the truth.

    A pair's target is the probability that a vertex of one and a vertex of the other are of one true thing.
    """
    regions = replace(room.statistics, **{name: getattr(room.statistics, name).copy() for name in ("sums", "low", "high")})
    truth = room.truth.copy()
    met: list[Samples] = []

    def score(features: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        target, weight = _true_joins(truth[pairs[:, 0]], truth[pairs[:, 1]])
        chosen = random.choice(len(pairs), MOST_AT_ONCE, replace=False) if len(pairs) > MOST_AT_ONCE else slice(None)
        met.append(Samples(features[chosen], target[chosen, None], weight[chosen]))
        if join is not None:
            return join(features)
        by_chance = random.random((2, len(pairs)))
        guided = SLACK * by_chance[1] + (1.0 - SLACK) * (target > 0.5)
        return np.where(by_chance[0] < WRONG, by_chance[1], guided)

    tree = grow(regions, score, lambda kept, gone: np.add.at(truth, kept, truth[gone]))
    samples = Samples.joined(met)
    if len(samples.weight) > MOST_PAIRS:
        kept = random.choice(len(samples.weight), MOST_PAIRS, replace=False)
        samples = Samples(samples.features[kept], samples.target[kept], samples.weight[kept])
    return samples, tree


def whole_samples(room: TrueRoom, tree: RegionTree, overlaps: tuple[float, ...]) -> Samples:
    """For each node of a tree whether its IoU with a true thing is above each of `overlaps`."""
    best, known = best_overlap(room, tree)
    size, leaves = tree.sums[:, SIZE], tree.joins()[:, 4]
    # A small region, and one that was never joined, matters less; regions far from any thing are many and alike.
    weight = known * (size >= _FEWEST) * np.minimum(size / 100.0, 1.0) * np.where(leaves > 1, 1.0, 0.5)
    weight *= np.where(best > overlaps[0], 1.0, 0.5)
    used = weight > 0
    features = whole_features(tree.sums, tree.low, tree.high, tree.joins())
    return Samples(features[used], (best[used, None] > overlaps).astype(np.float32), weight[used])


def best_overlap(room: TrueRoom, tree: RegionTree) -> tuple[np.ndarray, np.ndarray]:
    """(N,) largest IoU of each node with a true thing, and (N,) bool whether at least half of its vertices have a true thing."""
    shared = tree.sums_over(room.truth)
    inside = shared[:, 1:].sum(1)
    union = inside[:, None] + room.truth[:, 1:].sum(0) - shared[:, 1:]
    best = (shared[:, 1:] / np.maximum(union, 1.0)).max(1, initial=0.0)
    return best, inside >= 0.5 * shared.sum(1)


def _true_joins(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets and weights (Q,) of pairs of regions with (Q, 1 + T) vertices in true things; none for what has mostly no truth."""
    known_1, known_2 = one[:, 1:].sum(1), other[:, 1:].sum(1)
    target = (one[:, 1:] * other[:, 1:]).sum(1) / np.maximum(known_1 * known_2, 1.0)
    known = (known_1 >= 0.5 * one.sum(1)) & (known_2 >= 0.5 * other.sum(1))
    smaller = np.minimum(one.sum(1), other.sum(1))
    return target, known * (0.1 + np.sqrt(np.minimum(smaller, _FULL_SIZE) / _FULL_SIZE))
