"""From the surface to separate things, brought up to date as often as the surface changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from magic3d_ros.config import InstanceSettings
from magic3d_ros.geometry.box import upright_box
from magic3d_ros.instances.agglomeration import Grouping, agglomerate, boundaries, gap_pairs
from magic3d_ros.instances.evidence import DepthViews
from magic3d_ros.instances.identity import IdentityMemory
from magic3d_ros.instances.instance import Instance, InstanceMap
from magic3d_ros.instances.regions import MeshGraph, basins, concavity, contrast, mesh_graph
from magic3d_ros.instances.structure import Structure, find_structure, structure_of
from magic3d_ros.instances.views import Sightings, sightings
from magic3d_ros.mapping.keyframes import Keyframe
from magic3d_ros.mapping.surface import Surface

# Recipe step 9 (docs/instances.md): view weights are scaled so that the scene's median vertex has 6; objects seen with less
# than 1 are scraps (walls are not, however far away); full confidence from 4 on.
_MEDIAN_WEIGHT, _SCRAP_WEIGHT, _SURE_WEIGHT = 6.0, 1.0, 4.0
# A camera that rests on one place raises the median without end; a thing that was seen well once and a half is no scrap.
_ENOUGH_WEIGHT = 1.5
# Cost of the cheapest refused merge that counts for confidence at most: a thing without neighbours has no cost at all.
_MAX_SEPARATION = 2.0
# sqrt(points) x separation x view share at which confidence is one half: 200 points that a merge at .72 would have joined.
_HALF_CONFIDENCE = 10.0


class InstanceMapper:
    """Separates the surface into things and structure, with ids that stay.

    Every `update` segments the whole surface: that takes about as long as meshing it, and a change somewhere can move borders
    elsewhere. Ids are carried over by overlap.
    """

    def __init__(self, settings: InstanceSettings) -> None:
        self._settings = settings
        self._identity = IdentityMemory()
        self._depths = DepthViews()
        self._seen: dict[int, tuple[int, int]] = {}  # id -> stamps of the first and last keyframe that saw it

    def update(self, surface: Surface, keyframes: list[Keyframe], up: np.ndarray) -> InstanceMap:
        """The things in a surface, given all remembered keyframes and the (3,) unit up direction."""
        labels = np.full(len(surface), -1, np.int32)
        graph = mesh_graph(surface)
        self._depths.keep_only({k.stamp for k in keyframes})
        if len(graph) == 0:
            self._identity.assign(np.zeros((0, 3)), np.zeros(0, np.int64), 0)
            return InstanceMap(labels, {})
        structure = find_structure(graph, up)
        thing, grouping = segment(graph, structure, self._settings.merge_threshold, self._identity.recall(graph.vertices))
        count = len(grouping.separation)
        seen = sightings(graph.vertices, graph.normals, thing, count, keyframes, self._depths, self._settings.max_views)
        size = np.bincount(thing, minlength=count)
        weight = _scaled_weight(seen, size) if keyframes else np.full(count, _MEDIAN_WEIGHT)
        names = structure_of(graph, thing, count, structure)
        kept = (size >= self._settings.min_vertices) & ((weight >= _SCRAP_WEIGHT) | np.array([bool(name) for name in names]))
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        member = kept[thing]
        ids = self._identity.assign(graph.vertices[member], number[thing[member]], int(kept.sum()))
        labels[graph.index[member]] = ids[number[thing[member]]]
        confidence = _confidence(size, grouping.separation, weight)
        instances = {}
        order = np.argsort(thing, kind="stable")
        for t, points in enumerate(np.split(graph.vertices[order], np.cumsum(size)[:-1])):
            if kept[t]:
                instance = self._described(int(ids[number[t]]), points, names[t], float(confidence[t]), t, seen, keyframes, up)
                instances[instance.id] = instance
        return InstanceMap(labels, instances)

    def _described(self, thing_id: int, points: np.ndarray, structure: str, confidence: float, t: int, seen: Sightings,
                   keyframes: list[Keyframe], up: np.ndarray) -> Instance:
        stamps = [k.stamp for k, saw in zip(keyframes, seen.seen[:, t], strict=True) if saw]
        if stamps:
            first, last = self._seen.get(thing_id, (stamps[0], stamps[0]))
            self._seen[thing_id] = (min(first, *stamps), max(last, *stamps))
        first, last = self._seen.get(thing_id, (0, 0))
        return Instance(thing_id, "structure" if structure else "object", structure, upright_box(points, up), points.mean(0),
                        len(points), confidence, first, last, len(stamps), seen.views[t])

    def reset(self) -> None:
        """Forget all things; ids go on counting."""
        self._identity.reset()
        self._depths = DepthViews()
        self._seen.clear()

    def state(self) -> dict[str, np.ndarray]:
        """What must outlive the process: ids with their places, and when each was seen. Integer arrays."""
        seen = np.array([(i, *stamps) for i, stamps in sorted(self._seen.items())], np.int64).reshape(-1, 3)
        return {**self._identity.state(), "seen": seen}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        seen = np.asarray(state.get("seen", ()))
        if seen.ndim != 2 or seen.shape[1] != 3 or not np.issubdtype(seen.dtype, np.integer):
            raise ValueError("the state of instances lacks integer 'seen' of shape (n, 3)")
        self._identity.load_state(state)
        self._depths = DepthViews()
        self._seen = {int(i): (int(first), int(last)) for i, first, last in seen}


def segment(graph: MeshGraph, structure: Structure, threshold: float, known: np.ndarray | None = None,
            learned_edges: np.ndarray | None = None) -> tuple[np.ndarray, Grouping]:
    """(n,) int thing of each vertex, 0 ... T-1, and what is known of the things.

    known (n,) int: id that the last run gave to the place of each vertex, -1 = none. learned_edges (n,) 0..1: evidence of a 2D
    edge network, averaged over views; the embedded tier has none and takes the contrast of the surface itself.
    """
    color_edge = contrast(graph) if learned_edges is None else learned_edges
    crease = concavity(graph)
    basin = basins(graph, crease, color_edge)
    size = np.bincount(basin)
    color = np.stack([np.bincount(basin, graph.lab[:, k]) for k in range(3)], 1) / size[:, None]
    planes = np.zeros((len(size), len(structure.planes)))
    on = structure.membership >= 0
    np.add.at(planes, (basin[on], structure.membership[on]), 1.0)
    border = boundaries(graph, basin, crease, color_edge, gap_pairs(graph))
    was = None if known is None else _majority(basin, known)
    grouping = agglomerate(size, color, planes / size[:, None], border, threshold, was)
    return grouping.label[basin], grouping


def _majority(basin: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(B,) the value that most vertices of each basin have. basin (n,) 0 ... B-1, known (n,) int from -1 on."""
    span = int(known.max()) + 2
    key, count = np.unique(basin * span + known + 1, return_counts=True)
    order = np.argsort(count, kind="stable")
    most = np.empty(int(basin.max()) + 1, np.int64)
    most[key[order] // span] = key[order] % span - 1  # the last assignment, of the largest count, stays
    return most


def _scaled_weight(seen: Sightings, size: np.ndarray) -> np.ndarray:
    """(T,) mean view weight of each thing, scaled so that the scene's median vertex has 6."""
    order = np.argsort(seen.weight)
    median = seen.weight[order][np.searchsorted(np.cumsum(size[order]), size.sum() / 2)]
    scaled = seen.weight * (_MEDIAN_WEIGHT / max(median, 1e-9))
    return np.where(seen.weight >= _ENOUGH_WEIGHT, np.maximum(scaled, _SCRAP_WEIGHT), scaled)


def _confidence(size: np.ndarray, separation: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(T,) 0..1: grows with size, with how clearly a thing is set off from its neighbours, and with how well it was seen."""
    raw = np.sqrt(size) * np.minimum(separation, _MAX_SEPARATION) * np.clip(weight / _SURE_WEIGHT, 0.0, 1.0)
    return raw / (raw + _HALF_CONFIDENCE)
