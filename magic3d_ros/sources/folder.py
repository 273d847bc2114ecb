"""Frames from a folder of image files, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError, RGBDFrame
from magic3d_ros.sources.frame_gate import FrameGate
from magic3d_ros.sources.image_codec import depth_in_metres
from magic3d_ros.sources.image_file import decode_image_file
from magic3d_ros.sources.prefetch import prefetch
from magic3d_ros.sources.recording import RecordedFrame, Recording
from magic3d_ros.sources.rectification import Rectifier


class FolderSource:
    """A FrameSource over a Recording: decodes, undistorts and registers ahead of the consumer, in a thread."""

    def __init__(self, recording: Recording, settings: Settings) -> None:
        self.name = recording.name
        self.skipped: dict[str, int] = {}
        self._recording = recording
        self._rectifier = Rectifier(recording.calibration)
        self._depth_scale = settings.input.depth_scale or recording.depth_scale

    def __len__(self) -> int:
        return len(self._recording.frames)

    @property
    def file_names(self) -> dict[int, str]:
        """Name of each frame's colour file without suffix, by the frame's index."""
        return {frame.index: frame.color.stem for frame in self._recording.frames}

    def __iter__(self) -> Iterator[RGBDFrame]:
        gate = FrameGate(self.name)
        self.skipped = gate.skipped
        return prefetch(self._frames(gate))

    def _frames(self, gate: FrameGate) -> Iterator[RGBDFrame]:
        for recorded in self._recording.frames:
            try:
                frame = self._read(recorded)
            except FrameError as error:
                gate.skip(error, recorded.index)
                continue
            if gate.admit(frame):
                yield frame
        gate.report()

    def _read(self, recorded: RecordedFrame) -> RGBDFrame:
        if recorded.camera_to_world is None:
            raise FrameError("no_pose", f"{self._recording.poses_from} has no pose for it")
        color = _decode(recorded.color, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        stored = _decode(recorded.depth, cv2.IMREAD_UNCHANGED)
        if stored.ndim != 2 or stored.dtype not in (np.uint16, np.float32):
            raise FrameError("encoding", f"{recorded.depth}: depth must be a 16-bit grey PNG, this is {stored.dtype} with "
                             f"{1 if stored.ndim == 2 else stored.shape[2]} channels")
        if self._recording.invalid_depth is not None:
            stored[stored == self._recording.invalid_depth] = 0
        rgb, depth = self._rectifier(cv2.cvtColor(color, cv2.COLOR_BGR2RGB), depth_in_metres(stored, self._depth_scale))
        return RGBDFrame(recorded.stamp, rgb, depth, self._rectifier.camera, recorded.camera_to_world, recorded.index)


def _decode(path: Path, flags: int) -> np.ndarray:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FrameError("file_missing", f"cannot read {path}: {error.strerror}") from error
    return decode_image_file(data, str(path), flags)
