"""Accuracy, completion and F-score of a reconstructed surface against a true mesh, over what the frames show of either.

Both surfaces are looked at from the recording's poses, and the points seen are thinned to one a 2 cm cell. What no frame sees
counts neither for nor against (MonoSDF's evaluation on Replica and ScanNet culls by the same views).

- accuracy: mean distance from the reconstructed points to the true surface, metres; precision: share within 5 cm.
- completion: mean distance from the true points to the reconstructed ones, metres; recall: share within 5 cm.
- f_score: harmonic mean of precision and recall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.geometry.camera import Camera

WITHIN = 0.05  # metres: MonoSDF's threshold
CELL = 0.02  # metres
WIDTH = 240  # pixels of the views


@dataclass(frozen=True)
class SurfaceScores:
    """Figures as the module defines them; accuracy and completion are infinite for a surface that no frame shows."""

    accuracy: float
    completion: float
    precision: float
    recall: float
    f_score: float

    def figures(self) -> dict[str, float]:
        """All figures by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def seen_points(depth_of: Callable[[Camera, np.ndarray], np.ndarray], views: Iterable[tuple[Camera, np.ndarray]],
                width: int = WIDTH) -> np.ndarray:
    """(n, 3) world points of a surface that some views show, one a cell of 2 cm.

    depth_of: gives the (h, w) depth of the surface for a camera and a camera-to-world pose, 0 = nothing. views: cameras and
    poses; cameras are reduced to `width`.
    """
    points = [np.zeros((0, 3))]
    for camera, pose in views:
        small = camera.resized(width, max(1, round(camera.height * width / camera.width)))
        depth = depth_of(small, pose)
        seen = depth > 0
        points.append((small.rays()[seen] * depth[seen][:, None]) @ pose[:3, :3].T + pose[:3, 3])
    joined = np.concatenate(points)
    _, first = np.unique(np.floor(joined / CELL).astype(np.int64), axis=0, return_index=True)
    return joined[first]


def surface_scores(reconstructed: np.ndarray, true: np.ndarray) -> SurfaceScores:
    """Compare (n, 3) reconstructed with (m, 3) true points. Raises ValueError without true points."""
    if len(true) == 0:
        raise ValueError("the views show nothing of the true surface")
    if len(reconstructed) == 0:
        return SurfaceScores(float("inf"), float("inf"), 0.0, 0.0, 0.0)
    to_true = cKDTree(true).query(reconstructed)[0]
    to_reconstructed = cKDTree(reconstructed).query(true)[0]
    precision, recall = float((to_true < WITHIN).mean()), float((to_reconstructed < WITHIN).mean())
    f_score = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return SurfaceScores(float(to_true.mean()), float(to_reconstructed.mean()), precision, recall, f_score)
