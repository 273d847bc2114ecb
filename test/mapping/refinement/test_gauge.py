from __future__ import annotations

import numpy as np

from magic3d_ros.geometry.rigid import inverse, moved
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.refinement.gauge import divided, gauged

from .conftest import corner_run

FRAMES = [Keyframe.of(frame) for frame in corner_run(10)]
WORLD = moved(np.eye(4), np.array([0.01, 0.0, 0.02]), np.array([0.05, 0.0, -0.02]))
CAMERA = moved(np.eye(4), np.array([0.0, 0.01, 0.0]), np.array([0.0, 0.02, 0.01]))


def test_a_motion_of_the_world_is_taken_out():
    poses = gauged(FRAMES, {k.stamp: WORLD @ k.camera_to_world for k in FRAMES})
    for keyframe in FRAMES:
        np.testing.assert_allclose(poses[keyframe.stamp], keyframe.camera_to_world, atol=1e-9)
    poses, offset = divided(FRAMES, {k.stamp: WORLD @ k.camera_to_world for k in FRAMES})
    np.testing.assert_allclose(offset, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(poses[FRAMES[3].stamp], FRAMES[3].camera_to_world, atol=1e-9)


def test_what_the_camera_has_in_common_is_told_for_poses_to_come():
    given = {k.stamp: WORLD @ k.camera_to_world @ CAMERA for k in FRAMES}
    poses, offset = divided(FRAMES, given)
    for keyframe in FRAMES:  # how the two are shared out is open where the camera hardly turns, that they fit together is not
        gap = distance(keyframe.camera_to_world @ offset, poses[keyframe.stamp])
        assert gap[0] < 0.002 and gap[1] < 0.1
    motion = poses[0] @ inverse(given[0])
    for stamp, pose in poses.items():
        np.testing.assert_allclose(motion @ given[stamp], pose, atol=1e-9)
