"""From the messages of one frame to arrays: decoded, undistorted, depth registered to colour. Runs on the worker."""

from __future__ import annotations

from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.nodes.ros_install import color_image
from magic3d_ros.sources.camera_info import calibration_key, camera_model
from magic3d_ros.sources.image_codec import decode_depth
from magic3d_ros.sources.rectification import Calibration, Rectifier


class FrameDecoder:
    """Decodes frames; the undistortion and registration of a calibration are computed once and kept until it changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key: tuple[Any, ...] = ()
        self._rectifier: Rectifier | None = None

    def decode(self, stamp: int, index: int, color: Any, depth: Any, info: Any, depth_info: Any,
               depth_to_color: np.ndarray | None, camera_to_world: np.ndarray) -> RGBDFrame:
        """color, depth: Image or CompressedImage. info, depth_info: CameraInfo. depth_to_color: (4, 4), None when depth is
        registered. Raises FrameError for what cannot be decoded or does not fit together."""
        rgb = color_image(color, "rgb")
        metres = decode_depth(depth, self._settings.input.depth_scale)
        rectifier = self._rectifier_for(info, depth_info if depth_to_color is not None else None, depth_to_color)
        rgb, metres = rectifier(rgb, metres)
        if not rgb.flags.writeable:
            rgb = rgb.copy()  # it is the message's memory: torch wants its own, and the message can go
        return RGBDFrame(stamp, rgb, metres, rectifier.camera, camera_to_world, index)

    def _rectifier_for(self, info: Any, depth_info: Any, depth_to_color: np.ndarray | None) -> Rectifier:
        extrinsics = None if depth_to_color is None else depth_to_color.round(9).tobytes()
        key = (calibration_key(info), None if depth_info is None else calibration_key(depth_info), extrinsics)
        if self._rectifier is None or key != self._key:
            rectified = self._settings.input.rectified
            depth = None if depth_info is None else camera_model(depth_info, rectified, "depth/camera_info")
            calibration = Calibration(camera_model(info, rectified), depth, depth_to_color)
            self._rectifier, self._key = Rectifier(calibration), key
        return self._rectifier
