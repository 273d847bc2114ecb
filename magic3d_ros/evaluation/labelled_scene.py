"""A recording with a labelled ground-truth mesh, mapped by the package: what segmentations of things are measured on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.evaluation.saved_map import TRUTH
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.instance import InstanceMap
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError


@dataclass(frozen=True)
class TrueMesh:
    """vertices (V, 3), faces (F, 3), colors (V, 3) uint8, instance (V,) int64, -1 = none."""

    vertices: np.ndarray
    faces: np.ndarray
    colors: np.ndarray
    instance: np.ndarray


@dataclass(frozen=True)
class LabelledScene:
    """A mapped recording. up: (3,) unit. found: the package's own things; seconds: of processor time for a run of them."""

    folder: Path
    truth: TrueMesh
    surface: Surface
    keyframes: list[Keyframe]
    up: np.ndarray
    found: InstanceMap
    seconds: float

    def true_masks(self, keyframe: Keyframe) -> np.ndarray:
        """(H, W) int32 exact masks of a keyframe, -1 = none. Raises SourceError when the recording has none."""
        for digits in (4, 6):
            file = self.folder / "instance" / f"{keyframe.index:0{digits}d}.png"
            if file.is_file():
                stored = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
                if stored is None or stored.shape[:2] != (keyframe.camera.height, keyframe.camera.width):
                    raise SourceError(f"{file} is no image of {keyframe.camera.width}x{keyframe.camera.height}: make it again")
                known = np.isin(stored, self.truth.instance[self.truth.instance >= 0])
                return np.where(known, stored, -1).astype(np.int32)
        raise SourceError(f"{self.folder / 'instance'} has no mask of frame {keyframe.index}")


def true_mesh(folder: Path) -> TrueMesh:
    """The labelled mesh beside a recording. Raises SourceError when it is missing or damaged."""
    file = folder / TRUTH
    try:
        with np.load(file, allow_pickle=False) as stored:
            return TrueMesh(np.asarray(stored["vertices"], np.float64), np.asarray(stored["faces"], np.int64), stored["colors"],
                            np.asarray(stored["instance"], np.int64))
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{file} is no labelled ground-truth mesh ({error}): things are measured against one") from error


def labelled_scene(folder: Path, settings: Settings) -> LabelledScene:
    """Map a recording, without its meaning. Raises SourceError when it cannot be read or has no ground truth."""
    truth = true_mesh(folder)
    surface, keyframes, up = mapped(str(folder), settings)
    instances = InstanceMapper(settings.instances, spacing=settings.map.voxel_size)
    instances.update(surface, keyframes, up)  # reads the keyframes' depth, once each
    begin = time.process_time()
    found = instances.update(surface, keyframes, up, whole=True)
    return LabelledScene(folder, truth, surface, keyframes, up, found, time.process_time() - begin)


def mapped(source: str, settings: Settings) -> tuple[Surface, list[Keyframe], np.ndarray]:
    """The surface of a recording, its keyframes and the up direction."""
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    for frame in open_source(source, settings):
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        if is_keyframe:
            keyframes.add(frame)
            up.observe(frame.camera_to_world)
    surface = mapper.surface()
    return surface, list(keyframes), up.estimate(surface)
