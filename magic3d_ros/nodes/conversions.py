"""Small conversions between ROS messages and the package's types: stamps, bytes, images, cameras, poses."""

from __future__ import annotations

from array import array

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion, Transform, TransformStamped, Vector3
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.nodes.ros_install import quaternion_from_matrix, quaternion_matrix

_ENCODINGS = {("uint8", 3): "rgb8", ("uint8", 1): "mono8", ("uint16", 1): "16UC1", ("int32", 1): "32SC1", ("float32", 1): "32FC1"}


def nanoseconds(stamp: Time) -> int:
    """A ROS time as integer nanoseconds."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def time_message(stamp: int) -> Time:
    """Integer nanoseconds as a ROS time. Raises ValueError beyond what 32-bit seconds hold (the year 2038)."""
    seconds, rest = divmod(int(stamp), 1_000_000_000)
    if not -2**31 <= seconds < 2**31:
        raise ValueError(f"stamp {stamp} ns does not fit into a ROS time")
    return Time(sec=seconds, nanosec=rest)


def header(stamp: int, frame: str) -> Header:
    """A header of integer nanoseconds and a frame's name."""
    return Header(stamp=time_message(stamp), frame_id=frame)


def byte_array(values: np.ndarray) -> array:
    """The bytes of an array as rclpy takes them fastest: 1 ms for 8 MB; the numpy array itself would take 400-900 ms."""
    filled = array("B")
    filled.frombytes(memoryview(np.ascontiguousarray(values).reshape(-1).view(np.uint8)))  # type: ignore[arg-type]
    return filled


def image_message(pixels: np.ndarray, head: Header) -> Image:
    """(H, W, 3) uint8 as rgb8, (H, W) uint8 as mono8, uint16 as 16UC1 (millimetres), int32 as 32SC1 (ids), float32 as
    32FC1 (metres)."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    encoding = _ENCODINGS[pixels.dtype.name, channels]
    return Image(header=head, height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, is_bigendian=0,
                 step=pixels.shape[1] * channels * pixels.dtype.itemsize, data=byte_array(pixels))


def camera_info_message(camera: Camera, head: Header) -> CameraInfo:
    """An undistorted pinhole camera."""
    fx, fy, cx, cy = (float(v) for v in (camera.fx, camera.fy, camera.cx, camera.cy))
    return CameraInfo(header=head, height=camera.height, width=camera.width, distortion_model="plumb_bob", d=[0.0] * 5,
                      k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0], r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                      p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0])


def pose_matrix(pose: Pose) -> np.ndarray:
    """(4, 4) float64 of a Pose. NaN stays NaN (the frame's check names it); a zero quaternion gives NaN."""
    return _matrix((pose.position.x, pose.position.y, pose.position.z), pose.orientation)


def transform_matrix(transform: Transform) -> np.ndarray:
    """(4, 4) float64 of a Transform."""
    t = transform.translation
    return _matrix((t.x, t.y, t.z), transform.rotation)


def pose_message(matrix: np.ndarray) -> Pose:
    """A Pose of a (4, 4) rigid transform."""
    x, y, z = (float(v) for v in matrix[:3, 3])
    return Pose(position=Point(x=x, y=y, z=z), orientation=_quaternion(matrix))


def pose_stamped(matrix: np.ndarray, head: Header) -> PoseStamped:
    """A PoseStamped of a (4, 4) rigid transform."""
    return PoseStamped(header=head, pose=pose_message(matrix))


def transform_stamped(matrix: np.ndarray, head: Header, child: str) -> TransformStamped:
    """A TransformStamped of a (4, 4) child-to-parent transform."""
    x, y, z = (float(v) for v in matrix[:3, 3])
    return TransformStamped(header=head, child_frame_id=child,
                            transform=Transform(translation=Vector3(x=x, y=y, z=z), rotation=_quaternion(matrix)))


def point_message(values: np.ndarray) -> Point:
    """A Point of three numbers."""
    return Point(x=float(values[0]), y=float(values[1]), z=float(values[2]))


def _matrix(translation: tuple[float, float, float], rotation: Quaternion) -> np.ndarray:
    quaternion = np.array([rotation.x, rotation.y, rotation.z, rotation.w])
    norm = np.linalg.norm(quaternion)
    # Rounding to four decimals leaves the norm within 1e-3; ten times that is a broken pose, which must not pass unnoticed.
    matrix = quaternion_matrix(quaternion / norm) if abs(norm - 1) < 1e-2 else np.full((4, 4), np.nan)
    matrix[:3, 3] = translation
    return matrix


def _quaternion(matrix: np.ndarray) -> Quaternion:
    x, y, z, w = (float(v) for v in quaternion_from_matrix(matrix))
    return Quaternion(x=x, y=y, z=z, w=w)
