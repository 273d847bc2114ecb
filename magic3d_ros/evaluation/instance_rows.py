"""The ways to separate a scene into things that are compared with each other, each on the same map, masks and ground truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cues.tiers import has_model
from magic3d_ros.evaluation.edges import edges_of
from magic3d_ros.evaluation.instance_metrics import transfer_labels
from magic3d_ros.evaluation.labelled_scene import LabelledScene
from magic3d_ros.evaluation.sam3d_merging import merged, unprojected
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh
from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.instances.frame_masks import frame_masks
from magic3d_ros.instances.instance import InstanceMap
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.merging import MaskMerger
from magic3d_ros.instances.merging_boundaries import FRAME_MASK_TRUST
from magic3d_ros.instances.merging_sample import mask_sample

_SCALE = 1.0  # k of graph segmentation: the best of several on replica_office0
_REACH = 0.1  # metres from a true vertex to the nearest labelled voxel of merged masks: two voxels of SAM3D


@dataclass(frozen=True)
class Row:
    """labels: (V,) int64 thing of each true vertex, -1 = none. confidence: by thing; None = all alike. seconds: of processor
    time, without what all rows share (mapping, making 2D masks)."""

    name: str
    labels: np.ndarray
    confidence: dict[int, float] | None
    seconds: float


@dataclass
class SceneMasks:
    """2D masks of all keyframes; seconds: it took to make them."""

    frames: list[RGBDFrame]
    masks: list[np.ndarray]
    seconds: float = 0.0
    kind: str = field(default="")


def masks_of_frames(scene: LabelledScene) -> SceneMasks:
    """The embedded tier's masks of each keyframe."""
    frames = [keyframe.frame() for keyframe in scene.keyframes]
    begin = time.process_time()
    masks = [frame_masks(frame, scene.up) for frame in frames]
    return SceneMasks(frames, masks, time.process_time() - begin, "masks of frames")


def exact_masks(scene: LabelledScene) -> SceneMasks:
    """The ground truth's masks of each keyframe: the upper bound of merging."""
    frames = [keyframe.frame() for keyframe in scene.keyframes]
    return SceneMasks(frames, [scene.true_masks(keyframe) for keyframe in scene.keyframes], kind="exact masks")


def rows(scene: LabelledScene, settings: Settings, weights: dict[str, Path]) -> Iterator[Row]:
    """All ways, one after the other; with learned edges where the settings name their network.

    weights: of the segmenter network, by the name of the stage. Raises ModelError for an edge network that is not there.
    """
    yield _graph("Felzenszwalb, exact mesh", scene, exact=True)
    yield _graph("Felzenszwalb, our mesh", scene, exact=False)
    made = masks_of_frames(scene)
    yield _pairwise(scene, made)
    yield _online(scene, made)
    yield _ours("3D regions (ours)", scene, scene.found, scene.seconds)
    yield _voted(scene, made, settings, FRAME_MASK_TRUST)
    if has_model("edges", settings):
        seen = edges_of(scene.keyframes, settings)
        yield _with_edges("3D regions with learned edges", scene, None, settings, seen)
        yield _with_edges(f"3D regions with learned edges and votes, {made.kind}", scene, made, settings, seen)
    yield _learned(scene, settings)
    for name, file in weights.items():
        yield from _network(name, file, scene)
    exact = exact_masks(scene)
    yield _pairwise(scene, exact)
    yield _online(scene, exact)
    yield _voted(scene, exact, settings, 1.0)


