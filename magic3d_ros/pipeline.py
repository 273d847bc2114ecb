"""The way of the data, on one page: a posed RGB-D frame comes in, a scene that can be asked comes out."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cues import tiers
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import CueFrame, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.frame_masks import frame_masks
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.merging_boundaries import FRAME_MASK_TRUST, MASK_TRUST
from magic3d_ros.instances.views import crop
from magic3d_ros.language.distillation import distilled
from magic3d_ros.language.distillation_network import DistillationError
from magic3d_ros.language.ensemble import Prediction
from magic3d_ros.language.fusion import LanguageMap
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.neural_mapper import NeuralMapper
from magic3d_ros.mapping.refinement.motion import WorldMotion
from magic3d_ros.mapping.refinement.refiner import Progress
from magic3d_ros.mapping.refinement.reports import CorrectionReport, RefinementReport
from magic3d_ros.mapping.surface import Surface, View
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject
from magic3d_ros.support import supports

_log = logging.getLogger(__name__)


class ScenePipeline:
    """Frames in (`add`), a scene out (`understand`). One thread may add while another understands: frames need not wait for
    seconds of thinking. `scene` is a snapshot any thread may read.

    extractor: the 2D models; None when cues come from elsewhere and are handed to `add_cues`.
    """

    def __init__(self, settings: Settings, extractor: CueExtractor) -> None:
        self.settings = settings
        self.extractor = extractor
        self.timings: dict[str, list[float]] = defaultdict(list)
        self._understanding = threading.RLock()  # instances and descriptions; held as long as understanding takes
        self.mapper = NeuralMapper(settings, self._understanding, self._moving, self._timed)
        self._frame_masks = tiers.model_of("masks", settings) == tiers.EMBEDDED  # made here: no model of images
        if tiers.has_model("edges", settings) and settings.instances.grouping != "recipe":
            _log.warning("edges of %s are seen but not used: instances.grouping '%s' does not heed them, 'recipe' does",
                         tiers.model_of("edges", settings), settings.instances.grouping)
        self.instances = InstanceMapper(settings.instances, FRAME_MASK_TRUST if self._frame_masks else MASK_TRUST,
                                        settings.map.voxel_size)
        self.language = LanguageMap(settings.language, settings.query, extractor.language)
        self.up = UpEstimator(settings.input.up)
        self.scene = Scene.empty()
        self.last_stamp = 0
        self._distilled_at = 0
        self.waiting_pictures = 0

    def add(self, frame: RGBDFrame) -> bool:
        """Integrate one frame; a keyframe is looked at by the 2D models too (then returns True).

        Raises FrameError for a frame that cannot be used; the scene is unchanged then.
        """
        frame.check()
        cues = None
        if self.mapper.keyframes.wants(frame):
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
        with self.mapper.lock:
            is_keyframe = self.mapper.integrate(frame, cues.features if cues is not None else None)
            self.last_stamp = frame.stamp
            if is_keyframe:
                self.up.observe(frame.camera_to_world)
        return is_keyframe

    def add_cues(self, frame: RGBDFrame, cues: CueFrame) -> None:
        """The semantic half of `add`: what the 2D models said of a keyframe joins the scene."""
        masks = cues.masks
        if masks is None and self._frame_masks:
            with self._timed("frame masks"):
                masks = frame_masks(frame, np.asarray(self.scene.up))
        with self.mapper.lock:
            self.mapper.learn(cues)
            if masks is not None:
                with self._timed("masks"):
                    self.instances.observe(self.mapper.standing(frame), masks, cues.features)
            if cues.edges is not None:
                self.instances.observe_edges(frame.stamp, cues.edges)
            with self._timed("language"):
                keyframe = self.mapper.keyframes.get(frame.stamp)
                self.language.observe(self.mapper.standing(frame), cues, None if keyframe is None else keyframe.weights())
                for stamp, moved in self.mapper.take_distrusted():
                    self.language.distrust(stamp, moved)

    def understand(self, thorough: bool = False) -> Scene:
        """Bring surface, things and meaning up to date and return them as the new `scene`.

        Only what changed is separated into things again, and of pictures of things that were not looked at yet,
        `language.pictures_per_update` are looked at; `thorough` does all of both, as one does when the recording has ended.
        `waiting_pictures` says how many still wait.
        """
        if thorough:
            self.mapper.complete()
            if self._distilled_at != self.last_stamp:
                self.distill(self.settings.distillation.seconds)
        with self._understanding:
            with self.mapper.lock, self._timed("mesh"):
                surface, stamp = self.mapper.voxels.surface(), self.last_stamp
                if len(surface) == 0:
                    return self.scene
                up = self.up.estimate(surface)
                occupancy = self.mapper.voxels.occupancy(up)
            keyframes = self.mapper.keyframes
            with self._timed("instances"):
                found = self.instances.update(surface, list(keyframes), up, whole=thorough)
            with self._timed("describe"):
                crops = {i: [(v.stamp, v.box, lambda v=v: crop(keyframes.get(v.stamp), v)) for v in thing.views]  # type: ignore[misc]
                         for i, thing in found.instances.items() if thing.kind == "object"}
                budget = None if thorough else self.settings.language.pictures_per_update
                self.waiting_pictures = self.language.describe(crops, budget)
                with self.mapper.lock:
                    language = self.language.snapshot()
                names = language.names(found.instances.values(), up, surface, found.labels)
                below = supports(surface.vertices, surface.normals, found.labels,
                              [i.id for i in found.instances.values() if i.kind == "object"], np.asarray(up))
            objects = tuple(
                SceneObject(i.id, i.kind, names[i.id][0], names[i.id][1], i.confidence, i.box, i.centroid, i.n_points, i.n_views,
                            i.first_seen, i.last_seen, tuple(i.views), below.get(i.id, -1)) for i in found.instances.values())
            self.scene = Scene(stamp, surface, found.labels, objects, np.asarray(up), language, occupancy,
                               been=np.array([k.camera_to_world[:3, 3] for k in keyframes]).reshape(-1, 3))
            return self.scene

    def distill(self, seconds: float, cancelled: Callable[[], bool] = lambda: False,
                progress: Progress = lambda stage, share, loss: None) -> bool:
        """Learn for a time what the surface means by its shape, where `distillation.use` says so; the next `understand` shows it.
        Any thread, mapping goes on meanwhile. False, and the log says why, when there is nothing to learn from."""
        chosen = self.settings.distillation
        if chosen.use == "off":
            return False
        with self.mapper.lock:
            surface = self.mapper.voxels.surface()
            scene, keys = self.language.distillation_scene(surface, self.up.estimate(surface))
            stamp = self.last_stamp
        try:
            with self._timed("distillation"):
                features = distilled(scene, chosen, self.extractor.language.name, self.settings.language.voxel_size, seconds,
                                     cancelled, lambda share, loss: progress("distillation", share, loss))
        except DistillationError as error:
            _log.warning("language features of geometry are left out: %s", error)
            return False
        with self.mapper.lock:
            self.language.prediction = Prediction(keys, features.astype(np.float16), chosen.use == "ensemble")
            self._distilled_at = stamp
        return True

    def render(self, camera: Camera, camera_to_world: np.ndarray, newest: bool = True) -> View:
        """What a camera at the pose would see. Any thread: mapping goes on meanwhile, its lock is held for moments.

        newest False: see `Mapper.render`.
        """
        with self._timed("render"):
            return self.mapper.render(camera, camera_to_world, newest)

    def preview(self, camera: Camera, camera_to_world: np.ndarray) -> View:
        """About the same at a third of the cost, for pictures that come again and again; see `FieldTrainer.preview`."""
        with self._timed("preview"):
            return self.mapper.preview(camera, camera_to_world)

    def filled_surface(self) -> Surface | None:
        """The surface with what networks guessed where no sensor measured (vertices of weight 0); None without guesses."""
        with self.mapper.lock:
            return None if self.mapper.guessed.is_empty else self.mapper.guessed.surface()

    @property
    def last_verdict(self) -> DistractorVerdict | None:
        """What moves in the newest frame, with its stamp; None before the first."""
        return self.mapper.distractors.last

    def seen(self, thing_id: int) -> tuple[int, int] | None:
        """Stamps (ns) at which a thing was first and last seen, also when it was carried away since; None for an unknown id."""
        return self.instances.seen(thing_id)

    def moving_points(self) -> np.ndarray:
        """(n, 3) float32 world points of what moves in the newest frame; none of them is in the map."""
        return self.mapper.distractors.points()

    def moving_things(self) -> list[SceneObject]:
        """What moves in the newest frame, in pieces, largest first: kind "moving", no name, ids -1, -2, ... of this call only."""
        stamp = self.last_stamp
        return [SceneObject(-1 - i, "moving", "", 0.0, 1.0, thing.box, thing.points.mean(0), len(thing.points), 1, stamp, stamp)
                for i, thing in enumerate(self.mapper.distractors.things(np.asarray(self.scene.up)))]

    def refine(self, seconds: float, cancelled: Callable[[], bool] = lambda: False,
               progress: Progress = lambda stage, share, loss: None, poses: bool = True, calibration: bool = False,
               appearance: bool = True) -> RefinementReport:
        """Improve the map for a time from what is remembered of its frames; any thread, mapping goes on meanwhile.

        progress: told the stage, the share of the time (0..1) and the stage's loss. Raises ValueError for a time that is none.
        """
        learning = 0.0 if self.settings.distillation.use == "off" else min(self.settings.distillation.seconds, seconds / 2)
        report = self.mapper.refine(seconds - learning, cancelled, progress, poses, calibration, appearance)
        self.distill(learning, cancelled, progress)
        self.understand()
        return report

    def correct_poses(self, poses: Mapping[int, np.ndarray]) -> CorrectionReport:
        """Corrected camera-to-world poses by stamp (a SLAM's loop closure): geometry, colour, free space, things and meaning move
        together; see `MapRefiner.correct_poses`. Raises ValueError for a pose that is not rigid; nothing has changed then."""
        report = self.mapper.correct_poses(poses)
        if report.keyframes_moved:
            self.understand()
        return report

    def state(self) -> dict[str, np.ndarray]:
        """All that is known, as numeric arrays named part.name; `load_state` goes on from it."""
        with self._understanding, self.mapper.lock:
            self.mapper.complete()
            state = {f"{part}.{name}": array for part, owner in self._parts().items() for name, array in owner.state().items()}
            return state | {"pipeline.last_stamp": np.array([self.last_stamp], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take in what `state` gave; `understand` then makes the scene. Raises ValueError naming what does not fit."""
        if "pipeline.last_stamp" not in state or state["pipeline.last_stamp"].shape != (1,):
            raise ValueError("the state lacks pipeline.last_stamp")
        with self._understanding, self.mapper.lock:
            for part, owner in self._parts().items():
                owner.load_state({name[len(part) + 1:]: array for name, array in state.items() if name.startswith(f"{part}.")})
            self.mapper.recall()
            self.last_stamp = int(state["pipeline.last_stamp"][0])
            self._distilled_at = 0 if self.language.prediction is None else self.last_stamp

    def _moving(self, motion: WorldMotion) -> Callable[[], None]:
        """Things move with the world, meaning is prepared to; what is returned makes it so when the new map takes its place."""
        self.instances.move(list(self.mapper.keyframes), motion.moved)
        return self.language.moving(motion.moved, self.mapper.lock)

    def _parts(self) -> dict[str, Any]:
        return self.mapper.parts() | {"instances": self.instances, "language": self.language, "up": self.up}

    def _timed(self, stage: str):  # noqa: ANN202
        return _Timer(self.timings[stage])


class _Timer:
    def __init__(self, into: list[float]) -> None:
        self._into = into

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._into.append(time.perf_counter() - self._start)
