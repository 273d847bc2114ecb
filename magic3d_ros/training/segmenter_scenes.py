"""From recordings to the training clouds of the segmenter: partial clouds with masks for stage 1, whole ones for stage 2."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.segmenter.superpoints import SegmentedGraph, SuperpointGraph, segmented_surface
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source
from magic3d_ros.training.cloud_samples import UNSEEN, CloudSample, CloudSampleError, seen_labels, superpoint_labels
from magic3d_ros.training.mask_teachers import FrameTeacher, MaskTeacher, RegionTeacher

SURFACE, VIEWS = "surface.npz", "views.npy"
TEACHERS = ("frames", "regions")


def scene_folder(folder: Path, source: str, teacher: str) -> Path:
    """Where the clouds of a scene lie: its last name, and a few letters of a hash of all of it."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", Path(source).name).strip("_")[:40]
    return folder / f"{name}_{teacher}_{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def prepare_scene(source: str, folder: Path, settings: Settings, frames: int, teacher: str) -> int:
    """Write frame_NNNN.npz of up to `frames` frames evenly spread over a source, and of its whole surface views.npy and
    surface.npz -> how many frames have masks.

    A frame's partial cloud is what it sees of the mapped surface, with the masks of that frame alone. views.npy: (F, S) int16
    mask that each of those frames shows at each superpoint of the whole surface, or UNMASKED, UNSEEN.
    teacher: "frames" finds the masks in every frame by itself, "regions" shows the map's things to it. Nothing is done again when
    surface.npz is there, which is written last. Raises SourceError for what is no source, CloudSampleError without frames.
    """
    if (folder / SURFACE).is_file():
        return len(list(folder.glob("frame_*.npz")))
    folder.mkdir(parents=True, exist_ok=True)
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    source_frames = open_source(source, settings)
    step = max(1, len(source_frames) // frames)
    kept = []
    for number, frame in enumerate(source_frames):
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        up.observe(frame.camera_to_world)
        if is_keyframe:
            keyframes.add(frame)
        if number % step == 0:
            kept.append(frame)
    surface = mapper.surface()
    if len(surface) == 0:
        raise CloudSampleError(f"{source} has no frame with depth: name another recording")
    above = up.estimate(surface)
    taught: MaskTeacher
    if teacher == "regions":
        found = InstanceMapper(settings.instances, spacing=settings.map.voxel_size).update(surface, list(keyframes), above,
                                                                                            whole=True)
        taught = RegionTeacher(surface, found.labels)
    else:
        taught = FrameTeacher(above)
    segments = segmented_surface(surface, above)
    whole, places = segments.whole(), surface.vertices[segments.graph.index]
    views: list[np.ndarray] = []
    for number, frame in enumerate(kept):
        labels = seen_labels(places, frame, taught.masks(frame))
        sample = _partial(segments, labels)
        if sample.masks:
            sample.save(folder / f"frame_{number:04d}.npz")
            views.append(_view(whole, labels))
    np.save(folder / VIEWS, np.array(views, np.int16).reshape(len(views), len(whole)))
    CloudSample(whole, np.full(len(whole), -1, np.int32)).save(folder / SURFACE)
    return len(views)


def _partial(segments: SegmentedGraph, labels: np.ndarray) -> CloudSample:
    """What a view shows, with its masks. labels: (len(segments.graph),) of `seen_labels`."""
    seen = labels != UNSEEN
    part = segments.part(seen)
    return CloudSample(part, superpoint_labels(part.superpoint, labels[seen], len(part)))


def _view(whole: SuperpointGraph, labels: np.ndarray) -> np.ndarray:
    """(S,) mask that a view shows at each superpoint of the whole, where it sees at least half of it."""
    seen = labels != UNSEEN
    share = np.bincount(whole.superpoint[seen], minlength=len(whole)) / whole.size
    return np.where(share >= 0.5, superpoint_labels(whole.superpoint[seen], labels[seen], len(whole)), UNSEEN)


def frame_clouds(folders: list[Path]) -> list[Path]:
    """All partial clouds of some prepared scenes. Raises CloudSampleError where none has a mask."""
    files = [file for folder in folders for file in sorted(folder.glob("frame_*.npz"))]
    if not files:
        raise CloudSampleError("no frame of these scenes has a usable mask (100 pixels with depth): name other scenes")
    return files
