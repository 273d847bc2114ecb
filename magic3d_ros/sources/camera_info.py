"""sensor_msgs/CameraInfo to a camera model. Works on anything with the message's attributes."""

from __future__ import annotations

from typing import Any

import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel


def camera_model(info: Any, rectified: bool = False, topic: str = "camera_info") -> CameraModel:
    """The camera of a CameraInfo message, with its binning and region of interest.

    rectified: the image was undistorted by its publisher: P holds, and there is no distortion.
    Raises FrameError("camera_info"), naming `topic`, for what no camera has (zero focal length, an unknown distortion model).
    """
    try:
        matrix = np.asarray(info.p).reshape(3, 4)[:, :3] if rectified else np.asarray(info.k).reshape(3, 3)
        across, down = max(1, int(info.binning_x)), max(1, int(info.binning_y))
        roi = info.roi
        x, y, width, height = ((int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height))
                               if roi.width and roi.height else (0, 0, int(info.width), int(info.height)))
        camera = Camera(width, height, float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]) - x, float(matrix[1, 2]) - y)
        # The centre of a 2x2 bin lies half a fine pixel after that of its first pixel; image_geometry leaves that half out.
        camera = camera.resized(width // across, height // down) if max(across, down) > 1 else camera
        if rectified:
            return CameraModel(camera)
        return CameraModel(camera, info.distortion_model, tuple(float(value) for value in info.d))
    except ValueError as error:
        raise FrameError("camera_info", f"{topic}: {error}") from error


def calibration_key(info: Any) -> tuple[Any, ...]:
    """What a CameraInfo message says of the camera: equal for two messages that say the same, whatever their headers."""
    roi = info.roi
    return (info.width, info.height, info.distortion_model, info.binning_x, info.binning_y, roi.x_offset, roi.y_offset, roi.width,
            roi.height, np.asarray(info.k).tobytes(), np.asarray(info.d).tobytes(), np.asarray(info.p).tobytes())
