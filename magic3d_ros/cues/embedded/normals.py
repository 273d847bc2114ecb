"""Surface normals from the sensor's depth.

Under a pinhole camera the inverse depth of a plane is linear in the pixel: n . X = d and X = z (x, y, 1) give
1/z = (n/d) . (x, y, 1). So a least-squares plane through a window is three sums, and its coefficients are the normal.
"""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame

_RADIUS = 3
"""pixels of the half-size image: a 7x7 window, 4 cm at 1.5 m and 525 px focal length."""
_MIN_SHARE = 0.5
"""of the window that must have depth."""
_JUMP = 0.04
_JUMP_RELATIVE = 0.03
"""A window whose depth spans more than 4 cm + 3 % of its depth holds an edge, unless its plane is steep enough to explain it."""


class DepthNormals:
    """The embedded tier's NormalModel (cues/protocols.py)."""

    name = "depth-normals"

    def normals(self, frame: RGBDFrame) -> np.ndarray:
        """(H // 2, W // 2, 3) float32 at every second pixel: unit normals in the camera frame, towards the camera; NaN
        where there is no depth or the window holds a depth edge."""
        height, width = frame.depth.shape[0] // 2 * 2, frame.depth.shape[1] // 2 * 2
        depth = frame.depth[:height:2, :width:2]
        valid = np.isfinite(depth) & (depth > 0)
        depth = np.where(valid, depth, 1.0).astype(np.float32)
        inverse = np.where(valid, 1.0 / depth, 0.0).astype(np.float32)
        mask = valid.astype(np.float32)

        def total(image: np.ndarray, x_power: int, y_power: int) -> np.ndarray:
            offsets = np.arange(-_RADIUS, _RADIUS + 1, dtype=np.float32)
            return cv2.sepFilter2D(image, cv2.CV_32F, offsets ** x_power, offsets ** y_power, borderType=cv2.BORDER_CONSTANT)

        count, sx, sy = total(mask, 0, 0), total(mask, 1, 0), total(mask, 0, 1)
        sxx, sxy, syy = total(mask, 2, 0), total(mask, 1, 1), total(mask, 0, 2)
        sw, swx, swy = total(inverse, 0, 0), total(inverse, 1, 0), total(inverse, 0, 1)
        slope_x, slope_y, level = _solve(sxx, sxy, sx, syy, sy, count, swx, swy, sw)

        # 1/z = level + slope_x (u - u0)/2 + ..., so in ray coordinates x = (u - cx)/fx the plane is alpha x + beta y + gamma.
        rows, columns = np.mgrid[0:height:2, 0:width:2].astype(np.float32)
        alpha, beta = slope_x / 2 * frame.camera.fx, slope_y / 2 * frame.camera.fy
        gamma = level - alpha * (columns - frame.camera.cx) / frame.camera.fx - beta * (rows - frame.camera.cy) / frame.camera.fy
        normal = -np.stack([alpha, beta, gamma], -1)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        normal = normal / np.maximum(length, 1e-12)
        unknown = ~valid | (count < _MIN_SHARE * (2 * _RADIUS + 1) ** 2) | (length[..., 0] < 1e-6)
        unknown |= _holds_edge(depth, valid, inverse, slope_x, slope_y, level)
        normal[unknown] = np.nan
        return normal.astype(np.float32)


def _solve(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray, f: np.ndarray,
           p: np.ndarray, q: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Solve [[a b c], [b d e], [c e f]] x = (p, q, r) for every pixel by Cramer's rule; zero where singular."""
    A, B, C = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * A + b * B + c * C
    scale = np.where(np.abs(determinant) > 1e-3, 1.0 / np.where(determinant == 0, 1, determinant), 0.0)
    D, E, F = a * f - c * c, b * c - a * e, a * d - b * b
    return (A * p + B * q + C * r) * scale, (B * p + D * q + E * r) * scale, (C * p + E * q + F * r) * scale


def _holds_edge(depth: np.ndarray, valid: np.ndarray, inverse: np.ndarray, slope_x: np.ndarray, slope_y: np.ndarray,
                level: np.ndarray) -> np.ndarray:
    """Whether a window's depth spans more than noise plus what its plane explains."""
    window = np.ones((2 * _RADIUS + 1, 2 * _RADIUS + 1), np.uint8)
    near = cv2.erode(np.where(valid, depth, np.float32(1e3)), window)
    far = cv2.dilate(np.where(valid, depth, np.float32(0.0)), window)
    # the plane's own span over the window: |d z| = z^2 |d (1/z)|; at an edge the fit is no plane and misses the centre
    residual = np.abs(level - inverse) * depth * depth
    span = np.minimum(depth * depth * 2 * _RADIUS * (np.abs(slope_x) + np.abs(slope_y)), 0.25 * depth)
    tolerance = _JUMP + _JUMP_RELATIVE * depth
    return (residual > 0.5 * tolerance) | (far - near > tolerance + span)
