"""The 2D models of a tier, run on keyframes in batches. Stateless: any number of processes may share the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.embedded.joint_space import JointClassSpace
from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.cues.running_model import RunningModel
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import Camera, CueFrame, MonocularGeometry, RGBDFrame, check_image

_CPU = torch.device("cpu")
_log = logging.getLogger(__name__)


class CueExtractor:
    """What the 2D models say of frames. The models are loaded when first needed; calls from several threads take turns.

    The language model is necessary; another that cannot be loaded or fails is named in `problems` and in the log, and the cues go
    without its part. Raises ModelError, or ImportError naming the package when the embedded tier's weights are not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._running: dict[str, RunningModel[Any]] = {}
        self._unloaded: dict[str, str] = {}
        self._loaded = False
        depth_normals = DepthNormals()
        self._surface: RunningModel[np.ndarray] = RunningModel(
            "normals of depth", depth_normals, lambda frames: [depth_normals.normals(frame) for frame in frames], _CPU)

    @property
    def name(self) -> str:
        """What makes these cues; cues of another name do not belong into the same map."""
        settings = self._settings
        features, language = (tiers.model_of(kind, settings) for kind in ("features", "language"))
        shown = "efficientnet-lite0" if language == tiers.EMBEDDED else tiers.short_name(language)
        name = f"{settings.cues.tier}/{shown}/{settings.language.feature_dimension}"
        usual = tiers.TIERS[settings.cues.tier]["features"]
        return name if features == usual else f"{name}/{tiers.short_name(features)}"

    @property
    def language(self) -> LanguageModel:
        """The image-language model."""
        with self._lock:
            if "language" not in self._running:
                self._running["language"] = start_model("language", self._settings)
            model: LanguageModel = self._running["language"].model
            return model

    @property
    def problems(self) -> dict[str, str]:
        """By kind, why there are no such cues now; empty when all is well."""
        return self._unloaded | {running.kind: running.problem for running in self.running if running.problem}

    @property
    def running(self) -> list[RunningModel[Any]]:
        """What is loaded, in the order in which it sees a frame."""
        return [*list(self._running.values()), self._surface]

    def figures(self) -> dict[str, float | str]:
        """Time and memory of each model, for diagnostics."""
        return {name: value for running in self.running for name, value in running.figures().items()}

    def load(self) -> None:
        """Load all models that are not yet, and run those on a GPU once. Raises ModelError for the language model alone."""
        with self._lock:
            if self._loaded:
                return
            if isinstance(self.language, JointClassSpace):
                self.language.load()
            for kind in tiers.KINDS:
                if kind not in self._running and self._needs_own_model(kind):
                    try:
                        self._running[kind] = start_model(kind, self._settings)
                    except Exception as error:  # whatever one model's library raises, the others go on
                        self._unloaded[kind] = str(error) if isinstance(error, (ModelError, ImportError)) else repr(error)
                        _log.error("there will be no %s: %s", kind, error)
            self._loaded = True

    def extract(self, frame: RGBDFrame) -> CueFrame:
        """All cues of one frame. Raises FrameError for an image that no model takes."""
        return self.extract_many([frame])[0]

    def extract_many(self, frames: Sequence[RGBDFrame]) -> list[CueFrame]:
        """All cues of several frames, which may differ in size; models see them in batches.

        Raises FrameError for an image that no model takes, ModelError when no model had an answer.
        """
        for frame in frames:
            check_image(frame.rgb)
        with self._lock:
            self.load()
            made: dict[str, list[Any]] = {}
            timings: dict[str, float] = {}
            for kind, running in self._running.items():
                results = running.run(frames)
                if results is not None:
                    made[kind] = results
                    timings[running.name] = running.milliseconds
            if not made and frames:
                raise ModelError("no model had an answer: " + "; ".join(self.problems.values()))
            normals = self._surface.run(frames)
            timings[self._surface.name] = self._surface.milliseconds
        return [_cue_frame(frame, {kind: results[row] for kind, results in made.items()}, normals[row] if normals else None,
                           timings) for row, frame in enumerate(frames)]

    def _needs_own_model(self, kind: str) -> bool:
        """Whether the settings name a model for the kind that is not already running: the embedded tier's features come out of
        the pass that its language features need."""
        shared = kind == "features" and tiers.model_of(kind, self._settings) == tiers.EMBEDDED
        return tiers.has_model(kind, self._settings) and not (shared and isinstance(self.language, JointClassSpace))


def start_model(kind: str, settings: Settings) -> RunningModel[Any]:
    """Load the model of one kind and, on a GPU or with cues.compile, run it once. Raises ModelError, or ImportError."""
    device = tiers.placement_of(kind, settings).device
    running = _ready(kind, settings, tiers.load(kind, settings), device)
    if device.type == "cuda" or settings.cues.compile:
        running.run([grey_frame()])
        if running.problem and settings.cues.compile:
            _log.warning("%s runs without torch.compile, which failed: %s", running.name, running.problem)
            running = _ready(kind, settings, tiers.load(kind, tiers.without_compiling(settings)), device)
            running.run([grey_frame()])
    return running


def grey_frame(height: int = 480, width: int = 640) -> RGBDFrame:
    """A grey wall a metre away. The size is what most RGB-D cameras give, so that compiled models and cuDNN's choices fit."""
    camera = Camera(width, height, float(width), float(width), width / 2, height / 2)
    return RGBDFrame(0, np.full((height, width, 3), 127, np.uint8), np.ones((height, width), np.float32), camera, np.eye(4))


def _ready(kind: str, settings: Settings, model: Any, device: torch.device) -> RunningModel[Any]:
    call = {"features": _features, "masks": _masks, "language": _language, "edges": _edges}.get(kind, _geometry)
    if isinstance(model, JointClassSpace) and tiers.model_of("features", settings) == tiers.EMBEDDED:
        call = _features_and_language
    return RunningModel(kind, model, lambda frames: call(model, frames), device)


def _features(model: Any, frames: Sequence[RGBDFrame]) -> list[Any]:
    return list(model.features([frame.rgb for frame in frames]))


def _masks(model: Any, frames: Sequence[RGBDFrame]) -> list[Any]:
    return list(model.masks([frame.rgb for frame in frames]))


def _edges(model: Any, frames: Sequence[RGBDFrame]) -> list[Any]:
    return list(model.edges([frame.rgb for frame in frames]))


def _language(model: Any, frames: Sequence[RGBDFrame]) -> list[Any]:
    return list(model.encode_dense([frame.rgb for frame in frames]))


def _features_and_language(model: JointClassSpace, frames: Sequence[RGBDFrame]) -> list[Any]:
    """(features, language) a frame, from one pass of the network."""
    return [model.dense(frame.rgb) for frame in frames]


def _geometry(model: Any, frames: Sequence[RGBDFrame]) -> list[Any]:
    return list(model.geometry([frame.rgb for frame in frames], focal_lengths=[frame.camera.fx for frame in frames]))


def _cue_frame(frame: RGBDFrame, made: dict[str, Any], normals: np.ndarray | None, timings: dict[str, float]) -> CueFrame:
    language, features = made.get("language"), made.get("features")
    if isinstance(language, tuple):
        features, language = language
    monocular: MonocularGeometry | None = made.get("depth")
    guessed: MonocularGeometry | None = made.get("normals")
    if guessed is not None:
        monocular = guessed if monocular is None else replace(monocular, normals=guessed.normals)
    return CueFrame(frame.stamp, features=features, language=language, normals=normals, masks=made.get("masks"),
                    monocular=monocular, edges=made.get("edges"), timings=dict(timings))
