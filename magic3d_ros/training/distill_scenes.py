"""Scenes for distillation, made from recordings by the package itself: no label, no truth, only what its 2D model said."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import FrameError
from magic3d_ros.language.distillation_network import DistillationError
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source

_log = logging.getLogger(__name__)


def scene_file(folder: Path, source: str, encoder: str, settings: Settings) -> Path:
    """Where the scene of a recording is kept: its name, and a hash of what it depends on."""
    key = hashlib.sha256(f"{Path(source).absolute()} {encoder} {settings.language} {settings.map}".encode()).hexdigest()[:12]
    return folder / f"{Path(source).name or 'scene'}_{key}.npz"


def fused_scene(source: str, settings: Settings, extractor: CueExtractor,
                progress: Callable[[int, int], None] = lambda done, total: None) -> DistillationScene:
    """Map a recording without separating things: its surface, and what cameras saw of it. progress: called with frames done and
    in all. Raises DistillationError when nothing of it can be used, and what `open_source` raises."""
    frames = open_source(source, settings)
    pipeline = ScenePipeline(settings, extractor)
    for number, frame in enumerate(frames, 1):
        try:
            pipeline.add(frame)
        except FrameError as error:
            _log.warning("frame %d of %s is left out: %s", frame.index, source, error)
        progress(number, len(frames))
    pipeline.mapper.complete()
    surface = pipeline.mapper.voxels.surface()
    if len(surface) == 0:
        raise DistillationError(f"no surface came of {source}: name recordings with depth and poses")
    return pipeline.language.distillation_scene(surface, pipeline.up.estimate(surface))[0]


def save_scene(scene: DistillationScene, file: Path) -> None:
    """Write a compressed .npz; it appears under its name only when it is complete."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        np.savez_compressed(stream, **scene.arrays())  # type: ignore[arg-type]
    beside.replace(file)


def load_scene(file: Path) -> DistillationScene:
    """Read what `save_scene` wrote. Raises DistillationError naming the file."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return DistillationScene.from_arrays(stored)
    except (BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
        raise DistillationError(f"{file} is no scene for distillation ({error}): delete it, it is made again") from error
