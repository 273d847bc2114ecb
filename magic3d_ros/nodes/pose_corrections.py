"""Corrected poses from a SLAM (its loop closures): what was mapped from the old ones moves to where it belongs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from nav_msgs.msg import Path
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from magic3d_ros.config import RosSettings
from magic3d_ros.mapping.refinement.reports import CorrectionReport
from magic3d_ros.nodes.conversions import nanoseconds, pose_matrix
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.pipeline import ScenePipeline

Transform = Callable[[str, str, int], np.ndarray]

SAME_STAMP = 500_000
"""ns within which a corrected pose and a frame are of one moment: SLAMs that keep time as float seconds are off by 0.2 us; frames
lie 5 ms apart at least."""


class PoseCorrections:
    """Listens to pose_corrections: poses of the camera (or of ros.corrected_frame) with the stamps of its images, as many or few
    as the sender likes.

    The callback only notes them; corrections that come while others are at work wait and are applied together, the newest of each
    stamp. between: (target, source, stamp) -> (4, 4) transform of source into target; raises LookupError. message: what the last
    ones did. applied, unknown: stamps so far that were remembered, and that were not.
    """

    def __init__(self, node: Node, settings: RosSettings, mapping: LiveMapping, between: Transform) -> None:
        self._node, self._settings, self._mapping, self._between = node, settings, mapping, between
        self._waiting: dict[int, np.ndarray] = {}
        self._submitted = False
        self._lock = threading.Lock()
        self.message = ""
        self.applied = self.unknown = 0
        self._subscription = node.create_subscription(Path, "pose_corrections", self._on_path,
                                                      QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE))

    def close(self) -> None:
        """Stop listening."""
        self._node.destroy_subscription(self._subscription)

    def _on_path(self, path: Path) -> None:
        try:
            poses = self._in_world(path)
        except (ValueError, LookupError) as error:
            self._refuse(str(error))
            return
        with self._lock:
            self._waiting.update(poses)
            submit = bool(poses) and not self._submitted
            self._submitted |= submit
        if submit:
            self._mapping.correct(self._apply, self._done)

    def _in_world(self, path: Path) -> dict[int, np.ndarray]:
        poses = {nanoseconds(p.header.stamp): pose_matrix(p.pose) for p in path.poses}
        broken = sum(not np.isfinite(pose).all() for pose in poses.values())
        if broken:
            raise ValueError(f"{broken} of {len(poses)} corrected poses are no rigid transforms (NaN, or no rotation): none of "
                             "them is used")
        world, body = self._settings.world_frame, self._settings.corrected_frame
        frame = path.header.frame_id or world
        if poses and frame != world:
            to_world = self._between(world, frame, max(poses))
            poses = {stamp: to_world @ pose for stamp, pose in poses.items()}
        newest = self._mapping.newest
        if body and newest is not None and newest.frame_id != body:
            poses = {stamp: pose @ self._between(body, newest.frame_id, stamp) for stamp, pose in poses.items()}
        return poses

    def _apply(self, pipeline: ScenePipeline) -> CorrectionReport:
        with self._lock:
            poses, self._waiting = self._waiting, {}
            self._submitted = False
        return pipeline.correct_poses(at_known_stamps(poses, [k.stamp for k in pipeline.mapper.keyframes.remembered()]))

    def _done(self, report: Any, error: Exception | None) -> None:
        if error is not None:
            self._submitted = False  # an error before the poses were taken: the next message tries again
            if not self._mapping.stopping:
                self._refuse(str(error))
            return
        self.message = report.message
        self.applied += report.applied
        self.unknown += report.unknown
        self._node.get_logger().info(f"pose_corrections: {report.message}")

    def _refuse(self, why: str) -> None:
        self.message = why
        self._node.get_logger().error(f"pose_corrections: {why}")


def at_known_stamps(poses: dict[int, np.ndarray], known: list[int]) -> dict[int, np.ndarray]:
    """The poses, under the known stamp within SAME_STAMP of theirs where there is one."""
    if not known:
        return poses
    stamps = np.sort(np.array(known, np.int64))
    moved = {}
    for stamp, pose in poses.items():
        place = int(np.searchsorted(stamps, stamp))
        near = min(stamps[max(place - 1, 0):place + 1].tolist(), key=lambda other: abs(other - stamp))
        moved[near if abs(near - stamp) <= SAME_STAMP else stamp] = pose
    return moved
