"""What is known of a whole recording before things are put into it: poses, times, and coarse depth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.mapping.surface import Surface

WIDTH = 80
"""Pixels of the coarse images in which paths are tried: a person at 2.5 m is still 10 wide."""

AVERAGE_REFLECTANCE = 0.25
"""Of a furnished room in linear light; photographers' grey card is .18, painted walls are .5 to .8."""


@dataclass(frozen=True)
class Outline:
    """n frames. seconds: (n,) since the first. poses: (n, 4, 4). depths: (n, h, w) float32 metres, holes filled, inf = nothing.
    camera: of the coarse images. up: (3,) unit. exposure: of things, so that they are as bright as the scene. reads: (H, W) bool,
    False where no frame has a reading (the border of depth that was warped onto the colour camera)."""

    seconds: np.ndarray
    poses: np.ndarray
    depths: np.ndarray
    camera: Camera
    up: np.ndarray
    exposure: float
    reads: np.ndarray
    first_stamp: int

    def __len__(self) -> int:
        return len(self.seconds)


def outline(frames: Iterable[RGBDFrame], up: str = "auto") -> Outline:
    """Look through a recording once. Raises ValueError without frames."""
    stamps, poses, depths, brightness = [], [], [], []
    camera, reads, level = None, None, UpEstimator(up)
    for frame in frames:
        reading = np.isfinite(frame.depth) & (frame.depth > 0)
        reads = reading if reads is None or reads.shape != reading.shape else reads | reading
        height = max(1, round(WIDTH * frame.camera.height / frame.camera.width))
        camera = frame.camera.resized(WIDTH, height)
        small = cv2.resize(frame.rgb, (WIDTH, height), interpolation=cv2.INTER_AREA)
        brightness.append(float(np.mean((small / 255.0) ** 2.2)))
        depths.append(_sampled(filled(frame.depth), WIDTH, height))
        poses.append(frame.camera_to_world)
        stamps.append(frame.stamp)
        level.observe(frame.camera_to_world)
    if camera is None or reads is None:
        raise ValueError("the source has no frames: nothing can be put into it")
    seconds = (np.array(stamps, np.int64) - stamps[0]) * 1e-9
    exposure = float(np.clip(np.median(brightness) / AVERAGE_REFLECTANCE, 0.3, 3.0))
    return Outline(seconds, np.array(poses), np.array(depths), camera, level.estimate(Surface.empty()), exposure,
                   reads, stamps[0])


def filled(depth: np.ndarray) -> np.ndarray:
    """(H, W) depth with its holes closed by the farthest reading around them; inf where there is no reading at all.

    A hole beside a near thing is mostly the sensor's shadow on what lies behind, and one in the middle of a surface has the same
    depth all around: the farthest is right for both. A hole never hides a thing that was put in front of its surroundings.
    """
    known = np.where(np.isfinite(depth) & (depth > 0), depth, 0).astype(np.float32)
    if not known.any():
        return np.full(depth.shape, np.inf, np.float32)
    size = 5
    while not known.all():
        grown = cv2.dilate(known, np.ones((size, size), np.uint8))
        known = np.where(known > 0, known, grown)
        size = min(2 * size + 1, 2 * max(depth.shape) + 1)
    return known


def _sampled(depth: np.ndarray, width: int, height: int) -> np.ndarray:
    rows = ((np.arange(height) + 0.5) * depth.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * depth.shape[1] / width).astype(int)
    return depth[np.ix_(rows, columns)]
