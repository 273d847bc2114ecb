"""What moves, as topics: in the image for other users of the camera, in space for planners."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, PointCloud2

from magic3d_ros.nodes.clouds import cloud_message
from magic3d_ros.nodes.conversions import header, image_message
from magic3d_ros.nodes.live_mapping import Mapped
from magic3d_ros.nodes.spinning import dropped_at_the_end
from magic3d_ros.pipeline import ScenePipeline

_EVERY_FRAME = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
"""Not kept for late joiners, unlike the scene: where something moved a while ago misleads."""


class DistractorTopics:
    """The topics distractor_mask (mono8, 255 = distractor) and uncertainty (32FC1 beta, above 1 is a distractor) of every frame
    that was used, with its stamp, frame and size; moving_points in the world frame, empty when nothing moves.

    `publish` is called on the worker after each frame: what nobody listens to is not made (all three take 2 ms at 640x480).
    """

    def __init__(self, node: Node, world_frame: str) -> None:
        self._node, self._world_frame = node, world_frame
        self._mask = node.create_publisher(Image, "~/distractor_mask", _EVERY_FRAME)
        self._uncertainty = node.create_publisher(Image, "~/uncertainty", _EVERY_FRAME)
        self._points = node.create_publisher(PointCloud2, "~/moving_points", _EVERY_FRAME)

    def publish(self, pipeline: ScenePipeline, newest: Mapped) -> None:
        """Publish what moves in the frame that was just used."""
        verdict, stamp = pipeline.last_verdict, newest.frame.stamp
        if verdict is None or verdict.stamp != stamp:
            return
        head = header(stamp, newest.frame_id)
        with dropped_at_the_end(self._node):
            if self._mask.get_subscription_count():
                self._mask.publish(image_message(np.where(verdict.mask, np.uint8(255), np.uint8(0)), head))
            if self._uncertainty.get_subscription_count():
                self._uncertainty.publish(image_message(verdict.uncertainty, head))
            if self._points.get_subscription_count():
                self._points.publish(cloud_message(header(stamp, self._world_frame), pipeline.moving_points(), {}))

    def close(self) -> None:
        """Take the topics down."""
        for publisher in (self._mask, self._uncertainty, self._points):
            self._node.destroy_publisher(publisher)
