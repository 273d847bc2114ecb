"""The baseline of monocular prediction: what the training rooms look like on average, whatever is in the picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL
from magic3d_ros.training.pictures import PictureError, Pictures


@dataclass(frozen=True)
class MeanMap:
    """log_depth: (h, w) mean log of the canonical depth. normals: (h, w, 3) mean normals, camera frame, unit length."""

    log_depth: np.ndarray
    normals: np.ndarray

    def depth(self, height: int, width: int, focal: float) -> np.ndarray:
        """(height, width) metres for an image of that size and focal length."""
        return np.exp(cv2.resize(self.log_depth, (width, height))) * np.float32(focal / CANONICAL_FOCAL)

    def facing(self, height: int, width: int) -> np.ndarray:
        """(height, width, 3) normals."""
        return unit(cv2.resize(self.normals, (width, height)))

    def save(self, file: Path) -> None:
        """As safetensors."""
        temporary = file.with_suffix(".partial")
        save_file({"log_depth": self.log_depth, "normals": self.normals}, temporary)
        os.replace(temporary, file)

    @staticmethod
    def load(file: Path) -> MeanMap:
        """Read what `save` wrote. Raises PictureError."""
        try:
            stored = load_file(file)
            return MeanMap(stored["log_depth"], stored["normals"])
        except (OSError, KeyError, SafetensorError) as error:
            raise PictureError(f"cannot read the mean map {file} ({error}): `magic3d train predictor` writes it") from error


def mean_map(pictures: Pictures) -> MeanMap:
    """Averaged over pictures one by one: all at once would need gigabytes."""
    total = np.zeros(pictures.depth.shape[1:], np.float64)
    count = np.zeros(pictures.depth.shape[1:], np.int64)
    normals = np.zeros(pictures.normals.shape[1:], np.float64)
    for depth, facing, focal in zip(pictures.depth, pictures.normals, pictures.focal, strict=True):
        known = depth > 0
        total[known] += np.log(depth[known] / 1000.0 * CANONICAL_FOCAL / focal)
        count += known
        normals += facing
    return MeanMap((total / np.maximum(count, 1)).astype(np.float32), unit(normals).astype(np.float32))


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) scaled to length one; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
