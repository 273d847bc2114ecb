"""The data that flows through the package: one posed RGB-D frame, and what 2D models say of it.

Conventions, everywhere: metres, seconds, row-major arrays; camera axes as in OpenCV (x right, y down, z forward);
pixel centres at integer coordinates (the centre of the top-left pixel is (0, 0)); poses are camera-to-world.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from magic3d_ros.geometry.camera import Camera

__all__ = ["Camera", "CueFrame", "FeatureGrid", "FrameError", "MonocularGeometry", "RGBDFrame", "check_image"]

_CHANNELS = {1: "one channel (grey): repeat it three times", 4: "four channels (RGBA): drop the last"}


class FrameError(ValueError):
    """A frame that cannot be used. The message names the cause and the cure; `reason` is a short stable key for counters."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def check_image(rgb: np.ndarray) -> None:
    """Raise FrameError ("image") unless the array is (H, W, 3) uint8 with at least one pixel."""
    if rgb.ndim == 2 or (rgb.ndim == 3 and rgb.shape[2] in _CHANNELS):
        raise FrameError("image", f"an image has {_CHANNELS[1 if rgb.ndim == 2 else rgb.shape[2]]}; models take (H, W, 3) RGB")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise FrameError("image", f"an image must be (H, W, 3) with at least one pixel, not {rgb.shape}")
    if rgb.dtype != np.uint8:
        raise FrameError("image", f"an image must be uint8 (0..255), not {rgb.dtype}: convert it before")


@dataclass(frozen=True)
class RGBDFrame:
    """One synchronised, registered and undistorted RGB-D image with its pose.

    stamp: time of capture in nanoseconds (integer, as ROS has it; a folder without times counts at its nominal rate).
    rgb: (H, W, 3) uint8.
    depth: (H, W) float32, metres along the optical axis, registered to the colour camera; 0 = no reading.
    camera: pinhole intrinsics of the colour image (and so of the depth).
    camera_to_world: (4, 4) float64 rigid transform.
    index: the frame's number in its source (file number, or a counter for live streams).
    """

    stamp: int
    rgb: np.ndarray
    depth: np.ndarray
    camera: Camera
    camera_to_world: np.ndarray
    index: int = 0

    def check(self) -> None:
        """Raise FrameError when sizes, depth or pose cannot be right. Cheap enough for every frame."""
        height, width = self.camera.height, self.camera.width
        if self.rgb.shape != (height, width, 3) or self.rgb.dtype != np.uint8:
            raise FrameError(
                "size", f"colour is {self.rgb.shape} {self.rgb.dtype}, camera info says {width}x{height}: "
                "colour and camera_info must belong together")
        if self.depth.shape != (height, width):
            raise FrameError(
                "size", f"depth is {self.depth.shape[1]}x{self.depth.shape[0]}, colour is {width}x{height}: "
                "use depth registered to the colour camera, or give the depth's own camera_info")
        pose = self.camera_to_world
        if pose.shape != (4, 4) or not np.isfinite(pose).all():
            raise FrameError("pose", "the pose holds NaN or infinity")
        rotation = pose[:3, :3]
        if (np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-2 or np.linalg.det(rotation) < 0
                or np.abs(pose[3] - (0, 0, 0, 1)).max() > 1e-6):
            raise FrameError("pose", "the pose is not a rigid camera-to-world transform")
        valid = self.depth[::8, ::8]
        valid = valid[np.isfinite(valid) & (valid > 0)]
        if valid.size == 0:
            raise FrameError("depth_empty", "no depth pixel has a reading")
        median = float(np.median(valid))
        if median > 100.0:
            raise FrameError("depth_unit", f"median depth is {median:.0f} m: the depth looks like millimetres read as "
                             "metres; set input.depth_scale to 0.001")
        if median < 0.02:
            raise FrameError("depth_unit", f"median depth is {median:.4f} m: the depth looks like metres scaled as if they "
                             "were millimetres; set input.depth_scale to 1.0")

    def with_pose(self, camera_to_world: np.ndarray) -> RGBDFrame:
        """The same frame at another pose."""
        return replace(self, camera_to_world=camera_to_world)


@dataclass(frozen=True)
class FeatureGrid:
    """A low-resolution map of features over an image.

    values: (h, w, C) float16 or float32.
    Cell (row r, column c) is centred on image pixel (offset_x + c * stride_x, offset_y + r * stride_y).
    """

    values: np.ndarray
    stride_x: float
    stride_y: float
    offset_x: float
    offset_y: float


@dataclass(frozen=True)
class MonocularGeometry:
    """What a network guesses of an image's geometry. Maps of any size; each covers the whole image evenly.

    depth: (h, w) float32, along the optical axis; zero, negative or NaN = unknown.
    kind: what `depth` is. "metric": metres. "affine": metres but for one unknown scale and shift of the image.
        "affine_inverse": 1 / metres but for such a scale and shift (Depth Anything, MiDaS).
    normals: (h, w, 3) float32 unit normals in the camera frame, pointing to the camera; NaN = unknown.
    uncertainty: (h, w) float32, standard deviation of `depth` as a share of it.
    """

    depth: np.ndarray | None = None
    kind: str = "affine"
    normals: np.ndarray | None = None
    uncertainty: np.ndarray | None = None


@dataclass(frozen=True)
class CueFrame:
    """What the 2D models say of one keyframe. A cue that a tier does not deliver is None.

    stamp: the frame's stamp, by which late cues find their frame again.
    features: appearance features (distractors, image matching).
    language: dense language features, projected to the map's feature dimension.
    normals: (h, w, 3) float32 unit normals of the sensor's depth, in the camera frame, pointing to the camera; NaN = unknown.
    masks: (H, W) int32 label image of class-agnostic 2D masks, -1 = none.
    monocular: depth and normals guessed from the colours alone.
    edges: (h, w) uint8 that covers the image, 255 = certainly an edge between things.
    timings: milliseconds by model, for diagnostics.
    """

    stamp: int
    features: FeatureGrid | None = None
    language: FeatureGrid | None = None
    normals: np.ndarray | None = None
    masks: np.ndarray | None = None
    monocular: MonocularGeometry | None = None
    edges: np.ndarray | None = None
    timings: dict[str, float] = field(default_factory=dict)
