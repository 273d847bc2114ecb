"""How scene_mapper and cue_extractor talk: signs of life come, keyframes go out as images, cues come back, matched by stamp."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import UInt32MultiArray

from magic3d_ros.config import RosSettings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.msg import Cues
from magic3d_ros.nodes.conversions import camera_info_message, header, image_message, nanoseconds
from magic3d_ros.nodes.cue_dispatch import CueDispatch
from magic3d_ros.nodes.cue_messages import cue_frame
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.nodes.spinning import dropped_at_the_end
from magic3d_ros.sources.camera_info import camera_model
from magic3d_ros.sources.image_codec import decode_color, decode_depth

QUEUE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
ALIVE_EVERY = 0.25
"""Seconds between an extractor's signs of life."""
_PARTS = ("rgb", "depth", "camera_info")
_KEPT = 20
"""Incomplete keyframes remembered: as many as the queue holds."""
_SEND_EVERY = 0.1
"""Seconds between looks for dead extractors and waiting keyframes."""


@dataclass(frozen=True)
class Alive:
    """An extractor's sign of life, in this order in a UInt32MultiArray. instance: another number each time it is started. room:
    keyframes that it wants to have at hand."""

    shard: int
    shards: int
    instance: int
    room: int


def keyframe_topic(shard: int, part: str) -> str:
    """Where a shard's keyframes go, below the scene_mapper's name."""
    return f"keyframe/shard_{shard}/{part}"


class KeyframeSender:
    """scene_mapper's side: publishes each keyframe for one extractor, hands cues of the right model to the mapping.

    `send` may run on any thread.
    """

    def __init__(self, node: Node, frame_id: str, model: str, settings: RosSettings) -> None:
        self._node, self._frame_id, self._model, self._settings = node, frame_id, model, settings
        self.mapping: LiveMapping | None = None
        self.refused = ""
        self._dispatch = CueDispatch()
        self._lock = threading.Lock()
        self._publishers: dict[int, list[Publisher]] = {}
        self._subscriptions = [node.create_subscription(Cues, "~/cues", self._on_cues, QUEUE),
                               node.create_subscription(UInt32MultiArray, "~/extractors", self._on_alive, QUEUE)]
        self._timer = node.create_timer(_SEND_EVERY, self._send_due, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def extractors(self) -> tuple[int, int]:
        """How many extractors live, and how many there should be by what they say."""
        with self._lock:
            return self._dispatch.alive, self._dispatch.expected

    def send(self, frame: RGBDFrame) -> None:
        """Publish a keyframe for an extractor, as soon as one has room for it."""
        with self._lock:
            self._dispatch.add(frame, time.monotonic(), self._settings.cue_timeout)
        self._send_due()

    def close(self) -> None:
        """Take the topics down."""
        self._node.destroy_timer(self._timer)
        with self._lock:
            for publisher in [p for publishers in self._publishers.values() for p in publishers]:
                self._node.destroy_publisher(publisher)
            self._publishers = {}
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _send_due(self) -> None:
        with self._lock:
            before = self._dispatch.resent
            with dropped_at_the_end(self._node):
                for shard, frame in self._dispatch.due(time.monotonic(), self._reachable):
                    head = header(frame.stamp, self._frame_id)
                    messages = (image_message(frame.rgb, head), image_message(frame.depth, head),
                                camera_info_message(frame.camera, head))
                    for publisher, message in zip(self._publishers[shard], messages, strict=True):
                        publisher.publish(message)
            resent = self._dispatch.resent - before
        if resent and self.mapping is not None:
            self.mapping.counts.note("cues_resent", resent)

    def _reachable(self, shard: int) -> bool:
        return shard in self._publishers and min(p.get_subscription_count() for p in self._publishers[shard]) > 0

    def _on_alive(self, message: UInt32MultiArray) -> None:
        if len(message.data) != len(Alive.__dataclass_fields__):
            self.refused = "a cue_extractor of another version gives signs of life: install the same version everywhere"
            return
        alive = Alive(*message.data)
        with self._lock:
            if alive.shard not in self._publishers:
                self._publishers[alive.shard] = [
                    self._node.create_publisher(kind, "~/" + keyframe_topic(alive.shard, part), QUEUE)
                    for kind, part in zip((Image, Image, CameraInfo), _PARTS, strict=True)]
            self._dispatch.heard(alive.shard, alive.shards, alive.instance, alive.room, time.monotonic())
        self._send_due()

    def _on_cues(self, message: Cues) -> None:
        if self.mapping is None:
            return
        if message.model != self._model:
            self.refused = (f"cue_extractor {message.shard} uses the models {message.model}, this map needs {self._model}: "
                            "start both with the same cues.* and language.* parameters")
            self.mapping.counts.note("cues_refused")
            return
        try:
            cues = cue_frame(message)
        except FrameError as error:
            self.refused = str(error)
            self.mapping.counts.note("cues_refused")
            return
        with self._lock:
            first = self._dispatch.answered(cues.stamp)
        if first:
            self.mapping.add_cues(cues)
        else:
            self.mapping.counts.note("cues_twice")
        self._send_due()


class KeyframeReceiver:
    """cue_extractor's side: collects the parts of the keyframes that are sent to a shard, and hands on whole ones, undecoded.

    mapper: name of the scene_mapper. whole: called with a function that makes the frame.
    """

    def __init__(self, node: Node, mapper: str, shard: int, whole: Callable[[Callable[[], RGBDFrame]], None]) -> None:
        self._whole = whole
        self._parts: dict[int, dict[str, Image | CameraInfo]] = {}
        self.incomplete = 0
        for kind, part in zip((Image, Image, CameraInfo), _PARTS, strict=True):
            node.create_subscription(kind, f"{mapper}/{keyframe_topic(shard, part)}",
                                     lambda m, part=part: self._on_part(part, m), QUEUE)

    def _on_part(self, part: str, message: Image | CameraInfo) -> None:
        stamp = nanoseconds(message.header.stamp)
        parts = self._parts.setdefault(stamp, {})
        parts[part] = message
        if len(parts) == len(_PARTS):
            del self._parts[stamp]
            self._whole(lambda: _keyframe(stamp, parts))
        elif len(self._parts) > _KEPT:
            del self._parts[next(iter(self._parts))]
            self.incomplete += 1


def _keyframe(stamp: int, parts: dict[str, Image | CameraInfo]) -> RGBDFrame:
    camera = camera_model(parts["camera_info"]).camera
    return RGBDFrame(stamp, decode_color(parts["rgb"]), decode_depth(parts["depth"]), camera, np.eye(4))
