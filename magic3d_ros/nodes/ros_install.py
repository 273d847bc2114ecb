"""Uses cv_bridge, tf2_ros and tf_transformations where the ROS install has them; the package's own versions serve where not.

Nothing else in the package imports these three. test/nodes/test_ros_install.py holds both to the same results.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from magic3d_ros.sources.image_codec import decode_color, encode_color
from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

_log = logging.getLogger(__name__)

HISTORY = 10_000_000_000
"""ns of transforms kept, as tf2_ros keeps by default."""

_OURS_ONLY = frozenset({"mono16", "8UC1", "8UC3", "16UC1", "32FC1"})
"""Encodings that cv_bridge would scale, guess at or refuse in another way than our codec."""


def color_image(message: Any, topic: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an Image or CompressedImage. cv_bridge adds Bayer and YUV encodings to those of our own codec.

    Raises FrameError naming the topic.
    """
    encoding = getattr(message, "encoding", None)
    bridge = None if encoding is None or encoding in _OURS_ONLY else cv_bridge()
    if bridge is not None:
        try:
            return np.ascontiguousarray(bridge.imgmsg_to_cv2(message, "rgb8"))
        except Exception as error:  # its own error type is only known where it is installed; ours says what is wrong
            _log.debug("cv_bridge: %s", error)
    return decode_color(message, topic)


@functools.cache
def cv_bridge() -> Any:
    """A CvBridge that works, or None. The one on PyPI is for numpy 1 and fails on most encodings: it is tried first."""
    try:
        from cv_bridge import CvBridge
        from sensor_msgs.msg import Image

        sample = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
        encoded = encode_color(sample)
        message = Image(height=2, width=3, encoding="rgb8", step=9, data=encoded.data.tobytes())
        bridge = CvBridge()
        return bridge if np.array_equal(bridge.imgmsg_to_cv2(message, "rgb8"), sample) else None
    except Exception as error:
        _log.debug("no cv_bridge: %s", error)
        return None


def transform_buffer(history: int = HISTORY) -> TransformBuffer | Tf2Buffer:
    """tf2's own buffer where it is installed, else ours; both have set, lookup, clear and frames."""
    try:
        return Tf2Buffer(history)
    except ImportError:
        return TransformBuffer(history)


class Tf2Buffer:
    """tf2_ros.Buffer with the methods of TransformBuffer. Raises ImportError where it is not installed."""

    def __init__(self, history: int) -> None:
        import tf2_ros
        from rclpy.duration import Duration

        self._tf2 = tf2_ros
        self._buffer = tf2_ros.Buffer(cache_time=Duration(nanoseconds=history))

    def set(self, parent: str, child: str, stamp: int, translation: np.ndarray, quaternion: np.ndarray,
            static: bool = False) -> None:
        """Add the transform that takes points of `child` into `parent`. Raises ValueError for what is no transform."""
        from magic3d_ros.nodes.conversions import header, transform_stamped

        values = np.concatenate([translation, quaternion]).astype(float)
        length = float(np.linalg.norm(values[3:]))
        if not np.isfinite(values).all() or length < 1e-6 or not parent or not child or parent == child:
            raise ValueError(f"the transform '{parent}' -> '{child}' holds NaN or no rotation, or is no edge of a tree")
        matrix = quaternion_matrix(values[3:] / length)
        matrix[:3, 3] = values[:3]
        message = transform_stamped(matrix, header(stamp, parent.lstrip("/")), child.lstrip("/"))
        (self._buffer.set_transform_static if static else self._buffer.set_transform)(message, "magic3d")

    def lookup(self, target: str, source: str, stamp: int | None = None) -> np.ndarray:
        """(4, 4) that takes points of `source` into `target` at `stamp` (ns; None = the newest). Raises TransformError."""
        from rclpy.time import Time

        from magic3d_ros.nodes.conversions import transform_matrix

        tf2 = self._tf2
        try:
            found = self._buffer.lookup_transform_core(target.lstrip("/"), source.lstrip("/"), Time(nanoseconds=stamp or 0))
        except tf2.ConnectivityException as error:
            raise TransformError("not_connected", str(error)) from error
        except tf2.ExtrapolationException as error:
            raise TransformError("too_new" if "future" in str(error) else "too_old", str(error)) from error
        except (tf2.LookupException, tf2.InvalidArgumentException) as error:
            raise TransformError("unknown_frame", str(error)) from error
        return transform_matrix(found.transform)

    def frames(self) -> list[str]:
        """All frames known, sorted."""
        import yaml

        known = yaml.safe_load(self._buffer.all_frames_as_yaml()) or {}
        return sorted({*known, *(edge["parent"] for edge in known.values() if isinstance(edge, dict))} - {"NO_PARENT"})

    def clear(self) -> None:
        """Forget the moving transforms."""
        self._buffer.clear()


def quaternion_matrix(quaternion: np.ndarray) -> np.ndarray:
    """(4, 4) rotation of a unit quaternion x y z w."""
    library = tf_transformations()
    if library is not None:
        return np.asarray(library.quaternion_matrix(quaternion), np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    return matrix


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """(4,) unit quaternion x y z w, w >= 0, of a (4, 4) or (3, 3) rotation."""
    library = tf_transformations()
    if library is not None:
        full = np.eye(4)
        full[:3, :3] = matrix[:3, :3]
        quaternion = np.asarray(library.quaternion_from_matrix(full), np.float64)
    else:
        quaternion = Rotation.from_matrix(matrix[:3, :3]).as_quat()
    return -quaternion if quaternion[3] < 0 else quaternion


@functools.cache
def tf_transformations() -> Any:
    """The module tf_transformations, or None."""
    try:
        import tf_transformations as library

        return library
    except ImportError:
        return None
