"""The pinhole camera that every image in the package has, after undistortion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Pinhole intrinsics in pixels; the centre of the top-left pixel is (0, 0).

    Raises ValueError for sizes or focal lengths that no camera has.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not (0 < self.width <= 16384 and 0 < self.height <= 16384):
            raise ValueError(f"image size {self.width}x{self.height} is not between 1 and 16384 pixels")
        if not (np.isfinite([self.fx, self.fy, self.cx, self.cy]).all() and self.fx > 0 and self.fy > 0):
            raise ValueError(f"focal length ({self.fx}, {self.fy}) must be positive: is camera_info calibrated? "
                             "(an uncalibrated driver publishes zeros)")

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) float64 intrinsic matrix."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def resized(self, width: int, height: int) -> Camera:
        """Intrinsics after resizing the image: pixel edges, not centres, keep their place."""
        sx, sy = width / self.width, height / self.height
        return Camera(width, height, self.fx * sx, self.fy * sy,
                      (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5)

    def rays(self) -> np.ndarray:
        """(H, W, 3) float32 directions with z = 1 in the camera frame, one a pixel."""
        u = (np.arange(self.width, dtype=np.float32) - self.cx) / self.fx
        v = (np.arange(self.height, dtype=np.float32) - self.cy) / self.fy
        rays = np.ones((self.height, self.width, 3), np.float32)
        rays[..., 0] = u[None]
        rays[..., 1] = v[:, None]
        return rays

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Project (N, 3) points of the camera frame -> pixel columns u, rows v, depths z (floats; check z > 0 yourself)."""
        z = points[:, 2]
        safe = np.where(np.abs(z) < 1e-9, 1e-9, z)
        return points[:, 0] / safe * self.fx + self.cx, points[:, 1] / safe * self.fy + self.cy, z
