from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from tf2_msgs.msg import TFMessage

from magic3d_ros.config import Settings
from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.conversions import camera_info_message, header, image_message, pose_message, transform_stamped
from magic3d_ros.nodes.frame_counts import FrameCounts
from magic3d_ros.nodes.live_frames import LiveFrames
from magic3d_ros.nodes.pose_lookup import PoseLookup
from magic3d_ros.sources.transform_buffer import TransformBuffer

pytestmark = pytest.mark.ros

CAMERA = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)
MS = 1_000_000
START = 1_000_000_000_000


def moved(x: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3] = x
    return pose


class Stream:
    """Live frames with a clock of its own, and messages for it."""

    def __init__(self, **ros) -> None:
        self.settings = Settings()
        for name, value in ros.items():
            self.settings.set(f"ros.{name}", value)
        self.now = 0.0
        self.counts = FrameCounts()
        self.frames = []
        self.poses = PoseLookup(self.settings.ros, TransformBuffer())
        self.live = LiveFrames(self.settings, self.counts, self.poses, self.frames.append, clock=lambda: self.now)

    def info(self, camera: Camera = CAMERA) -> None:
        self.live.on_camera_info(camera_info_message(camera, header(0, "cam")))

    def color(self, ms: float, frame: str = "cam", shape=(6, 8)) -> None:
        self.live.on_color(image_message(np.full((*shape, 3), 7, np.uint8), header(START + round(ms * MS), frame)))

    def depth(self, ms: float, value: int = 2000, shape=(6, 8)) -> None:
        self.live.on_depth(image_message(np.full(shape, value, np.uint16), header(START + round(ms * MS), "cam")))

    def tf(self, ms: float, x: float = 0.0, parent: str = "map", child: str = "cam", static: bool = False) -> None:
        stamped = transform_stamped(moved(x), header(START + round(ms * MS), parent), child)
        self.poses.on_transforms(TFMessage(transforms=[stamped]), static)
        self.live.poll()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.live.poll()

    def accounted(self) -> bool:
        return self.counts.received == len(self.frames) + sum(self.counts.dropped.values()) + self.counts_waiting()

    def counts_waiting(self) -> int:
        return self.live.waiting


def test_a_frame_has_its_colour_depth_camera_and_pose():
    stream = Stream()
    stream.info()
    stream.tf(0, x=1.5)
    stream.depth(0)
    stream.color(0)
    frame = stream.frames[0].decode()
    assert frame.stamp == START
    assert frame.camera == CAMERA
    assert (frame.rgb == 7).all()
    np.testing.assert_array_equal(frame.depth, np.full((6, 8), 2.0, np.float32))
    np.testing.assert_allclose(frame.camera_to_world, moved(1.5))


def test_a_pose_that_comes_late_is_waited_for():
    stream = Stream(pose_timeout=0.5)
    stream.info()
    stream.tf(-50, x=0.0)
    stream.depth(0)
    stream.color(0)
    stream.wait(0.4)
    assert not stream.frames
    stream.tf(50, x=2.0)
    np.testing.assert_allclose(stream.frames[0].decode().camera_to_world, moved(1.0), atol=1e-12)


def test_a_frame_without_a_pose_is_dropped_and_the_missing_edge_is_named():
    stream = Stream(pose_timeout=0.5)
    stream.info()
    stream.tf(0, parent="odom", child="base_link", static=True)
    stream.depth(0)
    stream.color(0)
    assert not stream.counts.dropped
    stream.wait(0.6)
    assert stream.counts.dropped == {"no_pose": 1}
    for word in ("'cam'", "'map'", "odom", "base_link"):
        assert word in stream.poses.failure
    assert stream.poses.tried == "map <- cam"


def test_a_pose_a_little_older_serves_when_the_time_is_up():
    stream = Stream(pose_timeout=0.5, sync_slop=0.03)
    stream.info()
    stream.tf(-100, x=0.0)
    stream.tf(-20, x=8.0)
    stream.depth(0)
    stream.color(0)
    stream.wait(0.6)
    # 30 ms before the image: 7/8 of the way between the two transforms.
    np.testing.assert_allclose(stream.frames[0].decode().camera_to_world, moved(7.0), atol=1e-9)


def test_colour_and_depth_a_little_apart_are_one_frame_and_strangers_are_not():
    stream = Stream(sync_slop=0.03)
    stream.info()
    stream.tf(0, static=True)
    for ms in (0, 33, 66):
        stream.depth(ms + 5)
        stream.color(ms)
    stream.depth(104)
    assert [f.stamp for f in stream.frames] == [START, START + 33 * MS, START + 66 * MS]
    for ms in (200, 233, 266):
        stream.color(ms)
    stream.depth(350)
    assert len(stream.frames) == 3
    assert stream.counts.dropped == {"no_depth": 3}
    assert "sync_slop" in stream.counts.why["no_depth"]
    assert stream.live.sync.match_rate == 0.5
    assert stream.accounted()


