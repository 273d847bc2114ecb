"""Directions and probabilities."""

from __future__ import annotations

import numpy as np


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scaled to unit length along the last axis; zero stays zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def softmax(values: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    e = np.exp(values - values.max(-1, keepdims=True)) if values.size else values
    return e / e.sum(-1, keepdims=True) if values.size else values
