"""A model of an RGB-D sensor: what a structured-light or stereo camera would deliver of an exact image.

The constants describe a Kinect-class sensor at 640x480; lengths in pixels are scaled with the image's width.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.render import ExactImages

REFERENCE_WIDTH = 640
"""Pixel lengths below are for images this wide."""

PATCHY_SHARE, WHITE_SHARE = 0.8, 0.6
"""Deviations of the correlated and the white part of the noise, together 1: block matching leaves mostly the former."""

INTERPOLATION_DEVIATION = 0.86
"""Deviation that cubic interpolation leaves of unit noise on its grid points (measured over 6-fold enlargement)."""


@dataclass(frozen=True)
class SensorModel:
    """Constants of the sensor; every one can be set in a scene's `sensor` section.

    Noise of depth z: noise_floor + noise_growth (z - 0.4)^2 metres, the fit of Nguyen, Izadi and Lovell 2012 ("Modeling Kinect
    sensor noise for improved 3D reconstruction and tracking"): 1.2 mm + 1.9 mm (z - 0.4)^2.
    """

    noise_floor: float = 0.0012
    noise_growth: float = 0.0019
    noise_patch: float = 6.0
    """px: most of the noise is correlated over the matching window of the sensor, here about 6 pixels."""
    edge_jitter: float = 0.45
    """px: lateral deviation at depth edges (Nguyen et al.: .8 px for the raw sensor, before its edge-preserving filter)."""
    disparity_step: float = 0.125
    """px: disparity is quantised to 1/8 pixel (Kinect)."""
    baseline: float = 0.075
    """metres between projector and camera (Kinect: 7.5 cm)."""
    shadow_width: float = 6.0
    """px: strip beside a near thing that the projector does not reach."""
    shadow_step: float = 0.25
    """metres of depth change from which there is a shadow."""
    min_range: float = 0.3
    max_range: float = 4.5
    """metres: readings outside are missing (Kinect: reliable to about 4.5 m)."""
    max_incidence: float = 80.0
    """degrees: surfaces seen more grazing return no pattern."""
    dark_albedo: float = 0.012
    """reflectance below which readings drop out, the more the farther."""
    glass_dropout: float = 0.97
    edge_dropout: float = 0.25
    """share of missing readings on glass, and on depth edges."""
    exposure_swing: float = 0.12
    """slow change of exposure, relative; half of it again comes as a faster one: auto-exposure hunting."""
    white_balance_swing: float = 0.03
    vignette: float = 0.18
    """relative darkening in the corners."""
    blur: float = 0.55
    """px: the lens and demosaicing."""
    shot_noise: float = 0.009
    read_noise: float = 0.8
    """grey levels: read_noise + shot_noise sqrt(255 grey level)."""

    def depth(self, exact: ExactImages, camera: Camera, random: np.random.Generator) -> np.ndarray:
        """(H, W) float32 metres, whole millimetres as sensors deliver them, 0 = no reading."""
        true = exact.depth
        height, width = true.shape
        scale = width / REFERENCE_WIDTH
        seen = np.where(exact.edge, _displaced(true, self.edge_jitter * scale, random), true)
        noise = PATCHY_SHARE * _patchy(height, width, self.noise_patch * scale, random)
        noise += WHITE_SHARE * random.standard_normal((height, width), np.float32)
        seen = seen + self.noise_sigma(seen) * noise
        # the step belongs to the sensor behind the image, whatever width the image was reduced to
        constant = camera.fx / scale * self.baseline
        steps = np.maximum(np.round(constant / np.maximum(seen, 0.05) / self.disparity_step), 1.0)
        seen = constant / (steps * self.disparity_step)
        missing = (true <= self.min_range) | (true > self.max_range)
        missing |= exact.cosine < np.cos(np.radians(self.max_incidence))
        chance = random.random((height, width), np.float32)
        missing |= (exact.albedo < self.dark_albedo) & (chance < np.clip(seen / 2.5, 0.15, 0.9))
        missing |= exact.glass & (chance < self.glass_dropout)
        missing |= exact.edge & (chance < self.edge_dropout)
        missing |= self._shadow(true, max(1, round(self.shadow_width * scale)))
        return np.where(missing, 0.0, np.round(seen * 1000) / 1000).astype(np.float32)

    def noise_sigma(self, depth: np.ndarray) -> np.ndarray:
        """Metres: deviation of the noise at a true depth."""
        return self.noise_floor + self.noise_growth * np.clip(depth - 0.4, 0, None) ** 2

    def colour(self, exact: ExactImages, index: int, random: np.random.Generator) -> np.ndarray:
        """(H, W, 3) uint8 RGB as the camera's automatic exposure and white balance would give it in frame `index`."""
        height, width = exact.depth.shape
        exposure = 1 + self.exposure_swing * np.sin(index / 37.0) + self.exposure_swing / 2 * np.sin(index / 11.0 + 1)
        drift = np.sin(index / 53.0)
        balance = 1 + self.white_balance_swing * np.array([drift, 0.0, -drift])
        picture = tone_mapped(exact.colour * (exposure * balance).astype(np.float32))
        y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / height
        x = (np.arange(width, dtype=np.float32)[None] - width / 2) / width
        picture *= (1 - self.vignette * 2 * (x * x + y * y))[..., None]
        if self.blur > 0:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur * width / REFERENCE_WIDTH + 1e-3)
        grain = self.read_noise + self.shot_noise * np.sqrt(np.clip(picture, 0, None) * 255)
        picture += random.standard_normal((height, width, 3), np.float32) * grain
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _shadow(self, depth: np.ndarray, shift: int) -> np.ndarray:
        """Pixels whose left neighbour `shift` pixels away is nearer by more than shadow_step."""
        shadow = np.zeros(depth.shape, bool)
        left = depth[:, :-shift]
        shadow[:, shift:] = (left < depth[:, shift:] - self.shadow_step) & (left > 0)
        return shadow


def tone_mapped(linear: np.ndarray) -> np.ndarray:
    """Linear light -> display values 0..255 float32: Reinhard's curve with white at 2 (Reinhard et al. 2002), then gamma 2.2."""
    x = np.clip(linear, 0, None)
    x = 1.25 * x * (1 + x / 4) / (1 + x)
    return (np.clip(x, 0, 1) ** np.float32(1 / 2.2) * 255).astype(np.float32)


def _displaced(image: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    height, width = image.shape
    offset = random.standard_normal((2, height, width), np.float32) * deviation
    rows = np.clip(np.round(np.arange(height)[:, None] + offset[0]), 0, height - 1).astype(np.int32)
    columns = np.clip(np.round(np.arange(width)[None] + offset[1]), 0, width - 1).astype(np.int32)
    return image[rows, columns]


def _patchy(height: int, width: int, patch: float, random: np.random.Generator) -> np.ndarray:
    """Unit noise on a grid of `patch` pixels, interpolated smoothly."""
    grid = (max(2, round(height / patch)), max(2, round(width / patch)))
    coarse = random.standard_normal(grid, np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / INTERPOLATION_DEVIATION
