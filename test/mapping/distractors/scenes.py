"""A textured wall with a red board before it that moves, seen by a small camera; features are the colour of each cell."""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View

CAMERA = Camera(160, 120, 140.0, 140.0, 79.5, 59.5)
SECOND = 1_000_000_000
WALL, BOARD = 2.0, 1.2
_NOISE = np.random.default_rng(3).integers(60, 200, (60, 80, 1), np.uint8)
_PATTERN = cv2.resize(_NOISE, (160, 120), interpolation=cv2.INTER_CUBIC)


def board_at(left: int, top: int = 40, width: int = 36, height: int = 50) -> np.ndarray:
    mask = np.zeros((120, 160), bool)
    mask[top:top + height, max(left, 0):max(left + width, 0)] = True
    return mask


def frame(seconds: float, board: np.ndarray | None = None, gain: float = 1.0, pose: np.ndarray | None = None,
          wall: float = WALL) -> RGBDFrame:
    """board: (120, 160) bool where the board is seen."""
    depth = np.full((120, 160), wall, np.float32)
    rgb = np.repeat(_PATTERN[..., None], 3, 2).copy()
    if board is not None:
        depth[board] = BOARD
        rgb[board] = (200, 30, 30)
    rgb = np.clip(rgb * gain, 0, 255).astype(np.uint8)
    return RGBDFrame(round(seconds * SECOND), rgb, depth, CAMERA, np.eye(4) if pose is None else pose)


def features(of: RGBDFrame, rows: int = 15, columns: int = 20) -> FeatureGrid:
    small = cv2.resize(of.rgb, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    sx, sy = 160 / columns, 120 / rows
    values = np.concatenate([small, small**2, small[..., :1] - small[..., 1:2]], 2).astype(np.float16)
    return FeatureGrid(values, sx, sy, sx / 2 - 0.5, sy / 2 - 0.5)


def wall_view(wall: float = WALL) -> View:
    """What a map of the bare wall shows."""
    bare = frame(0, wall=wall)
    return View(bare.rgb, bare.depth, np.zeros((120, 160, 3), np.float32))


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max(1, (first | second).sum()))
