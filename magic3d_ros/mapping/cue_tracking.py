"""Scale and shift of monocular depth as keyframes come: aligned to what is known from each keyframe's pose, smoothed over time.

What is known is the sensor's depth and, where it has none, the map's rendered depth, into which the keyframes before have put
theirs: so each keyframe agrees with those before it. The scale of a network that changes it little from image to image is better
known than one fit to a few pixels tells; how much it changes is learned from the fits themselves (a Kalman filter of a random
walk, whose drift is the running mean of what the fits' own uncertainty does not explain).
`cue_alignment.align_jointly` does better where there is time: it asks all keyframes at once.
"""

from __future__ import annotations

import numpy as np

from magic3d_ros.mapping.cue_alignment import ROBUST, Alignment, CueView, cauchy, fit

PATCHES = 100  # independent errors in an image: they are smooth over about a tenth of it each way
MEMORY = 10.0  # keyframes over which the drift is averaged


class CueTracker:
    """One network's scale and shift from keyframe to keyframe. smooth: False takes each keyframe's own fit."""

    def __init__(self, smooth: bool = True) -> None:
        self._smooth = smooth
        self.reset()

    def reset(self, kind: str = "") -> None:
        """Forget what was learned; the next keyframe's cue is of a kind."""
        self._kind = kind
        self._state: np.ndarray | None = None  # scale, shift
        self._covariance = np.zeros((2, 2))
        self._drift = np.zeros((2, 2))
        self._count = 0

    def align(self, view: CueView) -> Alignment | None:
        """Scale and shift of the next keyframe by time; view.depth: what is known of its depth. None when nothing ties it down.

        A metric network that nothing ties down is taken as it is, or as it was found to be.
        """
        if view.kind != self._kind:  # another network: nothing of what was learned holds
            self.reset(view.kind)
        found = fit(view.cue, view.depth, inverse=view.inverse)
        if found is None:
            if view.kind != "metric":
                return None
            scale, shift = (1.0, 0.0) if self._state is None else self._state
            return Alignment(float(scale), float(shift), 0, 0.0)
        return self._updated(found, uncertainty(view, found)) if self._smooth else found

    def _updated(self, found: Alignment, noise: np.ndarray) -> Alignment:
        measured = np.array([found.scale, found.shift])
        if self._state is None:
            self._state, self._covariance = measured, noise
            return found
        surprise = measured - self._state
        explained = self._covariance + noise
        self._count += 1
        share = 1.0 / min(self._count, MEMORY)
        self._drift = (1 - share) * self._drift + share * (np.outer(surprise, surprise) - explained)
        predicted = self._covariance + _nonnegative(self._drift)
        gain = predicted @ np.linalg.pinv(predicted + noise)
        self._state = self._state + gain @ surprise
        self._covariance = predicted - gain @ predicted
        if not self._state[0] > 0:
            self._state, self._covariance = measured, noise
        return Alignment(float(self._state[0]), float(self._state[1]), found.support, found.error, found.inverse)


def uncertainty(view: CueView, found: Alignment) -> np.ndarray:
    """(2, 2) covariance of a fit's scale and shift: from how far its pixels spread and how well they agree."""
    known = (view.cue > 0) & (view.depth > 0)
    cue, target = view.cue[known], view.depth[known]
    target = 1.0 / target if found.inverse else target
    error = (found.scale * cue + found.shift) / target - 1.0
    weight = cauchy(error, ROBUST)
    slope = np.stack([cue, np.ones_like(cue)], 1) / target[:, None]
    information = (slope * weight[:, None]).T @ slope
    variance = float((weight * error**2).sum() / weight.sum())
    # An image has PATCHES of them when all of it is known.
    independent = max(PATCHES * len(cue) / view.cue.size, 2.0)
    return variance * np.linalg.pinv(information) * len(cue) / independent


def _nonnegative(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T
