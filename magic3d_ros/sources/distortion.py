"""Lens distortion as sensor_msgs/CameraInfo names it: plumb_bob, rational_polynomial, equidistant.

Equations of OpenCV's calib3d documentation ("Camera Calibration and 3D Reconstruction", and its fisheye section), which
sensor_msgs/distortion_models.hpp refers to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.camera import Camera

# model -> (fewest, most) coefficients
_COEFFICIENTS = {"none": (0, 0), "plumb_bob": (4, 5), "rational_polynomial": (8, 8), "equidistant": (4, 4)}
_ALIASES = {"": "none", "fisheye": "equidistant", "radtan": "plumb_bob"}  # fisheye: RealSense and OAK drivers; radtan: Kalibr


@dataclass(frozen=True)
class CameraModel:
    """A camera as calibrated: pinhole intrinsics plus the lens's distortion.

    coefficients: plumb_bob k1 k2 p1 p2 [k3]; rational_polynomial k1 k2 p1 p2 k3 k4 k5 k6; equidistant k1 k2 k3 k4.
    All-zero coefficients mean no distortion, whatever the model. Raises ValueError for what is not known or not finite.
    """

    camera: Camera
    distortion: str = "none"
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        coefficients = np.asarray(self.coefficients, np.float64)
        if not np.isfinite(coefficients).all():
            raise ValueError("a distortion coefficient is NaN or infinite: recalibrate the camera")
        if not coefficients.any():
            object.__setattr__(self, "distortion", "none")
            object.__setattr__(self, "coefficients", ())
            return
        model = _ALIASES.get(self.distortion, self.distortion)
        if model not in _COEFFICIENTS or model == "none":
            raise ValueError(f"distortion model '{self.distortion}' is not supported; supported are plumb_bob, "
                             "rational_polynomial and equidistant (or publish rectified images)")
        fewest, most = _COEFFICIENTS[model]
        used = tuple(float(c) for c in coefficients[:most])
        if len(coefficients) < fewest or coefficients[most:].any():
            raise ValueError(f"distortion model {model} has {fewest} to {most} coefficients, not {len(coefficients)}")
        object.__setattr__(self, "distortion", model)
        object.__setattr__(self, "coefficients", used)

    @property
    def is_pinhole(self) -> bool:
        """True when there is nothing to undistort."""
        return self.distortion == "none"


def distort(x: np.ndarray, y: np.ndarray, model: CameraModel) -> tuple[np.ndarray, np.ndarray]:
    """Where the lens puts the ray (x, y, 1): its distorted normalised image coordinates. Arrays of any one shape."""
    if model.is_pinhole:
        return x, y
    if model.distortion == "equidistant":
        k1, k2, k3, k4 = model.coefficients
        radius = np.hypot(x, y)
        theta = np.arctan(radius)
        t2 = theta * theta
        bent = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        scale = np.where(radius > 1e-9, bent / np.maximum(radius, 1e-9), 1.0)
        return x * scale, y * scale
    k1, k2, p1, p2, k3, k4, k5, k6 = (*model.coefficients, 0.0, 0.0, 0.0, 0.0)[:8]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)


def undistortion_map(model: CameraModel, target: Camera) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the pinhole camera `target`, where to look in the distorted image: (H, W) float32 columns and rows."""
    x, y = np.meshgrid((np.arange(target.width) - target.cx) / target.fx, (np.arange(target.height) - target.cy) / target.fy)
    x, y = distort(x, y, model)
    camera = model.camera
    return (x * camera.fx + camera.cx).astype(np.float32), (y * camera.fy + camera.cy).astype(np.float32)
