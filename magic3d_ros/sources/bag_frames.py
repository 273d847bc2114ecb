"""From the messages of a bag to frames: which topic means what, decoding, calibration and poses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.bag_topics import BagTopics, is_rectified, is_registered
from magic3d_ros.sources.camera_info import calibration_key, camera_model
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.frame_assembler import FrameAssembler, Pair, PartMissing
from magic3d_ros.sources.frame_gate import FrameGate
from magic3d_ros.sources.image_codec import decode_color, decode_depth
from magic3d_ros.sources.pose_stream import PoseStream, stamp_of
from magic3d_ros.sources.rectification import Calibration, Rectifier
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import parse_intrinsics
from magic3d_ros.sources.time_sync import RESTART_JUMP
from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

logger = logging.getLogger(__name__)

_POSE_HISTORY = 30_000_000_000  # ns of transforms kept: three times tf2's, since a recording's clock may lag behind its stamps


class BagFrames:
    """The messages of a bag in, in the order of their recording; admitted frames out, in order of time.

    A pair of images waits for its pose and extrinsics as long as ros.pose_timeout, measured on the recording's clock.
    """

    def __init__(self, topics: BagTopics, settings: Settings, gate: FrameGate, camera_frame: str, world_frame: str,
                 pose_topic: str) -> None:
        self._topics = topics
        self._settings = settings
        self._gate = gate
        self._pose_topic = pose_topic
        self._camera_frame = camera_frame
        self._transforms = TransformBuffer(_POSE_HISTORY, restart_jump=RESTART_JUMP)
        self._poses = PoseStream(self._transforms, world_frame, settings.bag.pose_frame)
        self._assembler = FrameAssembler(settings.ros, self._frame, gate.skip)
        self._infos: dict[str, Any] = {}
        self._rectifier: Rectifier | None = None
        self._now = 0

    @property
    def received(self) -> int:
        """Colour messages so far; each becomes a frame or is counted in the gate."""
        return self._assembler.received

    def add(self, topic: str, time: int, message: Any) -> Iterator[RGBDFrame]:
        """Take a message recorded at `time` (ns); the frames that are now complete."""
        self._now = max(self._now, time)
        now = self._now * 1e-9
        if topic == self._topics.rgb:
            self._assembler.add_color(stamp_of(message.header) or time, message, now)
        elif topic == self._topics.depth:
            self._assembler.add_depth(stamp_of(message.header) or time, message)
        elif topic == self._pose_topic:
            try:
                self._poses.add_pose(message)
            except ValueError as error:
                self._gate.warn_once("pose message", f"{topic}: {error}; the message is ignored")
        elif topic in self._topics.transforms:
            for problem in self._poses.add_transforms(message, topic.endswith("static")):
                self._gate.warn_once("transform", f"{topic}: {problem}; it is ignored")
        else:
            self._take_info(topic, message)
        return filter(self._gate.admit, self._assembler.whole(now))

    def lose(self, topic: str, problem: str) -> None:
        """Take note of a message that cannot be decoded; a colour message is a frame lost, others show in what they belong to."""
        if topic == self._topics.rgb:
            self._assembler.lose_color(FrameError("message_damaged", problem))
        else:
            self._gate.warn_once("message_damaged", problem)

    def finish(self) -> Iterator[RGBDFrame]:
        """The end of the bag: the frames that are left."""
        yield from filter(self._gate.admit, self._assembler.finish())
        logger.info("%s: %s", self._gate.name, self._assembler.sync.describe())

    def _frame(self, pair: Pair, last_try: bool) -> RGBDFrame:
        try:
            pose = self._poses.camera_to_world(self._camera_frame, pair.stamp)  # first: images are decoded once it is there
        except TransformError as error:
            raise _missing("no_pose", error, str(error)) from error
        rgb = decode_color(pair.color, self._topics.rgb)
        depth = decode_depth(pair.depth, self._settings.input.depth_scale, self._topics.depth)
        if self._rectifier is None:
            self._rectifier = Rectifier(self._calibration(pair, (rgb.shape[1], rgb.shape[0])))
        rgb, depth = self._rectifier(rgb, depth)
        return RGBDFrame(pair.stamp, rgb, depth, self._rectifier.camera, pose, pair.number)

    def _calibration(self, pair: Pair, size: tuple[int, int]) -> Calibration:
        topics = self._topics
        color = (CameraModel(self._set_camera(size)) if self._settings.input.intrinsics
                 else self._model(topics.camera_info, topics.rgb))
        if color is None:
            raise FrameError("camera_info", f"nothing was received on {topics.camera_info}")
        depth = self._model(topics.depth_camera_info, topics.depth)
        if depth is None:
            return Calibration(color)
        if is_registered(topics.depth):  # of another size it has other pixels, though the same view
            size_differs = (depth.camera.width, depth.camera.height) != (color.camera.width, color.camera.height)
            return Calibration(color, depth) if size_differs else Calibration(color)
        depth_frame = frame_id(pair.depth)
        if not depth_frame or depth_frame == self._camera_frame:
            return Calibration(color) if depth == color else Calibration(color, depth)
        try:
            return Calibration(color, depth, self._transforms.lookup(self._camera_frame, depth_frame, pair.stamp))
        except TransformError as error:
            if depth == color:
                self._gate.warn_once("extrinsics", f"depth is in '{depth_frame}', colour in '{self._camera_frame}', and TF does "
                                     "not connect them; their calibrations are equal, so depth is taken as registered")
                return Calibration(color)
            raise _missing("extrinsics", error, "depth is not registered, and no transform connects the cameras: "
                           f"{error} (record /tf_static, or use registered depth)") from error

    def _set_camera(self, size: tuple[int, int]) -> Camera:
        try:
            return parse_intrinsics(self._settings.input.intrinsics, size)
        except SourceError as error:
            raise FrameError("camera_info", str(error)) from error

    def _model(self, info_topic: str, image_topic: str) -> CameraModel | None:
        info = self._infos.get(info_topic)
        rectified = self._settings.input.rectified or is_rectified(image_topic)
        return None if info is None else camera_model(info, rectified, info_topic)

    def _take_info(self, topic: str, info: Any) -> None:
        known = self._infos.get(topic)
        if known is None or calibration_key(known) != calibration_key(info):
            self._infos[topic] = info
            self._rectifier = None


def _missing(reason: str, error: TransformError, message: str) -> LookupError | FrameError:
    return PartMissing(reason, message) if error.can_wait else FrameError(reason, message)


def frame_id(message: Any | None) -> str:
    """The frame_id of a message's header, without a leading slash; "" for no message."""
    return "" if message is None else str(message.header.frame_id).lstrip("/")
