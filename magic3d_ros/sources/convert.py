"""Any source of frames written as a ROS 2 bag (MCAP), to be played, shared, or read back by sources.bag."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.spatial.transform import Rotation

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.bag_reader import message_types
from magic3d_ros.sources.image_codec import (
    CompressedData,
    RawImage,
    encode_color,
    encode_compressed_color,
    encode_depth,
    encode_depth_compressed,
)
from magic3d_ros.sources.source import FrameSource, SourceError

CAMERA_FRAME = "camera"
_VERSION: Final = 9  # of rosbag2's metadata: Jazzy and later


def convert(source: FrameSource, path: Path | str, compressed: bool = False, world_frame: str = "map",
            progress: Callable[[int, int], None] | None = None) -> int:
    """Write every frame of a source into a bag; returns how many.

    path: ends in .mcap = that one file, else a bag folder with metadata.yaml. It appears when it is complete; it must not exist.
    Topics: rgb (rgb8; compressed: rgb/compressed, JPEG), depth (16UC1, whole millimetres; compressed: depth/compressedDepth,
    lossless), camera_info, pose (PoseStamped of the camera) and tf (world_frame -> camera), all stamped with the frame's time.
    progress: called with (frames written, frames at most).
    Raises FileExistsError, OSError (a full disk leaves nothing behind), or SourceError when the source delivers no frame.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} exists already: remove it, or choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _complete_or_nothing(path) as unfinished:
        count = _write(source, unfinished, compressed, world_frame, progress)
        if count == 0:
            raise SourceError(f"{source.name} delivers no frames, so there is nothing to convert "
                              f"(skipped: {source.skipped or 'none'})")
    return count


@contextmanager
def _complete_or_nothing(path: Path) -> Iterator[Path]:
    """A path to write a bag folder to, beside `path`; moved to `path` at the end, removed on any error."""
    name = path.stem if path.suffix == ".mcap" else path.name
    room = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".unfinished", dir=path.parent))
    try:
        folder = room / name
        yield folder
        os.replace(folder / f"{name}.mcap" if path.suffix == ".mcap" else folder, path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _write(source: FrameSource, folder: Path, compressed: bool, world_frame: str,
           progress: Callable[[int, int], None] | None) -> int:
    messages = _Messages(message_types(), world_frame, compressed)
    from rosbags.rosbag2 import StoragePlugin, Writer

    total, count = len(source), 0
    with Writer(folder, version=_VERSION, storage_plugin=StoragePlugin.MCAP) as writer:
        connections: dict[str, Any] = {}
        for frame in source:
            for topic, kind, message in messages.of(frame):
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, kind, typestore=messages.types)
                writer.write(connections[topic], frame.stamp, messages.types.serialize_cdr(message, kind))
            count += 1
            if progress is not None:
                progress(count, total)
    return count


class _Messages:
    """Frames as messages. types: rosbags' typestore."""

    def __init__(self, types: Any, world_frame: str, compressed: bool) -> None:
        self.types = types
        self._world_frame = world_frame
        self._compressed = compressed

    def of(self, frame: RGBDFrame) -> Iterator[tuple[str, str, Any]]:
        """(topic, type, message) of a frame, the pose first, so that it is known when the images come."""
        position = frame.camera_to_world[:3, 3]
        quaternion = Rotation.from_matrix(frame.camera_to_world[:3, :3]).as_quat()
        yield self._transform(frame.stamp, position, quaternion)
        yield self._pose(frame.stamp, position, quaternion)
        yield self._camera_info(frame.stamp, frame.camera)
        if self._compressed:
            yield self._compressed_image("/rgb/compressed", frame.stamp, encode_compressed_color(frame.rgb))
            yield self._compressed_image("/depth/compressedDepth", frame.stamp, encode_depth_compressed(frame.depth))
        else:
            yield self._image("/rgb", frame.stamp, encode_color(frame.rgb))
            yield self._image("/depth", frame.stamp, encode_depth(frame.depth))

    def _make(self, kind: str, **fields: Any) -> Any:
        return self.types.types[kind](**fields)

    def _header(self, stamp: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp, 1_000_000_000)
        time = self._make("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
        return self._make("std_msgs/msg/Header", stamp=time, frame_id=frame_id)

    def _quaternion(self, quaternion: np.ndarray) -> Any:
        x, y, z, w = (float(value) for value in quaternion)
        return self._make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)

    def _transform(self, stamp: int, position: np.ndarray, quaternion: np.ndarray) -> tuple[str, str, Any]:
        x, y, z = (float(value) for value in position)
        transform = self._make("geometry_msgs/msg/Transform", translation=self._make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
                               rotation=self._quaternion(quaternion))
        stamped = self._make("geometry_msgs/msg/TransformStamped", header=self._header(stamp, self._world_frame),
                             child_frame_id=CAMERA_FRAME, transform=transform)
        return "/tf", "tf2_msgs/msg/TFMessage", self._make("tf2_msgs/msg/TFMessage", transforms=[stamped])

    def _pose(self, stamp: int, position: np.ndarray, quaternion: np.ndarray) -> tuple[str, str, Any]:
        x, y, z = (float(value) for value in position)
        pose = self._make("geometry_msgs/msg/Pose", position=self._make("geometry_msgs/msg/Point", x=x, y=y, z=z),
                          orientation=self._quaternion(quaternion))
        kind = "geometry_msgs/msg/PoseStamped"
        return "/pose", kind, self._make(kind, header=self._header(stamp, self._world_frame), pose=pose)

    def _camera_info(self, stamp: int, camera: Camera) -> tuple[str, str, Any]:
        kind = "sensor_msgs/msg/CameraInfo"
        roi = self._make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
        projection = np.concatenate([camera.matrix, np.zeros((3, 1))], axis=1)
        return "/camera_info", kind, self._make(
            kind, header=self._header(stamp, CAMERA_FRAME), height=camera.height, width=camera.width,
            distortion_model="plumb_bob", d=np.zeros(5), k=camera.matrix.reshape(-1), r=np.eye(3).reshape(-1),
            p=projection.reshape(-1), binning_x=0, binning_y=0, roi=roi)

    def _image(self, topic: str, stamp: int, image: RawImage) -> tuple[str, str, Any]:
        kind = "sensor_msgs/msg/Image"
        return topic, kind, self._make(
            kind, header=self._header(stamp, CAMERA_FRAME), height=image.height, width=image.width, encoding=image.encoding,
            is_bigendian=image.is_bigendian, step=image.step, data=image.data)

    def _compressed_image(self, topic: str, stamp: int, image: CompressedData) -> tuple[str, str, Any]:
        kind = "sensor_msgs/msg/CompressedImage"
        return topic, kind, self._make(kind, header=self._header(stamp, CAMERA_FRAME), format=image.format, data=image.data)
