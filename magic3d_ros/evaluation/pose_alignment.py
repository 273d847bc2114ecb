"""A held-out frame's pose aligned to a map by depth alone, the same way for every map that can be rendered.

A recording's poses are off by centimetres where a map is right to millimetres; what a map predicts can then only be judged at the
pose from which the frame agrees with it best. Point-to-plane ICP with projective association (Chen and Medioni 1992; Newcombe et
al., KinectFusion, 2011) between the frame's depth and the map's rendered depth and normals; colour is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.rigid import inverse, moved
from magic3d_ros.mapping.surface import View

WIDTH = 320  # pixels at which it is rendered
RENDERS, STEPS = 3, 4  # views rendered, and Gauss-Newton steps against each
FARTHEST = (0.08, 0.05, 0.03)  # metres between partners, for each view in turn
SPREAD = 0.01  # metres of distance that count half
LEAST = 500  # partners


def aligned(render: Callable[[Camera, np.ndarray], View], frame: RGBDFrame) -> RGBDFrame:
    """The frame at the pose at which its depth lies on what the map renders; as it is where too little is rendered."""
    camera = frame.camera
    width = min(WIDTH, camera.width)
    height = max(1, round(camera.height * width / camera.width))
    small = camera.resized(width, height)
    depth = cv2.resize(frame.depth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    measured = np.isfinite(depth) & (depth > 0)
    points = (small.rays() * depth[..., None])[measured].astype(np.float64)
    pose = frame.camera_to_world
    for farthest in FARTHEST[:RENDERS]:
        view, seen_from = render(small, pose), pose
        surface = (small.rays() * view.depth[..., None]).astype(np.float64)
        for _ in range(STEPS):
            there = inverse(seen_from) @ pose
            step = _step(points @ there[:3, :3].T + there[:3, 3], there[:3, 3], surface, view, small, farthest)
            if step is None:
                return frame.with_pose(pose)
            rotation = seen_from[:3, :3]
            pose = moved(pose, rotation @ step[:3], rotation @ step[3:])
    return frame.with_pose(pose)


def _step(points: np.ndarray, center: np.ndarray, surface: np.ndarray, view: View, camera: Camera, farthest: float
          ) -> np.ndarray | None:
    """Turn about `center` and shift (6,) that bring (n, 3) points nearer to the rendered surface, in its camera's axes; None
    without enough partners."""
    u, v, z = camera.project(points)
    inside = np.flatnonzero((z > 0) & (u > -0.5) & (u < camera.width - 0.5) & (v > -0.5) & (v < camera.height - 0.5))
    column, row = np.rint(u[inside]).astype(np.int64), np.rint(v[inside]).astype(np.int64)
    partner, normal = surface[row, column], view.normals[row, column].astype(np.float64)
    gap = points[inside] - partner
    near = (view.depth[row, column] > 0) & (np.linalg.norm(gap, axis=1) < farthest) & (np.abs(normal).sum(1) > 0)
    if near.sum() < LEAST:
        return None
    arm, normal = points[inside[near]] - center, normal[near]
    distance = (gap[near] * normal).sum(1)
    # Noise of the sensor grows with the square of range; distances beyond SPREAD are outliers more and more.
    weight = 1.0 / (1.0 + (distance / SPREAD) ** 2) / np.maximum(z[inside[near]], 1.0) ** 2
    jacobian = np.concatenate([np.cross(arm, normal), normal], 1)
    weighted = jacobian * weight[:, None]
    matrix = weighted.T @ jacobian
    return -np.linalg.solve(matrix + 1e-4 * np.trace(matrix) / 6 * np.eye(6), weighted.T @ distance)
