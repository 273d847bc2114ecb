"""Who teaches the segmenter masks of single frames, without any manual label: the frame itself, or the map of all frames.

Either makes a label image that `cloud_samples.seen_labels` takes. Measured (docs/instances.md): masks of the map's regions fit
true things a little better (mean best IoU .68 against .67 on replica_office0, .81 against .80 on a random training room) and are
less often wrong; masks of frames miss fewer things and need no map.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.instances.frame_masks import frame_masks
from magic3d_ros.mapping.surface import Surface

_REACH = 0.05  # metres: a pixel takes the label of the nearest vertex within this; farther, the map does not know the pixel


class MaskTeacher(Protocol):
    """Makes class-agnostic masks of frames."""

    def masks(self, frame: RGBDFrame) -> np.ndarray:
        """(H, W) int32 label image, -1 = none."""
        ...


class FrameTeacher:
    """Masks from each frame alone (instances.frame_masks). up: (3,) unit, in the world."""

    def __init__(self, up: np.ndarray) -> None:
        self._up = up

    def masks(self, frame: RGBDFrame) -> np.ndarray:
        """(H, W) int32 label image, -1 = none."""
        return frame_masks(frame, self._up)


class RegionTeacher:
    """The things of a whole map as each frame shows them.

    surface: of the map that the frames were fused into. labels: (N,) int thing of each vertex, -1 = none. step: every so manieth
    pixel is looked up, the others take the nearest of these. Raises ValueError for labels of another number than vertices.
    """

    def __init__(self, surface: Surface, labels: np.ndarray, step: int = 2) -> None:
        if len(labels) != len(surface):
            raise ValueError(f"{len(labels)} labels cannot belong to a surface of {len(surface)} vertices")
        finite = np.isfinite(surface.vertices).all(1)
        self._tree = cKDTree(surface.vertices[finite]) if finite.any() else None
        self._labels = np.append(labels[finite], -1).astype(np.int32)
        self._step = step

    def masks(self, frame: RGBDFrame) -> np.ndarray:
        """(H, W) int32 label image, -1 = none, no depth, or nothing of the map there."""
        step, (height, width) = self._step, frame.depth.shape
        depth = frame.depth[::step, ::step]
        known = np.isfinite(depth) & (depth > 0)
        labels = np.full(depth.shape, -1, np.int32)
        if self._tree is not None and known.any():
            points = frame.camera.rays()[::step, ::step][known] * depth[known][:, None]
            points = points @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
            labels[known] = self._labels[self._tree.query(points, distance_upper_bound=_REACH)[1]]
        full = np.repeat(np.repeat(labels, step, 0), step, 1)[:height, :width]
        return np.where(np.isfinite(frame.depth) & (frame.depth > 0), full, -1)
