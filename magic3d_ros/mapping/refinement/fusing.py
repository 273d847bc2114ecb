"""The map made anew from remembered frames, beside the one in use, and put in its place when it has caught up.

A voxel's mean over observations is a moving one beyond map.max_weight, so taking a frame out again and putting it back elsewhere
is inexact there, and where a frame carved, what it carved away cannot come back. So nothing is taken out: everything that is
remembered is fused again. It costs the time of integrating (10 ms a frame), and nothing of a wrong pose can be left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.mapping.blocks import pack, unpack
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.agreement import Agreement, agreement
from magic3d_ros.mapping.refinement.calibration import CalibrationChange
from magic3d_ros.mapping.refinement.motion import WorldMotion

TRIES = 100  # to catch up with the frames that come meanwhile; what then is still late is fused under the lock
COPIED = 256  # blocks copied at a time under the lock: 2.6 MB, a millisecond


class Cancelled(Exception):
    """Asked to stop before the new map was complete; the one in use is untouched."""


class FreshMap:
    """A second map that is made while the first goes on, then takes its place."""

    def __init__(self, settings: Settings, mapper: Mapper, keyframes: KeyframeStore,
                 lock: AbstractContextManager[object], change: CalibrationChange) -> None:
        """change: of what the remembered frames say of their cameras."""
        self._settings = settings
        self._mapper, self._keyframes, self._lock = mapper, keyframes, lock
        self._fresh = Mapper(settings)
        self._change = change
        self._fused: set[int] = set()
        self._reached: set[int] = set()  # keys of blocks that remembered frames wrote to at their old poses

    def fuse(self, frames: Iterable[Keyframe], poses: Mapping[int, np.ndarray], cancelled: Callable[[], bool],
             progress: Callable[[int], None] = lambda done: None) -> None:
        """Integrate remembered frames in the order of time, at the poses given for their stamps, else their own.

        Raises Cancelled.
        """
        # What forgotten frames saw is only in the map: blocks that no remembered frame wrote to are kept as they are.
        forgotten = self._keyframes.forgotten > 0
        for done, keyframe in enumerate(frames):
            if cancelled():
                raise Cancelled
            let_pass(self._lock)
            if forgotten:
                self._reached.update(pack(self._fresh.volume.reach(keyframe.frame(), keyframe.weights())).tolist())
            self._integrate(keyframe, poses.get(keyframe.stamp, keyframe.camera_to_world))
            progress(done + 1)
        if forgotten:
            self._keep_unreached()
        self._fresh.surface(self._lock)  # meshed here, so that the next to ask need not wait for it

    def agreement(self, frames: Iterable[Keyframe], poses: Mapping[int, np.ndarray]) -> Agreement:
        """How well the keyframes among the frames, at the poses by their stamps, agree with what was fused."""
        keyframes = [replace(self._change.of(k), camera_to_world=poses[k.stamp]) for k in frames if not k.is_between]
        return agreement(lambda camera, pose: self._fresh.render(camera, pose, newest=False, first=self._lock),
                         keyframes, self._lock)

    def take_over(self, poses: Mapping[int, np.ndarray], motion: WorldMotion, moving: Callable[[WorldMotion], Callable[[], None]]
                  ) -> None:
        """Fuse what came meanwhile, then replace map and poses in one moment.

        moving: prepares what else holds world coordinates; what it returns is called in that moment, under the lock.
        """
        moved, poses = moving(motion), dict(poses)
        for attempt in range(TRIES):
            with self._lock:
                late = self._late()
                if not late or attempt == TRIES - 1:
                    self._fuse_late(late, motion, poses)
                    self._mapper.replace_by(self._fresh)
                    self._keyframes.replace_poses(poses, self._change.of)
                    moved()
                    return
            self._fuse_late(late, motion, poses)

    def _late(self) -> list[Keyframe]:
        return [k for k in self._keyframes.remembered() if k.stamp not in self._fused]

    def _fuse_late(self, late: list[Keyframe], motion: WorldMotion, poses: dict[int, np.ndarray]) -> None:
        offset = self._change.pose_offset
        for keyframe in late:
            pose = motion.at(keyframe.stamp) @ keyframe.camera_to_world
            poses[keyframe.stamp] = pose if offset is None else pose @ offset
            self._integrate(keyframe, poses[keyframe.stamp])

    def _integrate(self, keyframe: Keyframe, pose: np.ndarray) -> None:
        changed = self._change.of(keyframe)
        # While another thread integrates this one waits, and takes it no time.
        frame = replace(changed.frame(), camera_to_world=pose)
        let_pass(self._lock)
        self._fresh.integrate(frame, changed.weights(), not keyframe.is_between, self._lock)
        self._fused.add(keyframe.stamp)

    def _keep_unreached(self) -> None:
        """Copy blocks that no remembered frame wrote to at its old pose nor writes to now."""
        old, new = self._mapper.volume.blocks, self._fresh.volume.blocks
        with self._lock:
            keys = old.keys.clone()
        gone = torch.tensor(sorted(self._reached), dtype=torch.int64, device=keys.device)
        keys = keys[~torch.isin(keys, gone) & ~torch.isin(keys, new.keys)]
        for first in range(0, len(keys), COPIED):
            coordinates = unpack(keys[first:first + COPIED])
            with self._lock:
                slots = old.find(coordinates)
                coordinates, slots = coordinates[slots >= 0], slots[slots >= 0]
                rows = {name: values[slots] for name, values in old.data.items()}
            into = new.allocate(coordinates, 0)
            for name, values in rows.items():
                new.data[name][into[into >= 0]] = values[into >= 0]
