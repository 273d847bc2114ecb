"""The things of the map seen through the camera: a label image for programs, an overlay for people."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.nodes.clouds import id_colors
from magic3d_ros.nodes.conversions import header, image_message
from magic3d_ros.nodes.live_mapping import Mapped
from magic3d_ros.nodes.scene_topics import LATCHED
from magic3d_ros.report.picture import overlay
from magic3d_ros.report.view import through_camera
from magic3d_ros.scene import Scene

WIDTH = 320
"""px; masks need no more, and casting a quarter of the rays takes a quarter of the time."""


class InstanceMasks:
    """The topics instance_mask (32SC1, id of the thing at each pixel, -1 = none) and instance_overlay (rgb8) of the newest frame,
    with its stamp, at most 320 pixels wide. `publish` casts rays for some tenths of a second: call it off the executor."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._mask = node.create_publisher(Image, "~/instance_mask", LATCHED)
        self._overlay = node.create_publisher(Image, "~/instance_overlay", LATCHED)
        self._spoken = (-1, -1)

    def claim(self, version: int, newest: Mapped | None) -> bool:
        """Whether somebody listens and this frame with this version of the scene was not claimed before: then publish it."""
        if (newest is None or version == 0 or self._spoken == (version, newest.frame.stamp)
                or not (self._mask.get_subscription_count() or self._overlay.get_subscription_count())):
            return False
        self._spoken = (version, newest.frame.stamp)
        return True

    def publish(self, scene: Scene, newest: Mapped) -> None:
        """Publish the masks of a frame."""
        labels, painted = instance_images(scene, newest.frame)
        head = header(newest.frame.stamp, newest.frame_id)
        self._mask.publish(image_message(labels, head))
        self._overlay.publish(image_message(painted, head))

    def close(self) -> None:
        """Take the topics down."""
        for publisher in (self._mask, self._overlay):
            self._node.destroy_publisher(publisher)


def instance_images(scene: Scene, frame: RGBDFrame) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) int32 ids (-1 = none) and (h, w, 3) uint8 overlay of the things that a frame sees, structure left out."""
    width = min(WIDTH, frame.camera.width)
    camera = frame.camera.resized(width, max(1, round(frame.camera.height * width / frame.camera.width)))
    view = through_camera(scene.surface, camera, frame.camera_to_world)
    labels = np.full(view.seen.shape, -1, np.int32)
    labels[view.seen] = view.nearest(scene.labels)
    things = [o.id for o in scene.objects if o.kind == "object"]
    labels[~np.isin(labels, things)] = -1
    rgb = cv2.resize(frame.rgb, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    colors: dict[int, Any] = dict(zip(things, id_colors(np.array(things, np.int64)).astype(np.float32), strict=True))
    return labels, overlay(rgb, scene, view, colors)
