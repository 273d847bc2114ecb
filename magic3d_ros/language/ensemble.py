"""Two opinions of every voxel, from images and from geometry: the one that fits a prompt better counts (OpenScene's ensemble).

OpenScene compares cosines as they are. A network that learned for minutes is smoother than what it learned from, so that its best
cosine is larger nearly everywhere, right or wrong: here it is first brought to the scale of what cameras saw of this scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.language.voxel_features import look_up

LEAST_SEEN = 0.3
"""Weight below which cameras have not looked well: one view from 5 m, or one askance from 1.5 m (language/dense_view.py)."""


@dataclass(frozen=True)
class Prediction:
    """What a network says of voxels by geometry. keys (V,) int64 sorted. features (V, C) float16 of unit length. everywhere: it
    counts wherever it fits a prompt better than what cameras saw; else only where they have not looked well."""

    keys: np.ndarray
    features: np.ndarray
    everywhere: bool

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or len(self.features) != len(self.keys) or (np.diff(self.keys) <= 0).any():
            raise ValueError(f"predicted features are {self.features.shape} for {len(self.keys)} voxels: one row a voxel, by "
                             "ascending key")
        if not np.isfinite(self.features).all():
            raise ValueError("predicted features hold NaN or infinity")

    def at(self, keys: np.ndarray) -> np.ndarray:
        """(N, C) float16 features of voxels by their keys, zero where nothing is predicted."""
        rows = look_up(self.keys, np.arange(len(self.keys)), keys)
        found = np.zeros((len(keys), self.features.shape[1]), np.float16)
        found[rows >= 0] = self.features[rows[rows >= 0]]
        return found


def united(keys: np.ndarray, features: np.ndarray, weights: np.ndarray, prediction: Prediction
           ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorted keys, features and weights of voxels that were seen, and of those of which only geometry says something: these have
    zero features and weight. Raises ValueError when the prediction is of another width."""
    if prediction.features.shape[1] != features.shape[1]:
        raise ValueError(f"predicted features have {prediction.features.shape[1]} dimensions, those of images have "
                         f"{features.shape[1]}")
    unseen = prediction.keys[look_up(keys, np.arange(len(keys)), prediction.keys) < 0]
    order = np.argsort(np.concatenate([keys, unseen]), kind="stable")
    return (np.concatenate([keys, unseen])[order],
            np.concatenate([features, np.zeros((len(unseen), features.shape[1]), features.dtype)])[order],
            np.concatenate([weights, np.zeros(len(unseen), weights.dtype)])[order])


def ensembled(seen: np.ndarray, predicted: np.ndarray, weights: np.ndarray, everywhere: bool = True) -> np.ndarray:
    """(V, n) cosines of voxels with n prompts: those of the opinion whose best prompt fits better, prompts not mixed.

    seen: (V, n) of what cameras saw. predicted: (V, n) of what geometry says; a row of zeros says nothing. Its cosines are
    shifted and stretched so that the best of each voxel have the mean and spread that those of `seen` have. weights: (V,)
    observations behind `seen`; below LEAST_SEEN the prediction counts in any case, and only there unless `everywhere`. Raises
    ValueError for shapes that do not fit.
    """
    if seen.shape != predicted.shape or weights.shape != seen.shape[:1]:
        raise ValueError(f"cosines of images {seen.shape}, of geometry {predicted.shape} and weights {weights.shape} do not fit "
                         "together: one row a voxel, one column a prompt")
    if seen.shape[1] == 0:
        return seen
    said = predicted.any(1)
    better = weights < LEAST_SEEN
    both = ~better & said
    if both.sum() > 1:
        mine, other = seen[both].max(1), predicted[both].max(1)
        stretch = mine.std() / other.std() if other.std() > 1e-6 else 1.0
        predicted = (predicted - other.mean()) * stretch + mine.mean()
    if everywhere:
        better |= predicted.max(1) > seen.max(1)
    return np.where((better & said)[:, None], predicted, seen)
