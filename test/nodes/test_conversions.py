from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import Pose
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image

from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes import conversions
from magic3d_ros.sources.camera_info import camera_model
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.image_codec import decode_color, decode_depth

pytestmark = pytest.mark.ros

CAMERA = Camera(640, 480, 525.0, 524.0, 319.5, 239.5)


def test_stamps_are_exact_to_the_nanosecond():
    message = conversions.time_message(1_700_000_000_123_456_789)
    assert (message.sec, message.nanosec) == (1_700_000_000, 123_456_789)
    assert conversions.nanoseconds(message) == 1_700_000_000_123_456_789


def test_a_stamp_that_ros_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        conversions.time_message(2**31 * 1_000_000_000)


def test_images_come_back_as_they_were():
    rgb = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    depth = np.array([[0, 500, 65535], [1, 2, 3]], np.uint16)
    metres = np.array([[0.0, 0.5, 2.25], [1.0, 2.0, 3.0]], np.float32)
    head = conversions.header(5, "camera")
    messages = [deserialize_message(serialize_message(conversions.image_message(a, head)), Image) for a in (rgb, depth, metres)]
    assert [m.encoding for m in messages] == ["rgb8", "16UC1", "32FC1"]
    assert [m.step for m in messages] == [9, 6, 12]
    np.testing.assert_array_equal(decode_color(messages[0]), rgb)
    np.testing.assert_array_equal(decode_depth(messages[1]), depth.astype(np.float32) * np.float32(0.001))
    np.testing.assert_array_equal(decode_depth(messages[2]), metres)


def test_camera_info_comes_back_as_it_was():
    assert camera_model(conversions.camera_info_message(CAMERA, conversions.header(0, "c"))) == CameraModel(CAMERA)


def test_distortion_and_rectified_images():
    info = conversions.camera_info_message(CAMERA, conversions.header(0, "c"))
    info.d = [0.1, -0.2, 0.0, 0.0, 0.0]
    info.p[0] = 500.0
    assert camera_model(info) == CameraModel(CAMERA, "plumb_bob", (0.1, -0.2, 0.0, 0.0, 0.0))
    rectified = camera_model(info, rectified=True)
    assert (rectified.camera.fx, rectified.distortion) == (500.0, "none")


def test_region_of_interest_and_binning():
    info = conversions.camera_info_message(CAMERA, conversions.header(0, "c"))
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 100, 40, 320, 240
    info.binning_x = info.binning_y = 2
    camera = camera_model(info).camera
    # The centre of a 2x2 bin lies half a fine pixel after that of its first pixel.
    assert camera == Camera(160, 120, 262.5, 262.0, (319.5 - 100 + 0.5) / 2 - 0.5, (239.5 - 40 + 0.5) / 2 - 0.5)


def test_an_uncalibrated_camera_is_named():
    with pytest.raises(FrameError, match="focal length") as caught:
        camera_model(CameraInfo(width=640, height=480))
    assert caught.value.reason == "camera_info"


def test_poses_come_back_as_they_were():
    # A quarter turn about z, then moved.
    matrix = np.array([[0.0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    pose = conversions.pose_message(matrix)
    assert (pose.position.x, pose.position.y, pose.position.z) == (1.0, 2.0, 3.0)
    np.testing.assert_allclose([pose.orientation.z, pose.orientation.w], [np.sqrt(0.5)] * 2, atol=1e-12)
    np.testing.assert_allclose(conversions.pose_matrix(pose), matrix, atol=1e-12)
    stamped = conversions.transform_stamped(matrix, conversions.header(7, "map"), "camera")
    assert (stamped.header.frame_id, stamped.child_frame_id) == ("map", "camera")
    np.testing.assert_allclose(conversions.transform_matrix(stamped.transform), matrix, atol=1e-12)


def test_a_quaternion_that_is_no_rotation_gives_nan():
    pose = Pose()
    pose.orientation.w = 0.0
    assert np.isnan(conversions.pose_matrix(pose)[:3, :3]).all()
