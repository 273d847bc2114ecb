"""From the surface to separate things, brought up to date as often as the surface changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from magic3d_ros.config import InstanceSettings
from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.geometry.box import upright_box
from magic3d_ros.instances.edge_evidence import EdgeViews
from magic3d_ros.instances.evidence import DepthViews, last_seen
from magic3d_ros.instances.identity import CELL, IdentityMemory
from magic3d_ros.instances.instance import Instance, InstanceMap
from magic3d_ros.instances.learned_regions import majority, whole_things
from magic3d_ros.instances.merging import MaskMerger
from magic3d_ros.instances.merging_boundaries import MASK_TRUST
from magic3d_ros.instances.merging_sample import mask_sample
from magic3d_ros.instances.region_classifier import load_classifier
from magic3d_ros.instances.regions import SPACING, MeshGraph, mesh_graph
from magic3d_ros.instances.segmentation import segment
from magic3d_ros.instances.structure import find_structure, structure_of
from magic3d_ros.instances.views import Sightings, sightings
from magic3d_ros.mapping.keyframes import Keyframe
from magic3d_ros.mapping.surface import Surface

# Recipe step 9 (docs/instances.md): view weights are scaled so that the scene's median vertex has 6; objects seen with less
# than 1 are scraps (walls are not, however far away); full confidence from 4 on.
_MEDIAN_WEIGHT, _SCRAP_WEIGHT, _SURE_WEIGHT = 6.0, 1.0, 4.0
# A camera that rests on one place raises the median without end; a thing that was seen well once and a half is no scrap.
_ENOUGH_WEIGHT = 1.5
# What was a thing in the last run is a scrap only below this: the median moves with every keyframe, and a thing near the limit
# would come and go. Sights of redkitchen's labelled things with their usual id: 471 -> 473 of 506; with .25 the same.
_STAYING_WEIGHT = 0.5
# Square metres from which on nothing that was seen at all is a scrap: a ceiling, or a cupboard that was only passed, is a thing
# however badly it was seen. Of six held-out training rooms one had lost such a thing (AP25 .432 -> .459), none gained a wrong
# one; from .04 on some did.
_LARGE = 0.2
# Cost of the cheapest refused merge that counts for confidence at most: a thing without neighbours has no cost at all.
_MAX_SEPARATION = 2.0
# sqrt(area) x separation x view share at which confidence is one half: .08 square metres that a merge at .7 would have joined.
_HALF_CONFIDENCE = 0.2


@dataclass(frozen=True)
class _LastRun:
    """What an update leaves for the next. vertices (n,) int64 keys of the graph's vertices, ascending; ids (n,) of the things
    they belong to, -1 = none; instances, and the view weight of each before scaling, by id."""

    vertices: np.ndarray
    ids: np.ndarray
    instances: dict[int, Instance]
    weights: dict[int, float]


_NOTHING = _LastRun(np.zeros(0, np.int64), np.zeros(0, np.int64), {}, {})


class InstanceMapper:
    """Separates the surface into things and structure, with ids that stay.

    An `update` segments what changed since the last: vertices that are new or moved, and the whole of every thing that gained,
    lost or touches one. The rest, however large the map, stays as it was. Ids are carried over by overlap.
    Where 2D masks of keyframes are given (`observe`), they are merged online and vote on what the surface's regions are. Where a
    2D network's edges are given (`observe_edges`), they part regions in place of the surface's own contrast.

    mask_trust: 0..1, how far masks decide against creases and colours. spacing: metres from a vertex to the next, the map's
    voxel size.
    """

    def __init__(self, settings: InstanceSettings, mask_trust: float = MASK_TRUST, spacing: float = SPACING) -> None:
        self._settings = settings
        self._mask_trust = mask_trust
        self._spacing = spacing
        self._masks = MaskMerger()
        self._edges = EdgeViews()
        self._identity = IdentityMemory()
        self._depths = DepthViews()
        self._seen: dict[int, tuple[int, int]] = {}  # id -> stamps of the first and last keyframe that saw it
        self._last = _NOTHING

    def observe(self, frame: RGBDFrame, masks: np.ndarray, features: FeatureGrid | None = None) -> None:
        """Take in the 2D masks of a keyframe: (H, W) int, -1 = none; its depth is 0 where something moved. Any thread, any time.

        Raises FrameError for masks of another size than the frame.
        """
        self._masks.add(frame.stamp, mask_sample(frame, masks, features=features))

    def observe_edges(self, stamp: int, edges: np.ndarray) -> None:
        """Take in the edges that a 2D network saw in a keyframe: (h, w) uint8 that covers the image, 255 = certain. Any thread.

        Raises FrameError for another array.
        """
        self._edges.add(stamp, edges)

    def update(self, surface: Surface, keyframes: list[Keyframe], up: np.ndarray, whole: bool = False) -> InstanceMap:
        """The things in a surface, given all remembered keyframes and the (3,) unit up direction.

        whole: segment all of it, as at the end of a recording: a change somewhere can move a border elsewhere. What was one thing
        before then joins no more readily than anything else; ids still go by overlap.
        """
        labels = np.full(len(surface), -1, np.int32)
        graph = mesh_graph(surface, self._spacing)
        self._depths.keep_only({k.stamp for k in keyframes})
        self._masks.keep_only(keyframes)
        self._edges.keep_only(keyframes)
        if len(graph) == 0:
            self._identity.assign(np.zeros((0, 3)), np.zeros(0, np.int64), 0)
            self._last = _NOTHING
            return InstanceMap(labels, {})
        structure = find_structure(graph, up)
        keys = _vertex_keys(surface, graph.index)
        same = np.full(len(graph), -1) if whole else self._unchanged(graph, keys, keyframes)
        stale = same < 0
        part = graph.part(stale)
        recalled = np.full(len(part), -1) if whole else self._identity.recall(part.vertices)
        if self._settings.grouping == "network":
            from magic3d_ros.instances.segmenter.whole_things import segmenter_things  # torch, for those who ask for it

            found = segmenter_things(surface, part, structure.part(stale))
            of_part, sureness = found.label, found.quality
        elif self._settings.grouping == "learned":
            found = whole_things(part, structure.part(stale), load_classifier(), self._settings.join_probability, recalled)
            of_part, sureness = found.label, found.quality
        else:
            edges = self._edges.evidence(part, keyframes, self._depths) if len(self._edges) else None
            tracks = self._masks.tracks_at(part.vertices)[0]
            of_part, grouping = segment(part, structure.part(stale), self._settings.merge_threshold, recalled,
                                        learned_edges=edges, tracks=tracks, mask_trust=self._mask_trust)
            sureness = grouping.separation
        seen = sightings(part.vertices, part.normals, of_part, len(sureness), keyframes, self._depths, self._settings.max_views)
        # Things of this run: first those segmented now, then those that stay.
        new, (staying, number) = len(sureness), np.unique(same[~stale], return_inverse=True)
        thing = np.empty(len(graph), np.int64)
        thing[stale], thing[~stale] = of_part, new + number.ravel()
        count = new + len(staying)
        area = np.bincount(thing, minlength=count) * graph.cell
        seen_weight = np.concatenate([seen.weight, [self._last.weights[i] for i in staying.tolist()]])
        weight = _scaled_weight(seen_weight, area) if keyframes else np.full(count, _MEDIAN_WEIGHT)
        names = structure_of(graph, thing, count, structure)
        least = np.full(count, _SCRAP_WEIGHT)
        if len(part):
            least[:new][majority(of_part, recalled) >= 0] = _STAYING_WEIGHT
        clear = (weight >= least) | ((area >= _LARGE) & (weight > 0.0)) | np.array([bool(name) for name in names])
        kept = (area >= self._settings.min_vertices * SPACING**2) & clear
        kept[new:] = True
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        member = kept[thing]
        assigned = self._identity.assign(graph.vertices[member], number[thing[member]], int(kept.sum()))
        ids = np.where(kept, assigned[number], -1)
        labels[graph.index] = ids[thing]
        # What covers the very same vertices keeps its id: no overlap can be larger.
        instances = {i: self._last.instances[i] for i in staying.tolist()}
        learned = self._settings.grouping != "recipe"
        confidence = sureness if learned else _confidence(area[:new], sureness, weight[:new])
        order = np.argsort(of_part, kind="stable")
        ends = np.cumsum(np.bincount(of_part, minlength=new))
        for t, points in enumerate(np.split(part.vertices[order], ends[:-1])[:new]):
            if kept[t]:
                instance = self._described(int(ids[t]), points, names[t], float(confidence[t]), t, seen, keyframes, up)
                instances[instance.id] = instance
        order = np.argsort(keys, kind="stable")
        self._last = _LastRun(keys[order], ids[thing][order], instances,
                              {int(i): float(w) for i, w in zip(ids[kept], seen_weight[kept], strict=True)})
        return InstanceMap(labels, instances)

    def _unchanged(self, graph: MeshGraph, keys: np.ndarray, keyframes: list[Keyframe]) -> np.ndarray:
        """(n,) for each vertex the id of its thing if nothing of that changed since the last run, else -1.

        A thing changed when it lost a vertex, when a new one lies where it was or beside it, or when a keyframe that gave one of
        its views was forgotten.
        """
        last = self._last
        if len(last.vertices) == 0:
            return np.full(len(graph), -1)
        at = np.searchsorted(last.vertices, keys).clip(max=len(last.vertices) - 1)
        old = last.vertices[at] == keys
        ids = np.where(old, last.ids[at], -1)
        lost = np.ones(len(last.vertices), bool)
        lost[at[old]] = False
        beside = graph.edges[~old[graph.edges].all(1)]
        remembered = {k.stamp for k in keyframes}
        forgotten = [i for i, thing in last.instances.items() if any(view.stamp not in remembered for view in thing.views)]
        changed = np.concatenate([last.ids[lost], ids[beside].ravel(), self._identity.recall(graph.vertices[~old]), forgotten])
        return np.where(np.isin(ids, changed), -1, ids)

    def _described(self, thing_id: int, points: np.ndarray, structure: str, confidence: float, t: int, seen: Sightings,
                   keyframes: list[Keyframe], up: np.ndarray) -> Instance:
        stamps = [k.stamp for k, saw in zip(keyframes, seen.seen[:, t], strict=True) if saw]
        if stamps:
            first, last = self._seen.get(thing_id, (stamps[0], stamps[0]))
            self._seen[thing_id] = (min(first, *stamps), max(last, *stamps))
        first, last = self._seen.get(thing_id, (0, 0))
        return Instance(thing_id, "structure" if structure else "object", structure, upright_box(points, up), points.mean(0),
                        len(points), confidence, first, last, len(stamps), seen.views[t])

    def move(self, keyframes: list[Keyframe], moved: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
        """Move the places of all ids with the world, so that the things found there next keep them.

        keyframes: at the poses that they had. moved: takes (n, 3) points and the (n,) stamps of the keyframes that last saw them,
        gives where they are now. What no keyframe sees any more moves with the newest of its thing.
        """
        points, ids = self._identity.places()
        stamps = last_seen(points, keyframes, self._depths, CELL / 2)
        newest = np.full(int(ids.max(initial=-1)) + 1, -1, np.int64)
        np.maximum.at(newest, ids, stamps)
        self._identity.move(moved(points, np.where(stamps < 0, newest[ids], stamps)))
        self._masks.move(moved)
        self._last = _NOTHING

    def seen(self, thing_id: int) -> tuple[int, int] | None:
        """Stamps (ns) of the first and last keyframe that saw a thing, also when it is gone; None for an id that never was."""
        return self._seen.get(thing_id)

    def reset(self) -> None:
        """Forget all things; ids go on counting."""
        self._identity.reset()
        self._depths = DepthViews()
        self._seen.clear()
        self._last = _NOTHING

    def state(self) -> dict[str, np.ndarray]:
        """What must outlive the process: ids with their places, when each was seen; merged masks and edges if there are any."""
        seen = np.array([(i, *stamps) for i, stamps in sorted(self._seen.items())], np.int64).reshape(-1, 3)
        masks = {f"masks.{name}": array for name, array in self._masks.state().items()} if len(self._masks) else {}
        edges = {f"edges.{name}": array for name, array in self._edges.state().items()} if len(self._edges) else {}
        return {**self._identity.state(), "seen": seen, **masks, **edges}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        seen = np.asarray(state.get("seen", ()))
        if seen.ndim != 2 or seen.shape[1] != 3 or not np.issubdtype(seen.dtype, np.integer):
            raise ValueError("the state of instances lacks integer 'seen' of shape (n, 3)")
        merger, edges = MaskMerger(), EdgeViews()
        for prefix, owner in (("masks.", merger), ("edges.", edges)):
            own = {name[len(prefix):]: array for name, array in state.items() if name.startswith(prefix)}
            if own:
                owner.load_state(own)
        self._identity.load_state(state)
        self._masks, self._edges = merger, edges
        self._depths = DepthViews()
        self._last = _NOTHING
        self._seen = {int(i): (int(first), int(last)) for i, first, last in seen}


def _vertex_keys(surface: Surface, index: np.ndarray) -> np.ndarray:
    """(n,) int64: equal for two vertices that have place and colour in common to the last bit, and practically only for these."""
    place = np.ascontiguousarray(surface.vertices[index], np.float32).view(np.uint32).astype(np.uint64)
    color = surface.colors[index].astype(np.uint64) @ np.array([1, 1 << 8, 1 << 16], np.uint64)
    key = np.zeros(len(index), np.uint64)
    for part in (*place.T, color):  # FNV-1a over whole words, with the constants of its 64-bit form
        key = ((key ^ np.uint64(0xCBF29CE484222325)) ^ part) * np.uint64(0x100000001B3)
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


def _scaled_weight(seen: np.ndarray, area: np.ndarray) -> np.ndarray:
    """(T,) view weights `seen` of things of (T,) areas, scaled so that the median of the scene's surface has 6."""
    order = np.argsort(seen)
    covered = np.cumsum(area[order])
    median = seen[order][np.searchsorted(covered, covered[-1] / 2)]
    scaled = seen * (_MEDIAN_WEIGHT / max(median, 1e-9))
    return np.where(seen >= _ENOUGH_WEIGHT, np.maximum(scaled, _SCRAP_WEIGHT), scaled)


def _confidence(area: np.ndarray, separation: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(T,) 0..1: grows with area (T,), with how clearly a thing is set off from its neighbours, and with how well it was seen."""
    raw = np.sqrt(area) * np.minimum(separation, _MAX_SEPARATION) * np.clip(weight / _SURE_WEIGHT, 0.0, 1.0)
    return raw / (raw + _HALF_CONFIDENCE)
