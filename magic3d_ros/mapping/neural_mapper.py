"""Everything that is known of geometry and appearance: the voxel map, what is learned on it, the frames both were made from, and
the judgement of what moves and belongs into neither."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import CueFrame, FeatureGrid, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors.gate import DistractorGate
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.guess_refinement import refined as refined_guesses
from magic3d_ros.mapping.guessed_surface import GuessedSurface
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.monocular_cues import attach as attach_monocular
from magic3d_ros.mapping.refinement.agreement import Agreement, agreement
from magic3d_ros.mapping.refinement.calibration import CameraCalibration
from magic3d_ros.mapping.refinement.motion import WorldMotion
from magic3d_ros.mapping.refinement.refiner import MapRefiner, Progress
from magic3d_ros.mapping.refinement.reports import CorrectionReport, RefinementReport
from magic3d_ros.mapping.self_check import HeldKeyframe, SelfCheck
from magic3d_ros.mapping.surface import View


class NeuralMapper:
    """Frames in, a map out that can be looked at, refined and corrected, while frames go on coming.

    lock: guards all parts; held for moments. layers_lock and moving: of what stands on the map and has to move with it, see
    `MapRefiner`. timed: measures a stage by its name.
    """

    def __init__(self, settings: Settings, layers_lock: AbstractContextManager[object],
                 moving: Callable[[WorldMotion], Callable[[], None]],
                 timed: Callable[[str], AbstractContextManager[None]]) -> None:
        self.lock = threading.RLock()
        self._timed = timed
        self.voxels = Mapper(settings)
        self.distractors = DistractorGate(settings, self.voxels)
        self.keyframes = KeyframeStore(settings.keyframes)
        self.calibration = CameraCalibration()
        self.self_check = SelfCheck(settings.map)
        self.field = FieldTrainer(self.voxels, self.keyframes, settings, self.lock)
        self.guessed = GuessedSurface(settings, self.voxels)
        self._distrusted: list[tuple[int, np.ndarray]] = []
        self._settings = settings
        self._moving_above = moving
        self._refiner = MapRefiner(settings, self.voxels, self.keyframes, self.lock, layers_lock, self._moving, self.calibration)

    def integrate(self, frame: RGBDFrame, features: FeatureGrid | None) -> bool:
        """What stands still in the frame joins the map; True when it became a keyframe.

        features: of a keyframe's image, where they are there already; without, what moves is told by geometry alone.
        """
        frame = self.calibration.applied(frame)
        is_keyframe = self.keyframes.wants(frame)
        with self._timed("distractors"):
            verdict = self.distractors.judge(frame, is_keyframe, features)
        with self._timed("integrate"):
            weights = verdict.weights if verdict.mask.any() else None
            if not (is_keyframe and self.self_check.holds(frame, weights)):
                self.voxels.integrate(frame, weights, carve=is_keyframe)
            remember = self.keyframes.add if is_keyframe else self.keyframes.add_between
            remember(frame, verdict.trust())
        self._join(self.self_check.due(frame.stamp))
        if is_keyframe:
            with self._timed("hindsight"):
                self._look_back()
        return is_keyframe

    def learn(self, cues: CueFrame) -> None:
        """What the 2D models say of a keyframe's appearance and geometry, when it comes after the frame itself too."""
        self.distractors.learn(cues.stamp, cues.features)
        if attach_monocular(self.keyframes, cues):
            keyframe = self.keyframes.get(cues.stamp)
            if keyframe is not None:
                with self._timed("guesses"):
                    self.guessed.learn(keyframe)

    def standing(self, frame: RGBDFrame) -> RGBDFrame:
        """The frame without the depth of what moved in it, as far as its keyframe remembers."""
        frame = self.calibration.applied(frame)
        keyframe = self.keyframes.get(frame.stamp)
        trust = None if keyframe is None else keyframe.trust
        return frame if trust is None else replace(frame, depth=np.where(trust > 0, frame.depth, np.float32(0)))

    def take_distrusted(self) -> list[tuple[int, np.ndarray]]:
        """Stamps of earlier keyframes and (H, W) bool where they were found wrong since the last call: it moved."""
        taken, self._distrusted = self._distrusted, []
        return taken

    def render(self, camera: Camera, camera_to_world: np.ndarray, newest: bool = True) -> View:
        """What a camera at the pose would see; any thread. newest False: see `Mapper.render`.

        Where networks guessed surface that no sensor measured, `View.guessed` says so.
        """
        view = self.field.render(camera, camera_to_world, newest)
        return self.guessed.completed(view, camera, camera_to_world, newest, self.lock)

    def preview(self, camera: Camera, camera_to_world: np.ndarray) -> View:
        """About the same at a third of the cost, see `FieldTrainer.preview`; any thread."""
        view = self.field.preview(camera, camera_to_world)
        return self.guessed.completed(view, camera, camera_to_world, False, self.lock)

    def complete(self) -> None:
        """Keyframes that the self-check kept out of the map join it, compared or not long enough."""
        with self.lock:
            self._join(self.self_check.all_waiting())

    def refine(self, seconds: float, cancelled: Callable[[], bool], progress: Progress, poses: bool, calibration: bool,
               appearance: bool) -> RefinementReport:
        """See `MapRefiner.refine`."""
        self.complete()
        train = self._train_appearance if appearance else None
        if self.guessed.is_empty:
            return self._refiner.refine(seconds, cancelled, progress, poses, calibration, train)
        return refined_guesses(self.guessed, self.voxels, self.keyframes, self._settings, self.lock, seconds, cancelled, progress,
                               lambda left: self._refiner.refine(left, cancelled, progress, poses, calibration, train))

    def correct_poses(self, poses: Mapping[int, np.ndarray]) -> CorrectionReport:
        """See `MapRefiner.correct_poses`."""
        self.complete()
        report = self._refiner.correct_poses(poses)
        if report.keyframes_moved:
            self.field.reset()  # what it learned is where the world was; photographs move with their frames
            self.guessed.rebuild(self.keyframes, self.lock)
        return report

    def parts(self) -> dict[str, Any]:
        """What has a state, by name."""
        return {"mapper": self.voxels, "keyframes": self.keyframes, "field": self.field, "distractors": self.distractors,
                "calibration": self.calibration, "guessed": self.guessed}

    def recall(self) -> None:
        """After the parts were loaded: what follows from them."""
        self.distractors.recall(self.keyframes)
        self.self_check.all_waiting()  # of the map before

    def _train_appearance(self, seconds: float, cancelled: Callable[[], bool], progress: Progress) -> Agreement:
        """Colour learned for a time; how well the field, without the photographs themselves, then agrees with the keyframes."""
        self.field.run(seconds, cancelled, lambda share, loss: progress("appearance", share, loss))
        return agreement(lambda camera, pose: self.field.render(camera, pose, newest=False, photographs=False),
                         list(self.keyframes))

    def _look_back(self) -> None:
        """What earlier frames took for standing, and the new keyframe sees through, is taken out of the map again."""
        for look in self.distractors.doubted():
            keyframe = self.keyframes.any_at(look.stamp)
            if keyframe is None:
                continue
            frame, weights = keyframe.frame(), keyframe.weights()
            weights = np.ones(frame.depth.shape, np.float32) if weights is None else weights
            wrong = self.distractors.reconsider(look, frame) & (weights > 0)
            if wrong.any():
                if not self.self_check.is_waiting(look.stamp):
                    self.voxels.remove(frame, np.where(wrong, weights, np.float32(0)))
                trust = np.round(255.0 * np.where(wrong, np.float32(0), weights)).astype(np.uint8)
                self.keyframes.set_trust(look.stamp, trust)
                if not keyframe.is_between:
                    self._distrusted.append((look.stamp, wrong))

    def _join(self, held: list[HeldKeyframe]) -> None:
        """Keyframes that were kept out of the map are compared with it, then fused."""
        for keyframe in held:
            with self._timed("self_check"):
                self.self_check.compare(keyframe, self.voxels.render)
                # Not carved: what came into view since must not disappear because of an older look.
                remembered = self.keyframes.get(keyframe.frame.stamp)  # what moves in it may have shown meanwhile
                self.voxels.integrate(keyframe.frame, keyframe.weights if remembered is None else remembered.weights())

    def _moving(self, motion: WorldMotion) -> Callable[[], None]:
        """What stands on the map is prepared to move with the world; what is returned moves it when the new map comes."""
        finish_above = self._moving_above(motion)

        def finish() -> None:
            finish_above()
            self.distractors.replace_poses({keyframe.stamp: keyframe.camera_to_world for keyframe in self.keyframes})
            self.self_check.all_waiting()  # they are remembered, so they are in the new map
            self.guessed.hide()

        return finish

