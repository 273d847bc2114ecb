"""The way of the data, on one page: a posed RGB-D frame comes in, a scene that can be asked comes out."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import CueFrame, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.views import crop
from magic3d_ros.language.fusion import LanguageMap
from magic3d_ros.mapping.distractors.gate import DistractorGate
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.field.trainer import FieldTrainer
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
from magic3d_ros.scene import Scene, SceneObject


class ScenePipeline:
    """Frames in (`add`), a scene out (`understand`). One thread may add while another understands: frames need not wait for
    seconds of thinking. `scene` is a snapshot any thread may read.

    extractor: the 2D models; None when cues come from elsewhere and are handed to `add_cues`.
    """

    def __init__(self, settings: Settings, extractor: CueExtractor) -> None:
        self.settings = settings
        self.extractor = extractor
        self.mapper = Mapper(settings)
        self.distractors = DistractorGate(settings, self.mapper)
        self.keyframes = KeyframeStore(settings.keyframes)
        self.self_check = SelfCheck(settings.map)
        self.instances = InstanceMapper(settings.instances)
        self.language = LanguageMap(settings.language, settings.query, extractor.language)
        self.up = UpEstimator(settings.input.up)
        self.scene = Scene.empty()
        self.timings: dict[str, list[float]] = defaultdict(list)
        self.last_stamp = 0
        self.waiting_pictures = 0
        self._map_lock = threading.RLock()  # what adding changes; held for moments
        self._understanding = threading.RLock()  # instances and descriptions; held as long as understanding takes
        self.calibration = CameraCalibration()
        self.field = FieldTrainer(self.mapper, self.keyframes, settings, self._map_lock)
        self._refiner = MapRefiner(settings, self.mapper, self.keyframes, self._map_lock, self._understanding, self._moving,
                                   self.calibration)

    def add(self, frame: RGBDFrame) -> bool:
        """Integrate one frame; a keyframe is looked at by the 2D models too (then returns True).

        Raises FrameError for a frame that cannot be used; the scene is unchanged then.
        """
        frame.check()
        cues = None
        if self.keyframes.wants(frame):
            with self._timed("cues"):
                cues = self.extractor.extract(frame)
        is_keyframe = self.integrate(frame, cues)
        if cues is not None:
            self.add_cues(frame, cues)
        return is_keyframe

    def integrate(self, frame: RGBDFrame, cues: CueFrame | None = None) -> bool:
        """The geometric half of `add`: what stands still in the frame joins the map; True when the 2D models should look at it.

        cues: what they already said, if they did; without, what moves is told by geometry alone.
        """
        frame.check()
        with self._map_lock:
            frame = self.calibration.applied(frame)
            is_keyframe = self.keyframes.wants(frame)
            with self._timed("distractors"):
                verdict = self.distractors.judge(frame, is_keyframe, cues.features if cues is not None else None)
            with self._timed("integrate"):
                weights = verdict.weights if verdict.mask.any() else None
                if not (is_keyframe and self.self_check.holds(frame, weights)):
                    self.mapper.integrate(frame, weights, carve=is_keyframe)
                self.last_stamp = frame.stamp
                if is_keyframe:
                    self.keyframes.add(frame, verdict.trust())
                    self.up.observe(frame.camera_to_world)
                else:
                    self.keyframes.add_between(frame, verdict.trust())
            self._join(self.self_check.due(frame.stamp))
        return is_keyframe

    def add_cues(self, frame: RGBDFrame, cues: CueFrame) -> None:
        """The semantic half of `add`: what the 2D models said of a keyframe joins the scene."""
        with self._map_lock:
            self.distractors.learn(frame.stamp, cues.features)
            attach_monocular(self.keyframes, cues)
            with self._timed("language"):
                self.language.observe(self._standing(self.calibration.applied(frame)), cues)

    def understand(self, thorough: bool = False) -> Scene:
        """Bring surface, things and meaning up to date and return them as the new `scene`.

        Only what changed is separated into things again, and of pictures of things that were not looked at yet,
        `language.pictures_per_update` are looked at; `thorough` does all of both, as one does when the recording has ended.
        `waiting_pictures` says how many still wait.
        """
        with self._understanding:
            if thorough:
                self._join_waiting()
            with self._map_lock, self._timed("mesh"):
                surface, stamp = self.mapper.surface(), self.last_stamp
                if len(surface) == 0:
                    return self.scene
                up = self.up.estimate(surface)
                occupancy = self.mapper.occupancy(up)
            with self._timed("instances"):
                found = self.instances.update(surface, list(self.keyframes), up, whole=thorough)
            with self._timed("describe"):
                crops = {i: [(v.stamp, v.box, lambda v=v: crop(self.keyframes.get(v.stamp), v)) for v in thing.views]  # type: ignore[misc]
                         for i, thing in found.instances.items() if thing.kind == "object"}
                budget = None if thorough else self.settings.language.pictures_per_update
                self.waiting_pictures = self.language.describe(crops, budget)
                with self._map_lock:
                    language = self.language.snapshot()
                names = language.names(found.instances.values(), up, surface, found.labels)
            objects = tuple(
                SceneObject(i.id, i.kind, names[i.id][0], names[i.id][1], i.confidence, i.box, i.centroid, i.n_points, i.n_views,
                            i.first_seen, i.last_seen, tuple(i.views)) for i in found.instances.values())
            self.scene = Scene(stamp, surface, found.labels, objects, np.asarray(up), language, occupancy)
            return self.scene

    def render(self, camera: Camera, camera_to_world: np.ndarray, newest: bool = True) -> View:
        """What a camera at the pose would see. Any thread: mapping goes on meanwhile, its lock is held for moments.

        newest False: see `Mapper.render`.
        """
        with self._timed("render"):
            return self.field.render(camera, camera_to_world, newest)

    @property
    def last_verdict(self) -> DistractorVerdict | None:
        """What moves in the newest frame, with its stamp; None before the first."""
        return self.distractors.last

    def seen(self, thing_id: int) -> tuple[int, int] | None:
        """Stamps (ns) at which a thing was first and last seen, also when it was carried away since; None for an unknown id."""
        return self.instances.seen(thing_id)

    def moving_points(self) -> np.ndarray:
        """(n, 3) float32 world points of what moves in the newest frame; none of them is in the map."""
        return self.distractors.points()

    def moving_things(self) -> list[SceneObject]:
        """What moves in the newest frame, in pieces, largest first: kind "moving", no name, ids -1, -2, ... of this call only."""
        stamp = self.last_stamp
        return [SceneObject(-1 - i, "moving", "", 0.0, 1.0, thing.box, thing.points.mean(0), len(thing.points), 1, stamp, stamp)
                for i, thing in enumerate(self.distractors.things(np.asarray(self.scene.up)))]

    def refine(self, seconds: float, cancelled: Callable[[], bool] = lambda: False,
               progress: Progress = lambda stage, share, loss: None, poses: bool = True, calibration: bool = False,
               appearance: bool = True) -> RefinementReport:
        """Improve the map for a time from what is remembered of its frames; any thread, mapping goes on meanwhile.

        progress: told the stage, the share of the time (0..1) and the stage's loss. Raises ValueError for a time that is none.
        """
        self._join_waiting()
        report = self._refiner.refine(seconds, cancelled, progress, poses, calibration,
                                      self._train_appearance if appearance else None)
        self.understand()
        return report

    def correct_poses(self, poses: Mapping[int, np.ndarray]) -> CorrectionReport:
        """Corrected camera-to-world poses by stamp (a SLAM's loop closure): geometry, colour, free space, things and meaning move
        together; see `MapRefiner.correct_poses`. Raises ValueError for a pose that is not rigid; nothing has changed then."""
        self._join_waiting()
        report = self._refiner.correct_poses(poses)
        if report.keyframes_moved:
            self.field.reset()  # what it learned is where the world was; photographs move with their frames
            self.understand()
        return report

    def state(self) -> dict[str, np.ndarray]:
        """All that is known, as numeric arrays named part.name; `load_state` goes on from it."""
        with self._understanding, self._map_lock:
            self._join_waiting()
            state = {f"{part}.{name}": array for part, owner in self._parts().items() for name, array in owner.state().items()}
            return state | {"pipeline.last_stamp": np.array([self.last_stamp], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take in what `state` gave; `understand` then makes the scene. Raises ValueError naming what does not fit."""
        if "pipeline.last_stamp" not in state or state["pipeline.last_stamp"].shape != (1,):
            raise ValueError("the state lacks pipeline.last_stamp")
        with self._understanding, self._map_lock:
            for part, owner in self._parts().items():
                owner.load_state({name[len(part) + 1:]: array for name, array in state.items() if name.startswith(f"{part}.")})
            self.distractors.recall(self.keyframes)
            self.self_check.all_waiting()  # of the map before
            self.last_stamp = int(state["pipeline.last_stamp"][0])

    def _train_appearance(self, seconds: float, cancelled: Callable[[], bool], progress: Progress) -> Agreement:
        """Colour learned for a time; how well the field, without the photographs themselves, then agrees with the keyframes."""
        self.field.run(seconds, cancelled, lambda share, loss: progress("appearance", share, loss))
        return agreement(lambda camera, pose: self.field.render(camera, pose, newest=False, photographs=False),
                         list(self.keyframes))

    def _join_waiting(self) -> None:
        """Keyframes that the self-check kept out of the map join it, compared or not long enough."""
        with self._map_lock:
            self._join(self.self_check.all_waiting())

    def _join(self, held: list[HeldKeyframe]) -> None:
        """Keyframes that were kept out of the map are compared with it, then fused."""
        for keyframe in held:
            with self._timed("self_check"):
                self.self_check.compare(keyframe, self.mapper.render)
                # Not carved: what came into view since must not disappear because of an older look.
                self.mapper.integrate(keyframe.frame, keyframe.weights)

    def _standing(self, frame: RGBDFrame) -> RGBDFrame:
        """The frame without the depth of what moved in it, as far as its keyframe remembers."""
        keyframe = self.keyframes.get(frame.stamp)
        trust = None if keyframe is None else keyframe.trust
        return frame if trust is None else replace(frame, depth=np.where(trust > 0, frame.depth, np.float32(0)))

    def _moving(self, motion: WorldMotion) -> Callable[[], None]:
        """Things move with the world, meaning is prepared to; what is returned makes it so when the new map takes its place."""
        self.instances.move(list(self.keyframes), motion.moved)
        language = self.language.moving(motion.moved, self._map_lock)

        def finish() -> None:
            language()
            self.distractors.replace_poses({keyframe.stamp: keyframe.camera_to_world for keyframe in self.keyframes})
            self.self_check.all_waiting()  # they are remembered, so they are in the new map

        return finish

    def _parts(self) -> dict[str, Any]:
        return {"mapper": self.mapper, "keyframes": self.keyframes, "field": self.field,
                "distractors": self.distractors,
                "instances": self.instances, "language": self.language, "up": self.up, "calibration": self.calibration}

    def _timed(self, stage: str):  # noqa: ANN202
        return _Timer(self.timings[stage])


class _Timer:
    def __init__(self, into: list[float]) -> None:
        self._into = into

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._into.append(time.perf_counter() - self._start)
