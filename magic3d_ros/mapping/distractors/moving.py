"""What moves in the newest frame, as points and boxes in the world: for planners, never for the map."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.box import OrientedBox, upright_box
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict

STEP = 4  # every fourth pixel each way: 2 cm apart at 2.5 m
MIN_PIXELS = 12  # of the small mask: 14 cm of a surface at 2.5 m, less is noise
OUTSIDE = np.float32(1e3)  # beyond all logarithms of depths
SAME_THING = 0.15  # of the depth: a greater jump between neighbouring pixels parts two things


@dataclass(frozen=True)
class MovingThing:
    """points: (n, 3) float32 world. box: around them. stamp: of the frame (ns)."""

    points: np.ndarray
    box: OrientedBox
    stamp: int


def moving_points(frame: RGBDFrame, verdict: DistractorVerdict) -> np.ndarray:
    """(n, 3) float32 world points of the pixels that are distractors and have a reading, every fourth pixel each way."""
    depth, mask = _small(frame, verdict)
    return _points(frame, depth, mask)


def moving_things(frame: RGBDFrame, verdict: DistractorVerdict, up: np.ndarray) -> list[MovingThing]:
    """Connected pieces of the mask that are not torn apart in depth, largest first. up: (3,) of the world, for the boxes."""
    depth, mask = _small(frame, verdict)
    # A pixel whose depth jumps against its neighbour's belongs to no piece while pieces are told apart.
    level = np.log(np.where(mask, depth, 1.0)).astype(np.float32)
    pair = np.ones((2, 2), np.uint8)
    spread = cv2.dilate(np.where(mask, level, -OUTSIDE), pair) - cv2.erode(np.where(mask, level, OUTSIDE), pair)
    joined = (mask & (spread < SAME_THING)).astype(np.uint8)
    count, labels = cv2.connectedComponents(joined)
    things = []
    for label in range(1, count):
        piece = labels == label
        if piece.sum() >= MIN_PIXELS:
            points = _points(frame, depth, piece)
            things.append(MovingThing(points, upright_box(points, up), frame.stamp))
    return sorted(things, key=lambda thing: -len(thing.points))


def _small(frame: RGBDFrame, verdict: DistractorVerdict) -> tuple[np.ndarray, np.ndarray]:
    depth = frame.depth[STEP // 2::STEP, STEP // 2::STEP]
    return depth, verdict.mask[STEP // 2::STEP, STEP // 2::STEP] & np.isfinite(depth) & (depth > 0)


def _points(frame: RGBDFrame, depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    z = depth[rows, columns].astype(np.float64)
    camera = frame.camera
    x = (columns * STEP + STEP // 2 - camera.cx) / camera.fx * z
    y = (rows * STEP + STEP // 2 - camera.cy) / camera.fy * z
    pose = frame.camera_to_world
    return (np.stack([x, y, z], 1) @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
