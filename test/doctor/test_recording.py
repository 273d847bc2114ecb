"""Recordings that would not be reconstructed: each says why, and what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from magic3d_ros.config import Settings
from magic3d_ros.doctor.bag import header_stamp
from magic3d_ros.doctor.frames import check_frames, facts_of
from magic3d_ros.doctor.recording import examine
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.convert import convert
from magic3d_ros.sources.room import open_room

CAMERA = Camera(32, 24, 30, 30, 15.5, 11.5)
TYPES = get_typestore(Stores.ROS2_KILTED)


def frame(number: int = 0, **changes: Any) -> RGBDFrame:
    pose = np.eye(4)
    pose[0, 3] = 0.05 * number
    colour, depth = np.full((24, 32, 3), 120, np.uint8), np.full((24, 32), 2.0, np.float32)
    return dataclasses.replace(RGBDFrame(number * 100_000_000, colour, depth, CAMERA, pose, number), **changes)


def findings(frames: list[RGBDFrame]) -> list[str]:
    """'LEVEL subject: text -> cure' of everything that is not OK."""
    settings = Settings()
    found = check_frames([facts_of(one, settings) for one in frames], settings)
    return [f"{f.level} {f.subject}: {f.text} -> {f.cure}" for f in found if f.level != "OK"]


def test_good_frames_have_no_complaint():
    assert findings([frame(n) for n in range(5)]) == []


@pytest.mark.parametrize(("change", "said"), [
    ({"depth": np.full((24, 32), 1500.0, np.float32)}, r"ERROR frames: 3 of 3 cannot be used: median depth is 1500 m"),
    ({"depth": np.full((24, 32), 0.0015, np.float32)}, r"ERROR frames: 3 of 3 cannot be used: median depth is 0.0015 m"),
    ({"depth": np.zeros((24, 32), np.float32)}, r"ERROR frames: 3 of 3 cannot be used: no depth pixel has a reading"),
    ({"camera_to_world": np.full((4, 4), np.nan)}, r"ERROR frames: 3 of 3 cannot be used: the pose holds NaN"),
    ({"camera_to_world": np.diag([2.0, 2, 2, 1])}, r"ERROR frames: 3 of 3 cannot be used: the pose is not a rigid"),
    ({"depth": np.full((24, 32), 40.0, np.float32)}, r"ERROR depth: only 0% of the readings lie within 0.1 to 5 m -> set"),
    ({"rgb": np.zeros((24, 32, 3), np.uint8)}, r"WARN colour: images are almost black"),
    ({"camera_to_world": np.eye(4)}, r"WARN poses: all frames have the same pose"),
    ({"stamp": 5}, r"WARN time: 0 stamps jump back, 2 repeat"),
])
def test_bad_frames(change, said):
    import re

    found = findings([frame(n, **change) for n in range(3)])
    assert any(re.match(said, line) for line in found), found


def test_a_pose_that_jumps():
    jump = np.eye(4)
    jump[0, 3] = 30.0
    assert any("WARN poses: 2 jumps" in line for line in findings([frame(0), frame(1), frame(2, camera_to_world=jump), frame(3)]))


def test_time_that_runs_back():
    assert any("WARN time: 1 stamps jump back" in line for line in findings([frame(0), frame(2), frame(1, stamp=50), frame(3)]))


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bags") / "good"
    convert(open_room("tiny", Settings(), frames=6), path)
    return path


def edited(bag: Path, target: Path, edit: Callable[[str, Any], Any]) -> Path:
    """A copy of a bag whose messages went through `edit`; None leaves one out."""
    connections: dict[str, Any] = {}
    with Reader(bag) as reader, Writer(target, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for connection, time, data in reader.messages():
            message = edit(connection.topic, TYPES.deserialize_cdr(data, connection.msgtype))
            if message is None:
                continue
            if connection.topic not in connections:
                connections[connection.topic] = writer.add_connection(connection.topic, connection.msgtype, typestore=TYPES)
            writer.write(connections[connection.topic], time, TYPES.serialize_cdr(message, connection.msgtype))
    return target


def examined(path: Path) -> list[str]:
    return [f"{f.level} {f.subject}: {f.text} -> {f.cure}" for f in examine(str(path), Settings()) if f.level != "OK"]


def without(*names: str) -> Callable[[str, Any], Any]:
    return lambda topic, message: None if topic.strip("/") in names else message


def changed(name: str, **fields: Any) -> Callable[[str, Any], Any]:
    return lambda topic, message: dataclasses.replace(message, **fields) if topic.strip("/") == name else message


def later(name: str, seconds: int) -> Callable[[str, Any], Any]:
    def edit(topic: str, message: Any) -> Any:
        if topic.strip("/") != name:
            return message
        stamp = dataclasses.replace(message.header.stamp, sec=message.header.stamp.sec + seconds)
        return dataclasses.replace(message, header=dataclasses.replace(message.header, stamp=stamp))

    return edit


def test_a_good_bag_has_no_complaint(bag):
    assert examined(bag) == []


@pytest.mark.parametrize(("edit", "said"), [
    (without("depth"), "has no depth images"),
    (without("rgb"), "has no colour images"),
    (without("camera_info"), "ERROR camera_info: no topic of type sensor_msgs/msg/CameraInfo has messages"),
    (without("tf", "pose"), "ERROR poses: no TF and no pose topic"),
    (changed("camera_info", k=np.zeros(9)), "ERROR camera_info: focal length (0, 0) -> the driver publishes no calibration"),
    (changed("camera_info", width=1920, height=1080), "ERROR camera_info: it says 1920x1080, the images are 80x60"),
    (changed("depth", encoding="rgb8", width=26, step=160), "ERROR depth: /depth is rgb8, which is no depth"),
    (later("depth", 3600), "ERROR synchronisation: colour and depth are stamped 3600 s apart -> stamp both with one clock"),
    (later("depth", 1), "ERROR synchronisation"),
])
def test_bad_bags(bag, tmp_path, edit, said):
    found = examined(edited(bag, tmp_path / "bag", edit))
    assert any(said in line for line in found), found
    assert any(line.startswith("ERROR") for line in found)


def test_files_that_are_no_bag(tmp_path):
    (tmp_path / "empty.mcap").write_bytes(b"")
    (tmp_path / "noise.db3").write_bytes(b"x" * 1000)
    for name in ("empty.mcap", "noise.db3", "missing.mcap"):
        found = examined(tmp_path / name)
        assert found, name
        assert all(line.startswith("ERROR") for line in found), found


def test_the_stamp_is_read_from_the_raw_message():
    stamp = TYPES.types["builtin_interfaces/msg/Time"](sec=12, nanosec=345)
    point = TYPES.types["geometry_msgs/msg/Point"](0, 0, 0)
    message = TYPES.types["geometry_msgs/msg/PointStamped"](TYPES.types["std_msgs/msg/Header"](stamp, "x"), point)
    assert header_stamp(bytes(TYPES.serialize_cdr(message, "geometry_msgs/msg/PointStamped"))) == 12_000_000_345
    assert header_stamp(b"\0\1\0\0") == 0
