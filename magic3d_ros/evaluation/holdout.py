"""How well the map predicts frames that it was not made from.

Every eighth frame (n % 8 == 4, n the running number in the sequence) is left out of mapping and then compared with what the
map renders from its pose, at full resolution. Definitions, per frame, then averaged over frames:

- in25: share of the pixels with a sensor reading whose rendered depth is within 2.5 cm of it; a pixel that renders nothing is
  wrong.
- coverage: share of the pixels with a sensor reading at which the map renders something.
- psnr (dB), ssim: over the pixels that have both; ssim on luma with the window of Wang et al. 2004 (`image_metrics.ssim`).
- depth_error: median of the absolute depth difference over the same pixels, metres.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from magic3d_ros.evaluation.image_metrics import depth_error, depth_within, psnr, ssim
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View

TOLERANCE = 0.025  # metres, for in25


@dataclass(frozen=True)
class HoldoutReport:
    """Means over the held-out frames, as the module defines them; `frames` counts them."""

    in25: float
    psnr: float
    ssim: float
    coverage: float
    depth_error: float
    frames: int

    def figures(self) -> dict[str, float]:
        """All figures by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def is_held_out(number: int, every: int = 8) -> bool:
    """Whether the frame of that running number is left out of mapping."""
    return number % every == every // 2


def evaluate(render: Callable[[Camera, np.ndarray], View], frames: Iterable[RGBDFrame]) -> HoldoutReport:
    """Compare what `render(camera, camera_to_world)` gives with frames that it has not seen. Raises ValueError without frames."""
    rows = []
    for frame in frames:
        view = render(frame.camera, frame.camera_to_world)
        measured = np.isfinite(frame.depth) & (frame.depth > 0)
        both = measured & (view.depth > 0)
        rows.append((depth_within(view.depth, frame.depth, TOLERANCE, measured), psnr(view.rgb, frame.rgb, both),
                     ssim(view.rgb, frame.rgb, both), float(both.sum() / max(measured.sum(), 1)),
                     depth_error(view.depth, frame.depth, measured)))
    if not rows:
        raise ValueError("no frame was held out: the sequence is shorter than one hold-out interval")
    # A frame that the map does not show at all has no colour figures (NaN); its depth counts as wrong.
    table = np.array(rows, np.float64)
    means = [float(np.mean(column[np.isfinite(column)])) if np.isfinite(column).any() else float("nan") for column in table.T]
    in25, signal, similarity, coverage, error = means
    return HoldoutReport(in25, signal, similarity, coverage, error, len(rows))
