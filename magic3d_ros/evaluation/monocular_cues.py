"""Monocular cues made from true depth, with the errors that networks have, and sensors that are blind where depth is removed.

They stand in for a network's output where none is at hand, and let one measure what cues of a known quality are worth. Each
frame's cue depends on the frame's number and the seed only.

- Depth: true depth times (1 + 1 % noise that is smooth over 40 pixels), then a scale between 1/2 and 2 and a shift between 0
  and 1 that are different in every frame and known to nobody. A steady network's change slowly instead; a metric one's stay
  within 5 % and 5 cm; for inverse depth they are those of 1 / depth.
- Normals: from the true depth, turned by noise of the same smoothness, 0.05 rad about each axis (a mean of 3.6 degrees).

Clean noise: it has no bias that frames share, as networks have, and no blurred edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import cv2
import numpy as np

from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.frames import CueFrame, MonocularGeometry, RGBDFrame

DEPTH_NOISE = 0.01  # standard deviation, share of the depth
NORMAL_NOISE = 0.05  # standard deviation about each axis, rad
SMOOTHNESS = 40.0  # pixels: standard deviation of the Gaussian that noise and blobs are smoothed with
SCALES = (0.5, 2.0)
SHIFTS = (0.0, 1.0)
METRIC_ERRORS = (0.05, 0.05)  # share of the scale and metres of the shift by which a metric network is off
SWING, PERIOD = 0.1, 250.0  # of a steady network's scale and shift: by a tenth up and down, frames from top to top
BLIND_BEYOND = 2.0  # metres
BLOB_SHARE = 0.4
PLACE_SIZE = 0.25  # metres: deviation of the Gaussian that would smooth noise as the places' is
_REDUCTION = 8  # noise is made at an eighth of the size, where its smoothing takes a sixty-fourth of the time


@dataclass(frozen=True)
class SyntheticCues:
    """Makes the cues of frames. `depth`, `normals`: which of them. kind: of the depth, see MonocularGeometry. steady: scale and
    shift change slowly from frame to frame."""

    seed: int = 0
    depth: bool = True
    normals: bool = True
    kind: str = "affine"
    steady: bool = False

    def of(self, frame: RGBDFrame) -> CueFrame:
        """The cues of a frame with true depth; NaN where it has none."""
        random = np.random.default_rng((self.seed, frame.index))
        known = np.isfinite(frame.depth) & (frame.depth > 0)
        height, width = frame.depth.shape
        noise = smooth_noise(height, width, random)
        scale, shift = self._scale_and_shift(frame.index, random)
        noisy = np.where(known, frame.depth, np.nan) * (1.0 + DEPTH_NOISE * noise)
        depth = (scale * (1.0 / noisy if self.kind == "affine_inverse" else noisy) + shift).astype(np.float32)
        normals = turned(DepthNormals().normals(frame), NORMAL_NOISE, random)
        return CueFrame(frame.stamp, monocular=MonocularGeometry(depth if self.depth else None, self.kind,
                                                                 normals if self.normals else None))

    def _scale_and_shift(self, index: int, random: np.random.Generator) -> tuple[float, float]:
        swing = np.sin(2.0 * np.pi * index / PERIOD)
        if self.kind == "metric":
            errors = (swing, swing) if self.steady else random.uniform(-1.0, 1.0, 2)
            return 1.0 + METRIC_ERRORS[0] * float(errors[0]), METRIC_ERRORS[1] * float(errors[1])
        if self.steady:
            return 1.0 + SWING * float(swing), SHIFTS[1] / 2 * (1.0 + SWING * float(swing))
        return float(np.exp(random.uniform(*np.log(SCALES)))), float(random.uniform(*SHIFTS))


def smooth_noise(height: int, width: int, random: np.random.Generator, smoothness: float = SMOOTHNESS) -> np.ndarray:
    """(height, width) float32 noise of mean 0 and standard deviation 1 (over many images), smooth over so many pixels."""
    margin = int(np.ceil(3 * smoothness / _REDUCTION))
    rows, columns = (-(-size // _REDUCTION) + 2 * margin for size in (height, width))
    small = random.standard_normal((rows, columns)).astype(np.float32)
    sigma = smoothness / _REDUCTION
    blurred = cv2.GaussianBlur(small, (0, 0), sigma)[margin:-margin, margin:-margin]
    blurred *= 2.0 * np.sqrt(np.pi) * sigma  # a Gaussian of that width divides the deviation of white noise by so much
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC)


def turned(normals: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    """(h, w, 3) unit normals, each turned by a smooth random rotation vector of `deviation` rad about each axis.

    Normals at half the image's size are smooth over as much of the image: their smoothness is halved with them.
    """
    height, width = normals.shape[:2]
    axis = np.stack([smooth_noise(height, width, random, SMOOTHNESS / 2) for _ in range(3)], -1) * deviation
    moved = normals + np.cross(axis, normals)
    return (moved / np.linalg.norm(moved, axis=-1, keepdims=True)).astype(np.float32)


def blind_beyond(frame: RGBDFrame, distance: float = BLIND_BEYOND) -> RGBDFrame:
    """The frame of a sensor that sees no farther than `distance` metres."""
    return replace(frame, depth=np.where(frame.depth <= distance, frame.depth, 0.0).astype(np.float32))


def blind_in_blobs(frame: RGBDFrame, seed: int = 0, share: float = BLOB_SHARE) -> RGBDFrame:
    """The frame without depth in random smooth blobs that cover about `share` of the image, others in every frame."""
    random = np.random.default_rng((seed, frame.index, 1))
    noise = smooth_noise(frame.depth.shape[0], frame.depth.shape[1], random)
    return replace(frame, depth=np.where(noise > np.quantile(noise, share), frame.depth, 0.0).astype(np.float32))


def blind_in_places(frame: RGBDFrame, seed: int = 0, share: float = BLOB_SHARE) -> RGBDFrame:
    """The frame of a sensor to which some surfaces give no reading, the same ones in every frame, as glass, mirrors and black
    screens do: random smooth places of about half a metre that cover about `share` of space."""
    random = np.random.default_rng((seed, 2))
    waves = random.normal(0.0, 1.0 / (np.sqrt(2.0) * PLACE_SIZE), (3, 64)).astype(np.float32)  # spectrum of such a Gaussian
    phases = random.uniform(0.0, 2.0 * np.pi, 64).astype(np.float32)
    known = frame.depth > 0
    points = (frame.camera.rays()[known] * frame.depth[known][:, None]) @ frame.camera_to_world[:3, :3].T.astype(np.float32)
    points += frame.camera_to_world[:3, 3].astype(np.float32)
    noise = np.concatenate([np.cos(part @ waves + phases).sum(1) for part in np.array_split(points, 1 + len(points) // 65536)])
    depth = frame.depth.copy()
    depth[known] = np.where(noise / np.sqrt(32.0) > NormalDist().inv_cdf(share), depth[known], 0.0)
    return replace(frame, depth=depth)
