"""The subscriptions of scene_mapper: images, camera infos, transforms and poses, on their way to whole frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage

from magic3d_ros.config import Settings
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_frames import LiveFrames
from magic3d_ros.nodes.live_mapping import Incoming
from magic3d_ros.nodes.pose_lookup import PoseLookup
from magic3d_ros.nodes.ros_install import transform_buffer

_DEPTH_OF_QUEUE = 60
"""Images the middleware holds while the interpreter is busy: two seconds at 30 Hz. They take memory only then."""

_POLL = 0.05
"""Seconds between looks at frames whose time may be up."""


class FrameInput:
    """Listens to the input topics until `close`. topics: the resolved names by role, for diagnostics."""

    def __init__(self, node: Node, settings: Settings, counts: FrameCounts, emit: Callable[[Incoming], None]) -> None:
        self._node, self._counts = node, counts
        ros = settings.ros
        self.poses = PoseLookup(ros, transform_buffer())
        self.frames = LiveFrames(settings, counts, self.poses, emit, self._somebody_sends_depth_info)
        image: type = CompressedImage if ros.compressed else Image
        self.topics = {
            "rgb": node.resolve_topic_name("rgb") + ("/compressed" if ros.compressed else ""),
            "depth": node.resolve_topic_name("depth") + ("/compressedDepth" if ros.compressed else ""),
            "camera_info": node.resolve_topic_name("camera_info"),
            "depth/camera_info": node.resolve_topic_name("depth/camera_info")}
        images = QoSProfile(depth=_DEPTH_OF_QUEUE,
                            reliability=ReliabilityPolicy.RELIABLE if ros.reliable else ReliabilityPolicy.BEST_EFFORT)
        small = QoSProfile(depth=10, reliability=images.reliability)
        self._subscriptions: list[Any] = []
        self._listen(image, self.topics["rgb"], self.frames.on_color, images, "rgb")
        self._listen(image, self.topics["depth"], self.frames.on_depth, images, "depth")
        self._listen(CameraInfo, self.topics["camera_info"], self.frames.on_camera_info, small)
        self._listen(CameraInfo, self.topics["depth/camera_info"], self.frames.on_depth_camera_info, small)
        # As tf2_ros.TransformListener subscribes.
        self._listen(TFMessage, "/tf", lambda m: self._on_transforms(m, False), QoSProfile(depth=100))
        self._listen(TFMessage, "/tf_static", lambda m: self._on_transforms(m, True),
                     QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL))
        if ros.pose_source == "pose":
            self.topics["pose"] = node.resolve_topic_name("pose")
            self._listen(PoseStamped, self.topics["pose"], lambda m: self._on_pose(m, self.poses.on_pose), images)
        elif ros.pose_source == "odometry":
            self.topics["odometry"] = node.resolve_topic_name("odometry")
            self._listen(Odometry, self.topics["odometry"], lambda m: self._on_pose(m, self.poses.on_odometry), images)
        # A steady clock: frames must run out of time also while a simulated clock stands still.
        self._timer = node.create_timer(_POLL, self.frames.poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publishers(self) -> dict[str, int]:
        """How many publish each input topic."""
        return {role: self._node.count_publishers(topic) for role, topic in self.topics.items()}

    def close(self) -> None:
        """Stop listening; frames that still wait for a part are dropped."""
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self.frames.stop()

    def _listen(self, kind: type, topic: str, call: Callable[[Any], None], qos: QoSProfile, count_lost: str = "") -> None:
        if not count_lost:
            self._subscriptions.append(self._node.create_subscription(kind, topic, call, qos))
            return
        gaps = SequenceGaps()

        def numbered(message: Any, info: Any) -> None:
            lost = gaps.see(info.get("publication_sequence_number"))
            if lost and self._node.count_publishers(topic) == 1:  # numbers of several publishers are mixed up
                self._counts.note(f"{count_lost}_lost_in_transport", lost)
            call(message)

        self._subscriptions.append(self._node.create_subscription(kind, topic, numbered, qos))

    def _on_transforms(self, message: TFMessage, static: bool) -> None:
        self.poses.on_transforms(message, static)
        self.frames.poll()

    def _on_pose(self, message: Any, take: Callable[[Any], None]) -> None:
        take(message)
        self.frames.poll()

    def _somebody_sends_depth_info(self) -> bool:
        return self._node.count_publishers(self.topics["depth/camera_info"]) > 0


class SequenceGaps:
    """Counts the messages of one publisher that never arrived, by the numbers the middleware gives them."""

    _LARGEST = 10_000  # a larger step is another publisher's numbering

    def __init__(self) -> None:
        self._last: int | None = None

    def see(self, number: int | None) -> int:
        """A message of that number arrived; returns how many before it did not. None where the middleware does not number."""
        if not number:
            return 0
        last, self._last = self._last, number
        if last is None or not last < number < last + self._LARGEST:
            return 0
        return number - last - 1