def test_without_camera_info_frames_wait_and_are_dropped():
    stream = Stream(pose_timeout=0.2)
    stream.tf(0, static=True)
    stream.depth(0)
    stream.color(0)
    stream.wait(0.3)
    assert stream.counts.dropped == {"no_camera_info": 1}


def test_duplicates_disorder_zero_stamps_and_time_jumps_are_counted():
    stream = Stream()
    stream.info()
    stream.tf(0, static=True)
    for ms in (5000, 5000, 4990):
        stream.depth(ms)
        stream.color(ms)
    stream.live.on_color(image_message(np.zeros((6, 8, 3), np.uint8), header(0, "cam")))
    assert stream.counts.dropped == {"duplicate": 1, "out_of_order": 1, "no_stamp": 1}
    stream.depth(1000)
    stream.color(1000)
    assert stream.counts.others["time_jumps"] == 1
    assert [f.stamp for f in stream.frames] == [START + 5000 * MS, START + 1000 * MS]
    assert stream.accounted()


def test_a_size_that_differs_is_a_frame_error_when_decoded():
    stream = Stream()
    stream.info()
    stream.tf(0, static=True)
    stream.depth(0, shape=(12, 16))
    stream.color(0)
    with pytest.raises(FrameError, match="depth is 16x12, colour is 8x6") as caught:
        stream.frames[0].decode()
    assert caught.value.reason == "size"
    stream.depth(100)
    stream.color(100, shape=(12, 16))
    with pytest.raises(FrameError, match=r"16x12.*camera info says 8x6"):
        stream.frames[1].decode()


def test_a_wrong_unit_is_a_frame_error_when_checked():
    stream = Stream()
    stream.settings.set("input.depth_scale", 1.0)
    stream.info()
    stream.tf(0, static=True)
    stream.depth(0, value=1500)
    stream.color(0)
    with pytest.raises(FrameError, match=r"median depth is 1500 m.*input\.depth_scale"):
        stream.frames[0].decode().check()


def test_unregistered_depth_waits_for_its_extrinsics_and_is_registered():
    stream = Stream()
    depth_camera = Camera(8, 6, 10.0, 10.0, 3.5, 2.5)
    stream.info()
    stream.live.on_depth_camera_info(camera_info_message(depth_camera, header(0, "depth_cam")))
    stream.tf(0, static=True)
    stream.depth(0)
    stream.color(0)
    assert not stream.frames
    # The depth camera sits 0.2 m to the right: at 2 m and f = 10 its pixels land one column further right.
    stream.tf(0, x=0.2, parent="cam", child="depth_cam", static=True)
    depth = stream.frames[0].decode().depth
    assert (depth[:, 0] == 0).all()
    np.testing.assert_allclose(depth[:, 1:], 2.0, atol=1e-6)


def test_aligned_depth_with_its_own_equal_camera_info_is_registered():
    stream = Stream()
    stream.info()
    stream.live.on_depth_camera_info(camera_info_message(CAMERA, header(0, "cam")))
    stream.tf(0, static=True)
    stream.depth(0)
    stream.color(0)
    assert (stream.frames[0].decode().depth == 2.0).all()


def test_poses_from_a_topic():
    stream = Stream(pose_source="pose", pose_timeout=0.5)
    stream.info()
    stream.depth(0)
    stream.color(0)
    stream.wait(0.6)
    assert stream.counts.dropped == {"no_pose": 1}
    assert "no message has come on the topic 'pose'" in stream.poses.failure
    stream.poses.on_pose(PoseStamped(header=header(START + 100 * MS, "map"), pose=pose_message(moved(4.0))))
    stream.depth(100)
    stream.color(100)
    np.testing.assert_allclose(stream.frames[0].decode().camera_to_world, moved(4.0))


def test_a_broken_pose_is_refused_and_named():
    stream = Stream(pose_source="pose")
    message = PoseStamped(header=header(START, "map"), pose=pose_message(moved(float("nan"))))
    stream.poses.on_pose(message)
    message = PoseStamped(header=header(START, "map"))
    message.pose.orientation.w = 0.5
    stream.poses.on_pose(message)
    assert (stream.poses.refused, stream.poses.poses_received) == (2, 0)
    assert "length 0.5" in stream.poses.invalid


def test_poses_from_odometry_go_through_the_robot():
    stream = Stream(pose_source="odometry")
    stream.info()
    stream.tf(0, x=0.25, parent="base_link", child="cam", static=True)
    stream.tf(0, x=10.0, parent="map", child="odom", static=True)
    odometry = Odometry(header=header(START, "odom"), child_frame_id="base_link")
    odometry.pose.pose = pose_message(moved(1.0))
    stream.poses.on_odometry(odometry)
    stream.depth(0)
    stream.color(0)
    np.testing.assert_allclose(stream.frames[0].decode().camera_to_world, moved(11.25))


def test_what_waits_when_listening_ends_is_counted():
    stream = Stream()
    stream.info()
    stream.depth(0)
    for ms in (0, 100, 200):
        stream.color(ms)
    stream.live.stop()
    assert stream.counts.waiting == 0
    assert sum(stream.counts.dropped.values()) == 3
