"""Plays a source of frames as a camera would: colour, depth, camera info and pose as topics, in real time."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage

from magic3d_ros.config import Settings, SettingsError
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.nodes import environment
from magic3d_ros.nodes.conversions import (
    byte_array,
    camera_info_message,
    header,
    image_message,
    pose_stamped,
    time_message,
    transform_stamped,
)
from magic3d_ros.sources.image_codec import depth_in_millimetres, encode_compressed_color, encode_depth_compressed
from magic3d_ros.sources.source import FrameSource, SourceError

_log = logging.getLogger(__name__)

_QUEUE = QoSProfile(depth=60, reliability=ReliabilityPolicy.RELIABLE)
"""Two seconds of a 30 Hz camera: a subscriber that is busy for so long still misses nothing."""

_SECOND = 1_000_000_000

DEPTH_ENCODINGS = ("16UC1", "32FC1")


@dataclass(frozen=True)
class PlayOptions:
    """How to play.

    rate: times real time. world_frame, camera_frame: names of the frames. pose_topic: also publish PoseStamped. clock: publish
    /clock and keep the recording's stamps; else stamps are now, as a live camera's are. compressed: JPEG and compressedDepth
    instead of raw images. depth_encoding: 16UC1 (millimetres) or 32FC1 (metres). loop: begin again at the end. wait: seconds to
    wait for a subscriber of the images; 0 = do not wait. max_frames: stop after so many; 0 = all.
    """

    rate: float = 1.0
    world_frame: str = "map"
    camera_frame: str = "camera_color_optical_frame"
    pose_topic: bool = False
    clock: bool = False
    compressed: bool = False
    depth_encoding: str = "16UC1"
    loop: bool = False
    wait: float = 60.0
    max_frames: int = 0


@dataclass
class PlayReport:
    """sent: frames. skipped: frames the source could not deliver, by reason. seconds: from first to last frame. confirmed: every
    subscriber has received everything. subscribers: of the images, when playing began."""

    sent: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    confirmed: bool = True
    subscribers: int = 0


class Player(Node):
    """Publishes the topics rgb, depth, camera_info, /tf and, if wanted, pose and /clock."""

    def __init__(self, options: PlayOptions, **kwargs: object) -> None:
        super().__init__("player", **kwargs)  # type: ignore[arg-type]
        self.options = options
        if options.rate <= 0:
            raise SettingsError(f"the rate must be above zero, not {options.rate}")
        if options.depth_encoding not in DEPTH_ENCODINGS:
            raise SettingsError(f"the depth encoding is one of {', '.join(DEPTH_ENCODINGS)}, not {options.depth_encoding}")
        image, suffix = (CompressedImage, ("/compressed", "/compressedDepth")) if options.compressed else (Image, ("", ""))
        rgb, depth = (self.resolve_topic_name(name) + end for name, end in zip(("rgb", "depth"), suffix, strict=True))
        self._rgb = self.create_publisher(image, rgb, _QUEUE)
        self._depth = self.create_publisher(image, depth, _QUEUE)
        self._info = self.create_publisher(CameraInfo, "camera_info", _QUEUE)
        self._tf = self.create_publisher(TFMessage, "/tf", QoSProfile(depth=200))
        self._pose = self.create_publisher(PoseStamped, "pose", _QUEUE) if options.pose_topic else None
        self._clock_topic = self.create_publisher(ClockMessage, "/clock", 10) if options.clock else None

    def subscribers(self) -> int:
        """How many listen to both colour and depth."""
        return min(self._rgb.get_subscription_count(), self._depth.get_subscription_count())

    def send(self, frame: RGBDFrame, stamp: int) -> None:
        """Publish one frame under a stamp (ns); its pose goes first, so that nobody has to wait for it."""
        options = self.options
        self.tick(stamp)
        world, camera = header(stamp, options.world_frame), header(stamp, options.camera_frame)
        self._tf.publish(TFMessage(transforms=[transform_stamped(frame.camera_to_world, world, options.camera_frame)]))
        if self._pose is not None:
            self._pose.publish(pose_stamped(frame.camera_to_world, world))
        self._info.publish(camera_info_message(frame.camera, camera))
        if options.compressed:
            color, depth = encode_compressed_color(frame.rgb), encode_depth_compressed(frame.depth)
            self._depth.publish(CompressedImage(header=camera, format=depth.format, data=byte_array(depth.data)))
            self._rgb.publish(CompressedImage(header=camera, format=color.format, data=byte_array(color.data)))
        else:
            values = depth_in_millimetres(frame.depth) if options.depth_encoding == "16UC1" else frame.depth
            self._depth.publish(image_message(values, camera))
            self._rgb.publish(image_message(frame.rgb, camera))

    def tick(self, stamp: int) -> None:
        """Publish the time."""
        if self._clock_topic is not None:
            self._clock_topic.publish(ClockMessage(clock=time_message(stamp)))

    def confirm(self, seconds: float = 10.0) -> bool:
        """Wait until every subscriber has what was sent; False when one did not within that time."""
        return all(p.wait_for_all_acked(Duration(seconds=seconds)) for p in (self._rgb, self._depth, self._info))


def play(source: FrameSource, options: PlayOptions | None = None, progress: Callable[[PlayReport, int], None] | None = None,
         context: Context | None = None, node_arguments: Sequence[str] | None = None) -> PlayReport:
    """Play a source to its end; returns what was sent.

    progress: called after each frame with the report so far and the number of frames in all. context: an initialised ROS context;
    None makes one for the time of playing. node_arguments: ROS arguments such as --ros-args -r rgb:=/camera/color.
    Raises TimeoutError when nobody subscribes within options.wait seconds, KeyboardInterrupt on SIGINT.
    """
    options = options or PlayOptions()
    own = context is None
    if context is None:
        environment.prepare()
        context = Context()
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = executor = None
    try:
        node = Player(options, context=context, cli_args=list(node_arguments or []))
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        _await_subscribers(node, executor)
        report = _play(node, executor, source, progress)
        report.confirmed = node.confirm()
        return report
    finally:
        if executor is not None:
            executor.shutdown(timeout_sec=1.0)
        if node is not None:
            node.destroy_node()
        if own:
            context.try_shutdown()


def _await_subscribers(node: Player, executor: SingleThreadedExecutor) -> None:
    wait = node.options.wait
    started = told = time.monotonic()
    while node.subscribers() == 0 and wait > 0:
        now = time.monotonic()
        if now - started > wait:
            rgb, depth = node.resolve_topic_name("rgb"), node.resolve_topic_name("depth")
            raise TimeoutError(f"nobody subscribed to {rgb} and {depth} within {wait:.0f} s: is scene_mapper running with the "
                               "same ROS_DOMAIN_ID, and are its topics these? (--wait 0 plays to nobody)")
        if now - told > 5.0:
            told = now
            _log.info("waiting for a subscriber of %s (%.0f s)", node.resolve_topic_name("rgb"), now - started)
        executor.spin_once(timeout_sec=0.05)


def _play(node: Player, executor: SingleThreadedExecutor, source: FrameSource,
          progress: Callable[[PlayReport, int], None] | None) -> PlayReport:
    options = node.options
    report = PlayReport(subscribers=node.subscribers())
    wall = Clock(clock_type=ClockType.SYSTEM_TIME)
    begin = time.monotonic()
    while True:
        first: int | None = None
        round_begin, start_stamp = time.monotonic(), wall.now().nanoseconds
        for frame in source:
            first = frame.stamp if first is None else first
            # ROS reads a stamp of zero as "not set"; recordings without a time base begin there.
            shift = _SECOND - first if first < _SECOND else 0
            due = (frame.stamp - first) * 1e-9 / options.rate
            while (left := round_begin + due - time.monotonic()) > 0:
                executor.spin_once(timeout_sec=min(left, 0.02))
            executor.spin_once(timeout_sec=0.0)
            node.send(frame, frame.stamp + shift if options.clock else start_stamp + round(due * 1e9))
            report.sent += 1
            report.seconds = time.monotonic() - begin
            if progress is not None:
                progress(report, options.max_frames or len(source))
            if options.max_frames and report.sent >= options.max_frames:
                break
        report.skipped = dict(source.skipped)
        if not options.loop or first is None or (options.max_frames and report.sent >= options.max_frames):
            return report


def main(arguments: Sequence[str] | None = None) -> int:
    """`ros2 run magic3d_ros player SOURCE [--rate R] ... [--ros-args ...]`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="player", description="Play a folder, a bag or the simulated room as camera topics.")
    parser.add_argument("source", help="folder, bag, room or room:NAME")
    parser.add_argument("--rate", type=float, default=1.0, help="times real time")
    parser.add_argument("--world-frame", default="map")
    parser.add_argument("--camera-frame", default="camera_color_optical_frame")
    parser.add_argument("--pose-topic", action="store_true", help="also publish PoseStamped on 'pose'")
    parser.add_argument("--clock", action="store_true", help="publish /clock and keep the recording's stamps")
    parser.add_argument("--compressed", action="store_true", help="JPEG and compressedDepth instead of raw images")
    parser.add_argument("--depth-encoding", choices=DEPTH_ENCODINGS, default="16UC1")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for a subscriber; 0 = do not")
    parser.add_argument("--max-frames", type=int, default=0)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = vars(parser.parse_args(remove_ros_args(["player", *arguments])[1:]))
    text = options.pop("source")
    ros_arguments = arguments[arguments.index("--ros-args"):] if "--ros-args" in arguments else []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: topics are taken down
    try:
        from magic3d_ros.sources.open import open_source

        report = play(open_source(text, Settings()), PlayOptions(**options), node_arguments=ros_arguments)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except (SourceError, SettingsError, TimeoutError) as error:
        _log.error("%s", error)
        return 2
    skipped = "".join(f", {n} {reason}" for reason, n in report.skipped.items())
    _log.info("sent %d frames in %.1f s to %d subscribers%s%s", report.sent, report.seconds, report.subscribers, skipped,
              "" if report.confirmed else "; not all of them were confirmed by the subscribers")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
