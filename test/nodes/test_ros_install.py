"""Our own versions and those of a ROS install give the same; comparisons are skipped by name where one is missing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image

from magic3d_ros.frames import FrameError
from magic3d_ros.nodes import ros_install
from magic3d_ros.sources.image_codec import decode_color
from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

pytestmark = pytest.mark.ros


def image(encoding: str, channels: int) -> Image:
    data = np.random.default_rng(0).integers(0, 256, (4, 6, channels), np.uint8)
    return Image(height=4, width=6, encoding=encoding, step=6 * channels, data=data.tobytes())


def test_colour_images_whoever_converts_them():
    message = image("bgr8", 3)
    expected = np.frombuffer(bytes(message.data), np.uint8).reshape(4, 6, 3)[..., ::-1]
    np.testing.assert_array_equal(ros_install.color_image(message, "rgb"), expected)
    with pytest.raises(FrameError, match=r"rgb: encoding '32FC1' is not a colour image"):
        ros_install.color_image(Image(height=1, width=1, encoding="32FC1", step=4, data=bytes(4)), "rgb")


@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", 3), ("bgr8", 3), ("rgba8", 4), ("bgra8", 4), ("mono8", 1)])
def test_cv_bridge_gives_the_same(encoding: str, channels: int):
    bridge = ros_install.cv_bridge()
    if bridge is None:
        pytest.skip("no working cv_bridge in this environment")
    message = image(encoding, channels)
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message, "rgb8"), decode_color(message))


def test_quaternions_whoever_converts_them():
    quarter = np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])
    matrix = ros_install.quaternion_matrix(quarter)
    np.testing.assert_allclose(matrix, [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(ros_install.quaternion_from_matrix(matrix), quarter, atol=1e-12)
    half = np.diag([-1.0, -1.0, 1.0, 1.0])
    assert ros_install.quaternion_from_matrix(half)[3] >= 0


def test_tf_transformations_gives_the_same():
    library = pytest.importorskip("tf_transformations", reason="no tf_transformations in this environment")
    for rotation in Rotation.random(20, random_state=3):
        ours = np.eye(4)
        ours[:3, :3] = rotation.as_matrix()
        np.testing.assert_allclose(library.quaternion_matrix(rotation.as_quat()), ours, atol=1e-9)
        theirs = np.asarray(library.quaternion_from_matrix(ours))
        np.testing.assert_allclose(np.abs(theirs @ rotation.as_quat()), 1.0, atol=1e-9)


def test_a_buffer_whoever_keeps_it():
    exercise(ros_install.transform_buffer())


def test_tf2_gives_the_same():
    pytest.importorskip("tf2_ros", reason="no tf2_ros in this environment")
    exercise(ros_install.Tf2Buffer(ros_install.HISTORY))


def exercise(buffer: TransformBuffer | ros_install.Tf2Buffer) -> None:
    second = 1_000_000_000
    level = np.array([0.0, 0.0, 0.0, 1.0])
    turned = np.array([0.0, 0.0, np.sin(0.5), np.cos(0.5)])  # one radian about z
    buffer.set("odom", "base", 10 * second, np.zeros(3), level)
    buffer.set("odom", "base", 11 * second, np.array([1.0, 0.0, 0.0]), turned)
    buffer.set("base", "camera", 0, np.array([0.0, 0.0, 0.5]), level, static=True)
    between = buffer.lookup("odom", "camera", 10 * second + second // 2)
    np.testing.assert_allclose(between[:3, 3], [0.5, 0, 0.5], atol=1e-9)
    np.testing.assert_allclose(between[:3, :3], Rotation.from_rotvec([0, 0, 0.5]).as_matrix(), atol=1e-9)
    lowered = np.eye(4)
    lowered[2, 3] = -0.5
    np.testing.assert_allclose(buffer.lookup("camera", "odom", 10 * second), lowered, atol=1e-12)
    for stamp, source, reason in ((12 * second, "camera", "too_new"), (9 * second, "camera", "too_old"),
                                  (10 * second, "nowhere", "unknown_frame")):
        with pytest.raises(TransformError) as caught:
            buffer.lookup("odom", source, stamp)
        assert caught.value.reason == reason
    assert set(buffer.frames()) == {"odom", "base", "camera"}
    with pytest.raises(ValueError, match="NaN"):
        buffer.set("odom", "base", 12 * second, np.array([np.nan, 0, 0]), level)
    buffer.clear()
    with pytest.raises(TransformError):
        buffer.lookup("odom", "camera", 10 * second)
    np.testing.assert_allclose(buffer.lookup("base", "camera", 10 * second)[:3, 3], [0, 0, 0.5])
