"""What online merging keeps of one keyframe's masks: one point a voxel, with the mask that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.frames import FeatureGrid, FrameError, RGBDFrame
from magic3d_ros.instances.merging_votes import VOXEL

_WIDTH = 240  # pixels at most that take part: their spacing at 3 m is half a voxel
_MOST_MASKS = 500  # of one image; SAM at 32 points a side gives 100 to 300
_NEAREST, _FARTHEST = 0.1, 6.0  # metres; beyond, a pixel spans several voxels and depth noise is a voxel
# A mask is a plane when it is thin (standard deviation across, metres, and metres a metre of depth squared) and wide (standard
# deviation along its narrower side: .15 is a strip of half a metre): floor, wall, table top. All else is an object.
_THIN, _THIN_PER_SQUARE, _WIDE = 0.010, 0.004, 0.15


@dataclass(frozen=True)
class MaskSample:
    """One keyframe's masks in 3D.

    points (m, 3) float32 world metres, one a voxel; pixel (m,) int32 number of the pixel of each, by rows of the full image; mask
    (m,) int32, 0 ... n-1, -1 = none (the surface is seen, no mask claims it); plane (n,) bool: the mask is one large plane;
    features (n, C) float32 unit length, mean of the frame's features in each mask, C = 0 without features.
    """

    points: np.ndarray
    pixel: np.ndarray
    mask: np.ndarray
    plane: np.ndarray
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.plane)


def mask_sample(frame: RGBDFrame, masks: np.ndarray, trust: np.ndarray | None = None,
                features: FeatureGrid | None = None) -> MaskSample:
    """Unproject masks. masks: (H, W) int, -1 = none; trust: (H, W) uint8, 0 = moves and does not count.

    Of more than 500 masks the largest count. Raises FrameError for masks or trust of another size than the frame.
    """
    for name, image in (("masks", masks), ("trust", trust)):
        if image is not None and image.shape != frame.depth.shape:
            raise FrameError("cues", f"{name} are {image.shape}, the frame is {frame.depth.shape}: one value a pixel is needed")
    step = max(1, -(-frame.camera.width // _WIDTH))
    depth = frame.depth[::step, ::step]
    used = np.isfinite(depth) & (depth > _NEAREST) & (depth < _FARTHEST)
    if trust is not None:
        used &= trust[::step, ::step] > 0
    row, column = np.nonzero(used)
    row, column, z = row * step, column * step, depth[used].astype(np.float64)
    camera, pose = frame.camera, frame.camera_to_world
    rays = np.stack([(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, np.ones(len(z))], 1)
    points = (rays * z[:, None]) @ pose[:3, :3].T + pose[:3, 3]
    first = _one_a_voxel(points)
    points, row, column, z = points[first], row[first], column[first], z[first]
    label, count = _renumbered(masks[row, column])
    return MaskSample(points.astype(np.float32), (row * camera.width + column).astype(np.int32), label.astype(np.int32),
                      _planes(points, label, z, count), _mean_features(features, row, column, label, count))


def _renumbered(labels: np.ndarray) -> tuple[np.ndarray, int]:
    """(m,) masks from 0 without gaps, -1 = none, and how many; the largest 500 of them."""
    values, number, size = np.unique(labels, return_inverse=True, return_counts=True)
    size = np.where(values >= 0, size, 0)
    kept = np.zeros(len(values), bool)
    kept[np.argsort(-size, kind="stable")[:_MOST_MASKS]] = True
    kept &= size > 0
    return np.where(kept, np.cumsum(kept) - 1, -1)[number.ravel()], int(kept.sum())


def _one_a_voxel(points: np.ndarray) -> np.ndarray:
    """Indices of one point in each voxel."""
    voxel = np.floor(points / VOXEL).astype(np.int64)
    voxel -= voxel.min(0, initial=0)
    key = (voxel[:, 0] << 42) | (voxel[:, 1] << 21) | voxel[:, 2]
    return np.unique(key, return_index=True)[1]


def _planes(points: np.ndarray, label: np.ndarray, depth: np.ndarray, count: int) -> np.ndarray:
    """(count,) bool: which masks are large planes, by the spread of their points."""
    member = label >= 0
    points, label, depth = points[member], label[member], depth[member]
    size = np.maximum(np.bincount(label, minlength=count), 1)
    mean = np.stack([np.bincount(label, points[:, k], count) for k in range(3)], 1) / size[:, None]
    centred = points - mean[label]
    spread = np.empty((count, 3, 3))
    for a in range(3):
        for b in range(3):
            spread[:, a, b] = np.bincount(label, centred[:, a] * centred[:, b], count) / size
    deviation = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0.0))
    distance = np.bincount(label, depth, count) / size
    return (deviation[:, 0] < _THIN + _THIN_PER_SQUARE * distance**2) & (deviation[:, 1] > _WIDE)


def _mean_features(grid: FeatureGrid | None, row: np.ndarray, column: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    if grid is None or count == 0:
        return np.zeros((count, 0), np.float32)
    height, width, channels = grid.values.shape
    r = np.clip(np.rint((row - grid.offset_y) / grid.stride_y), 0, height - 1).astype(np.int64)
    c = np.clip(np.rint((column - grid.offset_x) / grid.stride_x), 0, width - 1).astype(np.int64)
    # How many samples of each mask lie in each cell, then one product: far fewer rows than samples.
    weight = np.zeros((count, height * width), np.float32)
    np.add.at(weight, (label[label >= 0], (r * width + c)[label >= 0]), 1.0)
    flat = np.nan_to_num(grid.values.reshape(-1, channels).astype(np.float32))
    mean = weight @ (flat - flat.mean(0))  # without what all of the image has in common
    return (mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)).astype(np.float32)
