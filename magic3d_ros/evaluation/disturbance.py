"""A source with faults put into it: what looks like movement to a detector and is none.

Exposure: every few seconds the camera's automatic exposure jumps. Poses: noise of its own in every frame. Depth: blobs without a
reading, elsewhere in every frame, as dark, shiny and wet surfaces give. Shine: all that is seen has the highlights of a lamp that
hangs where the camera was first, which wander over the surfaces as the camera moves (Blinn 1977); in their midst the sensor
reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.sources.source import FrameSource

EXPOSURE_INTERVAL = 2.0  # seconds between jumps
BLOB = 40  # px at 640: the smoothness of holes in the depth
GLOSS = 60.0  # Blinn's exponent: varnished wood, glazed tiles; half as bright 9 degrees from the mirror's direction
BLINDED = 0.7  # share of a highlight's peak above which the sensor reads nothing


@dataclass(frozen=True)
class Disturbance:
    """exposure: largest factor by which the brightness jumps, up or down; 1 = never. translation, rotation: deviation of the
    poses' noise, metres and degrees. depth_holes: share of each depth image that is lost. shine: peak of the highlights, as a
    share of white. seed: the same gives the same."""

    exposure: float = 1.0
    translation: float = 0.0
    rotation: float = 0.0
    depth_holes: float = 0.0
    shine: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.exposure < 1 or min(self.translation, self.rotation) < 0:
            raise ValueError("exposure is a factor of at least 1, noise is not negative")
        if not 0 <= self.depth_holes < 1 or not 0 <= self.shine <= 1:
            raise ValueError("depth_holes is a share below 1, shine one of at most 1")


class DisturbedSource:
    """A FrameSource: another one's frames, disturbed."""

    def __init__(self, source: FrameSource, disturbance: Disturbance) -> None:
        self.name = f"{source.name}, disturbed"
        self.skipped: dict[str, int] = {}
        self._source, self._disturbance = source, disturbance

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[RGBDFrame]:
        random = np.random.default_rng(self._disturbance.seed)
        self.skipped = self._source.skipped
        gain, changed, lamp = 1.0, None, None
        for frame in self._source:
            lamp = frame.camera_to_world[:3, 3] if lamp is None else lamp
            if self._disturbance.shine > 0:
                frame = _shining(frame, self._disturbance.shine, lamp)
            if changed is None or frame.stamp - changed >= EXPOSURE_INTERVAL * 1e9:
                limit = np.log(self._disturbance.exposure)
                gain, changed = (1.0 if changed is None else float(np.exp(random.uniform(-limit, limit)))), frame.stamp
            yield self._disturbed(frame, gain, random)
        self.skipped = self._source.skipped

    def _disturbed(self, frame: RGBDFrame, gain: float, random: np.random.Generator) -> RGBDFrame:
        what = self._disturbance
        if what.exposure > 1:
            # brightness is what reaches the sensor: linear light, displayed with a gamma of 2.2
            table = np.clip(255 * (np.arange(256) / 255 * gain ** (1 / 2.2)), 0, 255).round().astype(np.uint8)
            frame = replace(frame, rgb=table[frame.rgb])
        if what.translation > 0 or what.rotation > 0:
            change = np.eye(4)
            axis = np.radians(what.rotation) * random.standard_normal(3) / np.sqrt(3)
            change[:3, :3] = cv2.Rodrigues(axis)[0]
            change[:3, 3] = what.translation * random.standard_normal(3) / np.sqrt(3)
            frame = frame.with_pose(frame.camera_to_world @ change)
        if what.depth_holes > 0:
            lost = _blobs(frame.depth.shape, what.depth_holes, random)
            frame = replace(frame, depth=np.where(lost, np.float32(0), frame.depth))
        return frame


def _shining(frame: RGBDFrame, peak: float, lamp: np.ndarray) -> RGBDFrame:
    """With the highlights of a lamp at (3,) metres, world frame, on everything that has a normal."""
    height, width = frame.depth.shape
    normals = cv2.resize(np.nan_to_num(DepthNormals().normals(frame)), (width, height), interpolation=cv2.INTER_LINEAR)
    points = frame.camera.rays() * frame.depth[..., None]
    at = frame.camera_to_world[:3, :3].T @ (lamp - frame.camera_to_world[:3, 3])
    half = _unit(at.astype(np.float32) - points) - _unit(points)
    light = np.maximum((_unit(half) * normals).sum(-1), 0.0) ** GLOSS * (frame.depth > 0)
    white = light[..., None] * (255.0 * peak)
    return replace(frame, rgb=np.minimum(frame.rgb + white, 255.0).round().astype(np.uint8),
                   depth=np.where(light > BLINDED, np.float32(0), frame.depth))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _blobs(shape: tuple[int, ...], share: float, random: np.random.Generator) -> np.ndarray:
    """(H, W) bool: patches that cover a share of the image."""
    size = BLOB * shape[1] / 640
    coarse = random.standard_normal((max(2, round(shape[0] / size)), max(2, round(shape[1] / size))), np.float32)
    smooth = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return smooth > np.quantile(smooth, 1 - share)
