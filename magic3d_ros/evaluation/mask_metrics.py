"""How well distractors are told from what stands, against exact masks.

Pixels of all frames are pooled, so a frame without distractors counts by its false alarms. Per pixel: intersection over union,
recall (share of distractor pixels that are marked), precision, false alarms (share of standing pixels that are marked), and the
area under the receiver operating characteristic of the uncertainty: the chance that a distractor's pixel is more uncertain than
a standing one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

VISIBLE = 0.005  # share of the image from which a frame counts as showing a distractor
LEARNED = 0.7  # IoU from which the detector counts as having learned
RUNNING = 3  # frames over which that IoU is averaged
_BINS = 4096
_LOG_LOW, _LOG_HIGH = np.log(1e-3), np.log(1e3)  # range of uncertainties that are told apart


@dataclass
class MaskTally:
    """Counts pixels; `figures` says what they come to. sampling: the uncertainty is read on one of so many rows and columns."""

    sampling: int = 4
    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    standing: int = 0
    frame_iou: list[float] = field(default_factory=list)
    """IoU of each frame that shows a distractor."""
    _moving_scores: np.ndarray = field(default_factory=lambda: np.zeros(_BINS, np.int64), repr=False)
    _standing_scores: np.ndarray = field(default_factory=lambda: np.zeros(_BINS, np.int64), repr=False)

    def add(self, mask: np.ndarray, truth: np.ndarray, uncertainty: np.ndarray | None = None,
            ignored: np.ndarray | None = None) -> None:
        """One frame. mask, truth: (H, W) bool, True = distractor. uncertainty: (H, W) float, larger = more so. ignored: (H, W)
        bool pixels that do not count. Raises ValueError for sizes that differ."""
        if mask.shape != truth.shape:
            raise ValueError(f"a mask of {mask.shape} cannot be compared with a truth of {truth.shape}")
        counted = np.ones(truth.shape, bool) if ignored is None else ~ignored
        hits = int((mask & truth & counted).sum())
        false_alarms, misses = int((mask & ~truth & counted).sum()), int((~mask & truth & counted).sum())
        self.hits += hits
        self.false_alarms += false_alarms
        self.misses += misses
        self.standing += int((~truth & counted).sum())
        if (truth & counted).mean() > VISIBLE:
            self.frame_iou.append(hits / (hits + false_alarms + misses))
        if uncertainty is not None:
            step = slice(self.sampling // 2, None, self.sampling)
            score, moving, kept = uncertainty[step, step], truth[step, step], counted[step, step]
            place = (np.log(np.maximum(score, 1e-9)) - _LOG_LOW) / (_LOG_HIGH - _LOG_LOW) * _BINS
            place = np.clip(place, 0, _BINS - 1).astype(np.int64)
            self._moving_scores += np.bincount(place[moving & kept], minlength=_BINS)
            self._standing_scores += np.bincount(place[~moving & kept], minlength=_BINS)

    @property
    def auroc(self) -> float:
        """0.5 = guessing, 1 = every distractor pixel is more uncertain than every standing one; NaN without one of the two.
        Equal uncertainties count half."""
        moving, standing = self._moving_scores.sum(), self._standing_scores.sum()
        if moving == 0 or standing == 0:
            return float("nan")
        below = np.cumsum(self._standing_scores) - self._standing_scores
        return float((self._moving_scores * (below + self._standing_scores / 2)).sum() / moving / standing)

    @property
    def frames_until_learned(self) -> int | None:
        """How many frames with a distractor it took until the mean IoU of three was .7; None = never."""
        for last in range(RUNNING, len(self.frame_iou) + 1):
            if np.mean(self.frame_iou[last - RUNNING:last]) >= LEARNED:
                return last
        return None

    def figures(self) -> dict[str, float]:
        """iou, recall, precision, false_alarms (shares; NaN where there is nothing to divide by) and auroc."""
        return {"iou": _share(self.hits, self.hits + self.false_alarms + self.misses),
                "recall": _share(self.hits, self.hits + self.misses),
                "precision": _share(self.hits, self.hits + self.false_alarms),
                "false_alarms": _share(self.false_alarms, self.standing), "auroc": self.auroc}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
