"""Class-agnostic masks of single RGB-D frames without any 2D network: the recipe of 3D regions on one frame's own surface.

The depth image is a mesh already: neighbouring pixels are neighbouring vertices. Basins between creases and colour edges,
structure planes and agglomeration do on it what they do on the whole map (docs/instances.md), at the cost of one frame.
"""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.instances.regions import mesh_graph
from magic3d_ros.instances.segmentation import segment
from magic3d_ros.instances.structure import find_structure
from magic3d_ros.mapping.surface import Surface

# Chosen on replica_office0 and one random training room (docs/instances.md, "Masks of single frames").
_WIDTH = 240  # pixels: about the spacing of 2 cm vertices at 2 to 3 m, for which the recipe's constants were measured
_JUMP, _JUMP_PER_SQUARE = 0.02, 0.012  # metres, and times depth squared: neighbouring pixels farther apart are not connected
_NEAREST, _FARTHEST = 0.1, 8.0  # metres
_PLANE_SAMPLE = 2500  # vertices on which structure planes are sought: the same planes as with 10,000, at half the time in all
_THRESHOLD = 0.75  # instances.merge_threshold, as it was measured


def frame_masks(frame: RGBDFrame, up: np.ndarray, threshold: float = _THRESHOLD) -> np.ndarray:
    """(H, W) int32 label image of what a frame shows: masks 0 ... n-1, -1 = none or no depth.

    up: (3,) unit, in the world. threshold: cost above which regions stay apart; lower gives more masks.
    Sought at 240 pixels width; about .15 s of one core. Frames of less than 3 pixels either way have no masks.
    """
    full = frame.camera
    width = min(_WIDTH, full.width)
    height = max(1, round(full.height * width / full.width))
    camera = full.resized(width, height)
    depth = cv2.resize(np.nan_to_num(frame.depth, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32), (width, height),
                       interpolation=cv2.INTER_NEAREST)
    rgb = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
    labels = np.full(width * height, -1, np.int32)
    graph = mesh_graph(_image_mesh(cv2.bilateralFilter(depth, 5, 0.03, 2), depth > 0, rgb, camera.rays()))
    if len(graph):
        structure = find_structure(graph, frame.camera_to_world[:3, :3].T @ up, most=_PLANE_SAMPLE)
        labels[graph.index] = segment(graph, structure, threshold)[0]
    return cv2.resize(labels.reshape(height, width), (full.width, full.height), interpolation=cv2.INTER_NEAREST)


def _image_mesh(depth: np.ndarray, known: np.ndarray, rgb: np.ndarray, rays: np.ndarray) -> Surface:
    """The depth image as a mesh in the camera frame, (h w) vertices by rows: two faces for each four pixels without a jump."""
    height, width = depth.shape
    usable = (known & (depth > _NEAREST) & (depth < _FARTHEST)).ravel()
    number = np.arange(height * width).reshape(height, width)
    corners = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]], -1).reshape(-1, 4)
    at = depth.ravel()[corners]
    connected = usable[corners].all(1) & (np.ptp(at, axis=1) < _JUMP + _JUMP_PER_SQUARE * at.mean(1) ** 2)
    a, b, c, d = corners[connected].T
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    vertices = np.asarray(rays * depth[..., None], np.float32).reshape(-1, 3)
    return Surface(vertices, faces, np.zeros_like(vertices), rgb.reshape(-1, 3), np.ones(len(vertices), np.float32))
