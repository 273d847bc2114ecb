"""How remembered poses moved: corrections at some times, and what they mean for the times between."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from magic3d_ros.geometry.rigid import blended, inverse


class WorldMotion:
    """World motions (4, 4) by time: what was seen at a stamp moves by the motion of that stamp.

    Between two stamps the motion is interpolated. Before the first nothing moves. After the last everything moves with the last
    where the motion is `lasting`: an odometry that is corrected at its end is off by as much from there on; else nothing moves.
    """

    def __init__(self, before: Mapping[int, np.ndarray], after: Mapping[int, np.ndarray], lasting: bool) -> None:
        """before, after: camera-to-world poses by the same stamps."""
        self._stamps = np.array(sorted(after), np.int64)
        self._motions = [after[s] @ inverse(before[s]) for s in self._stamps.tolist()]
        self._places = [before[s][:3, 3] for s in self._stamps.tolist()]
        self._lasting = lasting

    def at(self, stamp: int) -> np.ndarray:
        """The motion (4, 4) at a time."""
        if len(self._stamps) == 0 or stamp < self._stamps[0]:
            return np.eye(4)
        i = int(np.searchsorted(self._stamps, stamp, "right")) - 1
        if stamp == self._stamps[i] or (i == len(self._stamps) - 1 and self._lasting):
            return self._motions[i]
        if i == len(self._stamps) - 1:
            return np.eye(4)
        share = (stamp - int(self._stamps[i])) / (int(self._stamps[i + 1]) - int(self._stamps[i]))
        place = self._places[i] + share * (self._places[i + 1] - self._places[i])
        return blended(self._motions[i], self._motions[i + 1], share, place)

    def moved(self, points: np.ndarray, stamps: np.ndarray) -> np.ndarray:
        """(n, 3) points, each seen at one of the (n,) stamps, where they are now; float64."""
        moved = np.array(points, np.float64)
        if len(moved) == 0:
            return moved
        unique, which = np.unique(stamps, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        for stamp, rows in zip(unique.tolist(), np.split(order, np.cumsum(np.bincount(which.ravel()))[:-1]), strict=True):
            motion = self.at(stamp)
            moved[rows] = moved[rows] @ motion[:3, :3].T + motion[:3, 3]
        return moved
