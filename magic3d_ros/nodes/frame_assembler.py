"""From messages that arrive one by one to whole frames: colour, depth, camera infos and pose that belong together.

Every colour image leaves here as a frame or is dropped with a reason that is counted; nothing is decoded here, so that callbacks
stay short. Works on message objects and needs no node.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.nodes.conversions import nanoseconds
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.frame_decoder import FrameDecoder
from magic3d_ros.nodes.live_mapping import Incoming
from magic3d_ros.nodes.pose_lookup import PoseLookup, PoseUnavailable
from magic3d_ros.sources.time_sync import RESTART_JUMP, TimeSynchronizer

MAX_WAITING = 120
"""Frames that wait for pose or camera info at once: four seconds of a 30 Hz camera, 0.2 GB at 640x480."""

_COLOR, _DEPTH = 0, 1

_TIME_JUMP = "time jumped back by more than a second (a recording that began again?): what waited for a part was dropped"


@dataclass(frozen=True)
class _Waiting:
    stamp: int
    arrival: float
    color: Any
    depth: Any


class FrameAssembler:
    """Puts frames together and hands them on in order of time.

    emit: called with each whole frame. expects_depth_info: whether somebody publishes a camera info for the depth; frames then
    wait for it. clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, counts: FrameCounts, poses: PoseLookup, emit: Callable[[Incoming], None],
                 expects_depth_info: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._counts, self._poses, self._emit = settings, counts, poses, emit
        self._expects_depth_info, self._clock = expects_depth_info, clock
        self._decoder = FrameDecoder(settings)
        self._waiting: deque[_Waiting] = deque()
        self._newest: int | None = None
        self._index = 0
        self.sync = TimeSynchronizer(("rgb", "depth"), 0)
        self.info: Any = None
        self.depth_info: Any = None

    def on_color(self, message: Any) -> None:
        """A colour image, raw or compressed."""
        self._counts.arrived()
        stamp = nanoseconds(message.header.stamp)
        if self._in_time(stamp):
            self._synchronise(_COLOR, stamp, (self._clock(), message))

    def on_depth(self, message: Any) -> None:
        """A depth image, raw or compressed."""
        self._counts.note("depth_received")
        self._synchronise(_DEPTH, nanoseconds(message.header.stamp), message)

    def on_camera_info(self, message: Any) -> None:
        """The colour camera's calibration."""
        self.info = message
        self.poll()

    def on_depth_camera_info(self, message: Any) -> None:
        """The depth camera's calibration, where depth is not registered to colour."""
        self.depth_info = message
        self.poll()

    def poll(self) -> None:
        """Hand on every frame that is whole, drop those whose time is up. Called on every arrival; also call it now and then."""
        while self._waiting:
            frame = self._waiting[0]
            late = self._clock() - frame.arrival >= self._settings.ros.pose_timeout
            if not self._settle(frame, late):
                return
            self._waiting.popleft()

    def stop(self) -> None:
        """No more messages will come: what still waits for a part is dropped."""
        dropped = self.sync.dropped[_COLOR]
        rest = self.sync.flush()
        for _ in range(self.sync.dropped[_COLOR] - dropped + len(rest) + len(self._waiting)):
            self._counts.drop("shutdown", "the node stopped listening before the frame's parts had come")
        self._waiting.clear()

    def _synchronise(self, stream: int, stamp: int, item: Any) -> None:
        self.sync.slop = round(self._settings.ros.sync_slop * 1e9)
        dropped, restarts = list(self.sync.dropped), self.sync.restarts
        matches = self.sync.add(stream, stamp, item)
        for _ in range(self.sync.dropped[_COLOR] - dropped[_COLOR]):
            if self.sync.restarts > restarts:
                self._counts.drop("time_jump", _TIME_JUMP)
            else:
                self._counts.drop("no_depth", self._why_no_depth())
        self._counts.note("depth_without_color", self.sync.dropped[_DEPTH] - dropped[_DEPTH])
        for match in matches:
            (arrival, color), depth = match.items
            self._waiting.append(_Waiting(match.stamp, arrival, color, depth))
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self._counts.drop("waiting_full", f"more than {MAX_WAITING} frames waited for pose or camera info: lower "
                              "ros.pose_timeout")
        self.poll()

    def _why_no_depth(self) -> str:
        if not self.sync.received[_DEPTH]:
            return "no depth image has come at all"
        return (f"no depth image within ros.sync_slop ({self._settings.ros.sync_slop * 1e3:.0f} ms) of the colour image: "
                f"{self.sync.describe()}")

    def _settle(self, frame: _Waiting, late: bool) -> bool:
        """True when the frame was handed on or dropped; False when it must wait longer."""
        if self.info is None:
            return late and self._drop("no_camera_info", "no camera info has come: the camera's calibration is unknown")
        if self.depth_info is None and self._expects_depth_info():
            return late and self._drop("no_camera_info", "depth/camera_info has a publisher, but nothing has come from it")
        try:
            pose = self._poses.camera_to_world(frame.stamp, frame.color.header.frame_id, late)
            depth_to_color = self._depth_to_color(frame)
        except PoseUnavailable as unavailable:
            if unavailable.can_wait and not late:
                return False
            self._poses.failure = str(unavailable)
            return self._drop("no_pose", str(unavailable))
        self._poses.failure = ""
        self._hand_on(frame, pose, depth_to_color)
        return True

    def _hand_on(self, frame: _Waiting, pose: np.ndarray, depth_to_color: np.ndarray | None) -> None:
        info, depth_info, index, decoder = self.info, self.depth_info, self._index, self._decoder
        self._index += 1
        self._emit(Incoming(frame.stamp, lambda: decoder.decode(frame.stamp, index, frame.color, frame.depth, info, depth_info,
                                                                depth_to_color, pose), frame.arrival))

    def _depth_to_color(self, frame: _Waiting) -> np.ndarray | None:
        """Extrinsics of unregistered depth; None where depth lies on the colour camera's pixels."""
        if self.depth_info is None or is_registered(self.info, self.depth_info):
            return None
        color, depth = frame.color.header.frame_id, self.depth_info.header.frame_id
        return np.eye(4) if color == depth else self._poses.between(color, depth, frame.stamp)

    def _in_time(self, stamp: int) -> bool:
        newest = self._newest
        if stamp <= 0:
            return not self._drop("no_stamp", "the image's stamp is zero: the driver does not set header.stamp")
        if newest is not None and stamp == newest:
            return not self._drop("duplicate", "two images have the same stamp; the first one is used")
        if newest is not None and 0 < newest - stamp < RESTART_JUMP:
            return not self._drop("out_of_order", f"an image is {(newest - stamp) * 1e-6:.0f} ms older than the one before it")
        if newest is not None and stamp < newest:
            self._counts.note("time_jumps")
            for _ in range(len(self._waiting)):
                self._drop("time_jump", _TIME_JUMP)
            self._waiting.clear()
            self._poses.forget()
        self._newest = stamp
        return True

    def _drop(self, reason: str, why: str) -> bool:
        self._counts.drop(reason, why)
        return True


def is_registered(info: Any, depth_info: Any) -> bool:
    """Whether depth lies on the colour camera's pixels already: same frame, same size, same intrinsics (drivers that align depth
    publish a camera info for it all the same)."""
    return ((info.header.frame_id, info.width, info.height) == (depth_info.header.frame_id, depth_info.width, depth_info.height)
            and bool(np.allclose(info.k, depth_info.k)))
