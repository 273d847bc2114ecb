"""How scene_mapper and cue_extractor talk: keyframes go out as images, cues come back, matched by stamp."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.msg import Cues
from magic3d_ros.nodes.conversions import camera_info_message, header, image_message, nanoseconds
from magic3d_ros.nodes.cue_messages import cue_frame
from magic3d_ros.nodes.live_mapping import LiveMapping
from magic3d_ros.sources.camera_info import camera_model
from magic3d_ros.sources.image_codec import decode_color, decode_depth

QUEUE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
_PARTS = ("rgb", "depth", "camera_info")
_KEPT = 20
"""Incomplete keyframes remembered: as many as the queue holds."""


def shard_of(stamp: int, shards: int) -> int:
    """Which of `shards` extractors looks at a keyframe. A checksum spreads stamps that are all multiples of a period evenly."""
    return zlib.crc32(int(stamp).to_bytes(8, "little", signed=True)) % shards


class KeyframeSender:
    """scene_mapper's side: publishes keyframes, hands cues of the right model to the mapping. `send` may run on any thread."""

    def __init__(self, node: Node, frame_id: str, model: str) -> None:
        self._node, self._frame_id, self._model = node, frame_id, model
        self.mapping: LiveMapping | None = None
        self._publishers = [node.create_publisher(kind, f"~/keyframe/{part}", QUEUE)
                            for kind, part in zip((Image, Image, CameraInfo), _PARTS, strict=True)]
        self._subscription = node.create_subscription(Cues, "~/cues", self._on_cues, QUEUE)
        self.refused = ""

    @property
    def extractors(self) -> int:
        """How many extractors listen."""
        return min(p.get_subscription_count() for p in self._publishers)

    def send(self, frame: RGBDFrame) -> None:
        """Publish a keyframe for the extractors."""
        head = header(frame.stamp, self._frame_id)
        messages = (image_message(frame.rgb, head), image_message(frame.depth, head), camera_info_message(frame.camera, head))
        for publisher, message in zip(self._publishers, messages, strict=True):
            publisher.publish(message)

    def close(self) -> None:
        """Take the topics down."""
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._node.destroy_subscription(self._subscription)

    def _on_cues(self, message: Cues) -> None:
        if self.mapping is None:
            return
        if message.model != self._model:
            self.refused = (f"cue_extractor {message.shard} uses the models {message.model}, this map needs {self._model}: "
                            "start both with the same cues.* and language.* parameters")
            self.mapping.counts.note("cues_refused")
            return
        try:
            self.mapping.add_cues(cue_frame(message))
        except FrameError as error:
            self.refused = str(error)
            self.mapping.counts.note("cues_refused")


class KeyframeReceiver:
    """cue_extractor's side: collects the parts of the keyframes of one shard and hands on whole ones, undecoded.

    mapper: name of the scene_mapper. whole: called with a function that makes the frame.
    """

    def __init__(self, node: Node, mapper: str, shard: int, shards: int,
                 whole: Callable[[Callable[[], RGBDFrame]], None]) -> None:
        self._shard, self._shards, self._whole = shard, shards, whole
        self._parts: dict[int, dict[str, Image | CameraInfo]] = {}
        self.incomplete = 0
        for kind, part in zip((Image, Image, CameraInfo), _PARTS, strict=True):
            node.create_subscription(kind, f"{mapper}/keyframe/{part}", lambda m, part=part: self._on_part(part, m), QUEUE)

    def _on_part(self, part: str, message: Image | CameraInfo) -> None:
        stamp = nanoseconds(message.header.stamp)
        if shard_of(stamp, self._shards) != self._shard:
            return
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
