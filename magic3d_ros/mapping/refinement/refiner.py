"""Poses made better in the background, and poses corrected from outside; both end in a map fused again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.geometry.rigid import inverse
from magic3d_ros.mapping.device_memory import CURE, OutOfDeviceMemory
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import KeyframeStore, distance
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.agreement import Agreement, agreement
from magic3d_ros.mapping.refinement.alignment import Alignment
from magic3d_ros.mapping.refinement.alignments import align_frames
from magic3d_ros.mapping.refinement.calibration import CalibrationChange, CameraCalibration, intrinsics_step
from magic3d_ros.mapping.refinement.extrinsics import extrinsics_step
from magic3d_ros.mapping.refinement.fusing import Cancelled, FreshMap
from magic3d_ros.mapping.refinement.gauge import divided, gauged
from magic3d_ros.mapping.refinement.motion import WorldMotion
from magic3d_ros.mapping.refinement.pose_error import Corrections, PoseError
from magic3d_ros.mapping.refinement.reports import CorrectionReport, RefinementReport

_log = logging.getLogger(__name__)

ROUNDS = 4  # of aligning all and fusing again: the gain of the fourth is .002 of in25 on redkitchen
SETTLED = 0.001  # metres: a round whose median step is below is the last
MOVED = (1e-4, 0.01)  # metres and degrees: less is no motion

LONGEST = 3600.0  # seconds, as action/RefineMap.action has it
POSES_SHARE = 0.4  # of the time, where colour is trained after it: two rounds bring nearly all

Progress = Callable[[str, float, float], None]


class MapRefiner:
    """Works on the parts of a scene: the map, what is remembered of its frames, and whatever else holds world coordinates.

    map_lock: guards map and keyframes, taken for moments only. layers_lock: taken, before the other, while a new map takes its
    place. moving: called then with the motion of the world by time, prepares the other layers to move; what it returns is called
    in the moment of the change, and they move together.
    """

    def __init__(self, settings: Settings, mapper: Mapper, keyframes: KeyframeStore, map_lock: AbstractContextManager[object],
                 layers_lock: AbstractContextManager[object], moving: Callable[[WorldMotion], Callable[[], None]],
                 calibration: CameraCalibration) -> None:
        self._settings = settings
        self._mapper, self._keyframes = mapper, keyframes
        self._map_lock, self._layers_lock = map_lock, layers_lock
        self._moving = moving
        self._calibration = calibration
        self._turn = threading.Lock()  # one new map at a time: a round of refining, or a correction
        self._given: dict[int, np.ndarray] = {}  # poses that a refinement began with, moved by corrections since
        self._error: PoseError | None = None  # of those, told in its first round: later maps follow what was found before
        self._waiting = 0  # corrections that wait for their turn: a round of refining stops for them and begins anew

    def refine(self, seconds: float, cancelled: Callable[[], bool], progress: Progress, poses: bool, calibration: bool,
               appearance: Callable[[float, Callable[[], bool], Progress], Agreement] | None) -> RefinementReport:
        """Spend a time on the map, in stages; what is not asked for is left out, and who is cancelled keeps what was reached.

        appearance: trains colour for so many seconds and tells how well it then agrees with the keyframes. Raises ValueError for
        a time that is none. Where the device has no memory for a stage the map stays as it was before it, and the report says so.
        """
        if not 0.0 < seconds <= LONGEST:
            raise ValueError(f"{seconds} seconds cannot be spent on refining: more than 0, at most {LONGEST:.0f}")
        if not len(self._keyframes):
            return RefinementReport(False, "nothing to refine: no keyframe is remembered yet")
        start = time.monotonic()
        end = start + seconds
        before = after = self._agreement()
        done, moved, mean, whole = [], 0, 0.0, True
        try:
            if poses or calibration:
                share = POSES_SHARE if appearance else 1.0
                moved, mean, rounds, better = self.refine_poses(start + share * seconds, end, cancelled, progress, poses,
                                                                calibration)
                done.append(f"{moved} keyframes moved by {1000 * mean:.1f} mm on average in {rounds} rounds"
                            if rounds or cancelled() or not better else
                            f"{seconds:.0f} s are too short to fuse {len(self._keyframes.remembered())} frames again")
                if not better:
                    done.append("a further round agreed no better with the measured depth and was not kept")
                after = self._agreement()
                if calibration:
                    done.append(self._calibration.describe())
            if appearance is not None and time.monotonic() < end and not cancelled():
                after = appearance(end - time.monotonic(), cancelled, progress)
                done.append("appearance trained")
        except (torch.OutOfMemoryError, OutOfDeviceMemory) as error:
            whole = False
            done.append(str(error) if isinstance(error, OutOfDeviceMemory) else f"the device has no memory to go on: {CURE}")
            _log.warning("refinement ended early, the map is whole: %s", done[-1])
        message = ("cancelled; " if cancelled() else "") + ("; ".join(done) or "nothing was asked for")
        return RefinementReport(whole, message, moved, mean, before.depth_error, after.depth_error, before.psnr, after.psnr,
                                time.monotonic() - start)

    def _agreement(self) -> Agreement:
        with self._map_lock:
            keyframes = list(self._keyframes)
        return agreement(lambda camera, pose: self._mapper.render(camera, pose, False, self._map_lock, self._map_lock), keyframes,
                         self._map_lock)

    def refine_poses(self, deadline: float, end: float, cancelled: Callable[[], bool], progress: Progress, poses_too: bool = True,
                     calibration: bool = False) -> tuple[int, float, int, bool]:
        """Align every remembered frame with the map and fuse the map again from the new poses, in rounds, until a deadline
        (time.monotonic), until poses stay, until the map gets no better, or until cancelled. calibration: each round begins with
        a step of the intrinsics, and, once poses fit the depth, with one of the transform from depth to colour.

        end: the first round may last until then where the deadline leaves no time for one. Returns how many keyframes moved,
        their mean correction in metres, how many rounds were completed, and False where one more was not kept.
        """
        begin = time.monotonic()
        with self._turn, self._map_lock:
            given = {k.stamp: k.camera_to_world for k in self._keyframes.remembered()}
            self._given, self._error = dict(given), None
        fusing = self._fusing_time(len(given))
        rounds, spent, settled, better = 0, fusing, False, True
        extrinsics = calibration and not poses_too
        while rounds < self._rounds() and not settled and time.monotonic() + spent <= (deadline if rounds else end):
            start = time.monotonic()
            align_until = max(deadline - fusing, 0.0 if rounds else min(end - fusing, start + fusing))
            try:
                with self._turn:
                    largest, fusing, better = self._round(align_until, lambda: cancelled() or self._waiting > 0,
                                                  lambda stage, loss: progress(stage, _share(begin, deadline), loss), poses_too,
                                                  calibration, extrinsics)
            except Cancelled:
                if cancelled():
                    break
                time.sleep(0.01)  # the correction that waits goes first
                continue
            # Poses that cannot be made better may fit the depth, and the transform is the next to look at.
            settled = (not better or largest < SETTLED) and extrinsics == calibration
            extrinsics = calibration
            rounds, spent = rounds + better, time.monotonic() - start
        with self._map_lock:
            now = {k.stamp: k.camera_to_world for k in self._keyframes}
        shifts = [distance(given[stamp], pose) for stamp, pose in now.items() if stamp in given]
        return sum(_is_motion(s) for s in shifts), float(np.mean([s[0] for s in shifts])) if shifts else 0.0, rounds, better

    def _rounds(self) -> int:
        """A map that noise had blurred is worth a second look. Else a further round follows what the last one let slide: the room
        that had drifted by 14.9 mm is off by 13.5 after one and by 16.7 after two."""
        if self._error is None:
            return ROUNDS
        return 2 if self._error.noise[1] > self._error.drift else 1

    def _round(self, align_until: float, cancelled: Callable[[], bool], progress: Callable[[str, float], None], poses_too: bool,
               intrinsics: bool, extrinsics: bool) -> tuple[float, float, bool]:
        """One round of `refine_poses`. Returns the larger of the median step of the poses (metres) and the largest change of the
        intrinsics, the seconds that fusing took, and whether the new map was better and took the place of the old. Raises
        Cancelled; the map is as it was then."""
        with self._map_lock:
            remembered = self._keyframes.remembered()
        change = CalibrationChange()
        if intrinsics:
            progress("calibration", float("nan"))
            change = self._calibrated([k for k in remembered if not k.is_between], extrinsics)
        # Depth that moves against the camera takes the camera along: the world that it was fused to stays where it is.
        back = np.eye(4) if change.depth_motion is None else inverse(change.depth_motion)
        frames = [replace(change.of(k), camera_to_world=k.camera_to_world @ back) for k in remembered]
        poses, loss = {k.stamp: k.camera_to_world for k in frames}, float("nan")
        if poses_too:
            found, loss = align_frames(self._mapper, frames, align_until, cancelled, lambda loss: progress("poses", loss),
                                       self._map_lock)
            if not found:
                return 0.0, 0.0, True
            poses = {stamp: alignment.camera_to_world for stamp, alignment in found.items()}
            if not intrinsics:
                poses = gauged(frames, poses)
        if intrinsics:
            poses, offset = divided(remembered, poses)
            change = replace(change, pose_offset=offset)
        given = {k.stamp: self._given.get(k.stamp, k.camera_to_world) for k in remembered}
        # Where the camera itself is in doubt, what depth finds is not told apart: redkitchen moved by 9 cm when it was.
        if poses_too and not intrinsics and self._settings.input.pose_error == "estimated":
            poses = self._without_error(given, poses, found)
        step = float(np.median([distance(k.camera_to_world, poses[k.stamp])[0] for k in frames if k.stamp in poses]))
        # Frames for which there was no time, or too little known surface in view, move with those around them.
        motion = WorldMotion({k.stamp: k.camera_to_world for k in frames if k.stamp in poses}, poses, lasting=False)
        poses = {k.stamp: poses.get(k.stamp, motion.at(k.stamp) @ k.camera_to_world) for k in frames}
        start = time.monotonic()
        better = self._fuse_again(remembered, poses, motion, change, cancelled, lambda: progress("fusing", loss),
                                  self._agreement())
        if better:
            self._given = given
        return max(step, change.intrinsics.largest), time.monotonic() - start, better

    def _without_error(self, given: dict[int, np.ndarray], poses: Mapping[int, np.ndarray], found: Mapping[int, Alignment]
                       ) -> dict[int, np.ndarray]:
        """Poses by the stamps of those that were found: the given ones less what is their error, and not the depth's."""
        corrections = Corrections(given, poses, {stamp: alignment.information for stamp, alignment in found.items()})
        if self._error is None:
            self._error = corrections.error(self._map_lock)
            _log.info("error of the poses: %s", self._error)
        return corrections.taken_out(self._error) if self._error else {stamp: given[stamp] for stamp in poses}

    def _calibrated(self, keyframes: list[Keyframe], extrinsics: bool) -> CalibrationChange:
        change = intrinsics_step(self._mapper.volume, keyframes, self._map_lock)
        motion = extrinsics_step(keyframes, self._map_lock) if extrinsics else np.eye(4)
        return CalibrationChange(change, motion if (motion != np.eye(4)).any() else None)

    def correct_poses(self, corrections: Mapping[int, np.ndarray]) -> CorrectionReport:
        """Move what was seen at some stamps to where their poses should have been: {stamp: camera_to_world}.

        What was seen between two corrected stamps moves by a motion between theirs, what was seen after the last moves with it.
        Stamps that are not remembered are counted and passed over. Raises ValueError for a pose that is not rigid; nothing has
        changed then.
        """
        with self._map_lock:
            self._waiting += 1
        try:
            with self._turn:
                return self._corrected(corrections)
        finally:
            with self._map_lock:
                self._waiting -= 1

    def _corrected(self, corrections: Mapping[int, np.ndarray]) -> CorrectionReport:
        with self._map_lock:
            frames = self._keyframes.remembered()
        known = {k.stamp: k for k in frames}
        after = {stamp: known[stamp].with_pose(pose).camera_to_world for stamp, pose in corrections.items() if stamp in known}
        unknown = len(corrections) - len(after)
        if unknown:
            _log.warning("%d of %d pose corrections are for stamps of which no frame is remembered: they are not used",
                         unknown, len(corrections))
        motion = WorldMotion({stamp: known[stamp].camera_to_world for stamp in after}, after, lasting=True)
        poses = {k.stamp: motion.at(k.stamp) @ k.camera_to_world for k in frames}
        shifts = [distance(k.camera_to_world, poses[k.stamp]) for k in frames if not k.is_between]
        changed = [s for s in shifts if _is_motion(s)]
        if not changed:
            return CorrectionReport(len(after), unknown, 0, 0.0, "no keyframe moved" + (
                f": none of {unknown} stamps is remembered" if unknown and not after else ""))
        self._fuse_again(frames, poses, motion, CalibrationChange(), lambda: False, lambda: None)
        self._given = {stamp: motion.at(stamp) @ pose for stamp, pose in self._given.items()}
        mean = float(np.mean([s[0] for s in changed]))
        message = f"{len(changed)} keyframes moved by {100 * mean:.1f} cm on average, {len(frames)} frames fused again"
        if unknown:
            message += f"; {unknown} stamps are not remembered"
        return CorrectionReport(len(after), unknown, len(changed), mean, message)

    def _fuse_again(self, frames: list[Keyframe], poses: Mapping[int, np.ndarray], motion: WorldMotion, change: CalibrationChange,
                    cancelled: Callable[[], bool], progress: Callable[[], None], before: Agreement | None = None) -> bool:
        """Put a map fused from the poses in the place of the one in use. before: how well that one agrees with the keyframes; it
        stays, and False is returned, where their depth agrees no better with the new one. A transform from depth to colour is
        told by colours, so that those count too where it changed."""
        fresh = FreshMap(self._settings, self._mapper, self._keyframes, self._map_lock, change)
        try:
            fresh.fuse(frames, poses, cancelled, lambda done: progress())
        except torch.OutOfMemoryError as error:
            raise OutOfDeviceMemory("the device has no memory for a second map beside the one in use, so that frames stay where "
                                    f"they are: {CURE}") from error

        if before is not None:
            after = fresh.agreement(frames, poses)
            if not after.better_than(before, colors=change.depth_motion is not None):
                _log.info("a map fused again has a depth error of %.2f mm, the one in use %.2f mm: it stays",
                          1e3 * after.depth_error, 1e3 * before.depth_error)
                return False

        def moving(motion: WorldMotion) -> Callable[[], None]:
            layers = self._moving(motion)

            def finish() -> None:
                layers()
                self._calibration.add(change)

            return finish

        with self._layers_lock:
            fresh.take_over(poses, motion, moving)
        return True

    def _fusing_time(self, count: int) -> float:
        """Seconds that fusing so many frames again is expected to take, told from some keyframes."""
        some = list(self._keyframes)[:4]
        scratch = Mapper(self._settings)
        start = time.monotonic()
        for keyframe in some:
            let_pass(self._map_lock)
            scratch.integrate(keyframe.frame(), carve=True, first=self._map_lock)
        return (time.monotonic() - start) / max(len(some), 1) * count


def _is_motion(step: tuple[float, float]) -> bool:
    return step[0] > MOVED[0] or step[1] > MOVED[1]


def _share(begin: float, deadline: float) -> float:
    return min(1.0, (time.monotonic() - begin) / max(deadline - begin, 1e-6))
