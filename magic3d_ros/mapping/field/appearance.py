"""Views of the map with the field's colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.device_memory import DeviceMemory
from magic3d_ros.mapping.field.nearest_views import NearestViews
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.surface import View

CHUNK = 8192  # points a pass: what a pass needs stays in the cache
FEWEST_POINTS = 1024  # that are worth colouring at a time


@torch.no_grad()
def recolored(view: View, field: NeuralField | None, views: NearestViews, remembered: list[Keyframe], camera: Camera,
              camera_to_world: np.ndarray, memory: DeviceMemory, most: int | None = None) -> View:
    """A view of the geometry with the colours that a camera at the pose would photograph; depth and normals as they were.

    field: None = voxel colours are all that is known. remembered: the frames that may give detail, at most `most` of them.
    """
    shown = view.depth > 0
    if not shown.any():
        return view
    rows, columns = np.nonzero(shown)

    def colors(count: int) -> np.ndarray:
        return np.concatenate([_colors(view, field, views, remembered, camera, camera_to_world, most, rows[i:i + count],
                                       columns[i:i + count]) for i in range(0, len(rows), count)])

    rgb = np.zeros_like(view.rgb)
    rgb[rows, columns] = memory.in_batches("points of a picture", len(rows), FEWEST_POINTS, colors)
    return replace(view, rgb=rgb)


def _colors(view: View, field: NeuralField | None, views: NearestViews, remembered: list[Keyframe], camera: Camera,
            camera_to_world: np.ndarray, most: int | None, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 of some pixels."""
    device = views.device
    shown = rows, columns
    rays = camera.rays()[shown] @ camera_to_world[:3, :3].T.astype(np.float32)
    directions = torch.from_numpy(rays).to(device)
    origin = torch.from_numpy(camera_to_world[:3, 3].astype(np.float32)).to(device)
    points = origin + directions * torch.from_numpy(view.depth[shown]).to(device)[:, None]
    directions = torch.nn.functional.normalize(directions, dim=1)
    voxels = torch.from_numpy(view.rgb[shown]).to(device, torch.float32) / 255.0
    colors = voxels
    if field is not None:
        parts = zip(points.split(CHUNK), directions.split(CHUNK), voxels.split(CHUNK), strict=True)
        colors = torch.cat([field.color(*part) for part in parts])
    colors = views.blended(points, colors, remembered, camera_to_world, most)
    return (colors * 255.0).round_().clamp_(0, 255).to(torch.uint8).cpu().numpy()
