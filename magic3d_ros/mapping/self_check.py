"""How right the map is, measured while it grows: now and then a keyframe is kept out of it for some seconds, then compared.

The same figures as those of held-out frames after a run (evaluation.holdout), at a smaller size, so that they cost a few
milliseconds a keyframe. They are a little better than those: the frames just before and after the one that is kept out show
nearly the same and are in the map.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.config import MapSettings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.surface import View

WIDTH = 160  # pixels of the compared views: rendering takes 30 ms, and that once in map.self_check_every keyframes
TOLERANCE = 0.025  # metres, for in25, as evaluation.holdout has it
REMEMBERED = 20  # comparisons in the figures: a minute or two of driving


@dataclass(frozen=True)
class HeldKeyframe:
    """A keyframe that is not in the map yet. weights: (H, W) trust 0..1 with which it will be fused, None = 1 everywhere."""

    frame: RGBDFrame
    weights: np.ndarray | None


@dataclass(frozen=True)
class Comparison:
    """A keyframe against the map made without it. in25: share of its readings within 2.5 cm, misses wrong; depth_error: median,
    metres; psnr: dB. NaN where nothing could be compared. stamp: of the keyframe (ns)."""

    stamp: int
    in25: float
    depth_error: float
    psnr: float


class SelfCheck:
    """Chooses the keyframes that wait, hands them back when their time has come, and keeps the figures.

    One thread works it; `figures` may be read from any.
    """

    def __init__(self, settings: MapSettings) -> None:
        self._every = settings.self_check_every
        self._wait = round(settings.self_check_seconds * 1e9)
        self._keyframes = 0
        self._checked = 0
        self._waiting: list[HeldKeyframe] = []
        self._comparisons: deque[Comparison] = deque(maxlen=REMEMBERED)

    def holds(self, frame: RGBDFrame, weights: np.ndarray | None) -> bool:
        """Whether this keyframe is kept out of the map for now; it is then remembered here. Asked once a keyframe."""
        self._keyframes += 1
        if self._every == 0 or self._keyframes % self._every:
            return False
        self._waiting.append(HeldKeyframe(frame, weights))
        return True

    def is_waiting(self, stamp: int) -> bool:
        """Whether the keyframe of that stamp is kept out of the map now."""
        return any(held.frame.stamp == stamp for held in self._waiting)

    def due(self, stamp: int) -> list[HeldKeyframe]:
        """The keyframes whose time has come at a stamp (ns), which are forgotten here. Also when time has jumped backwards."""
        return self._taken(lambda held: not 0 <= stamp - held.frame.stamp < self._wait)

    def all_waiting(self) -> list[HeldKeyframe]:
        """All keyframes that wait, which are forgotten here."""
        return self._taken(lambda held: True)

    def compare(self, held: HeldKeyframe, render: Callable[[Camera, np.ndarray], View]) -> Comparison:
        """Compare a keyframe with what `render(camera, camera_to_world)` gives of the map, where it is trusted."""
        frame = held.frame
        width = min(WIDTH, frame.camera.width)
        height = max(1, round(width * frame.camera.height / frame.camera.width))
        view = render(frame.camera.resized(width, height), frame.camera_to_world)
        depth = cv2.resize(frame.depth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        rgb = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
        measured = np.isfinite(depth) & (depth > 0)
        if held.weights is not None:
            trust = cv2.resize(held.weights.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            measured &= trust > 0
        both = measured & (view.depth > 0)
        error = np.abs(view.depth - depth)
        right = float((error[both] <= TOLERANCE).sum() / measured.sum()) if measured.any() else float("nan")
        comparison = Comparison(frame.stamp, right, float("nan"), float("nan"))
        if both.any():
            squared = float(np.mean((view.rgb[both].astype(np.float32) - rgb[both]) ** 2))
            comparison = Comparison(frame.stamp, right, float(np.median(error[both])),
                                    float(10 * np.log10(255.0**2 / max(squared, 1e-6))))
        self._comparisons.append(comparison)
        self._checked += 1
        return comparison

    def figures(self) -> dict[str, float]:
        """checked: keyframes compared so far; waiting: kept out of the map now; means over the last twenty comparisons of in25,
        depth_error (metres) and psnr (dB), which are missing while there is nothing to average."""
        rows = tuple(self._comparisons)
        figures = {"checked": float(self._checked), "waiting": float(len(self._waiting))}
        for name in ("in25", "depth_error", "psnr"):
            values = [value for row in rows if np.isfinite(value := getattr(row, name))]
            if values:
                figures[name] = float(np.mean(values))
        return figures

    def _taken(self, chosen: Callable[[HeldKeyframe], bool]) -> list[HeldKeyframe]:
        taken = [held for held in self._waiting if chosen(held)]
        self._waiting = [held for held in self._waiting if not chosen(held)]
        return taken
