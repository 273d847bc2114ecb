"""From recordings to the training clouds of the segmenter: partial clouds with masks for stage 1, whole ones for stage 2."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.sources.open import open_source
from magic3d_ros.training.cloud_samples import CloudSample, CloudSampleError, frame_sample, surface_sample
from magic3d_ros.training.mask_teachers import FrameTeacher, MaskTeacher, RegionTeacher

logger = logging.getLogger(__name__)

SURFACE = "surface.npz"
TEACHERS = ("frames", "regions")


def scene_folder(folder: Path, source: str, teacher: str) -> Path:
    """Where the clouds of a scene lie: its last name, and a few letters of a hash of all of it."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", Path(source).name).strip("_")[:40]
    return folder / f"{name}_{teacher}_{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def prepare_scene(source: str, folder: Path, settings: Settings, frames: int, teacher: str) -> int:
    """Write frame_NNNN.npz of up to `frames` frames evenly spread over a source, and surface.npz -> how many frames have masks.

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
        found = InstanceMapper(settings.instances).update(surface, list(keyframes), above, whole=True)
        taught = RegionTeacher(surface, found.labels)
    else:
        taught = FrameTeacher(above)
    written = 0
    for number, frame in enumerate(kept):
        sample = frame_sample(frame, taught.masks(frame), above)
        if sample.masks:
            sample.save(folder / f"frame_{number:04d}.npz")
            written += 1
    surface_sample(surface, above).save(folder / SURFACE)
    return written


def frame_clouds(folders: list[Path]) -> list[Path]:
    """All partial clouds of some prepared scenes. Raises CloudSampleError where none has a mask."""
    files = [file for folder in folders for file in sorted(folder.glob("frame_*.npz"))]
    if not files:
        raise CloudSampleError("no frame of these scenes has a usable mask (100 pixels with depth): name other scenes")
    return files


def whole_clouds(folders: list[Path]) -> Iterator[tuple[Path, CloudSample]]:
    """The whole cloud of every prepared scene, and its folder."""
    for folder in folders:
        yield folder, CloudSample.load(folder / SURFACE)


def subset(sample: CloudSample, chosen: np.ndarray) -> CloudSample:
    """Some of the points, (N,) bool or indices."""
    return CloudSample(sample.points[chosen], sample.colors[chosen], sample.labels[chosen])
