"""How much monocular cues count, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass

DECAY = 10.0  # MonoSDF, model/loss.py: exp(-10 step / end_step)


@dataclass(frozen=True)
class CueWeights:
    """Weights of the monocular terms beside a colour term of weight 1, from MonoSDF's indoor configurations.

    end_step: the step at which they have decayed to exp(-10); 0 keeps them as they are.
    """

    depth: float = 0.1
    normal_absolute: float = 0.05
    normal_cosine: float = 0.05
    end_step: int = 0

    def share(self, step: int) -> float:
        """What is left of the weights at a training step, 0..1."""
        return cue_share(step, self.end_step)


def cue_share(step: int, end_step: int) -> float:
    """exp(-10 step / end_step), or 1 without an end: cues guide the shape first and leave detail to the photographs."""
    return math.exp(-DECAY * step / end_step) if end_step > 0 else 1.0
