"""What each frame's exposure and white balance did to its colours: a gain and an offset a channel, solved, not trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

STEADINESS = 0.002  # prior, in colour variance: a frame with less contrast than about .045 keeps a gain near 1


class Exposures:
    """photographed = gain * true + offset for every frame, by stamp.

    Least squares instead of parameters: they are right at once, new frames need no optimiser state, and a frame's six numbers
    cannot drift. `batch` centres them: over all frames the mean gain is 1 and the mean offset 0, else the field could grow darker
    while all gains grow.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._values: dict[int, torch.Tensor] = {}  # (2, 3): gain - 1, offset

    def fit(self, stamp: int, true: torch.Tensor, photographed: torch.Tensor, trust: torch.Tensor) -> None:
        """Solve one frame from (n, 3) colours 0..1 and (n,) trust."""
        total = trust.sum()
        if total <= 0:
            return
        weight = (trust / total)[:, None]
        mean, target = (weight * true).sum(0), (weight * photographed).sum(0)
        centred = true - mean
        variance = (weight * centred * centred).sum(0) + STEADINESS
        gain = ((weight * centred * (photographed - target)).sum(0) + STEADINESS) / variance
        self._values[stamp] = torch.stack([gain - 1.0, target - gain * mean]).detach()

    def keep(self, stamps: set[int]) -> None:
        """Forget frames that are no longer remembered."""
        for stamp in set(self._values) - stamps:
            del self._values[stamp]

    def of(self, stamps: list[int]) -> torch.Tensor:
        """(frames, 2, 3) centred gains (first) and offsets of frames; identity for one that was not fitted."""
        zero = torch.zeros(2, 3, device=self._device)
        mean = torch.stack(list(self._values.values())).mean(0) if self._values else zero
        rows = torch.stack([self._values.get(stamp, mean) for stamp in stamps]) if stamps else zero[None][:0]
        return rows - mean + torch.tensor([[1.0], [0.0]], device=self._device)

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays."""
        values = [value.cpu().numpy() for value in self._values.values()]
        return {"stamps": np.array(list(self._values), np.int64), "values": np.array(values, np.float32).reshape(-1, 2, 3)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        stamps, values = state.get("stamps"), state.get("values")
        if stamps is None or values is None or values.shape != (len(stamps), 2, 3) or not np.isfinite(values).all():
            raise ValueError("the exposures of the saved map do not fit: 'stamps' (n,) and finite 'values' (n, 2, 3) are needed")
        self._values = {int(stamp): torch.from_numpy(np.array(value, np.float32)).to(self._device)
                        for stamp, value in zip(stamps, values, strict=True)}


def applied(exposures: torch.Tensor, colors: torch.Tensor) -> torch.Tensor:
    """(n, 3) colours as frames with (n, 2, 3) gains and offsets would photograph them."""
    return colors * exposures[:, 0] + exposures[:, 1]
