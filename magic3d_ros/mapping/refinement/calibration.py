"""The camera's calibration: intrinsics, told from the map, and what was found of the transform from depth to colour.

With wrong intrinsics the same surface seen from different distances does not agree.

The signed distances at the points of all keyframes (as in alignment.py) are made small over a pose for each frame and four
numbers that all frames share; the poses are eliminated (Schur complement), so that a wrong focal length cannot hide in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.rigid import vector_of
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.refinement.alignment import INSIDE, LEAST, SPREAD, frame_points, sampler_around
from magic3d_ros.mapping.tsdf import TSDFVolume
from magic3d_ros.sources.registration import re_registered

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


@dataclass(frozen=True)
class CalibrationChange:
    """What a round of refining changes for all frames. intrinsics: of the colour camera. depth_motion: (4, 4) in its axes, by
    which the depth's points move; None = they stay. pose_offset: (4, 4), what a pose that comes is to be multiplied with to be
    the colour camera's: poses may belong to the depth camera, or to neither."""

    intrinsics: IntrinsicsChange = IntrinsicsChange()
    depth_motion: np.ndarray | None = None
    pose_offset: np.ndarray | None = None

    def of(self, keyframe: Keyframe) -> Keyframe:
        """A remembered frame with the change; its pose is as it was."""
        motion = keyframe.depth_motion
        if self.depth_motion is not None:
            motion = self.depth_motion if motion is None else self.depth_motion @ motion
        return replace(keyframe, camera=self.intrinsics.of(keyframe.camera), depth_motion=motion)


class CameraCalibration:
    """What was found out about the cameras, applied to every frame that comes: all changes together."""

    def __init__(self) -> None:
        self._intrinsics = np.zeros(4)
        self._depth_motion, self._pose_offset = np.eye(4), np.eye(4)

    def applied(self, frame: RGBDFrame) -> RGBDFrame:
        """The frame with the cameras as they are known now; the very same where nothing is."""
        if not self._intrinsics.any() and (self._depth_motion == np.eye(4)).all() and (self._pose_offset == np.eye(4)).all():
            return frame
        camera = IntrinsicsChange(tuple(self._intrinsics[:2]), tuple(self._intrinsics[2:])).of(frame.camera)
        depth = frame.depth
        if (self._depth_motion != np.eye(4)).any():
            depth = re_registered(np.nan_to_num(depth, nan=0.0, posinf=0.0, neginf=0.0), camera, self._depth_motion)
        return replace(frame, depth=depth, camera=camera, camera_to_world=frame.camera_to_world @ self._pose_offset)

    def add(self, change: CalibrationChange) -> None:
        """Change it further; for changes of a few per cent the order makes no difference to the intrinsics."""
        intrinsics = change.intrinsics
        shrink = np.exp(-np.array(intrinsics.focal))  # the shift so far was in the focal lengths of before
        self._intrinsics = np.array([*(self._intrinsics[:2] + intrinsics.focal),
                                     *(self._intrinsics[2:] * shrink + intrinsics.center)])
        if change.depth_motion is not None:
            self._depth_motion = change.depth_motion @ self._depth_motion
        if change.pose_offset is not None:
            self._pose_offset = self._pose_offset @ change.pose_offset

    def describe(self) -> str:
        """In words, what differs from what the frames say of themselves."""
        shift, turn = self._depth_motion[:3, 3], np.degrees(vector_of(self._depth_motion[:3, :3]))
        words = f"focal lengths {100 * np.expm1(self._intrinsics[0]):+.2f} % and {100 * np.expm1(self._intrinsics[1]):+.2f} %"
        if (self._depth_motion != np.eye(4)).any():
            words += (f", depth moved against colour by ({', '.join(f'{1000 * v:.1f}' for v in shift)}) mm and turned by "
                      f"({', '.join(f'{v:.2f}' for v in turn)}) deg")
        return words

    def state(self) -> dict[str, np.ndarray]:
        """The four numbers of the intrinsics, as `IntrinsicsChange` has them, and the two motions (4, 4)."""
        return {"intrinsics": self._intrinsics.copy(), "depth_motion": self._depth_motion.copy(),
                "pose_offset": self._pose_offset.copy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`; a map of the time before has none: its cameras are what they said. Raises ValueError."""
        values = np.asarray(state.get("intrinsics", np.zeros(4)), np.float64)
        motions = [np.asarray(state.get(name, np.eye(4)), np.float64) for name in ("depth_motion", "pose_offset")]
        if values.shape != (4,) or not np.isfinite(values).all():
            raise ValueError("the state of the calibration lacks four finite 'intrinsics'")
        for motion in motions:
            if motion.shape != (4, 4) or not np.allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-6):
                raise ValueError("'depth_motion' and 'pose_offset' of the state of the calibration are no rigid transforms")
        self._intrinsics, self._depth_motion, self._pose_offset = values.copy(), *(m.copy() for m in motions)


@torch.no_grad()
def intrinsics_step(volume: TSDFVolume, keyframes: Iterable[Keyframe], first: AbstractContextManager[object] | None = None
                    ) -> IntrinsicsChange:
    """The change of the intrinsics that brings the points of all keyframes nearer to the map's surface, poses being free: one
    Gauss-Newton step. No change where too little surface is known, and at most LARGEST. first: see `align`."""
    matrix, right = np.zeros((4, 4)), np.zeros(4)
    for number, keyframe in enumerate(keyframes):
        let_pass(first)
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
