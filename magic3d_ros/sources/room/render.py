"""Exact images of a room from a camera pose: colour, depth, instance ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.shading import RoomView
from magic3d_ros.sources.room.triangles import unit

SUBPIXELS = ((-0.33, -0.12), (0.12, -0.33), (0.33, 0.12), (-0.12, 0.33))
"""Rotated grid of the extra rays in edge pixels (4-rook pattern, as multisampling hardware uses)."""

BRIGHTEST = 2.0
"""Samples are cut here before they are averaged over a pixel, so that one bright window sample does not whiten an edge."""


@dataclass(frozen=True)
class ExactImages:
    """colour: (H, W, 3) float32 linear. depth: (H, W) float32 metres along the optical axis, 0 = nothing hit.
    instance: (H, W) int32, 0 = nothing. moving, edge, glass: (H, W) bool; edges are those of geometry, not of what is printed on
    it. cosine of incidence, albedo: (H, W) float32."""

    colour: np.ndarray
    depth: np.ndarray
    instance: np.ndarray
    moving: np.ndarray
    edge: np.ndarray
    glass: np.ndarray
    cosine: np.ndarray
    albedo: np.ndarray


def render(view: RoomView, camera: Camera, camera_to_world: np.ndarray, smooth_edges: bool = True) -> ExactImages:
    """One ray through every pixel's centre.

    smooth_edges: pixels on an edge of geometry or colour (a tenth of a usual frame) get four more, for their colour only.
    """
    rotation = camera_to_world[:3, :3].astype(np.float32)
    origin = camera_to_world[:3, 3]
    rays = unit(camera.rays().reshape(-1, 3))
    pixel_angle = 1.0 / camera.fx
    seen = view.look(origin, rays @ rotation.T, pixel_angle)
    shape = (camera.height, camera.width)
    depth = (seen.distance * rays[:, 2]).reshape(shape)
    colour = np.minimum(seen.colour, BRIGHTEST).reshape(*shape, 3)
    instance = seen.instance.reshape(shape)
    edge = _geometric_edges(instance, depth, seen.normal.reshape(*shape, 3))
    if smooth_edges:
        rows, columns = np.nonzero(edge | _colour_edges(colour))
        total = colour[rows, columns]
        for right, down in SUBPIXELS:
            x, y = (columns + right - camera.cx) / camera.fx, (rows + down - camera.cy) / camera.fy
            sub = unit(np.stack([x, y, np.ones(len(rows))], 1)) @ rotation.T
            total = total + np.minimum(view.look(origin, sub, pixel_angle).colour, BRIGHTEST)
        colour[rows, columns] = total / (1 + len(SUBPIXELS))
    return ExactImages(colour, depth, instance, seen.moving.reshape(shape), edge, seen.glass.reshape(shape),
                       seen.cosine.reshape(shape), seen.albedo.reshape(shape))


_NEIGHBOURS = (((slice(0, -1), slice(None)), (slice(1, None), slice(None))),
               ((slice(None), slice(0, -1)), (slice(None), slice(1, None))))
"""Pairs of views of an image that lie one row, and one column, apart."""


def _geometric_edges(instance: np.ndarray, depth: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Pixels beside a change of thing, of depth by 3 %, or of normal by 32 degrees."""
    edge = np.zeros(instance.shape, bool)
    for first, second in _NEIGHBOURS:
        a, b = depth[first], depth[second]
        differs = (instance[first] != instance[second]) | (np.abs(a - b) > 0.03 * np.minimum(a, b))
        differs |= np.einsum("ijk,ijk->ij", normal[first], normal[second]) < 0.85
        edge[first] |= differs
        edge[second] |= differs
    return edge


def _colour_edges(colour: np.ndarray) -> np.ndarray:
    """Pixels beside a change of a channel by .1 in linear light."""
    edge = np.zeros(colour.shape[:2], bool)
    for first, second in _NEIGHBOURS:
        for channel in range(3):
            differs = np.abs(colour[first][..., channel] - colour[second][..., channel]) > 0.10
            edge[first] |= differs
            edge[second] |= differs
    return edge
