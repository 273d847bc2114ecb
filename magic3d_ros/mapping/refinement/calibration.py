"""The camera's intrinsics, told from the map: with wrong ones the same surface seen from different distances does not agree.

The signed distances at the points of all keyframes (as in alignment.py) are made small over a pose for each frame and four
numbers that all frames share; the poses are eliminated (Schur complement), so that a wrong focal length cannot hide in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.refinement.alignment import INSIDE, LEAST, SPREAD, frame_points, sampler_around
from magic3d_ros.mapping.tsdf import TSDFVolume

POINTS = 3000
DAMPING = 1e-3
LARGEST = 0.02  # of a focal length in one step, for all four: a camera_info that is further off is wrong, not inexact


@dataclass(frozen=True)
class IntrinsicsChange:
    """focal: (x, y) natural logarithm of the factor of the focal length. center: (x, y) shift of the principal point in focal
    lengths (x right, y down)."""

    focal: tuple[float, float] = (0.0, 0.0)
    center: tuple[float, float] = (0.0, 0.0)

    def of(self, camera: Camera) -> Camera:
        """The camera with changed intrinsics."""
        fx, fy = camera.fx * float(np.exp(self.focal[0])), camera.fy * float(np.exp(self.focal[1]))
        return Camera(camera.width, camera.height, fx, fy, camera.cx + self.center[0] * fx, camera.cy + self.center[1] * fy)

    @property
    def largest(self) -> float:
        """The largest of the four numbers."""
        return max(abs(v) for v in (*self.focal, *self.center))


class CameraCalibration:
    """What was found out about the camera, applied to every frame that comes: the sum of all changes."""

    def __init__(self) -> None:
        self._values = np.zeros(4)

    def applied(self, frame: RGBDFrame) -> RGBDFrame:
        """The frame with the camera as it is known now; the very same where nothing is."""
        if not self._values.any():
            return frame
        camera = IntrinsicsChange(tuple(self._values[:2]), tuple(self._values[2:])).of(frame.camera)
        return RGBDFrame(frame.stamp, frame.rgb, frame.depth, camera, frame.camera_to_world, frame.index)

    def add(self, change: IntrinsicsChange) -> None:
        """Change it further; for changes of a few per cent the order makes no difference."""
        shrink = np.exp(-np.array(change.focal))  # the shift so far was in the focal lengths of before
        self._values = np.array([*(self._values[:2] + change.focal), *(self._values[2:] * shrink + change.center)])

    def state(self) -> dict[str, np.ndarray]:
        """The four numbers of the change, as `IntrinsicsChange` has them."""
        return {"intrinsics": self._values.copy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`; a map of the time before has none: its camera is what it said. Raises ValueError."""
        values = np.asarray(state.get("intrinsics", np.zeros(4)), np.float64)
        if values.shape != (4,) or not np.isfinite(values).all():
            raise ValueError("the state of the calibration lacks four finite 'intrinsics'")
        self._values = values.copy()


@torch.no_grad()
def intrinsics_step(volume: TSDFVolume, keyframes: Iterable[Keyframe], first: AbstractContextManager[object] | None = None
                    ) -> IntrinsicsChange:
    """The change of the intrinsics that brings the points of all keyframes nearer to the map's surface, poses being free: one
    Gauss-Newton step. No change where too little surface is known, and at most LARGEST. first: see `align`."""
    matrix, right = np.zeros((4, 4)), np.zeros(4)
    for number, keyframe in enumerate(keyframes):
        with first or nullcontext():
            pass
        points = frame_points(keyframe, volume, POINTS, number)
        if len(points.depth) < LEAST:
            continue
        in_camera = points.rays * points.depth
        rotation = torch.from_numpy(keyframe.camera_to_world[:3, :3].astype(np.float32)).to(volume.device)
        sampler, base = sampler_around(volume, keyframe.camera_to_world, in_camera)
        offset = torch.from_numpy((keyframe.camera_to_world[:3, 3] - base * volume.block_size).astype(np.float32))
        arm = rotation @ in_camera
        tsdf, slope, _, _, seen = sampler.distance_and_luma(arm + offset.to(volume.device)[:, None])
        use = (seen & (tsdf.abs() < INSIDE)).nonzero()[:, 0]
        if len(use) < LEAST:
            continue
        distance, slope = tsdf[use] * volume.truncation, slope[:, use] * volume.truncation
        weight = points.weight[use] / (1.0 + (distance / SPREAD) ** 2)
        x, y, z = in_camera[:, use]
        along_x, along_y, _ = rotation.T @ slope
        # A point at column u is (u - cx) / fx * z to the right: a larger fx or cx brings it nearer to the axis.
        jacobian = torch.cat([torch.linalg.cross(arm[:, use], slope, dim=0), slope,
                              torch.stack([-along_x * x, -along_y * y, -along_x * z, -along_y * z])]).double()
        normal = ((jacobian * weight) @ jacobian.T).cpu().numpy()
        residual = ((jacobian * weight) @ distance.double()).cpu().numpy()
        pose = normal[:6, :6] + DAMPING * np.trace(normal[:6, :6]) / 6 * np.eye(6)
        eliminate = normal[6:, :6] @ np.linalg.inv(pose)
        matrix += normal[6:, 6:] - eliminate @ normal[:6, 6:]
        right += residual[6:] - eliminate @ residual[:6]
    if not matrix.any():
        return IntrinsicsChange()
    step = -np.linalg.solve(matrix + DAMPING * np.trace(matrix) / 4 * np.eye(4), right)
    step *= min(1.0, LARGEST / max(float(np.abs(step).max()), 1e-12))
    return IntrinsicsChange((float(step[0]), float(step[1])), (float(step[2]), float(step[3])))
