"""Pictures of segmented clouds from above, side by side: what numbers do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from magic3d_ros.geometry.rigid import upright_rotation

_ELEVATION = np.radians(55.0)  # of the eye: walls and what stands on tables are both seen
_HIDDEN_ABOVE = 2.0  # metres over the lowest percentile: ceilings and lamps would hide the room
_WIDTH = 900  # pixels
_DOT = 2  # pixels around each point that it fills: vertices are 2 cm apart


def colors_of(labels: np.ndarray) -> np.ndarray:
    """(N, 3) uint8: one saturated colour for each label, the same in every picture; dark grey for -1."""
    hue = (np.maximum(labels, 0) * 0.618034) % 1.0  # golden ratio: neighbours in number are far in hue
    value = 150 + (np.maximum(labels, 0) * 37) % 106
    hsv = np.stack([hue * 179, np.full(len(labels), 200), value], 1).astype(np.uint8)
    rgb = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0] if len(labels) else np.zeros((0, 3), np.uint8)
    rgb[labels < 0] = 60
    return rgb


def matching_labels(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Predicted labels renamed to the true one that they overlap most, where each true one is given once; others get new ones."""
    pairs, count = np.unique(np.stack([truth, predicted], 1), axis=0, return_counts=True)
    renamed: dict[int, int] = {-1: -1}
    taken: set[int] = set()
    for true, label in pairs[np.argsort(-count, kind="stable")].tolist():
        if true >= 0 and label >= 0 and label not in renamed and true not in taken:
            renamed[label] = true
            taken.add(true)
    free = int(truth.max(initial=-1)) + 1
    for k, label in enumerate(sorted(set(predicted.tolist()) - set(renamed))):
        renamed[label] = free + k
    values, index = np.unique(predicted, return_inverse=True)
    return np.array([renamed[v] for v in values.tolist()], np.int64)[index.ravel()]


def seen_from_above(points: np.ndarray, colors: np.ndarray, up: np.ndarray, turn: float = 0.6) -> np.ndarray:
    """(h, 900, 3) uint8: (N, 3) points with (N, 3) colours from an eye far away, `turn` radians around the vertical."""
    upright = points @ upright_rotation(up).T
    shown = upright[:, 2] < np.percentile(upright[:, 2], 1) + _HIDDEN_ABOVE if len(points) else np.zeros(0, bool)
    upright, colors = upright[shown], colors[shown]
    if len(upright) == 0:
        return np.full((100, _WIDTH, 3), 255, np.uint8)
    c, s = np.cos(turn), np.sin(turn)
    x, depth = upright[:, 0] * c - upright[:, 1] * s, upright[:, 0] * s + upright[:, 1] * c
    y = -upright[:, 2] * np.cos(_ELEVATION) - depth * np.sin(_ELEVATION)
    nearness = upright[:, 2] * np.sin(_ELEVATION) - depth * np.cos(_ELEVATION)
    scale = (_WIDTH - 20) / max(float(np.ptp(x)), 1e-6)
    column, row = ((x - x.min()) * scale + 10).astype(int), ((y - y.min()) * scale + 10).astype(int)
    image = np.full((int(row.max()) + 11, _WIDTH, 3), 255, np.uint8)
    order = np.argsort(nearness, kind="stable")
    for dy in range(-_DOT, _DOT + 1):
        for dx in range(-_DOT, _DOT + 1):
            image[(row + dy)[order].clip(0, len(image) - 1), (column + dx)[order].clip(0, _WIDTH - 1)] = colors[order]
    return image


def write_beside(path: Path, images: Sequence[np.ndarray], names: Sequence[str]) -> None:
    """Images of equal size beside each other, with their names above, as PNG. Raises OSError when it cannot be written."""
    labelled = []
    for image, name in zip(images, names, strict=True):
        strip = np.full((40, image.shape[1], 3), 255, np.uint8)
        cv2.putText(strip, name, (10, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
        labelled.append(np.concatenate([strip, image]))
    done, encoded = cv2.imencode(".png", np.concatenate(labelled, 1)[..., ::-1])
    if not done:
        raise OSError(f"{path} cannot be encoded")
    path.write_bytes(encoded.tobytes())
