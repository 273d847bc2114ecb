"""How well the map agrees with the frames it was made from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.surface import View

LOOKS = 8  # keyframes looked at, evenly spread
WIDTH = 160  # pixels: 0.05 s a look
CLEARER = 0.5
"""dB by which colours must agree better to be believed: a map fused again at the same poses gains up to 0.3 (replica_office0),
one whose depth is off by 2 cm against its colours gains 2 to 3 when that is put right."""


@dataclass(frozen=True)
class Agreement:
    """depth_error: metres, median |rendered - measured|; psnr: dB; NaN where nothing could be compared."""

    depth_error: float = float("nan")
    psnr: float = float("nan")

    def better_than(self, other: Agreement, colors: bool = False) -> bool:
        """Whether depth agrees better, or, where colours count too, they do clearly. What could not be compared is no worse."""
        return not self.depth_error >= other.depth_error or (colors and self.psnr > other.psnr + CLEARER)


def agreement(render: Callable[[Camera, np.ndarray], View], keyframes: list[Keyframe],
              first: AbstractContextManager[object] | None = None) -> Agreement:
    """Render some keyframes' views, reduced, and compare where both have depth and the frame is trusted.

    first: see `align`; entered and left between two keyframes, and between reading and rendering one.
    """
    errors, squares = [], []
    for keyframe in keyframes[::-(-len(keyframes) // LOOKS)] if keyframes else []:
        let_pass(first)
        width = min(WIDTH, keyframe.camera.width)
        height = max(1, round(keyframe.camera.height * width / keyframe.camera.width))
        measured = cv2.resize(keyframe.depth(), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        rgb = cv2.resize(keyframe.rgb(), (width, height), interpolation=cv2.INTER_AREA)
        let_pass(first)
        view = render(keyframe.camera.resized(width, height), keyframe.camera_to_world)
        both = (measured > 0) & (view.depth > 0)
        trust = keyframe.trust
        if trust is not None:
            both &= cv2.resize(trust, (width, height), interpolation=cv2.INTER_NEAREST_EXACT) > 127
        errors.append(np.abs(view.depth - measured)[both])
        squares.append(((view.rgb.astype(np.float32) - rgb)[both] ** 2).mean(1))
    if not errors or not sum(len(e) for e in errors):
        return Agreement()
    square = max(float(np.concatenate(squares).mean()), 1e-6)
    return Agreement(float(np.median(np.concatenate(errors))), float(10 * np.log10(255.0**2 / square)))
