"""What refined poses have in common: nothing in a map says where all of it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from magic3d_ros.geometry.rigid import best_motion, inverse, rotation_of, vector_of
from magic3d_ros.mapping.keyframe import Keyframe

STEPS = 20  # in turn between motions of world and camera


def gauged(frames: list[Keyframe], poses: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The poses moved together so that on the whole they stay where they were: frames agree among each other, nothing says where
    all of them are."""
    known = [k for k in frames if k.stamp in poses]
    motion = _common([poses[k.stamp] for k in known], [k.camera_to_world for k in known])
    return {stamp: motion @ pose for stamp, pose in poses.items()}


def divided(frames: list[Keyframe], poses: Mapping[int, np.ndarray]) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """What all poses have in common, divided into a motion of the world, which is taken out as in `gauged`, and one (4, 4) in
    the camera's axes (medians), which poses to come will need too; the poses without the first, and the second."""
    known = [k for k in frames if k.stamp in poses]
    offset = motion = np.eye(4)
    for _ in range(STEPS):
        before = [k.camera_to_world @ offset for k in known]
        motion = _common([poses[k.stamp] for k in known], before)
        steps = [inverse(k.camera_to_world) @ motion @ poses[k.stamp] for k in known]
        offset = np.eye(4)
        offset[:3, :3] = rotation_of(np.median([vector_of(step[:3, :3]) for step in steps], 0))
        offset[:3, 3] = np.median([step[:3, 3] for step in steps], 0)
    return {stamp: motion @ pose for stamp, pose in poses.items()}, offset


def _common(source: list[np.ndarray], target: list[np.ndarray]) -> np.ndarray:
    """The motion of the world (4, 4) that brings poses onto others: of position and direction alike, a metre's arm each way."""
    return best_motion(*(np.concatenate([p[:3, 3] + arm * p[:3, axis] for p in side for axis in range(3) for arm in (-1.0, 1.0)])
                         .reshape(-1, 3) for side in (source, target)))
