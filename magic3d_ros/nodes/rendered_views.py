"""The map seen from where the camera is now, as pictures: what the robot believes beside what it sees."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from magic3d_ros.config import RosSettings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.conversions import camera_info_message, header, image_message
from magic3d_ros.nodes.live_mapping import Incoming, LiveMapping
from magic3d_ros.nodes.scene_topics import LATCHED
from magic3d_ros.pipeline import ScenePipeline


class RenderedViews:
    """The topics rendered/rgb (rgb8), rendered/depth (32FC1) and rendered/camera_info: the map from the pose of the newest frame
    that came, with its stamp and frame, at most ros.rendered_width pixels wide. They are previews; the service render_view gives
    the full picture. That frame need not be in the map yet: while the 2D models look at a keyframe, others wait.

    `draw` is called ros.rendered_rate times a second, by the executor; it does nothing while nobody listens or nothing is new.
    What is due while a picture is being drawn follows it. Drawing has a thread of its own and the map's lock for moments only.
    """

    def __init__(self, node: Node, settings: RosSettings, mapping: LiveMapping) -> None:
        self._node, self._settings, self._mapping = node, settings, mapping
        self._rgb = node.create_publisher(Image, "~/rendered/rgb", LATCHED)
        self._depth = node.create_publisher(Image, "~/rendered/depth", LATCHED)
        self._info = node.create_publisher(CameraInfo, "~/rendered/camera_info", LATCHED)
        self._drawn: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._busy = self._missed = False
        self._times: deque[float] = deque(maxlen=20)

    @property
    def rate(self) -> float:
        """Pictures a second over the last twenty; 0 when none came for two seconds."""
        if len(self._times) < 2 or time.monotonic() - self._times[-1] > 2.0:
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)

    def draw(self) -> None:
        """Begin a picture if one is due. Returns at once."""
        mapped, latest = self._mapping.newest, self._mapping.latest
        if mapped is None or latest is None or not any(p.get_subscription_count() for p in (self._rgb, self._depth, self._info)):
            return
        state, camera = (latest.stamp, self._mapping.version), mapped.frame.camera
        with self._lock:
            self._missed = self._busy
            if self._busy or state == self._drawn:
                return
            self._drawn, self._busy = state, True
        self._mapping.draw(lambda pipeline: self._publish(pipeline, camera, latest), self._done)

    def close(self) -> None:
        """Take the topics down."""
        for publisher in (self._rgb, self._depth, self._info):
            self._node.destroy_publisher(publisher)

    def _publish(self, pipeline: ScenePipeline, camera: Camera, latest: Incoming) -> None:
        width = self._settings.rendered_width
        if camera.width > width:
            camera = camera.resized(width, max(1, round(camera.height * width / camera.width)))
        view = pipeline.preview(camera, latest.camera_to_world)
        head = header(latest.stamp, latest.frame_id)
        self._rgb.publish(image_message(view.rgb, head))
        self._depth.publish(image_message(view.depth, head))
        self._info.publish(camera_info_message(camera, head))
        self._times.append(time.monotonic())

    def _done(self, _: Any, error: Exception | None) -> None:
        with self._lock:
            self._busy, missed = False, self._missed
        if error is not None and not self._mapping.stopping:
            self._node.get_logger().error(f"the map could not be drawn: {type(error).__name__}: {error}",
                                          throttle_duration_sec=10.0)
        if missed and not self._mapping.stopping:
            self.draw()  # not at the next call: a picture that takes a little longer than the interval would halve the rate
