"""How well a map knows the surface that its sensor was not allowed to see.

Depth is removed from every frame before mapping; afterwards the map is looked at from the same poses and compared with the depth
that was removed, pixel by pixel, pooled over all frames:

- within_5cm: share of the removed pixels whose rendered depth is within 5 cm; a pixel that renders nothing is wrong.
- shown: share of the removed pixels at which the map renders something.
- normal_error: mean angle, in degrees, between rendered normals and those of the removed depth (`DepthNormals`), where both are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframe import reduced
from magic3d_ros.mapping.surface import View

TOLERANCE = 0.05  # metres
WIDTH = 400  # pixels of a rendered view, at most


@dataclass(frozen=True)
class HiddenSurfaceReport:
    """Figures as the module defines them. pixels: how many were removed and compared."""

    within_5cm: float
    shown: float
    normal_error: float
    pixels: int

    def figures(self) -> dict[str, float]:
        """All figures by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def evaluate_hidden(render: Callable[[Camera, np.ndarray], View], frames: Iterable[tuple[RGBDFrame, RGBDFrame]],
                    width: int = WIDTH) -> HiddenSurfaceReport:
    """Compare what `render(camera, camera_to_world)` gives with what was removed.

    frames: pairs of a frame with all of its depth and the same frame as the map got it. Raises ValueError when nothing was
    removed.
    """
    pixels = right = shown = angles = 0.0
    compared = 0
    for clean, blinded in frames:
        small, _ = reduced(clean, width)
        step = -(-clean.camera.width // width)
        hidden = (small.depth > 0) & ~(blinded.depth[::step, ::step] > 0)
        view = render(small.camera, small.camera_to_world)
        seen = hidden & (view.depth > 0)
        pixels += float(hidden.sum())
        shown += float(seen.sum())
        right += float((np.abs(view.depth - small.depth)[seen] <= TOLERANCE).sum())
        normals = np.repeat(np.repeat(DepthNormals().normals(clean), 2, 0), 2, 1)
        full = np.full((*clean.depth.shape, 3), np.nan, np.float32)
        full[:normals.shape[0], :normals.shape[1]] = normals
        true = full[::step, ::step]
        both = seen & np.isfinite(true).all(-1) & (np.abs(view.normals).sum(-1) > 0)
        cosine = np.einsum("ij,ij->i", true[both], view.normals[both])
        angles += float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).sum())
        compared += int(both.sum())
    if pixels == 0:
        raise ValueError("no depth was removed from any frame: there is nothing to compare")
    return HiddenSurfaceReport(right / pixels, shown / pixels, angles / compared if compared else float("nan"), int(pixels))
