"""Refined poses where those that came are right on the whole and noisy from frame to frame: the noise is taken out, no more.

Depth alone cannot say whose error it is when it disagrees with the poses in slow waves: theirs, or its own (a sensor's distances
are off by a share that changes slowly with the view). Where poses are known not to drift it is the depth's. The maximum a
posteriori estimate then tells the two apart by how they change in time and by direction: the correction that alignment found for
a frame is the sum of the pose's error, independent from frame to frame, and of the depth's, which changes slowly
(Ornstein-Uhlenbeck process) and is large where the view says little about the pose (the inverse of the alignment's information).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.linalg import solveh_banded

from magic3d_ros.geometry.rigid import moved, vector_of

SHARED = 100.0
"""How many points of a frame have the error of one in common. On redkitchen, whose poses are smooth, the squares of corrections
along the eigenvectors of the information are 66 to 230 (median 120) over the eigenvalues, which span two orders of magnitude; the
trajectory error that is left of noise is 9.4, 8.6 and 8.9 mm with 30, 100 and 300."""
LASTS = 2.0  # seconds that the depth's error keeps: 9.2, 8.6, 8.6 and 9.0 mm are left with 0.5, 1, 2 and 4
LEAST_NOISE = 1e-5  # metres and radians: poses of which nothing can be taken
LEAST_INFORMATION = 1e3  # points of unit weight at a metre: what a view does not tell at all is held by the time before and after
FEWEST = 8  # frames: of fewer the noise is not told from waves, and poses stay


def without_noise(given: Mapping[int, np.ndarray], found: Mapping[int, np.ndarray], information: Mapping[int, np.ndarray]
                  ) -> dict[int, np.ndarray]:
    """Camera-to-world poses by stamp (nanoseconds): those given less the noise that the found ones show to be in them.

    found: as alignment put them, of some or all stamps; the others stay. information: (6, 6) of a turn and a shift in world axes,
    see `Alignment`. The noise's size is told by how much corrections differ from frame to frame.
    """
    stamps = sorted(found)
    if len(stamps) < FEWEST:
        return dict(given)
    corrections = np.array([np.concatenate([vector_of(found[s][:3, :3] @ given[s][:3, :3].T), found[s][:3, 3] - given[s][:3, 3]])
                            for s in stamps])
    of_depth = np.array([_root_of_inverse(information[s]) for s in stamps])
    noise = corrections - _slow(corrections, of_depth, _noise_of(corrections), np.array(stamps) * 1e-9)
    return dict(given) | {s: moved(given[s], step[:3], step[3:]) for s, step in zip(stamps, noise, strict=True)}


def _noise_of(corrections: np.ndarray) -> np.ndarray:
    """(6,) standard deviations of what is independent from row to row (n, 6): second differences of it have six times its
    variance, those of what changes slowly next to none. Median absolute, so that slips do not count."""
    differences = np.abs(corrections[2:] - 2.0 * corrections[1:-1] + corrections[:-2]) / np.sqrt(6.0)
    turn, shift = (max(float(np.median(part)) / 0.6745, LEAST_NOISE) for part in (differences[:, :3], differences[:, 3:]))
    return np.repeat([turn, shift], 3)


def _root_of_inverse(information: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(information)
    return vectors @ np.diag(np.sqrt(SHARED / np.maximum(values, LEAST_INFORMATION))) @ vectors.T


def _slow(corrections: np.ndarray, spread: np.ndarray, noise: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The part (n, 6) of corrections (n, 6) that is `spread` (n, 6, 6) times six processes of unit variance in time (n,), the
    rest having standard deviations `noise` (6,): their most probable values, from one banded system."""
    count = len(times)
    weighted = spread / noise**2  # symmetric spread: its transpose over the variances
    matrix = weighted @ spread + np.eye(6)
    kept = np.exp(-np.diff(times) / LASTS)
    change = 1.0 / np.maximum(1.0 - kept**2, 1e-9)
    matrix[1:] += ((change - 1.0)[:, None, None]) * np.eye(6)
    matrix[:-1] += (change * kept**2)[:, None, None] * np.eye(6)
    bands = np.zeros((7, 6 * count))
    for below in range(6):
        for column in range(6 - below):
            bands[below, column::6] = matrix[:, column + below, column]
    bands[6, :-6] = np.repeat(-change * kept, 6)
    values = solveh_banded(bands, np.einsum("nij,nj->ni", weighted, corrections).ravel(), lower=True)
    return np.einsum("nij,nj->ni", spread, values.reshape(count, 6))