def _timed(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    begin = time.process_time()
    return make(), time.process_time() - begin


def _graph(name: str, scene: LabelledScene, exact: bool) -> Row:
    mesh = scene.truth if exact else scene.surface

    def segments() -> np.ndarray:
        edges, weights = mesh_weights(mesh.vertices, mesh.faces, mesh.colors)
        return segment_mesh(edges, weights, len(mesh.vertices), k=_SCALE)

    found, seconds = _timed(segments)
    size = np.bincount(found, minlength=1)
    labels = found if exact else transfer_labels(mesh.vertices, found, scene.truth.vertices)
    return Row(name, labels, {i: float(n) for i, n in enumerate(size)}, seconds)


def _pairwise(scene: LabelledScene, made: SceneMasks) -> Row:
    begin = time.process_time()
    cloud = merged([unprojected(f, m, _step(f)) for f, m in zip(made.frames, made.masks, strict=True)])
    seconds = time.process_time() - begin
    labels = transfer_labels(cloud.points, cloud.group, scene.truth.vertices, _REACH)
    return Row(f"SAM3D-style merging, {made.kind}", labels, _by_size(cloud.group), seconds)


def _step(frame: RGBDFrame) -> int:
    """Pixels for one that takes part, so that images are about 320 wide, as rendered rooms are: no masks are finer."""
    return max(1, frame.camera.width // 320)


def _online(scene: LabelledScene, made: SceneMasks) -> Row:
    merger = MaskMerger()
    begin = time.process_time()
    for frame, masks in zip(made.frames, made.masks, strict=True):
        merger.add(frame.stamp, mask_sample(frame, masks))
    track, _ = merger.tracks_at(scene.surface.vertices)
    seconds = time.process_time() - begin
    known = track >= 0
    labels = transfer_labels(scene.surface.vertices[known], track[known], scene.truth.vertices, _REACH)
    return Row(f"online merging, {made.kind}", labels, _by_size(track), seconds)


def _voted(scene: LabelledScene, made: SceneMasks, settings: Settings, trust: float) -> Row:
    instances = InstanceMapper(settings.instances, trust, settings.map.voxel_size)
    for frame, masks in zip(made.frames, made.masks, strict=True):
        instances.observe(frame, masks)
    begin = time.process_time()
    found = instances.update(scene.surface, scene.keyframes, scene.up)
    return _ours(f"3D regions with votes, {made.kind}", scene, found, time.process_time() - begin)


def _with_edges(name: str, scene: LabelledScene, made: SceneMasks | None, settings: Settings, seen: dict[int, np.ndarray]) -> Row:
    instances = InstanceMapper(settings.instances, FRAME_MASK_TRUST, settings.map.voxel_size)
    if made is not None:
        for frame, masks in zip(made.frames, made.masks, strict=True):
            instances.observe(frame, masks)
    for stamp, edges in seen.items():
        instances.observe_edges(stamp, edges)
    instances.update(scene.surface, scene.keyframes, scene.up)  # reads the keyframes' depth, once each
    begin = time.process_time()
    found = instances.update(scene.surface, scene.keyframes, scene.up, whole=True)
    return _ours(name, scene, found, time.process_time() - begin)


def _learned(scene: LabelledScene, settings: Settings) -> Row:
    instances = InstanceMapper(replace(settings.instances, grouping="learned"), spacing=settings.map.voxel_size)
    begin = time.process_time()
    found = instances.update(scene.surface, scene.keyframes, scene.up)
    return _ours("3D regions, learned classifier", scene, found, time.process_time() - begin)


def _ours(name: str, scene: LabelledScene, found: InstanceMap, seconds: float) -> Row:
    labels = transfer_labels(scene.surface.vertices, found.labels, scene.truth.vertices)
    return Row(name, labels, {i: thing.confidence for i, thing in found.instances.items()}, seconds)


def _network(name: str, file: Path, scene: LabelledScene) -> Iterator[Row]:
    from magic3d_ros.instances.segmenter.inference import Segmenter

    segmenter, surface = Segmenter.load(file), scene.surface
    points = np.asarray(surface.vertices @ upright_rotation(scene.up).T, np.float32)
    for shown, post_processing in ((name, False), (f"{name} + post-processing", True)):
        begin = time.process_time()
        found = segmenter.propose(points, surface.colors, surface.faces, post_processing)
        seconds = time.process_time() - begin
        labels = transfer_labels(surface.vertices, found.labels, scene.truth.vertices)
        yield Row(shown, labels, {i: float(score) for i, score in enumerate(found.scores)}, seconds)


def _by_size(labels: np.ndarray) -> dict[int, float]:
    names, count = np.unique(labels[labels >= 0], return_counts=True)
    return dict(zip(names.tolist(), count.astype(float).tolist(), strict=True))
