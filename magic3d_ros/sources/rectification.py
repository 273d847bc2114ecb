"""From the images as the sensor gives them to one pinhole camera: undistorted, and depth registered to colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.frames import FrameError
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel, undistortion_map
from magic3d_ros.sources.registration import DepthRegistration

_KEEP_SIZE = 0.9
"""Colour that is less than 10 % finer than the depth keeps its size: reducing it would blur more than it saves."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is known of the sensor.

    color: the colour camera. depth: the depth camera, or None when depth is already registered to colour (same pixels, same
    distortion). depth_to_color: (4, 4) rigid, takes points of the depth camera into the colour camera.
    """

    color: CameraModel
    depth: CameraModel | None = None
    depth_to_color: np.ndarray | None = None


class Rectifier:
    """Makes one registered pinhole RGB-D image of a colour and a depth image. Maps are computed once.

    camera: the pinhole camera of the result. It is the colour camera; where depth has its own, coarser pixels, the colour image
    is reduced to about their size, because finer pixels would hold no depth of their own.
    """

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        color, depth = calibration.color, calibration.depth
        self.camera = color.camera
        if depth is not None:
            ratio = depth.camera.fx / color.camera.fx
            if ratio < _KEEP_SIZE:
                self.camera = color.camera.resized(round(color.camera.width * ratio), round(color.camera.height * ratio))
            transform = np.eye(4) if calibration.depth_to_color is None else np.asarray(calibration.depth_to_color, np.float64)
            self._registration = DepthRegistration(depth.camera, self.camera, transform)
        self._color_map = None if color.is_pinhole else undistortion_map(color, color.camera)
        self._depth_map = None if depth is None or depth.is_pinhole else undistortion_map(depth, depth.camera)
        self._no_color = None if self._color_map is None else self._pixels_without_color(self._color_map)

    def __call__(self, rgb: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8 and (H, W) float32 of `camera` from the sensor's images. Pixels without colour have no depth (0).

        Raises FrameError("size") when an image is not of its camera's size.
        """
        color_camera = self.calibration.color.camera
        _require_size("colour", rgb, color_camera)
        if self._color_map is not None:
            rgb = cv2.remap(rgb, *self._color_map, cv2.INTER_LINEAR)
        if self.camera is not color_camera:
            rgb = cv2.resize(rgb, (self.camera.width, self.camera.height), interpolation=cv2.INTER_AREA)
        depth = self._registered(depth)
        if self._no_color is not None:
            depth = np.where(self._no_color, np.float32(0), depth)
        return rgb, depth

    def _registered(self, depth: np.ndarray) -> np.ndarray:
        if self.calibration.depth is None:
            if depth.shape != (self.camera.height, self.camera.width):
                raise FrameError("size", f"depth is {depth.shape[1]}x{depth.shape[0]}, colour is {self.camera.width}x"
                                 f"{self.camera.height}: use depth registered to the colour camera, or give the depth's own "
                                 "camera_info")
            # Registered depth was looked up through the same lens as colour. Nearest: a mean of two surfaces is neither.
            return depth if self._color_map is None else cv2.remap(depth, *self._color_map, cv2.INTER_NEAREST)
        _require_size("depth", depth, self.calibration.depth.camera)
        if self._depth_map is not None:
            depth = cv2.remap(depth, *self._depth_map, cv2.INTER_NEAREST)
        return self._registration(depth)

    def _pixels_without_color(self, color_map: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        camera = self.calibration.color.camera
        column, row = color_map
        outside = (column < 0) | (column > camera.width - 1) | (row < 0) | (row > camera.height - 1)
        if self.camera is not camera:
            size = (self.camera.width, self.camera.height)
            outside = cv2.resize(outside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        return outside


def _require_size(name: str, image: np.ndarray, camera: Camera) -> None:
    if image.shape[:2] != (camera.height, camera.width):
        raise FrameError("size", f"the {name} image is {image.shape[1]}x{image.shape[0]}, its camera info says "
                         f"{camera.width}x{camera.height}: they must belong together")
