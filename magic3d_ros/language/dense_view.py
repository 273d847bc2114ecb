"""What one keyframe adds to the language voxels, kept small so that it can be added elsewhere or taken out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.language.voxel_features import VoxelFeatures

MAX_DEPTH = 5.0
"""m; beyond it a cell of the feature map spans 30 cm."""
BORDER = 10 / 320
"""of the image's width that is cut on all sides: OpenScene cuts 10 px of 320, where networks see what they padded."""
_SAMPLING_DEPTH = 2.5
"""m at which samples are half a voxel apart."""
_REFERENCE_DEPTH = 1.5
_MIN_COSINE = 0.1
"""Nearer and squarer views count more (the weights of instances/evidence.py)."""
_WEIGHT_STEP = 1.5 / 255
"""Weights are kept as bytes; none is larger than 1.5."""
_SHARP, _BLURRED = 0.4, 0.6
"""`blur` of three quarters of redkitchen's frames is below .39, of its most blurred one .49, of all rendered ones below .35;
motion of 11 px in 640 brings sharp frames to .53 to .63."""
_LEAST_SHARPNESS = 0.2
_BLUR_SIZE = 320
"""px wide in which blur is measured: sensor noise would pass for sharpness in larger ones."""


@dataclass(frozen=True)
class DenseView:
    """stamp: of the keyframe, ns. camera: of the small images below. depth: (h, w) uint16 millimetres, 0 = no reading. weights:
    (h, w) uint8 view quality, 0 = not used. grid: language features of the whole image, its cells in pixels of the small one."""

    stamp: int
    camera: Camera
    camera_to_world: np.ndarray
    depth: np.ndarray
    weights: np.ndarray
    grid: FeatureGrid

    @staticmethod
    def of(frame: RGBDFrame, grid: FeatureGrid, voxel_size: float, normals: np.ndarray | None = None,
           trust: np.ndarray | None = None) -> DenseView:
        """Every n-th pixel of a keyframe, weighted by distance, angle, sharpness and trust.

        normals: (h, w, 3) in the camera frame, of any size that covers the image; NaN = unknown. trust: (H, W) float 0..1 that
        the pixel stands still, None = 1.
        """
        camera = frame.camera
        step = max(1, int(camera.fx * voxel_size / 2 / _SAMPLING_DEPTH))
        first = step // 2
        depth = np.nan_to_num(frame.depth[first::step, first::step], nan=0.0, posinf=0.0, neginf=0.0)
        small = Camera(depth.shape[1], depth.shape[0], camera.fx / step, camera.fy / step,
                       (camera.cx - first) / step, (camera.cy - first) / step)
        border = round(BORDER * small.width)
        usable = (depth > 0) & (depth < MAX_DEPTH)
        usable[:border], usable[len(usable) - border:] = False, False
        usable[:, :border], usable[:, small.width - border:] = False, False
        weights = np.where(usable, np.clip(_REFERENCE_DEPTH / np.maximum(depth, 1e-3), 0.3, 1.5), 0.0) * sharpness(frame.rgb)
        if normals is not None:
            weights = weights * _facing(normals, small)
        if trust is not None:
            weights = weights * trust[first::step, first::step]
        cells = replace(grid, stride_x=grid.stride_x / step, stride_y=grid.stride_y / step,
                        offset_x=(grid.offset_x - first) / step, offset_y=(grid.offset_y - first) / step,
                        values=np.asarray(grid.values, np.float16))
        # Rounded up: what counts a little must not count nothing.
        return DenseView(frame.stamp, small, frame.camera_to_world, np.round(depth * 1000 * usable).astype(np.uint16),
                         np.ceil(np.round(weights / _WEIGHT_STEP, 3)).astype(np.uint8), cells)

    def without(self, distrusted: np.ndarray) -> DenseView:
        """The same without the pixels that are True in a (H, W) bool image of the whole frame, of any size."""
        rows = (np.arange(self.camera.height) + 0.5) * distrusted.shape[0] / self.camera.height
        columns = (np.arange(self.camera.width) + 0.5) * distrusted.shape[1] / self.camera.width
        gone = distrusted[np.ix_(rows.astype(int), columns.astype(int))]
        return replace(self, weights=np.where(gone, np.uint8(0), self.weights))

    def moved(self, moved: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> DenseView:
        """The same from where the camera is now. moved: takes (n, 3) points and the (n,) stamps at which they were seen, gives
        where they are now; rigid for one stamp."""
        pose = self.camera_to_world
        frame = moved(np.concatenate([pose[:3, 3:].T, pose[:3, 3] + pose[:3, :3].T]), np.full(4, self.stamp))
        after = np.eye(4)
        after[:3, :3], after[:3, 3] = (frame[1:] - frame[0]).T, frame[0]
        return replace(self, camera_to_world=after)

    def samples(self, layer: VoxelFeatures) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unique keys (n,) of the layer's voxels that the depth falls into, features (n, C) float32, weights (n,) float32.

        What is behind the depth is not seen and gets nothing: the occlusion test. The same view gives the same numbers.
        """
        rows, columns = np.nonzero(self.weights)
        z = self.depth[rows, columns] * 1e-3
        camera, pose = self.camera, self.camera_to_world
        rays = np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(z))], 1)
        keys = layer.keys_of(rays * z[:, None] @ pose[:3, :3].T + pose[:3, 3])
        inside = keys >= 0
        unique, inverse, count = np.unique(keys[inside], return_inverse=True, return_counts=True)
        column, row, weight = (np.bincount(inverse.ravel(), values[inside], len(unique)) / count
                               for values in (columns, rows, self.weights[rows, columns] * _WEIGHT_STEP))
        return unique, sample(self.grid, column, row), weight.astype(np.float32)


def _facing(normals: np.ndarray, camera: Camera) -> np.ndarray:
    """(h, w) cosine between the ray and the surface at each pixel, at least _MIN_COSINE."""
    rows = ((np.arange(camera.height) + 0.5) * normals.shape[0] / camera.height).astype(int)
    columns = ((np.arange(camera.width) + 0.5) * normals.shape[1] / camera.width).astype(int)
    rays = camera.rays()
    cosine = np.abs((normals[np.ix_(rows, columns)] * rays).sum(2)) / np.linalg.norm(rays, axis=2)
    return np.clip(np.nan_to_num(cosine, nan=_MIN_COSINE), _MIN_COSINE, 1.0)


def sharpness(rgb: np.ndarray) -> float:
    """What an image (H, W, 3) uint8 counts for its sharpness: 1 down to _LEAST_SHARPNESS, see `blur`."""
    share = np.clip((_BLURRED - blur(rgb)) / (_BLURRED - _SHARP), 0.0, 1.0)
    return float(_LEAST_SHARPNESS + (1 - _LEAST_SHARPNESS) * share)


def blur(rgb: np.ndarray) -> float:
    """0 sharp .. 1 blurred, the same for rich and poor content: how little an image loses when it is blurred once more (Crete et
    al. 2007, "The blur effect"). Of both directions the worse; an image without any edge is sharp."""
    height, width = rgb.shape[:2]
    if width > _BLUR_SIZE:
        rgb = cv2.resize(rgb, (_BLUR_SIZE, max(2, round(height * _BLUR_SIZE / width))), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    worst = 0.0
    for axis, window in ((1, (9, 1)), (0, (1, 9))):  # the authors' low-pass: nine pixels
        before, after = (np.abs(np.diff(image, axis=axis)) for image in (grey, cv2.blur(grey, window)))
        total = float(before.sum())
        if total > 0:
            worst = max(worst, 1.0 - float(np.maximum(before - after, 0).sum()) / total)
    return worst


def sample(grid: FeatureGrid, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bilinear features (N, C) float32 at (N,) image pixels; beyond the outermost cell centres the nearest cell serves."""
    height, width = grid.values.shape[:2]
    x = np.clip((columns - grid.offset_x) / grid.stride_x, 0, width - 1)
    y = np.clip((rows - grid.offset_y) / grid.stride_y, 0, height - 1)
    x0, y0 = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0).astype(np.float32)[:, None], (y - y0).astype(np.float32)[:, None]
    values = grid.values.astype(np.float32)
    above = values[y0, x0] * (1 - fx) + values[y0, x1] * fx
    below = values[y1, x0] * (1 - fx) + values[y1, x1] * fx
    return above * (1 - fy) + below * fy
