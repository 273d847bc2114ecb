"""Depth seen by its own camera, moved onto the colour camera."""

from __future__ import annotations

import numpy as np

from magic3d_ros.geometry.camera import Camera

_SAME_SURFACE = 1.02
"""Readings that fall onto one pixel within 2 % of the nearest are one surface (a Kinect's noise at 3 m is 1 %); farther ones are
hidden behind it."""
_OVERLAP = 1.05
"""Each reading covers 5 % more than its pixel: on a surface slanted by 60 degrees, a baseline of 2.5 cm stretches pixels by 4 %
at 1 m."""


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
        self._direction = (depth_camera.rays().reshape(-1, 3) @ (scale @ rotation).T.astype(np.float32))
        self._offset = (scale @ translation).astype(np.float32)
        self._magnification = max(color_camera.fx / depth_camera.fx, color_camera.fy / depth_camera.fy)

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """(H, W) float32 metres of the colour camera, 0 = no reading, from the depth camera's (h, w)."""
        width, height = self.color_camera.width, self.color_camera.height
        source = np.flatnonzero(depth.reshape(-1) > 0)
        point = self._direction[source] * depth.reshape(-1)[source, None] + self._offset
        in_front = point[:, 2] > 1e-3
        source, point = source[in_front], point[in_front]
        z = point[:, 2]
        u, v = point[:, 0] / z, point[:, 1] / z
        # How many colour pixels one depth pixel spans; a point that comes nearer spans more.
        half = np.maximum(0.5, 0.5 * self._magnification * depth.reshape(-1)[source] / z) * np.float32(_OVERLAP)
        near = (u > -half - 1) & (u < width + half) & (v > -half - 1) & (v < height + half)
        u, v, z, half = u[near], v[near], z[near], half[near]
        targets, depths, distances = [], [], []
        left, top = np.ceil(u - half), np.ceil(v - half)
        span = int(np.floor(2 * half.max())) + 1 if len(half) else 0
        for down in range(span):
            for right in range(span):
                column, row = left + right, top + down
                covered = ((column <= u + half) & (row <= v + half)
                           & (column >= 0) & (column < width) & (row >= 0) & (row < height))
                targets.append((row[covered] * width + column[covered]).astype(np.int64))
                depths.append(z[covered])
                distances.append((column[covered] - u[covered]) ** 2 + (row[covered] - v[covered]) ** 2)
        return _nearest_surface(targets, depths, distances, width * height).reshape(height, width)


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
