from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.pose_alignment import aligned
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.surface import View

CAMERA = Camera(160, 120, 130.0, 130.0, 79.5, 59.5)


def corner(camera: Camera, camera_to_world: np.ndarray) -> View:
    """Three walls at x, y, z = 2, seen from inside."""
    rays = camera.rays().reshape(-1, 3).astype(np.float64) @ camera_to_world[:3, :3].T
    with np.errstate(divide="ignore"):
        along = np.where(rays > 0, (2.0 - camera_to_world[:3, 3]) / rays, np.inf)
    wall = along.argmin(1)
    depth = along.min(1).reshape(camera.height, camera.width).astype(np.float32)
    normals = (-np.eye(3)[wall] @ camera_to_world[:3, :3]).reshape(*depth.shape, 3).astype(np.float32)
    return View(np.zeros((*depth.shape, 3), np.uint8), depth, normals)


def nothing(camera: Camera, camera_to_world: np.ndarray) -> View:
    return View(*(np.zeros((camera.height, camera.width, *more), kind) for more, kind in (
        ((3,), np.uint8), ((), np.float32), ((3,), np.float32))))


def looking_into_the_corner() -> np.ndarray:
    pose = np.eye(4)
    forward = np.ones(3) / np.sqrt(3)
    right = np.cross([0, -1.0, 0], forward)
    right /= np.linalg.norm(right)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    return pose


def test_a_frame_finds_the_pose_from_which_it_was_taken():
    pose = looking_into_the_corner()
    view = corner(CAMERA, pose)
    wrong = moved(pose, np.radians([0.5, -0.7, 0.6]), np.array([0.02, 0.01, -0.02]))
    found = aligned(corner, RGBDFrame(0, view.rgb, view.depth, CAMERA, wrong))
    metres, degrees = distance(found.camera_to_world, pose)
    assert metres < 1e-3 and degrees < 0.05
    np.testing.assert_array_equal(found.depth, view.depth)


def test_where_the_map_shows_nothing_the_frame_stays():
    pose = looking_into_the_corner()
    view = corner(CAMERA, pose)
    found = aligned(nothing, RGBDFrame(0, view.rgb, view.depth, CAMERA, pose))
    np.testing.assert_array_equal(found.camera_to_world, pose)
