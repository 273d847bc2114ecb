"""Messages that arrive one by one to whole frames: the sources' frame assembler on live topics.

What is live about it: the time is this machine's steady clock, calibrations and transforms may come after the images, and frames
leave undecoded, so that callbacks stay short. Works on message objects and needs no node.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError
from magic3d_ros.nodes.conversions import nanoseconds
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.frame_decoder import FrameDecoder
from magic3d_ros.nodes.live_mapping import Incoming
from magic3d_ros.nodes.pose_lookup import PoseLookup, PoseUnavailable
from magic3d_ros.sources.frame_assembler import FrameAssembler, Pair, PartMissing
from magic3d_ros.sources.time_sync import TimeSynchronizer

MAX_WAITING = 120
"""Frames that wait for pose or camera info at once: four seconds of a 30 Hz camera, 0.2 GB at 640x480."""


class LiveFrames:
    """Hands frames on in order of time, each as soon as all its parts have come.

    emit: called with each whole frame. expects_depth_info: whether somebody publishes a camera info for the depth; frames then
    wait for it. clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, counts: FrameCounts, poses: PoseLookup, emit: Callable[[Incoming], None],
                 expects_depth_info: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts, self._poses, self._emit = counts, poses, emit
        self._expects_depth_info, self._clock = expects_depth_info, clock
        self._decoder = FrameDecoder(settings)
        self._assembler = FrameAssembler(settings.ros, self._complete, counts.skip, self._restarted, MAX_WAITING)
        self._lonely_depth = 0
        self.info: Any = None
        self.depth_info: Any = None

    @property
    def sync(self) -> TimeSynchronizer:
        """Puts colour and depth together; its figures are for diagnostics."""
        return self._assembler.sync

    @property
    def waiting(self) -> int:
        """Colour images that wait for another part."""
        return self._assembler.waiting

    def on_color(self, message: Any) -> None:
        """A colour image, raw or compressed."""
        self._counts.arrived()
        stamp = nanoseconds(message.header.stamp)
        if stamp > 0:
            self._assembler.add_color(stamp, message, self._clock())
        else:
            self._assembler.lose_color(FrameError("no_stamp", "the image's stamp is zero: the driver does not set header.stamp"))
        self.poll()

    def on_depth(self, message: Any) -> None:
        """A depth image, raw or compressed."""
        self._counts.note("depth_received")
        self._assembler.add_depth(nanoseconds(message.header.stamp), message)
        self.poll()

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
        for frame in self._assembler.whole(self._clock()):
            self._emit(frame)
        lonely, self._lonely_depth = self._lonely_depth, self.sync.dropped[1]
        self._counts.note("depth_without_color", self._lonely_depth - lonely)

    def stop(self) -> None:
        """No more messages will come: what still waits for a part is dropped."""
        self._assembler.abandon(FrameError("shutdown", "the node stopped listening before the frame's parts had come"))

    def _complete(self, pair: Pair, last_try: bool) -> Incoming:
        if self.info is None:
            raise PartMissing("no_camera_info", "no camera info has come: the camera's calibration is unknown")
        if self.depth_info is None and self._expects_depth_info():
            raise PartMissing("no_camera_info", "depth/camera_info has a publisher, but nothing has come from it")
        frame = pair.color.header.frame_id
        pose = self._found("no_pose", last_try, lambda: self._poses.camera_to_world(pair.stamp, frame, last_try))
        depth_to_color = None
        if self.depth_info is not None and not is_registered(self.info, self.depth_info):
            other = self.depth_info.header.frame_id
            depth_to_color = np.eye(4) if other == frame else self._found(
                "extrinsics", last_try, lambda: self._poses.between(frame, other, pair.stamp))
        self._poses.failure = ""
        self._counts.follow(pair.stamp, pair.number)
        info, depth_info, decoder = self.info, self.depth_info, self._decoder
        return Incoming(pair.stamp, lambda: decoder.decode(pair.stamp, pair.number, pair.color, pair.depth, info, depth_info,
                                                           depth_to_color, pose), pair.arrival, frame, pose)

    def _found(self, reason: str, last_try: bool, look: Callable[[], np.ndarray]) -> np.ndarray:
        try:
            return look()
        except PoseUnavailable as unavailable:
            if unavailable.can_wait and not last_try:
                raise PartMissing(reason, str(unavailable)) from unavailable
            self._poses.failure = str(unavailable)
            raise FrameError(reason, str(unavailable)) from unavailable

    def _restarted(self) -> None:
        self._counts.note("time_jumps")
        self._poses.forget()


def is_registered(info: Any, depth_info: Any) -> bool:
    """Whether depth lies on the colour camera's pixels already: same frame, same size, same intrinsics (drivers that align depth
    publish a camera info for it all the same)."""
    return ((info.header.frame_id, info.width, info.height) == (depth_info.header.frame_id, depth_info.width, depth_info.height)
            and bool(np.allclose(info.k, depth_info.k)))
