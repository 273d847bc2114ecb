"""The 2D models of a tier, run on one keyframe after another. Stateless: any number of processes may share the work."""

from __future__ import annotations

import threading
import time

import torch

from magic3d_ros.config import Settings
from magic3d_ros.cues.embedded.efficientnet import EfficientNetLite
from magic3d_ros.cues.embedded.joint_space import JointClassSpace
from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.cues.embedded.sentence import SentenceEncoder
from magic3d_ros.frames import CueFrame, RGBDFrame


class CueExtractor:
    """What the 2D models say of a frame. The models are loaded when first needed; calls from several threads take turns.

    Raises ImportError naming the package when a model's weights are not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._language: JointClassSpace | None = None
        self._normals = DepthNormals()

    @property
    def name(self) -> str:
        """What makes these cues; cues of another name do not belong into the same map."""
        language = self._settings.language
        return f"{self._settings.cues.tier}/{language.model or 'efficientnet-lite0'}/{language.feature_dimension}"

    @property
    def language(self) -> JointClassSpace:
        """The image-language model."""
        with self._lock:
            if self._language is None:
                device = "cuda" if torch.cuda.is_available() and self._settings.map.device != "cpu" else "cpu"
                images = EfficientNetLite(device, self._settings.cues.max_width)
                self._language = JointClassSpace(images, SentenceEncoder(), self._settings.language.feature_dimension,
                                                 self._settings.language.lexicon)
            return self._language

    def extract(self, frame: RGBDFrame) -> CueFrame:
        """All cues of one frame."""
        model = self.language
        with self._lock:
            start = time.perf_counter()
            features, language = model.dense(frame.rgb)
            middle = time.perf_counter()
            normals = self._normals.normals(frame)
            end = time.perf_counter()
        timings = {model.name: (middle - start) * 1e3, self._normals.name: (end - middle) * 1e3}
        return CueFrame(frame.stamp, features=features, language=language, normals=normals, timings=timings)
