"""The node cue_extractor: runs the 2D models on scene_mapper's keyframes in a process, or on a machine, of its own.

It keeps nothing between keyframes, so any number may share the work. Each says now and then that it lives; scene_mapper sends
each keyframe to one of those, and to another when that one dies.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from rcl_interfaces.msg import IntegerRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import UInt32MultiArray

from magic3d_ros.config import SettingsError
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import RGBDFrame, check_image
from magic3d_ros.msg import Cues
from magic3d_ros.nodes.conversions import header
from magic3d_ros.nodes.cue_exchange import ALIVE_EVERY, QUEUE, Alive, KeyframeReceiver
from magic3d_ros.nodes.cue_messages import cues_message
from magic3d_ros.nodes.diagnostics import DiagnosticsPublisher, Report
from magic3d_ros.nodes.parameters import declare_settings
from magic3d_ros.nodes.work_queue import WorkQueue

_OWN = ("mapper", "shard", "shards")


class CueExtractorNode(Node):
    """Listens to a scene_mapper's keyframes and answers with cues."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__("cue_extractor", **kwargs)  # type: ignore[arg-type]
        self.settings = declare_settings(self, _OWN)
        mapper: Any = self.declare_parameter("mapper", "scene_mapper", ParameterDescriptor(
            description="name of the scene_mapper whose keyframes are looked at")).value
        whole = IntegerRange(from_value=0, to_value=1023, step=1)
        self.shard = int(self.declare_parameter("shard", 0, ParameterDescriptor(
            description="this process's number among those that share the work: 0 to shards - 1", integer_range=[whole])).value)
        self.shards = int(self.declare_parameter("shards", 1, ParameterDescriptor(
            description="how many cue_extractors share the work",
            integer_range=[IntegerRange(from_value=1, to_value=1024, step=1)])).value)
        if self.shard >= self.shards:
            raise SettingsError(f"shard {self.shard} of {self.shards} does not exist: shards are numbered from 0")
        self.extractor = CueExtractor(self.settings)
        self.done = self.failed = self.dropped = 0
        self.problem = ""
        self.ready = False
        self.newest_batch = 0
        self._instance = secrets.randbits(32)
        self._publisher = self.create_publisher(Cues, f"{mapper}/cues", QUEUE)
        self._queue = WorkQueue(self._extract, lambda: None, self._on_dropped, QUEUE.depth)
        self._queue.submit(self.extractor.load, self._on_loaded)
        self._queue.start()
        self._receiver = KeyframeReceiver(self, str(mapper), self.shard, self._queue.put)
        self._alive = self.create_publisher(UInt32MultiArray, f"{mapper}/extractors", QUEUE)
        self.create_timer(ALIVE_EVERY, self._say_alive, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._diagnostics = DiagnosticsPublisher(self, self._report)

    def close(self) -> None:
        """End the worker."""
        self._queue.stop()

    def _say_alive(self) -> None:
        if self.ready:
            room = min(2 * self.settings.cues.batch, QUEUE.depth)  # the next batch lies ready while one is worked on
            alive = Alive(self.shard, self.shards, self._instance, room)
            self._alive.publish(UInt32MultiArray(data=list(astuple(alive))))

    def _extract(self, first: Callable[[], RGBDFrame]) -> None:
        frames = []
        for decode in (first, *self._queue.take(self.settings.cues.batch - 1)):
            try:
                frame = decode()
                check_image(frame.rgb)
            except Exception as error:  # a broken keyframe must not take the others of its batch along
                self._on_failed(error)
            else:
                frames.append(frame)
        if not frames:
            return
        try:
            found = self.extractor.extract_many(frames)
        except Exception as error:
            self._on_failed(error, len(frames))
            return
        self.newest_batch = len(frames)
        for frame, cues in zip(frames, found, strict=True):
            head, camera = header(frame.stamp, ""), frame.camera
            self._publisher.publish(cues_message(cues, head, self.extractor.name, self.shard, camera.width, camera.height))
            self.done += 1

    def _on_failed(self, error: Exception, count: int = 1) -> None:
        self.failed += count
        self.problem = f"{type(error).__name__}: {error}"
        self.get_logger().error(f"{count} keyframes could not be looked at: {self.problem}")

    def _on_dropped(self, _: object) -> None:
        self.dropped += 1

    def _on_loaded(self, _: object, error: Exception | None) -> None:
        if error is not None:
            self.problem = f"the models could not be loaded: {error}"
            self.get_logger().error(self.problem)
        self.ready = error is None

    def _report(self) -> list[Report]:
        level, message = 0, f"{self.done} keyframes looked at"
        if self.problem:
            level, message = 2, self.problem
        elif self.extractor.problems:
            level, message = 1, "; ".join(self.extractor.problems.values())
        elif self.dropped:
            level, message = 1, f"{self.dropped} keyframes dropped: add shards, this process is too slow"
        values = {"shard": f"{self.shard} of {self.shards}", "done": self.done, "failed": self.failed, "dropped": self.dropped,
                  "incomplete": self._receiver.incomplete, "waiting": len(self._queue), "model": self.extractor.name,
                  "batch": self.newest_batch, **self.extractor.figures()}
        return [Report("cues", level, message, values)]
