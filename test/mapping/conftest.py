"""Synthetic scenes with exact depth: a plane and a sphere, seen by a small pinhole camera."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(160, 120, 140.0, 140.0, 79.5, 59.5)


def frame_of(depth: np.ndarray, camera_to_world: np.ndarray, rgb: tuple[int, int, int] = (200, 100, 50), stamp: int = 0,
             camera: Camera = CAMERA) -> RGBDFrame:
    color = np.broadcast_to(np.array(rgb, np.uint8), (camera.height, camera.width, 3)).copy()
    return RGBDFrame(stamp, color, depth.astype(np.float32), camera, np.asarray(camera_to_world, np.float64))


def pose(origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Looking along world +z."""
    matrix = np.eye(4)
    matrix[:3, 3] = origin
    return matrix


def looking_at(origin: np.ndarray, target: np.ndarray) -> np.ndarray:
    forward = (target - origin) / np.linalg.norm(target - origin)
    helper = np.array([0.0, 1.0, 0.0]) if abs(forward[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, forward)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    matrix[:3, 3] = origin
    return matrix


def plane_frame(distance: float = 1.0, origin: tuple[float, float, float] = (0.0, 0.0, 0.0), **kwargs) -> RGBDFrame:
    """A wall at right angles to the view."""
    return frame_of(np.full((CAMERA.height, CAMERA.width), distance), pose(origin), **kwargs)


def sphere_frame(center: np.ndarray, radius: float, camera_to_world: np.ndarray) -> RGBDFrame:
    rays = CAMERA.rays().astype(np.float64)
    origin = camera_to_world[:3, 3]
    toward = camera_to_world[:3, :3].T @ (center - origin)
    along, square = rays @ toward, (rays**2).sum(-1)
    root = along**2 - square * (toward @ toward - radius**2)
    depth = np.where(root > 0, (along - np.sqrt(np.maximum(root, 0))) / square, 0.0)
    return frame_of(depth, camera_to_world)


def sphere_views(center: np.ndarray, radius: float, distance: float = 1.2) -> list[RGBDFrame]:
    """From 26 directions all around."""
    directions = np.delete(np.stack(np.unravel_index(np.arange(27), (3, 3, 3)), 1) - 1.0, 13, axis=0)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return [sphere_frame(center, radius, looking_at(center + distance * d, center)) for d in directions]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device(request.param)


@pytest.fixture
def settings(device: torch.device) -> Settings:
    chosen = Settings()
    chosen.map.device = device.type
    return chosen
