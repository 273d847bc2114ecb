"""Where the camera was when an image was taken: from TF, a PoseStamped topic or an Odometry topic."""

from __future__ import annotations

from typing import Any

import numpy as np

from magic3d_ros.config import RosSettings
from magic3d_ros.nodes.conversions import nanoseconds
from magic3d_ros.nodes.ros_install import Tf2Buffer
from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

_FROM_TOPIC = "the pose topic's child"
"""Stands in the tree of transforms for what the pose topic tells of; no robot has a frame of this name."""


class PoseUnavailable(LookupError):
    """No pose for a stamp; the message names the transform that was tried and why it failed. can_wait: it may still come."""

    def __init__(self, message: str, can_wait: bool) -> None:
        super().__init__(message)
        self.can_wait = can_wait


class PoseLookup:
    """Keeps the newest transforms and poses, and interpolates between them. One thread.

    tried: the edge last asked for. failure: why the last frame that was given up had no pose; empty when all is well. invalid:
    why a transform or pose that came could not be used; `refused` counts them.
    """

    def __init__(self, settings: RosSettings, buffer: TransformBuffer | Tf2Buffer) -> None:
        self._settings, self._buffer = settings, buffer
        self._child_frame = ""
        self.transforms_received = self.poses_received = self.refused = 0
        self.tried = self.failure = self.invalid = ""

    @property
    def known_frames(self) -> list[str]:
        """Frames that TF has told of."""
        return [frame for frame in self._buffer.frames() if frame != _FROM_TOPIC]

    def on_transforms(self, message: Any, static: bool) -> None:
        """A message of /tf or /tf_static."""
        for stamped in message.transforms:
            self.transforms_received += 1
            moved = stamped.transform
            self._set(stamped.header, stamped.header.frame_id, stamped.child_frame_id, moved.translation, moved.rotation, static)

    def on_pose(self, message: Any) -> None:
        """A PoseStamped: the camera's pose in the frame of its header (empty = the world frame)."""
        self._on_pose(message, message.pose)

    def on_odometry(self, message: Any) -> None:
        """An Odometry: the pose of its child frame in the frame of its header."""
        self._child_frame = message.child_frame_id
        self._on_pose(message, message.pose.pose)

    def camera_to_world(self, stamp: int, frame: str, settle: bool = False) -> np.ndarray:
        """(4, 4) pose of the image's frame in the world frame. settle: also take a pose ros.sync_slop older, rather than none.

        Raises PoseUnavailable.
        """
        source = self._settings.pose_source
        if source == "tf":
            return self._in_world(frame, stamp, settle)
        if not self.poses_received:
            self.tried = f"topic '{source}'"
            raise PoseUnavailable(f"no message has come on the topic '{source}' (ros.pose_source is {source})"
                                  + (f"; {self.invalid}" if self.invalid else ""), True)
        pose = self._in_world(_FROM_TOPIC, stamp, settle)
        if source == "odometry" and self._child_frame and frame and self._child_frame != frame:
            pose = pose @ self.between(self._child_frame, frame, stamp)
        return pose

    def between(self, target: str, source: str, stamp: int) -> np.ndarray:
        """(4, 4) transform that takes points of `source` into `target`. Raises PoseUnavailable."""
        self.tried = f"{target} <- {source}"
        if not source:
            raise PoseUnavailable("the images have an empty frame_id, so that TF cannot tell where they were taken: set it in "
                                  "the camera's driver, or set ros.pose_source to pose", False)
        try:
            return self._buffer.lookup(target, source, stamp)
        except TransformError as error:
            raise PoseUnavailable(f"no transform from '{source}' to '{target}': {error}", error.can_wait) from error

    def to_world(self, frame: str, stamp: int) -> np.ndarray:
        """(4, 4) transform of any frame into the world frame; stamp 0 = the newest known. Raises PoseUnavailable."""
        return self.between(self._settings.world_frame, frame, stamp)

    def forget(self) -> None:
        """Time jumped back: what was known of later times belongs to another run. Static transforms stay."""
        self._buffer.clear()

    def _on_pose(self, message: Any, pose: Any) -> None:
        frame = message.header.frame_id or self._settings.world_frame
        if self._set(message.header, frame, _FROM_TOPIC, pose.position, pose.orientation, False):
            self.poses_received += 1

    def _in_world(self, frame: str, stamp: int, settle: bool) -> np.ndarray:
        try:
            return self.to_world(frame, stamp)
        except PoseUnavailable:
            if not settle:
                raise
        return self.to_world(frame, stamp - round(self._settings.sync_slop * 1e9))

    def _set(self, head: Any, parent: str, child: str, translation: Any, rotation: Any, static: bool) -> bool:
        position = np.array([translation.x, translation.y, translation.z])
        quaternion = np.array([rotation.x, rotation.y, rotation.z, rotation.w])
        try:
            # Rounding to four decimals leaves a length within 1e-3 of one; ten times that is a broken pose, not a rotation.
            length = float(np.linalg.norm(quaternion))
            if abs(length - 1) > 1e-2:
                raise ValueError(f"the rotation of '{parent}' -> '{child}' is a quaternion of length {length:.3g}, not 1")
            self._buffer.set(parent, child, nanoseconds(head.stamp), position, quaternion, static)
        except ValueError as error:
            self.refused += 1
            self.invalid = str(error)
            return False
        return True
