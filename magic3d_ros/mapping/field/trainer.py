"""The neural map at work: trained in a time budget, rendered at any time, saved with the map."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.field.appearance import recolored
from magic3d_ros.mapping.field.color_training import RENEW_EVERY, ColorTraining
from magic3d_ros.mapping.field.nearest_views import NearestViews
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field.preview import enlarged, half
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.surface import View

logger = logging.getLogger(__name__)

STEADY = 0.6  # share of a run at the full learning rate; then it falls, so that a run ends with what it learned, not with noise
FEWEST_RAYS = 64  # as few as a step of training may have
PREVIEW_VIEWS = 3  # photographs of a preview: the full picture within 33.0 dB on redkitchen, 30.8 with two, 34.9 with six
LAST_RATE = 0.05  # share of the learning rate at the end of a run


def rate_at(over: float) -> float:
    """The share of the learning rate when a share `over` (0..1) of a run is over."""
    return 1.0 if over < STEADY else LAST_RATE ** ((over - STEADY) / (1.0 - STEADY))


class FieldTrainer:
    """Colours (and, where asked for, signed distances) learned from all remembered frames.

    mapper: the geometry. keyframes: what is remembered; read anew all the time, so that frames may come, move and go. lock:
    held for moments while the map is looked at. One thread may train while another renders.
    """

    def __init__(self, mapper: Mapper, keyframes: KeyframeStore, settings: Settings,
                 lock: AbstractContextManager[object] | None = None, bounds: np.ndarray | None = None) -> None:
        self.mapper = mapper
        self.keyframes = keyframes
        self._settings = settings
        self._lock = threading.RLock() if lock is None else lock
        self._bounds = bounds
        self._build()

    def _build(self) -> None:
        self._generator = torch.Generator().manual_seed(0)
        self.field = NeuralField(self._bounds, self._settings.field, lambda: self.mapper.volume)
        self.colors = ColorTraining(self.field, self._settings.field, self._generator, self._lock)
        self._views = NearestViews(self._settings.field.views, self.colors.exposures, self.mapper.volume.device)
        self.steps = 0

    def step(self, share: float = 1.0) -> dict[str, float]:
        """One step at `share` of the learning rate; losses by name, empty while there is nothing to learn from."""
        with self._lock:
            remembered = self.keyframes.remembered()
        if self.steps % RENEW_EVERY == 0 or not self.colors.samples.is_current(remembered):
            with self._lock:
                self.field.base.refresh()
            if self.field.base.is_empty or not remembered:
                return {}
            self.colors.renew(remembered, 1)
        self.steps += 1
        return {"color": self.mapper.memory.in_batches(
            "rays of training", self._settings.field.rays, FEWEST_RAYS, lambda rays: self.colors.step(share, rays))}

    def run(self, seconds: float, cancelled: Callable[[], bool] = lambda: False,
            progress: Callable[[float, float], None] = lambda share, loss: None) -> int:
        """Train for so many seconds of wall clock, or until cancelled; the number of steps.

        progress: called about every tenth of a second with the share of the time that is over and the last loss.
        """
        start = told = time.perf_counter()
        steps = 0
        while not cancelled():
            now = time.perf_counter()
            over = (now - start) / seconds if seconds > 0 else 1.0
            if over >= 1.0:
                break
            losses = self.step(rate_at(over))
            if not losses:
                logger.warning("the neural map has nothing to learn from yet: no surface, or no remembered frame")
                break
            steps += 1
            if now - told > 0.1:
                told = now
                progress(over, sum(losses.values()))
        return steps

    def render(self, camera: Camera, camera_to_world: np.ndarray, newest: bool = True, photographs: bool = True) -> View:
        """What a camera at the pose would see: the map's geometry in the colours of field and photographs.

        Before anything was trained the field's colours are the voxels'. newest: see `Mapper.render`. photographs False: the field
        alone, without the frames nearest to the view; for judging it on frames that are remembered.
        """
        view = self.mapper.render(camera, camera_to_world, newest, self._lock)
        with self._lock:
            remembered = self.keyframes.remembered() if photographs else []
        return recolored(view, self.field if self.steps else None, self._views, remembered, camera, camera_to_world,
                         self.mapper.memory)

    def preview(self, camera: Camera, camera_to_world: np.ndarray) -> View:
        """About what `render` shows, newest False, in a third of the time: for pictures that come again and again.

        Geometry is rendered at half the size, the photographs nearest to the view give it detail at the whole; what none of them
        saw has voxel colours, without what the field learned. The lock is not needed once there is a mesh: a picture waits for
        no frame.
        """
        small = self.mapper.render(half(camera), camera_to_world, False, self._lock)
        return recolored(enlarged(small, camera.width, camera.height), None, self._views, self.keyframes.remembered(), camera,
                         camera_to_world, self.mapper.memory, PREVIEW_VIEWS)

    def reset(self) -> None:
        """Forget everything learned."""
        self._build()

    def state(self) -> dict[str, np.ndarray]:
        """What was learned, as arrays; nothing before the first step. Adam's moments are not part of it: training goes on with
        new ones."""
        if not self.steps:
            return {}
        learned = {name: value.detach().cpu().numpy() for name, value in self.field.state_dict().items()}
        exposures = {f"exposures.{name}": value for name, value in self.colors.exposures.state().items()}
        return {**learned, **exposures, "steps": np.array([self.steps], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave; nothing at all is a field that learned nothing.

        Raises ValueError naming what does not fit.
        """
        self._build()
        if not state:
            return
        for name, value in self.field.state_dict().items():
            if name not in state or state[name].shape != tuple(value.shape):
                found = state[name].shape if name in state else "missing"
                raise ValueError(f"the saved neural map's '{name}' is {found}, the settings of section field make it "
                                 f"{tuple(value.shape)}: load the map with its own settings")
            value.copy_(torch.from_numpy(np.array(state[name])))
        self.colors.exposures.load_state({name[len("exposures."):]: value for name, value in state.items()
                                          if name.startswith("exposures.")})
        self.steps = int(state["steps"][0]) if "steps" in state else 0
