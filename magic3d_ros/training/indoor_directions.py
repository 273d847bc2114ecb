"""Directions in which the embedded tier's dense features differ indoors: what a few dimensions should keep.

The classifier's outputs vary in 1000 directions over ImageNet; in rooms in far fewer, and others than over ImageNet. Fitted on
rendered rooms without any label; `bench fusion` has what each choice loses on recordings that were not fitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.embedded.indoor_directions import FORMAT
from magic3d_ros.cues.embedded.joint_space import JointClassSpace
from magic3d_ros.sources.open import open_source

KEPT = 256
FRAMES_APART = 24
"""of a rendered room's 96 frames, so that each is another view."""
OF_IMAGENET = 0.2
"""Weight of the classifier's own directions beside those of the rooms: rendered rooms do not have everything."""


def fit_directions(sources: Sequence[str], settings: Settings, file: Path,
                   progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Write the KEPT leading directions of the rooms' dense features -> how many features they were fitted to.

    sources: recordings, see `open_source`. progress: called with sources done and in all. Raises ValueError when the language
    model is not the embedded one, or there are too few features.
    """
    whole = Settings()
    whole.update(settings.flat())
    whole.set("language.feature_dimension", 1000)
    model = tiers.load("language", whole)
    if not isinstance(model, JointClassSpace):
        raise ValueError("only the embedded tier's features are compressed by directions of their own: leave language.model "
                         "empty")
    seen = []
    for number, source in enumerate(sources, 1):
        for frame in itertools.islice(open_source(source, settings), FRAMES_APART // 8, None, FRAMES_APART):
            seen.append(model.encode_dense([frame.rgb])[0].values.reshape(-1, 1000).astype(np.float32))
        progress(number, len(sources))
    features = np.concatenate(seen)
    if len(features) < 4 * KEPT:
        raise ValueError(f"{len(features)} features are too few for {KEPT} directions: name more rooms")
    # In a thousand dimensions `compress` only turns: turned back, rows are in the order of the classes.
    directions = leading(features, model.compress(model.classifier.T).T) @ model.compress(np.eye(1000, dtype=np.float32)).T
    save_file({"directions": torch.from_numpy(directions).half().contiguous()}, file,
              {"format": FORMAT, "features": str(len(features)), "rooms": str(len(sources))})
    return len(features)


def leading(features: np.ndarray, classifier: np.ndarray, kept: int = KEPT, of_imagenet: float = OF_IMAGENET) -> np.ndarray:
    """(kept, D) orthonormal rows: leading eigenvectors of the covariance of (n, D) features mixed with that of (D, m) classifier
    weights, each divided by its trace."""
    within = np.cov(features.T.astype(np.float64))
    over = classifier.astype(np.float64) @ classifier.T.astype(np.float64)
    mixed = (1 - of_imagenet) * within / np.trace(within) + of_imagenet * over / np.trace(over)
    vectors = np.linalg.eigh(mixed)[1][:, ::-1][:, :kept].T
    return np.ascontiguousarray(vectors).astype(np.float32)
