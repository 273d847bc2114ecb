"""Frames from a ROS 2 bag: colour, depth, calibration and poses put together by time, as the live node does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.sources.bag_frames import BagFrames, frame_id
from magic3d_ros.sources.bag_reader import BagDamaged, BagReader, MessageDamaged
from magic3d_ros.sources.bag_topics import BagTopics, choose_topics
from magic3d_ros.sources.frame_gate import FrameGate
from magic3d_ros.sources.pose_stream import add_transforms, guess_world_frame
from magic3d_ros.sources.prefetch import prefetch
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.transform_buffer import TransformBuffer

logger = logging.getLogger(__name__)

_LOOK_AHEAD = 500  # TF messages read to learn the tree's frames before the first image: ten seconds at 50 Hz


class BagSource:
    """A FrameSource over a bag. Which topics and frames were chosen is logged when it is opened.

    Raises SourceError when the bag cannot be read or lacks colour, depth or calibration.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.name = path.name
        self.skipped: dict[str, int] = {}
        self._path = path
        self._settings = settings
        with BagReader(path) as reader:
            self.topics = choose_topics(reader.topics, settings.bag, str(path))
            if not self.topics.camera_info and not settings.input.intrinsics:
                raise SourceError(f"the bag {path} has no CameraInfo for {self.topics.rgb}: set bag.camera_info, or "
                                  "input.intrinsics to 'fx fy cx cy'")
            self._length = min(reader.topics[self.topics.rgb].count, reader.topics[self.topics.depth].count)
            self._camera_frame = settings.bag.camera_frame or frame_id(reader.first(self.topics.rgb))
            self._world_frame, self._pose_topic = self._choose_poses(reader)
        logger.info("%s: colour %s, depth %s, calibration %s%s, poses from %s", path, self.topics.rgb, self.topics.depth,
                    self.topics.camera_info or "input.intrinsics",
                    f" and {self.topics.depth_camera_info}" if self.topics.depth_camera_info else "",
                    self._pose_topic or f"TF ({self._world_frame} -> {self._camera_frame})")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[RGBDFrame]:
        gate = FrameGate(self.name)
        self.skipped = gate.skipped
        return prefetch(self._frames(gate))

    def _frames(self, gate: FrameGate) -> Iterator[RGBDFrame]:
        topics = self.topics
        frames = BagFrames(topics, self._settings, gate, self._camera_frame, self._world_frame, self._pose_topic)
        with BagReader(self._path) as reader:
            for topic, data in self._known_beforehand(reader):
                frames.add(topic, 0, data)
            wanted = {topics.rgb, topics.depth, topics.camera_info, topics.depth_camera_info, self._pose_topic, *_moving(topics)}
            try:
                for topic, time, data in reader.messages(sorted(wanted - {""})):
                    try:
                        message = reader.decode(topic, data)
                    except MessageDamaged as error:
                        frames.lose(topic, str(error))
                        continue
                    yield from frames.add(topic, time, message)
                damage = ""
            except BagDamaged as error:
                damage = str(error)
            promised = reader.topics[topics.rgb].count
            if damage or frames.received < promised:
                problem = damage or f"its index promises {promised} colour images, {frames.received} can be read"
                gate.skip(FrameError("bag_damaged", problem), count=max(1, promised - frames.received))
            yield from frames.finish()
        gate.report()

    def _known_beforehand(self, reader: BagReader) -> Iterator[tuple[str, Any]]:
        """Static transforms, which hold for all times wherever in the bag they are, and the first calibrations."""
        for topic in self.topics.transforms:
            if topic not in _moving(self.topics):
                yield from ((topic, message) for message in reader.decoded(topic))
        for topic in (self.topics.camera_info, self.topics.depth_camera_info):
            info = reader.first(topic) if topic else None
            if info is not None:
                yield topic, info

    def _choose_poses(self, reader: BagReader) -> tuple[str, str]:
        """The world frame for poses from TF, and the pose topic; "" = from TF."""
        bag, poses = self._settings.bag, self.topics.poses
        if bag.pose not in ("", "tf"):
            return "", poses[0]
        buffer = TransformBuffer()
        for topic in self.topics.transforms:
            moving = topic in _moving(self.topics)
            for message in islice(reader.decoded(topic), _LOOK_AHEAD if moving else None):
                add_transforms(buffer, message, static=not moving)
        world = bag.world_frame or guess_world_frame(buffer, self._camera_frame)
        if bag.pose == "" and poses and (not world or not buffer.moves(world, self._camera_frame)):
            return "", poses[0]
        if not world:
            known = ", ".join(buffer.frames()) or "none"
            raise SourceError(f"the bag {self._path} has no poses: no PoseStamped or Odometry topic, and in TF nothing moves "
                              f"'{self._camera_frame}' (frames: {known}); set bag.pose, bag.world_frame or bag.camera_frame")
        return world, ""


def _moving(topics: BagTopics) -> tuple[str, ...]:
    """Topics with transforms that move."""
    return tuple(topic for topic in topics.transforms if not topic.endswith("static"))
