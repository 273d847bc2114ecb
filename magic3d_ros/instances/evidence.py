"""What the keyframes saw of the surface: which points, how well, and where in the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframes import Keyframe

_WIDTH = 320  # pixels; the recipe's evidence loses nothing at this width
_NEAREST, _FARTHEST = 0.1, 10.0  # metres; farther, one voxel is less than a pixel of the reduced image
_TOLERANCE, _TOLERANCE_PER_METRE = 0.02, 0.01  # a point is visible when its depth agrees with the sensor's this well
_JUMP, _JUMP_PER_METRE = 0.06, 0.04  # an occlusion edge: depth range over 5x5 pixels (metres, and per metre)
_SHARPNESS_GRID = (16, 12)  # cells in which image sharpness is remembered


@dataclass(frozen=True)
class DepthView:
    """One keyframe, reduced: camera of the reduced size, depth (h, w) float32 metres, edge (h, w) bool near an occlusion edge,
    sharpness (12, 16) float32 mean absolute Laplacian of the grey image, standing (24, 32) float32 share of each cell's pixels
    that is trusted not to move, from the keyframe's trust_png; moving (h, w) bool within two pixels of what is not, None = all
    stands; scale_x and scale_y: reduced pixels a full pixel."""

    camera: Camera
    depth: np.ndarray
    edge: np.ndarray
    sharpness: np.ndarray
    standing: np.ndarray
    trust_png: bytes
    moving: np.ndarray | None
    scale_x: float
    scale_y: float


@dataclass(frozen=True)
class Sight:
    """Where N points fall in one keyframe.

    u, v (N,) float columns and rows of the reduced image; inside (N,) bool in front of the camera and within the image;
    visible (N,) bool inside and not hidden; weight (N,) float: how well the point is seen, 0 where hidden or beside an
    occlusion edge.
    """

    u: np.ndarray
    v: np.ndarray
    inside: np.ndarray
    visible: np.ndarray
    weight: np.ndarray


class DepthViews:
    """Reduced depth of keyframes, decoded once each (about 0.3 MB) and dropped when the keyframe is forgotten."""

    def __init__(self) -> None:
        self._views: dict[int, DepthView] = {}

    def of(self, keyframe: Keyframe) -> DepthView:
        """The reduced view of a keyframe."""
        view = self._views.get(keyframe.stamp)
        if view is None or view.trust_png != keyframe.trust_png:  # what moved in it may have shown since
            view = self._views[keyframe.stamp] = _reduced(keyframe)
        return view

    def keep_only(self, stamps: set[int]) -> None:
        """Forget all others."""
        self._views = {stamp: view for stamp, view in self._views.items() if stamp in stamps}


def look(points: np.ndarray, normals: np.ndarray, view: DepthView, camera_to_world: np.ndarray) -> Sight:
    """How a keyframe at `camera_to_world` sees (N, 3) world points with unit normals.

    Visible: |z - d| < 2 cm + 1 % z. Weight: clip(1.5 / z, .3, 1.5) clip(|cos|, .1, 1), and none where the depth jumps by more
    than 6 cm + 4 % within 5x5 pixels.
    """
    position = camera_to_world[:3, 3]
    u, v, z = view.camera.project((points - position) @ camera_to_world[:3, :3])
    height, width = view.depth.shape
    inside = (z > _NEAREST) & (z < _FARTHEST) & (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5)
    visible = np.zeros(len(points), bool)
    weight = np.zeros(len(points))
    at = np.flatnonzero(inside)
    column, row = np.rint(u[at]).astype(np.int64), np.rint(v[at]).astype(np.int64)
    seen = np.abs(view.depth[row, column] - z[at]) < _TOLERANCE + _TOLERANCE_PER_METRE * z[at]
    visible[at[seen]] = True
    clear = at[seen & ~view.edge[row, column]]
    ray = points[clear] - position
    cosine = np.abs((ray * normals[clear]).sum(1)) / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)
    weight[clear] = np.clip(1.5 / z[clear], 0.3, 1.5) * np.clip(cosine, 0.1, 1.0)
    return Sight(u, v, inside, visible, weight)


def last_seen(points: np.ndarray, keyframes: list[Keyframe], views: DepthViews, tolerance: float) -> np.ndarray:
    """(N,) int64 stamp of the newest keyframe that sees each of (N, 3) world points, -1 = none does; `tolerance` metres beyond
    that of the sensor."""
    stamps = np.full(len(points), -1, np.int64)
    for keyframe in sorted(keyframes, key=lambda k: -k.stamp):
        open_ = np.flatnonzero(stamps < 0)
        if len(open_) == 0:
            break
        view, pose = views.of(keyframe), keyframe.camera_to_world
        u, v, z = view.camera.project((points[open_] - pose[:3, 3]) @ pose[:3, :3])
        height, width = view.depth.shape
        inside = np.flatnonzero((z > _NEAREST) & (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5))
        column, row = np.rint(u[inside]).astype(np.int64), np.rint(v[inside]).astype(np.int64)
        near = np.abs(view.depth[row, column] - z[inside]) < tolerance + _TOLERANCE + _TOLERANCE_PER_METRE * z[inside]
        stamps[open_[inside[near]]] = keyframe.stamp
    return stamps


def _reduced(keyframe: Keyframe) -> DepthView:
    depth = keyframe.depth()
    camera = keyframe.camera
    width = min(_WIDTH, camera.width)
    height = max(1, round(camera.height * width / camera.width))
    depth = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST)
    window = np.ones((5, 5), np.uint8)
    nearest = cv2.erode(np.where(depth > 0, depth, np.float32(1e3)), window)  # no reading is no jump
    edge = (cv2.dilate(depth, window) - nearest) > _JUMP + _JUMP_PER_METRE * depth
    standing, moving = _trusted(keyframe, width, height)
    return DepthView(camera.resized(width, height), depth, edge, _sharpness(keyframe), standing, keyframe.trust_png, moving,
                     width / camera.width, height / camera.height)


def _trusted(keyframe: Keyframe, width: int, height: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(24, 32) float32 share of trusted pixels over a grid of cells, and (height, width) bool near others, None = none."""
    trust = keyframe.trust
    if trust is None:
        return np.ones((24, 32), np.float32), None
    stands = (trust > 0).astype(np.float32)
    all_stands = cv2.resize(stands, (width, height), interpolation=cv2.INTER_AREA) > 1.0 - 1e-6
    moving = cv2.dilate((~all_stands).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return cv2.resize(stands, (32, 24), interpolation=cv2.INTER_AREA), moving


def _sharpness(keyframe: Keyframe) -> np.ndarray:
    """(12, 16) float32 mean absolute Laplacian over a grid of cells: blur by motion lowers it."""
    grey = cv2.imdecode(np.frombuffer(keyframe.jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_2)
    if grey is None:
        raise ValueError(f"the colour image of keyframe {keyframe.stamp} cannot be decoded: the map is damaged")
    return cv2.resize(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), _SHARPNESS_GRID, interpolation=cv2.INTER_AREA)
