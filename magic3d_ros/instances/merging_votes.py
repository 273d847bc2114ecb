"""Votes of tracks for voxels: a sparse grid that is added to and subtracted from, so that what is withdrawn leaves no trace."""

from __future__ import annotations

import numpy as np

VOXEL = 0.04  # metres; finer ones cost in proportion and gain little (docs/instances.md)
SLOTS = 4  # tracks that a voxel can remember; more than two compete only at borders
_SIDE = 8  # voxels along a block's edge
_BLOCK = _SIDE**3
_HALF = 1 << 20  # blocks either way that a key can hold: 200 km
_MOST_VOTES = 60000  # of uint16


class VoteGrid:
    """How many keyframes voted for which track (0, 1, ...) in which voxel. A voxel beyond four tracks takes no further one."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}  # block -> its row in the arrays
        self.tracks = np.full((0, SLOTS), -1, np.int32)  # (capacity * 512, slots); -1 = free
        self.votes = np.zeros((0, SLOTS), np.uint16)

    def addresses(self, points: np.ndarray, make: bool = False) -> np.ndarray:
        """(N,) int64 place of the voxel of each of (N, 3) finite points; -1 where there is none. make: make those missing."""
        voxel = np.floor(np.asarray(points, np.float64) / VOXEL).astype(np.int64)
        block = np.clip(voxel >> 3, -_HALF, _HALF - 1) + _HALF
        key = (block[:, 0] << 42) | (block[:, 1] << 21) | block[:, 2]
        # Neighbours in the list are mostly of one block: one look-up for each run of equal keys, without sorting.
        start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, np.int64)
        rows = np.empty(len(start), np.int64)
        for k, value in enumerate(key[start].tolist()):
            row = self._row.get(value, -1)
            if row < 0 and make:
                row = self._row[value] = len(self._row)
            rows[k] = row
        if make and len(self._row) * _BLOCK > len(self.tracks):
            self._grow()
        row_of = np.repeat(rows, np.diff(np.append(start, len(key))))
        within = voxel & 7
        address = row_of * _BLOCK + ((within[:, 0] << 6) | (within[:, 1] << 3) | within[:, 2])
        return np.where(row_of < 0, -1, address)

    def add(self, address: np.ndarray, track: np.ndarray) -> None:
        """One vote in each of (N,) different voxels for the (N,) tracks."""
        known, slot = self._slot(address, track)
        at, slot = address[known], slot[known]
        self.votes[at, slot] = np.minimum(self.votes[at, slot], _MOST_VOTES) + 1
        new, track = address[~known], track[~known]
        free = self.votes[new] == 0
        room = free.any(1)
        slot = free.argmax(1)
        self.tracks[new[room], slot[room]] = track[room]
        self.votes[new[room], slot[room]] = 1

    def subtract(self, address: np.ndarray, track: np.ndarray) -> None:
        """Take back what `add` gave."""
        known, slot = self._slot(address, track)
        at, slot = address[known], slot[known]
        left = self.votes[at, slot] - 1
        self.votes[at, slot] = left
        self.tracks[at[left == 0], slot[left == 0]] = -1

    def rename(self, address: np.ndarray, name: np.ndarray) -> None:
        """Give the tracks of different (N,) voxels their new names, (T,) int64 by the old; votes for equal ones add up."""
        tracks, votes = np.append(name, -1)[self.tracks[address]], self.votes[address].astype(np.int64)
        for one in range(SLOTS):
            for other in range(one + 1, SLOTS):
                equal = (tracks[:, one] == tracks[:, other]) & (tracks[:, one] >= 0)
                if equal.any():
                    votes[equal, one] += votes[equal, other]
                    votes[equal, other] = 0
                    tracks[equal, other] = -1
        self.tracks[address], self.votes[address] = tracks, np.minimum(votes, _MOST_VOTES)

    def clear(self) -> None:
        """Forget all votes."""
        self._row.clear()
        self.tracks, self.votes = np.full((0, SLOTS), -1, np.int32), np.zeros((0, SLOTS), np.uint16)

    def read(self, address: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tracks (N, 4) int32, -1 = none, and their votes (N, 4), of (N,) addresses; none where the address is -1."""
        if len(self.tracks) == 0:
            return np.full((len(address), SLOTS), -1, np.int32), np.zeros((len(address), SLOTS), np.uint16)
        missing = (address < 0)[:, None]
        return np.where(missing, -1, self.tracks[address]), np.where(missing, 0, self.votes[address])

    def _slot(self, address: np.ndarray, track: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hit = self.tracks[address] == np.asarray(track)[:, None]
        return hit.any(1), hit.argmax(1)

    def _grow(self) -> None:
        capacity = max(2 * len(self.tracks), len(self._row) * _BLOCK, 64 * _BLOCK)
        more = capacity - len(self.tracks)
        self.tracks = np.concatenate([self.tracks, np.full((more, SLOTS), -1, np.int32)])
        self.votes = np.concatenate([self.votes, np.zeros((more, SLOTS), np.uint16)])
