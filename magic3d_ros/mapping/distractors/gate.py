"""What stands between a frame and the map: only what stands still gets through."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cpu_sharing import one_thread
from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.mapping.distractors.detector import DistractorDetector
from magic3d_ros.mapping.distractors.geometric_cues import Look, small_depth
from magic3d_ros.mapping.distractors.moving import MovingThing, moving_points, moving_things
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.predicted_view import PredictedView

_log = logging.getLogger(__name__)


class DistractorGate:
    """Judges every frame before it is fused, and remembers the newest verdict. With distractors.enabled off it trusts all.

    Worked by the thread that adds frames; `last` may be read from any.
    """

    def __init__(self, settings: Settings, mapper: Mapper) -> None:
        self._enabled = settings.distractors.enabled
        self._predicted = PredictedView(mapper.volume)
        self.detector = DistractorDetector(settings.distractors, settings.input.min_depth, 2 * settings.input.max_depth)
        self._newest: tuple[RGBDFrame, DistractorVerdict] | None = None

    @property
    def last(self) -> DistractorVerdict | None:
        """The newest frame's verdict."""
        return None if self._newest is None else self._newest[1]

    def judge(self, frame: RGBDFrame, is_keyframe: bool, features: FeatureGrid | None = None) -> DistractorVerdict:
        """The verdict on a frame that is about to be fused; features of keyframes, where they are there already."""
        if not self._enabled:
            verdict = DistractorVerdict.trusting(frame)
        elif is_keyframe:
            camera = self.detector.small_camera(frame.camera)
            measured = small_depth(frame.depth, camera.width, camera.height)
            with one_thread():
                view = self._predicted.view(camera, frame.camera_to_world, measured)
                verdict = self.detector.observe(frame, features, view)
        else:
            verdict = self.detector.glance(frame)
        self._newest = frame, verdict
        return verdict

    def learn(self, stamp: int, features: FeatureGrid | None) -> None:
        """Features of a keyframe that was judged without them, when they come late."""
        if self._enabled and features is not None:
            with one_thread():
                self.detector.learn(stamp, features)

    def doubted(self) -> list[Look]:
        """Earlier frames that trusted surface which the newest keyframe saw through, the most doubtful first."""
        return self.detector.doubted() if self._enabled else []

    def reconsider(self, look: Look, frame: RGBDFrame) -> np.ndarray:
        """(H, W) bool: what moves in an earlier frame, as it is known now."""
        return self.detector.reconsider(look, frame)

    def points(self) -> np.ndarray:
        """(n, 3) float32 world points of what moves in the newest frame."""
        return np.zeros((0, 3), np.float32) if self._newest is None else moving_points(*self._newest)

    def things(self, up: np.ndarray) -> list[MovingThing]:
        """What moves in the newest frame, in pieces, largest first."""
        return [] if self._newest is None else moving_things(*self._newest, up)

    def replace_poses(self, poses: Mapping[int, np.ndarray]) -> None:
        """Camera-to-world poses of earlier keyframes, by stamp, were corrected."""
        self.detector.replace_poses(poses)

    def recall(self, keyframes: Iterable[Keyframe]) -> None:
        """Remember the depth of a loaded map's keyframes in place of all before."""
        self.detector.forget_views()
        for keyframe in keyframes if self._enabled else ():
            self.detector.remember_view(keyframe.stamp, keyframe.camera, keyframe.camera_to_world, keyframe.depth())

    def state(self) -> dict[str, np.ndarray]:
        """The uncertainty head; views are recalled from the keyframes."""
        return self.detector.state()

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on with what `state` gave. A state without a head (an older map, or nothing was learned) begins anew, and says so.

        Raises ValueError naming what does not fit.
        """
        self._newest = None
        if not state:
            _log.info("the map has no uncertainty head: it is learned anew from the next keyframes on")
        self.detector.load_state(state)
