"""One frame against the map: the pose at which its depth lies on the surface and its colours on the surface's colours.

Gauss-Newton on the signed distances at the measured points (Bylow et al., Real-time camera tracking and 3D reconstruction using
signed distance functions, RSS 2013): a point on the surface has distance 0, and the gradient says where to go; no
correspondences are searched. Colour enters the same way (there, section IV, and Bylow et al., 3DV 2016): the luma of the map at
the point is compared with that of the pixel.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.sampling import TrilinearSampler
from magic3d_ros.mapping.tsdf import TSDFVolume

POINTS = 5000
ITERATIONS = 8
SPREAD = 0.02  # metres at which a distance counts half
LUMA_SPREAD = 20.0  # of 255, likewise
LUMA_WEIGHT = 0.3  # against distances; see docs/refinement.md
DAMPING = 1e-3  # of the mean diagonal: directions that the view does not fix stay
CONVERGED = 1e-4  # metres and radians: a step below is the last
INSIDE = 0.8  # of the truncation: beyond, the field is cut off and has no slope
LEAST = 300  # points on known surface that a pose can be told from


@dataclass(frozen=True)
class FramePoints:
    """What a frame is aligned by: directions (3, n) with z = 1 in camera axes, depth (n,), luma (n,) 0..255, weight (n,)."""

    rays: torch.Tensor
    depth: torch.Tensor
    luma: torch.Tensor
    weight: torch.Tensor


@dataclass(frozen=True)
class Alignment:
    """camera_to_world: the pose found, or the one given where `aligned` is False (too little known surface in view).
    error: median distance of the points from the surface there, metres; NaN where none is known. points: how many told.
    information: (6, 6) normal matrix there, of a turn about the camera and a shift in world axes; zeros where not aligned."""

    camera_to_world: np.ndarray
    aligned: bool
    error: float
    points: int
    information: np.ndarray = field(default_factory=lambda: np.zeros((6, 6)))


def frame_points(keyframe: Keyframe, volume: TSDFVolume, count: int = POINTS, seed: int = 0,
                 first: AbstractContextManager[object] | None = None) -> FramePoints:
    """A random choice of a frame's trusted pixels with a reading in range; luma blurred to the size of a voxel. first: see
    `align`."""
    depth, trust = keyframe.depth(), keyframe.weights()
    usable = (depth >= volume.min_depth) & (depth <= volume.max_depth)
    if trust is not None:
        usable &= trust > 0.5
    rows, columns = np.nonzero(usable)
    if len(rows) > count:
        # Drawn with repeats, of which one stays: choosing without would shuffle all pixels (8 ms, and no other thread runs).
        chosen = np.unique(np.random.default_rng(seed).integers(0, len(rows), count))
        rows, columns = rows[chosen], columns[chosen]
    let_pass(first)
    camera, z = keyframe.camera, depth[rows, columns]
    luma: np.ndarray = cv2.cvtColor(keyframe.rgb(), cv2.COLOR_RGB2GRAY).astype(np.float32)
    if len(z):
        luma = cv2.GaussianBlur(luma, (0, 0), max(0.5, 0.4 * volume.voxel_size * camera.fx / float(np.median(z))))
    rays = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(z))]).astype(np.float32)
    # A structured-light or stereo sensor's noise grows with the square of range (Khoshelham and Elberink 2012).
    weight = 1.0 / np.maximum(z, 1.0) ** 2
    return FramePoints(*(torch.from_numpy(np.ascontiguousarray(v, np.float32)).to(volume.device)
                         for v in (rays, z, luma[rows, columns], weight)))


@torch.no_grad()
def align(volume: TSDFVolume, points: FramePoints, camera_to_world: np.ndarray, iterations: int = ITERATIONS,
          first: AbstractContextManager[object] | None = None) -> Alignment:
    """The pose near `camera_to_world` at which the points lie on the map's surface.

    first: the lock of a thread that goes first. Entered and left before each iteration of a millisecond or two: while the other
    integrates this one waits, and takes it no time.
    """
    given = np.array(camera_to_world, np.float64)
    if len(points.depth) < LEAST:
        return Alignment(given, False, float("nan"), len(points.depth))
    in_camera = points.rays * points.depth
    sampler, base = sampler_around(volume, given, in_camera)
    pose, error, known, information = given, float("nan"), 0, np.zeros((6, 6))
    for iteration in range(iterations):
        let_pass(first)
        rotation = torch.from_numpy(pose[:3, :3].astype(np.float32)).to(volume.device)
        offset = torch.from_numpy((pose[:3, 3] - base * volume.block_size).astype(np.float32)).to(volume.device)[:, None]
        # The way there needs fewer points than the last steps.
        every = 4 if iteration < iterations // 2 else 1
        arm = rotation @ in_camera[:, ::every]
        tsdf, slope, luma, luma_slope, seen = sampler.distance_and_luma(arm + offset)
        use = (seen & (tsdf.abs() < INSIDE)).nonzero()[:, 0]
        known = len(use)
        if known * every < LEAST:
            return Alignment(given, False, error, known)
        arm, slope = arm[:, use], slope[:, use] * volume.truncation
        distance, trust = tsdf[use] * volume.truncation, points.weight[::every][use]
        error = float(distance.abs().median())
        normal, right = _equations(arm, slope, distance, trust / (1.0 + (distance / SPREAD) ** 2) / SPREAD**2)
        gap = luma[use] - points.luma[::every][use]
        gap = gap - gap.median()  # the exposure of the frame
        more = _equations(arm, luma_slope[:, use], gap, trust / (1.0 + (gap / LUMA_SPREAD) ** 2) * (LUMA_WEIGHT / LUMA_SPREAD**2))
        normal, right = normal + more[0], right + more[1]
        information = normal.cpu().numpy()
        normal = normal + torch.eye(6, dtype=normal.dtype, device=normal.device) * (DAMPING * normal.diagonal().mean())
        step = -torch.linalg.solve(normal, right).cpu().numpy()
        pose = moved(pose, step[:3], step[3:])
        if every == 1 and np.abs(step).max() < CONVERGED:
            break
    return Alignment(pose, True, error, known, information)


def sampler_around(volume: TSDFVolume, camera_to_world: np.ndarray, in_camera: torch.Tensor
                   ) -> tuple[TrilinearSampler, np.ndarray]:
    """Reads the volume around (3, n) points in the axes of a camera at that pose; and the block (3,) whose lower corner its
    points are relative to."""
    origin = camera_to_world[:3, 3]
    base = np.floor(origin / volume.block_size)
    # Room for the pose to move: points farther than the truncation from the surface are of no use anyway.
    reach = float(in_camera.norm(dim=0).amax().item()) + 2.0 * volume.block_size
    low, high = (torch.from_numpy(np.floor((origin + sign * reach) / volume.block_size).astype(np.int64)).to(volume.device)
                 for sign in (-1, 1))
    return TrilinearSampler(volume, torch.from_numpy(base.astype(np.int64)).to(volume.device), low, high), base


def _equations(arm: torch.Tensor, slope: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor
               ) -> tuple[torch.Tensor, torch.Tensor]:
    """Normal matrix (6, 6) and right side (6,) in float64 of residuals with gradient `slope` at points `arm` from the camera, for
    a turn about the camera and a shift, in world axes."""
    jacobian = torch.cat([torch.linalg.cross(arm, slope, dim=0), slope])
    weighted = jacobian * weight
    return (weighted @ jacobian.T).double(), (weighted @ residual).double()
