"""Pictures of a scene, coloured by what is asked of it, small enough to travel inside a page."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import cv2
import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.report.view import SurfaceView
from magic3d_ros.scene import Scene

OVERSAMPLING = 2
"""Rays a pixel along each side; views are made this much larger than they are shown."""
_WEBP_QUALITY = 82
_NOTHING = np.array([128, 128, 128], np.uint8)
_GOLDEN_TURN = 0.618034
"""Of the hue circle: successive ids get colours far apart."""


def palette(ids: Iterable[int], muted: frozenset[int] = frozenset()) -> dict[int, np.ndarray]:
    """A lasting colour for each id, (3,) uint8; pale for those in `muted` (structure)."""
    colors = {}
    for number in ids:
        hue = int(180 * (number * _GOLDEN_TURN % 1.0))
        saturation, value = (45, 205) if number in muted else ((200, 235), (150, 250), (230, 200))[number % 3]
        colors[number] = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    return colors


def natural(scene: Scene, view: SurfaceView) -> np.ndarray:
    """The colours the cameras saw, lifted a little where the whole scene is dark; (H, W, 4) uint8 with transparent background."""
    colors = view.smooth(scene.surface.colors)
    return _finished(view, colors * _gain(colors))


def instances(scene: Scene, view: SurfaceView, colors: dict[int, np.ndarray]) -> np.ndarray:
    """Each thing in its own colour, shaded by the shape of the surface."""
    labels = view.nearest(scene.labels)
    flat = np.tile(_NOTHING, (len(labels), 1)).astype(np.float32)
    for number, color in colors.items():
        flat[labels == number] = color
    return _finished(view, flat * _shade(scene, view))


def heat(scene: Scene, view: SurfaceView, values: np.ndarray, boxes: Iterable[OrientedBox] = ()) -> np.ndarray:
    """How much each place is what was asked for: grey where not, then purple, orange, yellow; boxes around the answers."""
    gray = np.repeat(view.smooth(scene.surface.colors).mean(1, keepdims=True), 3, 1)
    gray = (85 + 0.55 * np.clip(gray * _gain(gray), 0, 255)) * _shade(scene, view)
    level = np.clip(view.smooth(values[:, None].astype(np.float32))[:, 0], 0, 1)
    glow = cv2.applyColorMap((255 * (0.25 + 0.75 * level)).astype(np.uint8)[None], cv2.COLORMAP_INFERNO)[0, :, ::-1]
    share = np.clip(level * 1.6 - 0.3, 0, 0.92)[:, None]
    picture = _finished(view, gray * (1 - share) + glow * share)
    for box in boxes:
        _draw_box(picture, box, view)
    return picture


def overlay(rgb: np.ndarray, scene: Scene, view: SurfaceView, colors: dict[int, np.ndarray], strength: float = 0.5) -> np.ndarray:
    """Things of the map painted over a camera image, with their outlines; (H, W, 3) uint8."""
    labels = np.full(view.seen.shape, -1, np.int32)
    labels[view.seen] = view.nearest(scene.labels)
    painted = rgb.astype(np.float32)
    for number, color in colors.items():
        mask = labels == number
        painted[mask] = (1 - strength) * painted[mask] + strength * color
    shifted = np.pad(labels, 1, mode="edge")
    border = (labels != shifted[2:, 1:-1]) | (labels != shifted[1:-1, 2:])
    painted[border] = 255
    return painted.astype(np.uint8)


def reduced(picture: np.ndarray, width: int) -> np.ndarray:
    """A picture at another width, never enlarged; transparent borders stay clean."""
    scale = width / picture.shape[1]
    if scale >= 1:
        return picture
    size = (width, max(1, round(picture.shape[0] * scale)))
    if picture.shape[2] == 3:
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    alpha = picture[..., 3:].astype(np.float32) / 255
    small = cv2.resize(np.concatenate([picture[..., :3] * alpha, alpha], 2), size, interpolation=cv2.INTER_AREA)
    colors = small[..., :3] / np.maximum(small[..., 3:], 1e-3)
    return np.clip(np.concatenate([colors, small[..., 3:] * 255], 2), 0, 255).astype(np.uint8)


def data_uri(picture: np.ndarray) -> str:
    """An RGB or RGBA picture as a WebP data URI: a page that carries its pictures needs nothing else."""
    code = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    encoded = cv2.imencode(".webp", cv2.cvtColor(picture, code), [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])[1]
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def _gain(colors: np.ndarray) -> float:
    """Brings the brightest parts of a dark scene up, by a factor of at most 1.8."""
    return float(np.clip(235 / max(float(np.percentile(colors, 97)), 1.0), 1.0, 1.8)) if len(colors) else 1.0


def _shade(scene: Scene, view: SurfaceView) -> np.ndarray:
    """(n, 1): surfaces that face the viewer or the sky are lighter, so shapes show without their colours."""
    normals = view.smooth(scene.surface.normals)
    return (0.55 + 0.25 * np.abs(normals @ view.direction) + 0.2 * np.clip(normals @ scene.up, 0, 1))[:, None]


def _finished(view: SurfaceView, colors: np.ndarray) -> np.ndarray:
    opaque = np.full((len(colors), 1), 255, np.float32)
    return view.image(np.concatenate([np.clip(colors, 0, 255), opaque], 1)).astype(np.uint8)


def _draw_box(picture: np.ndarray, box: OrientedBox, view: SurfaceView) -> None:
    if view.affine is None:
        raise ValueError("boxes are drawn into orthographic views only")
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    corners = box.center + (signs * box.size / 2) @ box.rotation.T
    pixels = corners @ view.affine[:, :3].T + view.affine[:, 3]
    for first in range(8):
        for axis in (1, 2, 4):
            if not first & axis:
                start, end = (tuple(np.round(pixels[k]).astype(int).tolist()) for k in (first, first | axis))
                cv2.line(picture, start, end, (70, 230, 120, 255), 2 * OVERSAMPLING, cv2.LINE_AA)
