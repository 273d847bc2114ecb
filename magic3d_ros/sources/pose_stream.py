"""Camera poses from what robots publish: TF, PoseStamped, PoseWithCovarianceStamped or Odometry messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

WORLD_FRAMES = ("map", "world", "odom")  # REP 105, the most global first


def stamp_of(header: Any) -> int:
    """Nanoseconds of a std_msgs/Header's stamp."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


class PoseStream:
    """Gives the camera's pose at any time from pose messages, or, when there are none, from transforms alone.

    transforms: the TF tree. world_frame: scene frame for poses from TF. pose_frame: the frame that pose messages are the pose of;
    "" = an Odometry's child_frame_id, and for other poses the camera itself.
    """

    def __init__(self, transforms: TransformBuffer, world_frame: str, pose_frame: str = "") -> None:
        self.transforms = transforms
        self.world_frame = world_frame
        self.pose_frame = pose_frame
        self._poses = TransformBuffer(transforms.cache_time, transforms.max_gap, transforms.restart_jump)
        self._child_frame = ""
        self._has_poses = False

    def add_transforms(self, message: Any, static: bool) -> list[str]:
        """Take a tf2_msgs/TFMessage; returns what is wrong with transforms that had to be left out."""
        return add_transforms(self.transforms, message, static)

    def add_pose(self, message: Any) -> None:
        """Take a PoseStamped, PoseWithCovarianceStamped or Odometry. Raises ValueError for NaN or a zero quaternion."""
        pose = message.pose.pose if hasattr(message.pose, "pose") else message.pose
        self._has_poses = True
        self._child_frame = getattr(message, "child_frame_id", "")
        position, orientation = pose.position, pose.orientation
        self._poses.set("world", "body", stamp_of(message.header), np.array([position.x, position.y, position.z]),
                        np.array([orientation.x, orientation.y, orientation.z, orientation.w]))

    def camera_to_world(self, camera_frame: str, stamp: int) -> np.ndarray:
        """(4, 4) pose at a time in ns. Raises TransformError naming the edge or the times that are missing."""
        if not self._has_poses:
            if not camera_frame:
                raise TransformError("no_frame", "the images have no frame_id, TF cannot give their pose: set bag.camera_frame")
            return self.transforms.lookup(self.world_frame, camera_frame, stamp)
        body_to_world = self._poses.lookup("world", "body", stamp)
        body_frame = self.pose_frame or self._child_frame
        if not body_frame or not camera_frame or body_frame == camera_frame:
            return body_to_world
        return body_to_world @ self.transforms.lookup(body_frame, camera_frame, stamp)


def add_transforms(buffer: TransformBuffer, message: Any, static: bool) -> list[str]:
    """Put a tf2_msgs/TFMessage into a buffer; returns what is wrong with transforms that had to be left out."""
    problems = []
    for item in message.transforms:
        translation, rotation = item.transform.translation, item.transform.rotation
        try:
            buffer.set(item.header.frame_id, item.child_frame_id, stamp_of(item.header),
                       np.array([translation.x, translation.y, translation.z]),
                       np.array([rotation.x, rotation.y, rotation.z, rotation.w]), static)
        except ValueError as error:
            problems.append(str(error))
    return problems


def guess_world_frame(transforms: TransformBuffer, camera_frame: str) -> str:
    """map, world or odom, the first that the camera moves in; else the root above the camera; "" when nothing moves it."""
    if camera_frame.lstrip("/") not in transforms.frames():
        return ""
    root = transforms.root(camera_frame)
    candidates = [frame for frame in (*WORLD_FRAMES, root) if frame in transforms.frames()]
    return next((frame for frame in candidates if transforms.moves(frame, camera_frame)), "")
