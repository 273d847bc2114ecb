"""Training the field's colour on the map's surface: one look-up a ray, because the surface is known."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from magic3d_ros.config import FieldSettings
from magic3d_ros.mapping.field.exposure import Exposures, applied
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field.surface_samples import SurfaceSamples
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.losses.color import color_loss

RENEW_EVERY = 12  # steps after which one frame is decoded and sampled anew: a twentieth of the time
FIT_EVERY = 4  # steps after which one frame's exposure is solved anew
FIT_SAMPLES = 1024  # of a frame, for its exposure: six numbers
BETAS, EPSILON = (0.9, 0.99), 1e-15  # of Adam; Instant-NGP, section 4
HEAD_SHARE = 0.3  # learning rate of the networks against the grid's


class ColorTraining:
    """Steps of colour training; `exposures` and `samples` are what rendering and reports look at.

    first: the lock of a thread that goes first. Entered and left between the parts of a step, which take one to six milliseconds
    each: while the other integrates a frame this one waits, and takes it no time.
    """

    def __init__(self, field: NeuralField, settings: FieldSettings, generator: torch.Generator,
                 first: AbstractContextManager[object] | None = None) -> None:
        self._field = field
        self._settings = settings
        self._first = first or nullcontext()
        device = field.color_grid.table.device
        self.samples = SurfaceSamples(settings.samples, device, generator, self._first)
        self.exposures = Exposures(device)
        rate = settings.learning_rate
        self._optimizer = torch.optim.Adam([{"params": [field.color_grid.table], "lr": rate},
                                            {"params": list(field.color_head.parameters()), "lr": HEAD_SHARE * rate}],
                                           betas=BETAS, eps=EPSILON, fused=True)
        self._steps = 0
        self._current = self.exposures.of([])  # exposures of the samples' rows as they were last solved

    def renew(self, remembered: list[Keyframe], frames: int) -> None:
        """Bring the samples of some frames up to date, and the exposures of those that have samples."""
        self.samples.renew(remembered, self._field.base, frames)
        self.exposures.keep({keyframe.stamp for keyframe in remembered})
        self._current = self.exposures.of(self.samples.stamps)

    def step(self, share: float, rays: int) -> float:
        """One step of Adam with so many rays at `share` of the learning rate; the loss."""
        for group, rate in zip(self._optimizer.param_groups, (1.0, HEAD_SHARE), strict=True):
            group["lr"] = share * rate * self._settings.learning_rate
        batch = self.samples.batch(rays)
        exposures = self._current.index_select(0, batch.rows)
        self._give_way()
        colors = self._field.color(batch.points, batch.directions, batch.voxel_colors)
        loss = color_loss(applied(exposures, colors), batch.colors, batch.trust)
        self._optimizer.zero_grad(set_to_none=True)
        self._give_way()
        loss.backward()
        self._give_way()
        self._optimizer.step()
        self._give_way()
        self._fit_one()
        self._steps += 1
        return float(loss.detach())

    def _give_way(self) -> None:
        with self._first:
            pass

    @torch.no_grad()
    def _fit_one(self) -> None:
        """Solve one frame's exposure: all of them in turn, so that they follow the field."""
        if self._steps % FIT_EVERY:
            return
        row = self._steps // FIT_EVERY % len(self.samples.stamps)
        batch = self.samples.of_row(row, FIT_SAMPLES)
        colors = self._field.color(batch.points, batch.directions, batch.voxel_colors)
        self.exposures.fit(self.samples.stamps[row], colors, batch.colors, batch.trust)
        self._current = self.exposures.of(self.samples.stamps)
