"""What geometry says of every pixel: it moves, it stands, or nothing is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.mapping.distractors.geometric_cues import NEVER, History


@dataclass(frozen=True)
class Evidence:
    """What geometry says of the pixels of one small image, (h, w) bool each; a pixel of which nothing is known is neither.

    measured: has depth. moving: its place was seen free, and not filled for long enough since. standing: earlier keyframes saw
    surface there. age: (h, w) float32 seconds for which it stands, 0 where it does not, inf where it came and
    has settled.
    """

    measured: np.ndarray
    moving: np.ndarray
    standing: np.ndarray
    age: np.ndarray

    @staticmethod
    def of(measured: np.ndarray, history: History, before: np.ndarray, now: int | None, settle: int) -> Evidence:
        """From the history of the measured pixels' points (in their order), and from `before` (h, w), metres by which the sensor
        sees surface before all that the map shows. now: ns, when they were seen; None when that is in the history already.
        settle: ns after which a thing that came stands."""
        free = before > 0
        stood = np.zeros(measured.shape, np.int64)  # ns
        filled = np.zeros(measured.shape, bool)
        free[measured] |= history.free > 0
        filled[measured] = history.since < NEVER
        until = history.until if now is None else now
        stood[measured] = np.maximum(until - np.minimum(history.since, until), 0)
        settled = filled & (stood >= settle)
        standing = filled & (~free | settled)
        age = np.where(standing, stood * 1e-9, 0.0).astype(np.float32)
        age[standing & free] = np.inf
        return Evidence(measured, free & ~settled, standing, age)

    @property
    def known(self) -> np.ndarray:
        """Where geometry says anything."""
        return self.moving | self.standing

    @property
    def empty(self) -> bool:
        """Whether geometry says nothing at all."""
        return not bool(self.known.any())
