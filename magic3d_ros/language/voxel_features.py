"""A sparse layer of language features on the surface."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_OFFSET = 1 << 20  # voxel coordinates are kept within +-2^20, 42 km at 4 cm
_MAX_WEIGHT = 50.0
"""Observations after which a voxel's mean becomes a moving mean: a thing put down later still gets its say."""


class VoxelFeatures:
    """Weighted means of features by voxel, in float16; when full, the voxels seen longest ago go first.

    voxel_size: metres. max_voxels: cap; at 64 dimensions a voxel takes 150 bytes.
    """

    def __init__(self, voxel_size: float, dimension: int, max_voxels: int = 400_000) -> None:
        self.voxel_size = voxel_size
        self.dimension = dimension
        self.max_voxels = max_voxels
        self._keys = np.zeros(0, np.int64)  # sorted
        self._rows = np.zeros(0, np.int64)  # of each key in the arrays below
        self._features = np.zeros((0, dimension), np.float16)
        self._weights = np.zeros(0, np.float32)
        self._seen = np.zeros(0, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return len(self._keys)

    def keys_of(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points in the world frame -> (N,) int64 voxel keys; -1 for points that are not finite or too far out."""
        with np.errstate(invalid="ignore"):
            cells = np.floor(np.asarray(points, np.float64) / self.voxel_size) + _OFFSET
            inside = np.asarray(((cells >= 0) & (cells < 2 * _OFFSET)).all(1))
        cells = np.where(inside[:, None], cells, 0).astype(np.int64)
        return np.where(inside, (cells[:, 0] << 42) | (cells[:, 1] << 21) | cells[:, 2], -1)

    def add(self, keys: np.ndarray, features: np.ndarray, weights: np.ndarray, stamp: int) -> None:
        """Fuse (N, dimension) features with (N,) positive weights into voxels of unique (N,) keys."""
        places = self._find(keys)
        new = places < 0
        if new.any():
            self._append(keys[new], stamp)
            places = self._find(keys)
        old_weight = self._weights[places]
        total = old_weight + weights
        share = (weights / total)[:, None]
        old = self._features[places].astype(np.float32)
        self._features[places] = old + (features - old) * share
        self._weights[places] = np.minimum(total, _MAX_WEIGHT)
        self._seen[places] = stamp
        if len(self._keys) > self.max_voxels:
            self._forget()

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Copies of the sorted keys (N,), their features (N, dimension) float16, and weights (N,)."""
        return self._keys.copy(), self._features[self._rows], self._weights[self._rows]

    def state(self) -> dict[str, np.ndarray]:
        """Everything, as arrays."""
        keys, features, weights = self.arrays()
        return {"keys": keys, "features": features, "weights": weights, "seen": self._seen[self._rows],
                "voxel_size": np.array([self.voxel_size])}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` gave. Raises ValueError naming what does not fit."""
        keys, features = np.asarray(state["keys"], np.int64), np.asarray(state["features"])
        weights, seen = np.asarray(state["weights"], np.float32), np.asarray(state["seen"], np.int64)
        if features.shape != (len(keys), self.dimension):
            raise ValueError(f"language features are {features.shape}, language.feature_dimension is {self.dimension}")
        if len(weights) != len(keys) or len(seen) != len(keys) or (np.diff(keys) <= 0).any():
            raise ValueError("language voxels are damaged: keys, weights and stamps do not belong together")
        if not np.isclose(float(np.ravel(state["voxel_size"])[0]), self.voxel_size):
            raise ValueError(f"the map's language voxels are {float(np.ravel(state['voxel_size'])[0])} m, "
                             f"language.voxel_size is {self.voxel_size} m")
        self._keys, self._rows, self._count = keys.copy(), np.arange(len(keys)), len(keys)
        self._features, self._weights, self._seen = features.astype(np.float16), weights.copy(), seen.copy()

    def _find(self, keys: np.ndarray) -> np.ndarray:
        return look_up(self._keys, self._rows, keys)

    def _append(self, keys: np.ndarray, stamp: int) -> None:
        needed = self._count + len(keys)
        if needed > len(self._weights):
            room = max(needed, 2 * len(self._weights), 4096) - len(self._weights)
            self._features = np.concatenate([self._features, np.zeros((room, self.dimension), np.float16)])
            self._weights = np.concatenate([self._weights, np.zeros(room, np.float32)])
            self._seen = np.concatenate([self._seen, np.zeros(room, np.int64)])
        rows = np.arange(self._count, needed)
        self._seen[rows] = stamp
        self._count = needed
        merged = np.concatenate([self._keys, keys])
        order = np.argsort(merged, kind="stable")
        self._keys, self._rows = merged[order], np.concatenate([self._rows, rows])[order]

    def _forget(self) -> None:
        """Drop the tenth that was seen longest ago, so that this happens seldom."""
        seen = self._seen[self._rows]
        kept = np.sort(np.argsort(seen, kind="stable")[len(seen) - int(0.9 * self.max_voxels):])
        rows = self._rows[kept]
        self._features, self._weights, self._seen = self._features[rows], self._weights[rows], self._seen[rows]
        self._keys, self._rows, self._count = self._keys[kept], np.arange(len(kept)), len(kept)


def look_up(sorted_keys: np.ndarray, values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The value of each key, -1 where it is not among sorted_keys."""
    if len(sorted_keys) == 0:
        return np.full(len(keys), -1, np.int64)
    places = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[places] == keys, values[places], -1)
