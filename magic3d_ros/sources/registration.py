"""Depth seen by its own camera, moved onto the colour camera."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from magic3d_ros.geometry.camera import Camera

_SAME_SURFACE = 1.02
"""Readings that fall onto one pixel within 2 % of the nearest are one surface (a Kinect's noise at 3 m is 1 %); farther ones are
hidden behind it."""
_OVERLAP = 1.05
"""Each reading covers 5 % more than its pixel: on a surface slanted by 60 degrees, a baseline of 2.5 cm stretches pixels by 4 %
at 1 m."""

_NEAREST = 0.02
"""m before the colour camera; what comes nearer would cover the whole image (RGBDFrame.check refuses such depth too)."""


class DepthRegistration:
    """Forward warp with a z-buffer from the depth camera to the colour camera.

    depth_to_color: (4, 4) rigid transform that takes points of the depth camera's optical frame into the colour camera's.
    """

    def __init__(self, depth_camera: Camera, color_camera: Camera, depth_to_color: np.ndarray) -> None:
        self.depth_camera = depth_camera
        self.color_camera = color_camera
        rotation, translation = depth_to_color[:3, :3], depth_to_color[:3, 3]
        scale = color_camera.matrix
        # pixel = scale @ (rotation @ ray * z + translation) / depth: linear in z, so both parts are computed once.
        self._direction = (scale @ rotation).astype(np.float32) @ depth_camera.rays().reshape(-1, 3).T
        self._offset = (scale @ translation).astype(np.float32)
        self._magnification = max(color_camera.fx / depth_camera.fx, color_camera.fy / depth_camera.fy)

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """(H, W) float32 metres of the colour camera, 0 = no reading, from the depth camera's (h, w)."""
        width, height = self.color_camera.width, self.color_camera.height
        reading = np.flatnonzero(depth.reshape(-1) > 0)
        distance = depth.reshape(-1)[reading]
        x, y, z = self._direction[:, reading] * distance + self._offset[:, None]
        in_front = z > _NEAREST
        z = np.where(in_front, z, 1)
        u, v = x / z, y / z
        # How many colour pixels one depth pixel spans; a point that comes nearer spans more.
        half = np.maximum(0.5, 0.5 * self._magnification * distance / z) * np.float32(_OVERLAP)
        near = np.flatnonzero(in_front & (u > -half) & (u < width + half) & (v > -half) & (v < height + half))
        u, v, z, half = u[near], v[near], z[near], half[near]
        targets, depths, distances = [], [], []
        left, top = np.ceil(u - half), np.ceil(v - half)
        right, bottom = np.minimum(u + half, width - 1), np.minimum(v + half, height - 1)
        span = int(np.floor(2 * half.max())) + 1 if len(half) else 0
        for down in range(span):
            for across in range(span):
                column, row = left + across, top + down
                covered = np.flatnonzero((column <= right) & (row <= bottom) & (column >= 0) & (row >= 0))
                column, row = column[covered], row[covered]
                targets.append(row.astype(np.int64) * width + column.astype(np.int64))
                depths.append(z[covered])
                distances.append((column - u[covered]) ** 2 + (row - v[covered]) ** 2)
        return _nearest_surface(targets, depths, distances, width * height).reshape(height, width)


def re_registered(depth: np.ndarray, camera: Camera, motion: np.ndarray) -> np.ndarray:
    """Registered depth (H, W) metres, whose points are off by a rigid motion (4, 4) in the camera's axes, where it belongs."""
    return _registration(camera, np.ascontiguousarray(motion, np.float64).tobytes())(depth)


@lru_cache(maxsize=4)  # one or two sizes of frames; their tables take 10 MB at 640x480
def _registration(camera: Camera, motion: bytes) -> DepthRegistration:
    return DepthRegistration(camera, camera, np.frombuffer(motion).reshape(4, 4))


def _nearest_surface(targets: list[np.ndarray], depths: list[np.ndarray], distances: list[np.ndarray], count: int) -> np.ndarray:
    """For each of `count` pixels: of the readings on its nearest surface, the one that fell closest to the pixel's centre."""
    result = np.zeros(count, np.float32)
    if not targets:
        return result
    target, depth, distance = np.concatenate(targets), np.concatenate(depths), np.concatenate(distances)
    nearest = np.full(count, np.inf, np.float32)
    np.minimum.at(nearest, target, depth)
    visible = depth <= nearest[target] * np.float32(_SAME_SURFACE)
    target, depth, distance = target[visible], depth[visible], distance[visible]
    closest = np.full(count, np.inf, np.float32)
    np.minimum.at(closest, target, distance)
    best = distance <= closest[target]
    result[target[best]] = depth[best]
    return result
