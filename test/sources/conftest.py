"""Tiny recordings that the tests of the sources write: frames, image files, bags."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(16, 12, 20.0, 20.0, 7.5, 5.5)


def pose(x: float) -> np.ndarray:
    """Camera-to-world of a camera moved by x metres and turned by 90 degrees about its view axis."""
    return np.array([[0.0, -1.0, 0.0, x], [1.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, -1.0], [0.0, 0.0, 0.0, 1.0]])


def color_image(number: int, width: int = 16, height: int = 12) -> np.ndarray:
    """(H, W, 3) uint8 RGB whose red says which frame it is; green and blue ramps say where a pixel is."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 8 * number
    image[..., 1] = np.arange(width) * 240 // width
    image[..., 2] = np.arange(height)[:, None] * 240 // height
    return image


def depth_image(number: int, width: int = 16, height: int = 12) -> np.ndarray:
    """(H, W) uint16 millimetres: a slanted wall, nearer in later frames, with a hole at the top left pixel."""
    image = np.tile(2000 - 10 * number + 5 * np.arange(width), (height, 1)).astype(np.uint16)
    image[0, 0] = 0
    return image


def write_color(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


def write_depth(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def plain_folder(folder: Path, count: int = 3) -> Path:
    """A recording in the plain layout."""
    for number in range(count):
        write_color(folder / "color" / f"{number:06d}.png", color_image(number))
        write_depth(folder / "depth" / f"{number:06d}.png", depth_image(number))
    rows = [" ".join(str(value) for value in (number, *pose(0.1 * number).reshape(-1))) for number in range(count)]
    (folder / "poses_c2w.txt").write_text("\n".join(rows) + "\n")
    (folder / "intrinsics.txt").write_text("20 20 7.5 5.5\n")
    return folder


def frame(number: int = 0, stamp: int | None = None, **changes: object) -> RGBDFrame:
    """A good frame of 16x12 pixels, with any field changed."""
    fields: dict = {
        "stamp": number * 33_000_000 if stamp is None else stamp, "rgb": color_image(number),
        "depth": depth_image(number).astype(np.float32) * np.float32(0.001), "camera": CAMERA,
        "camera_to_world": pose(0.1 * number), "index": number}
    return RGBDFrame(**{**fields, **changes})


class Frames:
    """A FrameSource over a list."""

    def __init__(self, frames: list[RGBDFrame]) -> None:
        self.name = "frames"
        self.skipped: dict[str, int] = {}
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self):
        return iter(self._frames)


class BagWriter:
    """Writes a bag of the messages it is given, in that order; `at` is the time of recording in seconds."""

    def __init__(self, path: Path, storage: str = "mcap") -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer
        from rosbags.typesys import Stores, get_typestore

        self.types = get_typestore(Stores.ROS2_KILTED)
        plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
        self._writer = Writer(path, version=9, storage_plugin=plugin)
        self._connections: dict = {}

    def __enter__(self):
        self._writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def raw(self, topic: str, kind: str, at: float, data: bytes) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self.types)
        self._writer.write(self._connections[topic], round(at * 1e9), data)

    def write(self, topic: str, kind: str, at: float, message: object) -> None:
        self.raw(topic, kind, at, bytes(self.types.serialize_cdr(message, kind)))

    def make(self, kind: str, **fields: object):
        return self.types.types[kind](**fields)

    def header(self, at: float, frame_id: str):
        seconds, nanoseconds = divmod(round(at * 1e9), 1_000_000_000)
        stamp = self.make("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
        return self.make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)

    def image(self, topic: str, at: float, array: np.ndarray, encoding: str, frame_id: str = "optical",
              recorded: float | None = None) -> None:
        data = np.ascontiguousarray(array)
        message = self.make(
            "sensor_msgs/msg/Image", header=self.header(at, frame_id), height=array.shape[0], width=array.shape[1],
            encoding=encoding, is_bigendian=0, step=data.strides[0], data=data.reshape(-1).view(np.uint8))
        self.write(topic, "sensor_msgs/msg/Image", at if recorded is None else recorded, message)

    def compressed(self, topic: str, at: float, data: np.ndarray, format_text: str, frame_id: str = "optical") -> None:
        message = self.make("sensor_msgs/msg/CompressedImage", header=self.header(at, frame_id), format=format_text, data=data)
        self.write(topic, "sensor_msgs/msg/CompressedImage", at, message)

    def info(self, topic: str, at: float, camera: Camera = CAMERA, frame_id: str = "optical", **changes: object) -> None:
        roi = self.make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
        fields: dict = {
            "header": self.header(at, frame_id), "height": camera.height, "width": camera.width, "distortion_model": "plumb_bob",
            "d": np.zeros(5), "k": camera.matrix.reshape(-1), "r": np.eye(3).reshape(-1),
            "p": np.concatenate([camera.matrix, np.zeros((3, 1))], 1).reshape(-1), "binning_x": 0, "binning_y": 0, "roi": roi}
        self.write(topic, "sensor_msgs/msg/CameraInfo", at, self.make("sensor_msgs/msg/CameraInfo", **{**fields, **changes}))

    def transform(self, topic: str, at: float, parent: str, child: str, matrix: np.ndarray,
                  recorded: float | None = None) -> None:
        position, rotation = self._position_and_rotation(matrix, "geometry_msgs/msg/Vector3")
        item = self.make("geometry_msgs/msg/TransformStamped", header=self.header(at, parent), child_frame_id=child,
                         transform=self.make("geometry_msgs/msg/Transform", translation=position, rotation=rotation))
        self.write(topic, "tf2_msgs/msg/TFMessage", at if recorded is None else recorded,
                   self.make("tf2_msgs/msg/TFMessage", transforms=[item]))

    def pose(self, topic: str, at: float, matrix: np.ndarray, frame_id: str = "map") -> None:
        position, orientation = self._position_and_rotation(matrix, "geometry_msgs/msg/Point")
        kind = "geometry_msgs/msg/PoseStamped"
        pose = self.make("geometry_msgs/msg/Pose", position=position, orientation=orientation)
        self.write(topic, kind, at, self.make(kind, header=self.header(at, frame_id), pose=pose))

    def odometry(self, topic: str, at: float, matrix: np.ndarray, child: str) -> None:
        position, orientation = self._position_and_rotation(matrix, "geometry_msgs/msg/Point")
        kind = "nav_msgs/msg/Odometry"
        zero = self.make("geometry_msgs/msg/Vector3", x=0.0, y=0.0, z=0.0)
        pose = self.make("geometry_msgs/msg/PoseWithCovariance", covariance=np.zeros(36),
                         pose=self.make("geometry_msgs/msg/Pose", position=position, orientation=orientation))
        twist = self.make("geometry_msgs/msg/TwistWithCovariance", covariance=np.zeros(36),
                          twist=self.make("geometry_msgs/msg/Twist", linear=zero, angular=zero))
        self.write(topic, kind, at, self.make(kind, header=self.header(at, "odom"), child_frame_id=child, pose=pose, twist=twist))

    def _position_and_rotation(self, matrix: np.ndarray, kind: str):
        from scipy.spatial.transform import Rotation

        x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat()
        a, b, c = (float(value) for value in matrix[:3, 3])
        rotation = self.make("geometry_msgs/msg/Quaternion", x=float(x), y=float(y), z=float(z), w=float(w))
        return self.make(kind, x=a, y=b, z=c), rotation


@pytest.fixture
def tiny() -> SimpleNamespace:
    """The helpers above, for tests that import no module of another test."""
    return SimpleNamespace(
        CAMERA=CAMERA, pose=pose, color_image=color_image, depth_image=depth_image, write_color=write_color,
        write_depth=write_depth, plain_folder=plain_folder, frame=frame, Frames=Frames, BagWriter=BagWriter)
