"""Pictures of single things as questions: cut out of images by what is true of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.evaluation.questions_truth import InstanceTruth
from magic3d_ros.frames import RGBDFrame

_STRIDE = 2
"""Pixels: every other one of a row and a column is looked up."""
_LEAST_SIDE, _LEAST_SHARE = 24, 0.003
"""Pixels, and share of the image: a smaller crop shows too little of a thing to be a question."""
_MARGIN = 6  # pixels around the box, as around the views that the map keeps of things


@dataclass(frozen=True)
class Sight:
    """A true instance in an image. box: left, top, right, bottom in pixels. share: of the image that it covers."""

    instance: int
    box: tuple[int, int, int, int]
    share: float


def sights(frame: RGBDFrame, truth: InstanceTruth) -> list[Sight]:
    """What an image shows large enough to be recognised, told by the depth in it."""
    depth = frame.depth[::_STRIDE, ::_STRIDE]
    points = frame.camera.rays()[::_STRIDE, ::_STRIDE] * depth[..., None]
    world = points @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
    ids = np.full(depth.shape, -1, np.int64)
    ids[depth > 0] = truth.instances(world[depth > 0])
    found = []
    for instance in np.unique(ids[ids >= 0]):
        mask = cv2.morphologyEx((ids == instance).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        x, y, width, height = (_STRIDE * value for value in cv2.boundingRect(mask))
        if min(width, height) >= _LEAST_SIDE and mask.mean() >= _LEAST_SHARE:
            box = (max(x - _MARGIN, 0), max(y - _MARGIN, 0), min(x + width + _MARGIN, frame.camera.width),
                   min(y + height + _MARGIN, frame.camera.height))
            found.append(Sight(int(instance), box, float(mask.mean())))
    return found


def cut(rgb: np.ndarray, sight: Sight) -> np.ndarray:
    """(h, w, 3) uint8: the part of an image that a sight is about."""
    left, top, right, bottom = sight.box
    return np.ascontiguousarray(rgb[top:bottom, left:right])
