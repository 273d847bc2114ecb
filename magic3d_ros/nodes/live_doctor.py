"""Examines a running ROS graph: would scene_mapper reconstruct anything from it, and if not, why not and what helps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage

from magic3d_ros.config import Settings
from magic3d_ros.doctor.finding import Finding
from magic3d_ros.nodes import environment, live_findings
from magic3d_ros.nodes.conversions import nanoseconds
from magic3d_ros.nodes.pose_lookup import PoseLookup
from magic3d_ros.nodes.ros_install import transform_buffer
from magic3d_ros.sources.time_sync import TimeSynchronizer

_DISCOVERY, _SETTLE = 6.0, 1.0
"""Seconds to wait for any other node, and then for the rest. On an idle machine half a second does, on a busy one four did."""


@dataclass
class Heard:
    """What was seen of one topic. types: of its publishers. best_effort: how many publishers offer only that. arrivals: monotonic
    seconds; stamps: ns; last: the newest message."""

    topic: str
    wanted: str
    types: tuple[str, ...] = ()
    publishers: int = 0
    best_effort: int = 0
    arrivals: list[float] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    last: Any = None

    @property
    def rate(self) -> float:
        """Messages a second; 0 when fewer than two came."""
        return (len(self.arrivals) - 1) / max(self.arrivals[-1] - self.arrivals[0], 1e-9) if len(self.arrivals) > 1 else 0.0


@dataclass
class Examination:
    """Everything that was heard. roles: rgb, depth, camera_info, depth/camera_info, and pose or odometry. all_topics: those
    that are published, name -> types. mapper: the diagnostics of a running scene_mapper by part: (level, message)."""

    settings: Settings
    roles: dict[str, Heard]
    all_topics: dict[str, tuple[str, ...]]
    nodes: list[str]
    domain: int
    sync: TimeSynchronizer
    poses: PoseLookup
    now: int
    clock: bool
    mapper: dict[str, tuple[int, str]]


def examine_graph(settings: Settings, seconds: float = 5.0, topics: dict[str, str] | None = None) -> list[Finding]:
    """Listen to the running graph for some seconds and say what was found, the way of the data first.

    topics: names by role where they are not the ones that a running scene_mapper reports, or rgb, depth and camera_info.
    """
    environment.prepare()
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("magic3d_doctor", context=context, start_parameter_services=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        return live_findings.judge(_listen(node, executor, settings, seconds, topics or {}))
    finally:
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        context.try_shutdown()


def _listen(node: Node, executor: SingleThreadedExecutor, settings: Settings, seconds: float,
            topics: dict[str, str]) -> Examination:
    mapper: dict[str, tuple[int, str]] = {}
    reported: dict[str, str] = {}

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            _, _, part = status.name.partition("scene_mapper: ")
            if part:
                level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
                mapper[part] = (level, status.message)
                reported.update({v.key[6:]: v.value for v in status.values if v.key.startswith("topic.")})

    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    deadline = time.monotonic() + _DISCOVERY
    while time.monotonic() < deadline and not _others(node):
        executor.spin_once(timeout_sec=0.1)
    _spin(executor, _SETTLE)
    suffixes = {"rgb": "/compressed", "depth": "/compressedDepth"} if settings.ros.compressed else {}
    image = CompressedImage if settings.ros.compressed else Image
    kinds: dict[str, type] = {"rgb": image, "depth": image, "camera_info": CameraInfo, "depth/camera_info": CameraInfo}
    if settings.ros.pose_source != "tf":
        kinds[settings.ros.pose_source] = PoseStamped if settings.ros.pose_source == "pose" else Odometry
    names = {role: f"/{role}{suffixes.get(role, '')}" for role in kinds} | reported | topics
    poses = PoseLookup(settings.ros, transform_buffer())
    sync = TimeSynchronizer(("rgb", "depth"), round(settings.ros.sync_slop * 1e9))
    roles = {}
    for role, kind in kinds.items():
        heard = roles[role] = Heard(names[role], f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}")
        _look_at(node, heard)
        _subscribe(node, kind, heard, role, sync, poses)
    node.create_subscription(TFMessage, "/tf", lambda m: poses.on_transforms(m, False), 100)
    node.create_subscription(TFMessage, "/tf_static", lambda m: poses.on_transforms(m, True),
                             QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    clock: list[int] = []
    node.create_subscription(Clock, "/clock", lambda m: clock.append(nanoseconds(m.clock)),
                             QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    _spin(executor, seconds)
    known = {name: tuple(types) for name, types in node.get_topic_names_and_types() if node.count_publishers(name)}
    for heard in roles.values():
        _look_at(node, heard)  # again: on a busy machine publishers are discovered late
    now = clock[-1] if clock else node.get_clock().now().nanoseconds
    return Examination(settings, roles, known, _others(node), node.context.get_domain_id(), sync, poses, now, bool(clock), mapper)


def _look_at(node: Node, heard: Heard) -> None:
    offers = node.get_publishers_info_by_topic(heard.topic)
    heard.publishers = len(offers)
    heard.best_effort = sum(offer.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for offer in offers)
    heard.types = tuple(sorted({offer.topic_type for offer in offers}))


def _subscribe(node: Node, kind: type, heard: Heard, role: str, sync: TimeSynchronizer, poses: PoseLookup) -> None:
    if heard.publishers and heard.wanted not in heard.types:
        return  # listening with another type would only make the middleware complain

    def on_message(message: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        heard.arrivals.append(time.monotonic())
        heard.stamps.append(stamp)
        heard.last = message
        if role in ("rgb", "depth"):
            sync.add(("rgb", "depth").index(role), stamp, None)
        elif role == "pose":
            poses.on_pose(message)
        elif role == "odometry":
            poses.on_odometry(message)

    # Best effort hears every publisher, reliable loses nothing. Whether scene_mapper would hear is judged from what is offered.
    reliable = heard.publishers > 0 and heard.best_effort == 0
    node.create_subscription(kind, heard.topic, on_message, QoSProfile(
        depth=20, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT))


def _others(node: Node) -> list[str]:
    return [name for name in node.get_node_names() if name not in ("magic3d_doctor", "magic3d_client")]


def _spin(executor: SingleThreadedExecutor, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=left)
