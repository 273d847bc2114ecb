"""A corner of three walls with a ball and stripes: what fixes a pose in every direction, seen by a small camera, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(120, 90, 100.0, 100.0, 59.5, 44.5)
_BALL, _RADIUS = np.array([0.9, 0.8, 1.0]), 0.35


def corner_pose(x: float, y: float, z: float, target: tuple[float, float, float] = (0.7, 0.7, 0.7)) -> np.ndarray:
    origin = np.array([x, y, z])
    forward = np.array(target) - origin
    forward /= np.linalg.norm(forward)
    right = np.cross([0.0, 0.0, -1.0], forward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = origin
    return pose


def corner_frame(camera_to_world: np.ndarray, stamp: int = 0, camera: Camera = CAMERA) -> RGBDFrame:
    """The walls x = 0, y = 0, z = 0, seen from where x, y and z are positive; stripes 25 cm apart on all."""
    rays = camera.rays().astype(np.float64).reshape(-1, 3) @ camera_to_world[:3, :3].T
    origin = camera_to_world[:3, 3]
    with np.errstate(divide="ignore"):
        along = np.where(rays < 0, -origin / rays, np.inf)
    toward = _BALL - origin
    b, square = rays @ toward, (rays**2).sum(1)
    root = b**2 - square * (toward @ toward - _RADIUS**2)
    ball = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / square, np.inf)
    depth = np.minimum(along.min(1), np.where(ball > 0, ball, np.inf))
    points = origin + rays * depth[:, None]
    light = 110 + 50 * np.sin(points @ [25.0, 14.0, 9.0])
    rgb = np.repeat(np.nan_to_num(light)[:, None], 3, 1).clip(0, 255).astype(np.uint8)
    shape = (camera.height, camera.width)
    depth = np.where(np.isfinite(depth) & (depth < 5), depth, 0.0)
    return RGBDFrame(stamp, rgb.reshape(*shape, 3), depth.reshape(shape).astype(np.float32), camera, camera_to_world)


def corner_run(count: int = 12, camera: Camera = CAMERA) -> list[RGBDFrame]:
    """An arc around the corner, a frame a second."""
    angles = np.linspace(0.25, 1.25, count)
    return [corner_frame(corner_pose(2.6 * np.cos(a), 2.6 * np.sin(a), 1.4 + 0.2 * np.sin(5 * a)), i * 10**9, camera)
            for i, a in enumerate(angles)]


@pytest.fixture
def settings() -> Settings:
    chosen = Settings()
    chosen.map.device = "cpu"
    chosen.map.voxel_size, chosen.map.truncation = 0.04, 0.16
    return chosen
