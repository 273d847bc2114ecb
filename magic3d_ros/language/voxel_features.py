"""A sparse layer of language features on the surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import scipy.sparse as sparse

_OFFSET = 1 << 20  # voxel coordinates are kept within +-2^20, 42 km at 4 cm
_MAX_WEIGHT = 50.0
"""Observations after which a voxel's mean becomes a moving mean: a thing put down later still gets its say."""
_NOTHING = 1e-3
"""A sixth of the least weight that a view gives a voxel (dense_view.py): less is what rounding leaves."""


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

    def remove(self, keys: np.ndarray, features: np.ndarray, weights: np.ndarray) -> None:
        """Take out what `add` fused with the same arguments; voxels of which nothing is left go, those not there are passed over.

        What stays is as if it had never been added, but for the rounding of float16, and for voxels that had reached _MAX_WEIGHT,
        in which the oldest has faded.
        """
        places = self._find(keys)
        known = places >= 0
        places, features, weights = places[known], features[known], weights[known]
        left = self._weights[places] - weights
        stays = left > _NOTHING
        kept, share = places[stays], (weights[stays] / left[stays])[:, None]
        old = self._features[kept].astype(np.float32)
        self._features[kept] = old + (old - features[stays]) * share
        self._weights[kept] = left[stays]
        if not stays.all():
            gone = np.zeros(self._count, bool)
            gone[places[~stays]] = True
            self._keep(np.flatnonzero(~gone[self._rows]))

    def copy(self) -> VoxelFeatures:
        """An independent copy."""
        other = VoxelFeatures(self.voxel_size, self.dimension, self.max_voxels)
        other.load_state(self.state())
        return other

    def moved(self, moved: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> VoxelFeatures:
        """The same features elsewhere.

        moved: takes (n, 3) points and the (n,) stamps when each was last seen, gives where they are now. A voxel that moves by
        less than half its edge stays. Others share themselves out by their eight octants among the voxels they fall into, so that
        turning leaves no holes.
        """
        keys, features, weights = self.arrays()
        seen = self._seen[self._rows]
        centers = self.centers_of(keys)
        away = np.abs(moved(centers, seen) - centers).max(1, initial=0.0) > self.voxel_size / 2
        octants = (np.stack(np.unravel_index(np.arange(8), (2, 2, 2)), 1) - 0.5) * self.voxel_size / 2
        points = (centers[away][:, None] + octants).reshape(-1, 3)
        target = np.concatenate([keys[~away], self.keys_of(moved(points, np.repeat(seen[away], 8)))])
        source = np.concatenate([np.flatnonzero(~away), np.repeat(np.flatnonzero(away), 8)])
        share = np.concatenate([np.ones((~away).sum()), np.full(8 * away.sum(), 1 / 8)])
        return self._shared_out(target, source, share, keys, features, weights, seen)

    def since(self, stamp: int) -> VoxelFeatures:
        """Only the voxels seen after a stamp."""
        keys, features, weights = self.arrays()
        seen = self._seen[self._rows]
        rows = np.flatnonzero(seen > stamp)
        return self._shared_out(keys[rows], rows, np.ones(len(rows)), keys, features, weights, seen)

    def joined(self, other: VoxelFeatures) -> VoxelFeatures:
        """The voxels of both; where they meet, the weighted mean."""
        keys, features, weights, seen = (np.concatenate(pair) for pair in zip(
            (*self.arrays(), self._seen[self._rows]), (*other.arrays(), other._seen[other._rows]), strict=True))
        return self._shared_out(keys, np.arange(len(keys)), np.ones(len(keys)), keys, features, weights, seen)

    @property
    def newest(self) -> int:
        """The latest stamp at which a voxel was seen; 0 without any."""
        return int(self._seen[self._rows].max(initial=0))

    def _shared_out(self, target: np.ndarray, source: np.ndarray, share: np.ndarray, keys: np.ndarray, features: np.ndarray,
                    weights: np.ndarray, seen: np.ndarray) -> VoxelFeatures:
        """New voxels `target` (m,) that each take a share (m,) of a row `source` (m,) of the arrays; where several fall into one,
        the weighted mean. Voxels that get less than a quarter of one are fringe and left out."""
        inside = target >= 0
        target, source, share = target[inside], source[inside], share[inside]
        unique, row = np.unique(target, return_inverse=True)
        size = (len(unique), len(keys))
        portion = sparse.csr_matrix((share, (row.ravel(), source)), size)
        weighted = sparse.csr_matrix((share * weights[source], (row.ravel(), source)), size)
        total = np.asarray(weighted.sum(1)).ravel()
        kept = np.asarray(portion.sum(1)).ravel() >= 0.25 - 1e-9
        mean = (weighted @ features.astype(np.float32)) / np.maximum(total, 1e-9)[:, None]
        newest = np.zeros(len(unique), np.int64)
        np.maximum.at(newest, row.ravel(), seen[source])
        made = VoxelFeatures(self.voxel_size, self.dimension, self.max_voxels)
        made.load_state({"keys": unique[kept], "features": mean[kept].astype(np.float16),
                         "weights": np.minimum(total[kept], _MAX_WEIGHT).astype(np.float32), "seen": newest[kept],
                         "voxel_size": np.array([self.voxel_size])})
        return made

    def centers_of(self, keys: np.ndarray) -> np.ndarray:
        """(N, 3) float64 centres of voxels, the inverse of `keys_of`."""
        cells = np.stack([keys >> 42, (keys >> 21) & (2 * _OFFSET - 1), keys & (2 * _OFFSET - 1)], 1)
        return (cells - _OFFSET + 0.5) * self.voxel_size

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
        self._keep(kept)

    def _keep(self, kept: np.ndarray) -> None:
        """Only the voxels at these (n,) places of the sorted keys stay."""
        rows = self._rows[kept]
        self._features, self._weights, self._seen = self._features[rows], self._weights[rows], self._seen[rows]
        self._keys, self._rows, self._count = self._keys[kept], np.arange(len(kept)), len(kept)


def look_up(sorted_keys: np.ndarray, values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The value of each key, -1 where it is not among sorted_keys."""
    if len(sorted_keys) == 0:
        return np.full(len(keys), -1, np.int64)
    places = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[places] == keys, values[places], -1)


def nearby_rows(sorted_keys: np.ndarray, layer: VoxelFeatures, points: np.ndarray) -> np.ndarray:
    """(N,) place among sorted_keys of the voxel that each of (N, 3) points falls into; of the first of its six neighbours that
    is among them where it is not itself; -1. layer: gives voxels their size and keys."""
    places = np.arange(len(sorted_keys))
    rows = look_up(sorted_keys, places, layer.keys_of(points))
    for axis in range(3):
        for sign in (-1.0, 1.0):
            missing = np.flatnonzero(rows < 0)
            step = np.zeros(3)
            step[axis] = sign * layer.voxel_size
            rows[missing] = look_up(sorted_keys, places, layer.keys_of(points[missing] + step))
    return rows
