"""How far refined poses follow the depth: the error of the poses that came is told from what alignment found, and taken out.

Depth alone cannot say whose error it is when it disagrees with the poses in slow waves: theirs, or its own (a sensor's distances
are off by a share that changes slowly with the view, and a wall seen alone lets the camera slide along it). A model of both tells
them apart by how they change in time and by direction. The correction that alignment found for a frame is the sum of

- the poses' noise, independent from frame to frame (localisation, motion capture);
- their drift, a random walk (odometry, SLAM);
- the depth's error, which changes slowly (Ornstein-Uhlenbeck process) and is large where the view says little about the pose
  (the inverse of the alignment's information).

How large noise and drift are is what makes the corrections most probable (maximum marginal likelihood); with that, the first two
parts' most probable values (maximum a posteriori) are the poses' error. Process and smoother: Rauch, Tung and Striebel 1965, here
as one banded system (Bell 1994).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.geometry.rigid import moved, vector_of

_log = logging.getLogger(__name__)

SHARED = 30.0
"""How many points of a frame have the error of one in common. On redkitchen, whose poses are smooth, the squares of corrections
along the eigenvectors of the information are 66 to 230 over the eigenvalues, which span two orders of magnitude. 30 instead of
100 makes the corrections of a first round more probable on redkitchen and in the simulated room, each as it is, with noise and
with drift (by 16 to 257 in the logarithm), and drift of 7 mm a root second is told to be 6, not 3."""
LASTS = 2.0  # seconds that the depth's error keeps: of noise on redkitchen 9.2, 8.6, 8.6 and 9.0 mm are left with 0.5, 1, 2 and 4
ARM = 2.0  # metres: drift turns a camera by a radian where it shifts it by so much
DRIFTS = (1e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3)  # metres a root second that are tried; 16 mm are 12 cm in a minute
NOISE_SHARES = (1.0, 0.5, 0.25, 0.1)  # of what differs from frame to frame, that are tried: fast drift differs too
APART = 0.05  # metres, and over ARM radians: what gauge and start may differ by
LEAST_NOISE = 1e-5  # metres and radians
LEAST_INFORMATION = 1e3  # points of unit weight at a metre: what a view does not tell at all is held by the time before and after
LEAST_TIME = 1e-3  # seconds between frames
FEWEST = 8  # frames: of fewer errors are not told apart, and poses stay
_STATES = 12  # of a frame: the depth's error and the poses' drift, six each


@dataclass(frozen=True)
class PoseError:
    """Standard deviations, along and about each axis. noise: (radians, metres) from frame to frame; drift: metres in a second,
    over ARM radians; it grows with the root of time."""

    noise: tuple[float, float]
    drift: float


class Corrections:
    """What alignment found for the frames that it found: (n, 6) world turns about the camera and shifts from the poses that came.

    given: camera-to-world poses by stamp (nanoseconds) as they came; found: those of some or all stamps as alignment put them;
    information: (6, 6) of a turn and a shift in world axes, see `Alignment`.
    """

    def __init__(self, given: Mapping[int, np.ndarray], found: Mapping[int, np.ndarray], information: Mapping[int, np.ndarray]
                 ) -> None:
        self._given = given
        self._stamps = sorted(found)
        turns = [vector_of(found[s][:3, :3] @ given[s][:3, :3].T) for s in self._stamps]
        shifts = [found[s][:3, 3] - given[s][:3, 3] for s in self._stamps]
        self.values = np.concatenate([np.array(part, np.float64).reshape(-1, 3) for part in (turns, shifts)], 1)
        self._of_depth = np.array([_root_of_inverse(information[s]) for s in self._stamps]).reshape(-1, 6, 6)
        self._gaps = np.maximum(np.diff(np.array(self._stamps, np.float64)) * 1e-9, LEAST_TIME)

    def error(self, first: AbstractContextManager[object] | None = None) -> PoseError | None:
        """The error of the poses that makes the corrections most probable; None for fewer than FEWEST. first: see `align`."""
        if len(self.values) < FEWEST:
            return None
        rough = _from_frame_to_frame(self.values)
        best, least = None, np.inf
        for share in NOISE_SHARES:
            for drift in DRIFTS:
                let_pass(first)
                error = PoseError((max(share * rough[0], LEAST_NOISE), max(share * rough[1], LEAST_NOISE)), drift)
                surprise = self._solved(error)[1]
                if surprise < least:
                    best, least = error, surprise
        return best

    def taken_out(self, error: PoseError) -> dict[int, np.ndarray]:
        """The poses that came less their error, by stamp."""
        wrong = self.values - np.einsum("nij,nj->ni", self._of_depth, self._solved(error)[0][:, :6])
        return {s: moved(self._given[s], step[:3], step[3:]) for s, step in zip(self._stamps, wrong, strict=True)}

    def _solved(self, error: PoseError) -> tuple[np.ndarray, float]:
        """Most probable values (n, 12) of the depth's error (in units of its deviation) and of the drift, and the negative
        logarithm of the corrections' probability but for a constant."""
        count = len(self.values)
        noise = np.repeat(np.array(error.noise), 3)
        both = np.concatenate([self._of_depth, np.broadcast_to(np.eye(6), (count, 6, 6))], 2)
        weighted = both / noise[:, None]**2
        matrix = both.transpose(0, 2, 1) @ weighted
        diagonal = np.einsum("nii->ni", matrix)  # a view
        kept = np.exp(-self._gaps / LASTS)
        change = 1.0 / np.maximum(1.0 - kept**2, 1e-9)
        diagonal[:, :6] += 1.0
        diagonal[1:, :6] += (change - 1.0)[:, None]
        diagonal[:-1, :6] += (change * kept**2)[:, None]
        lever = np.repeat([1.0 / ARM, 1.0], 3)
        walk = 1.0 / (error.drift * lever) ** 2 / self._gaps[:, None]
        diagonal[0, 6:] += 1.0 / (APART * lever) ** 2
        diagonal[1:, 6:] += walk
        diagonal[:-1, 6:] += walk
        bands = np.zeros((_STATES + 1, _STATES * count))
        for below in range(_STATES):
            for column in range(_STATES - below):
                bands[below, column::_STATES] = matrix[:, column + below, column]
        bands[_STATES, :-_STATES] = np.concatenate([np.repeat((-change * kept)[:, None], 6, 1), -walk], 1).ravel()
        factor = cholesky_banded(bands, lower=True, overwrite_ab=True, check_finite=False)
        right = np.einsum("nij,ni->nj", weighted, self.values)
        states = cho_solve_banded((factor, True), right.ravel(), check_finite=False).reshape(count, _STATES)
        fit = float((self.values**2 / noise**2).sum() - (right * states).sum())
        width = np.log(factor[0]).sum() - 3.0 * np.log(change).sum() - 0.5 * np.log(walk).sum() + count * np.log(noise).sum()
        return states, 0.5 * fit + float(width)


def _from_frame_to_frame(corrections: np.ndarray) -> tuple[float, float]:
    """(radians, metres), standard deviation of what is independent from row to row (n, 6): its second differences have six times
    its variance, those of what changes slowly next to none. Median absolute, so that slips do not count."""
    differences = np.abs(corrections[2:] - 2.0 * corrections[1:-1] + corrections[:-2]) / np.sqrt(6.0)
    return float(np.median(differences[:, :3])) / 0.6745, float(np.median(differences[:, 3:])) / 0.6745


def _root_of_inverse(information: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(information)
    return vectors @ np.diag(np.sqrt(SHARED / np.maximum(values, LEAST_INFORMATION))) @ vectors.T
