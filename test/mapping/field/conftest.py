"""A wall whose left half is red and right half is green, seen from several places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper

CAMERA = Camera(160, 120, 210.0, 210.0, 79.5, 59.5)
DISTANCE = 1.2  # metres from the cameras' plane to the wall


def wall_frame(x: float, stamp: int, gain: float = 1.0, camera: Camera = CAMERA) -> RGBDFrame:
    """The wall z = DISTANCE seen along +z from (x, 0, 0), with soft stripes every 3 cm on its green half."""
    rays = camera.rays()
    at = x + rays[..., 0] * DISTANCE
    red, green = np.array([180.0, 40.0, 30.0]), np.array([40.0, 160.0, 60.0])
    color = np.where((at < 0)[..., None], red, green * (0.6 + 0.4 * np.sin(at * (2 * np.pi / 0.03)))[..., None])
    pose = np.eye(4)
    pose[0, 3] = x
    depth = np.full((camera.height, camera.width), DISTANCE, np.float32)
    return RGBDFrame(stamp, np.clip(color * gain, 0, 255).astype(np.uint8), depth, camera, pose, stamp)


@pytest.fixture
def settings() -> Settings:
    chosen = Settings()
    chosen.map.device = "cpu"
    chosen.field.table_bits = 12
    chosen.field.samples = 65536
    chosen.field.rays = 1024
    chosen.field.finest = 0.005
    return chosen


@pytest.fixture
def wall(settings: Settings) -> tuple[Mapper, KeyframeStore]:
    """Mapped and remembered from seven places 6 cm apart."""
    torch.manual_seed(0)
    mapper, keyframes = Mapper(settings), KeyframeStore(settings.keyframes)
    for number in range(7):
        frame = wall_frame(0.06 * (number - 3), number + 1)
        mapper.integrate(frame)
        keyframes.add(frame)
    return mapper, keyframes
