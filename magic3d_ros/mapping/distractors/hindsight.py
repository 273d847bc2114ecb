"""Which earlier frames a newer keyframe proves wrong: they trusted surface that it sees through."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from magic3d_ros.mapping.distractors.geometric_cues import Look, seen_through

EVERY = 8  # pixels of the small image between the samples: 300 of 160x120
# Samples seen through from which a frame is judged again: 1.3 % of the image. With 10 it costs half, and the simulated room's own
# walker leaves a tenth more behind.
DOUBT = 4
MOST = 8  # frames judged again at one keyframe, 10 ms each; those that are left are still in doubt at the next
# Tolerances by which it must be seen through, 16 cm at 2 m. With one, poses that are off by a little take true surface out of the
# map: .0015 of in25 on redkitchen's composite, with two nothing, and in exact recordings nothing is lost.
MARGIN = 2.0


class Hindsight:
    """The last frames as samples of the surface that they trusted. capacity: frames; 2 MB for 200, and 15 MB of small depth."""

    def __init__(self, capacity: int = 200) -> None:
        self._capacity = capacity
        self._looks: dict[int, Look] = {}
        self._samples: dict[int, np.ndarray] = {}  # (n, 3) float64 world

    def __len__(self) -> int:
        return len(self._looks)

    def remember(self, look: Look, trusted: np.ndarray) -> None:
        """Remember, or remember anew, a frame and which of its pixels (h, w) bool are trusted to stand."""
        while len(self._looks) >= self._capacity and look.stamp not in self._looks:
            oldest = next(iter(self._looks))
            del self._looks[oldest], self._samples[oldest]
        rows, columns = np.nonzero((trusted & (look.depth > 0))[EVERY // 2::EVERY, EVERY // 2::EVERY])
        rows, columns = rows * EVERY + EVERY // 2, columns * EVERY + EVERY // 2
        points = look.camera.rays()[rows, columns].astype(np.float64) * look.depth[rows, columns][:, None]
        pose = look.camera_to_world
        self._looks[look.stamp] = look
        self._samples[look.stamp] = points @ pose[:3, :3].T + pose[:3, 3]

    def doubted(self, newest: Look) -> list[Look]:
        """Earlier frames of whose trusted surface a new keyframe sees through something: the most doubtful ones, worst first."""
        stamps = [stamp for stamp, samples in self._samples.items() if stamp != newest.stamp and len(samples)]
        if not stamps:
            return []
        samples = [self._samples[stamp] for stamp in stamps]
        level = np.eye(4)
        level[:3, 3] = newest.camera_to_world[:3, 3]  # relative to the newest camera float32 is exact enough
        points = (np.concatenate(samples) - level[:3, 3]).astype(np.float32)
        through = np.zeros(len(points), bool)
        through[seen_through(newest, points, level, MARGIN)] = True
        ends = np.cumsum([len(sample) for sample in samples])
        counts = np.add.reduceat(through.astype(np.int64), ends - [len(sample) for sample in samples])
        return [self._looks[stamps[i]] for i in np.argsort(-counts, kind="stable")[:MOST] if counts[i] >= DOUBT]

    def forget(self, stamps: Iterable[int] | None = None) -> None:
        """Forget some frames, or all."""
        for stamp in list(self._looks) if stamps is None else stamps:
            self._looks.pop(stamp, None)
            self._samples.pop(stamp, None)
