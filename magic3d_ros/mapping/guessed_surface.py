"""Surface that networks guess where the depth sensor saw none, kept up to date while keyframes come, beside the measured map.

The measured map never learns of it: what plans paths and separates things has measured surface only. Views, and a mesh that is
asked for, show both and tell them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import cv2
import numpy as np
import torch

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.blocks import SIDE
from magic3d_ros.mapping.cue_alignment import Alignment, align_alone
from magic3d_ros.mapping.cue_layer import joined, without_edges
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.meshing import Mesher
from magic3d_ros.mapping.metric_cues import WORST_ERROR, MetricCues, cue_view
from magic3d_ros.mapping.surface import Surface, View
from magic3d_ros.mapping.tsdf import TSDFVolume

logger = logging.getLogger(__name__)

OVERLAP = 0.01  # share of an image's width by which guesses reach into what was measured, so that no gap stays between


class GuessedSurface:
    """Voxels of guesses. measured: the map beside which they stand.

    alignments: scale and shift of each keyframe's monocular depth, by stamp. unused: keyframes whose depth could not be used.
    Not thread-safe but for `completed`: the map's lock guards it.
    """

    def __init__(self, settings: Settings, measured: Mapper) -> None:
        self._settings = settings
        self._measured = measured
        self.voxels = Mapper(settings)
        self.alignments: dict[int, Alignment] = {}
        self.unused = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is guessed."""
        return len(self.voxels.volume.blocks) == 0

    def learn(self, keyframe: Keyframe) -> bool:
        """Align the keyframe's monocular depth with the sensor's and with the map as it is rendered, guesses of the keyframes
        before included, so that it agrees with them; fuse what the sensor did not see. Whether it could be used. About 0.3 s
        of a core at 640x480 (replica_office0)."""
        if not keyframe.monocular_depth_png:
            return False
        view = cue_view(keyframe)
        rendered = self._measured.render(view.camera, keyframe.camera_to_world, newest=False)
        known = self.completed(rendered, view.camera, keyframe.camera_to_world).depth
        alignment = align_alone(replace(view, depth=np.where(view.depth > 0, view.depth, known)))
        if alignment is None or alignment.error > WORST_ERROR:
            self.unused += 1
            logger.warning("the monocular depth of the keyframe of stamp %d fits neither the sensor's depth nor the map and is "
                           "not used yet", keyframe.stamp)
            return False
        self.alignments[keyframe.stamp] = alignment
        fuse_unseen(keyframe, alignment, self.voxels)
        return True

    def align(self, keyframes: Sequence[Keyframe]) -> None:
        """Find all scales and shifts anew, of all keyframes at once: 0.1 s a keyframe. Call `rebuild` after it."""
        cues = MetricCues()
        cues.update(keyframes)
        self.alignments = {stamp: found for stamp, found in cues.alignments.items() if found is not None}
        self.unused = len(cues.alignments) - len(self.alignments)

    def hide(self) -> None:
        """Show no guesses until `rebuild`: the world has moved under them."""
        if not self.is_empty:
            self.voxels = Mapper(self._settings)

    def rebuild(self, keyframes: Iterable[Keyframe], lock: AbstractContextManager[object]) -> None:
        """Fuse the guesses anew from the keyframes as they are now, by the known scales and shifts; the lock is held briefly.

        keyframes: iterated a second time for those that came meanwhile.
        """
        voxels, done = Mapper(self._settings), set()
        for _ in range(2):
            for keyframe in keyframes:
                if keyframe.stamp not in done:
                    self._fuse(keyframe, voxels)
                    done.add(keyframe.stamp)
        with lock:
            self.take(voxels, (k for k in keyframes if k.stamp not in done))

    def take(self, voxels: Mapper, more: Iterable[Keyframe]) -> None:
        """Make voxels the guesses, after more keyframes were fused into them."""
        for keyframe in more:
            self._fuse(keyframe, voxels)
        self.voxels = voxels

    def completed(self, view: View, camera: Camera, camera_to_world: np.ndarray, newest: bool = True,
                  lock: AbstractContextManager[object] | None = None) -> View:
        """A view of the measured map with guesses where it shows nothing, or clearly behind them; the view itself when there are
        none. lock: see `Mapper.render`."""
        if self.is_empty:
            return view
        guess = self.voxels.render(camera, camera_to_world, newest, lock)
        before = guess.depth < view.depth - self._settings.map.truncation
        taken = (guess.depth > 0) & ((view.depth == 0) | before)
        chosen = taken[..., None]
        return View(np.where(chosen, guess.rgb, view.rgb), np.where(taken, guess.depth, view.depth),
                    np.where(chosen, guess.normals, view.normals), taken)

    def surface(self) -> Surface:
        """The mesh of measured and guessed surface in one piece; guessed vertices have weight 0."""
        if self.is_empty:
            return self._measured.surface()
        measured = self._measured.volume
        both = Mesher(joined(measured, self.voxels.volume, self._settings), self._settings.map.min_weight).surface()
        return replace(both, weights=np.where(_observed(measured, both.vertices), both.weights, np.float32(0)))

    def _fuse(self, keyframe: Keyframe, voxels: Mapper) -> None:
        alignment = self.alignments.get(keyframe.stamp)
        if alignment is not None and keyframe.monocular_depth_png:
            fuse_unseen(keyframe, alignment, voxels)

    def reset(self) -> None:
        """Forget all."""
        self.voxels.reset()
        self.alignments, self.unused = {}, 0

    def state(self) -> dict[str, np.ndarray]:
        """Everything as arrays; nothing while nothing is guessed."""
        if self.is_empty and not self.alignments:
            return {}
        rows = [(a.scale, a.shift, a.support, a.error, float(a.inverse)) for a in self.alignments.values()]
        return {**self.voxels.state(), "stamps": np.array(list(self.alignments), np.int64),
                "alignments": np.array(rows, np.float64).reshape(-1, 5)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave; nothing at all is a map without guesses. Raises ValueError naming what does
        not fit."""
        self.reset()
        if not state:
            return
        stamps, rows = state.get("stamps", np.zeros(0)), state.get("alignments", np.zeros(0))
        if stamps.ndim != 1 or rows.shape != (len(stamps), 5):
            raise ValueError(f"guessed state has alignments {rows.shape} for {stamps.shape} stamps, expected five numbers each")
        self.alignments = {int(stamp): Alignment(row[0], row[1], int(row[2]), row[3], bool(row[4]))
                           for stamp, row in zip(stamps.tolist(), rows.tolist(), strict=True)}
        self.voxels.load_state({name: value for name, value in state.items() if name not in ("stamps", "alignments")})


def fuse_unseen(keyframe: Keyframe, alignment: Alignment, voxels: Mapper) -> None:
    """Fuse a keyframe's monocular depth where its sensor had no reading, and a little over the edge; depth's own edges and what
    is not trusted to be static are left out or count less."""
    cue, camera = keyframe.monocular_depth, keyframe.camera
    assert cue is not None
    measured = keyframe.depth() > 0
    side = 2 * max(1, round(OVERLAP * camera.width)) + 1
    inside = cv2.erode(measured.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=1) > 0
    if inside.all():
        return
    metric = without_edges(alignment.metric(cue))
    metric = cv2.resize(metric, (camera.width, camera.height), interpolation=cv2.INTER_NEAREST)
    depth = np.where(inside, np.float32(0), metric)
    voxels.integrate(replace(keyframe.frame(), depth=depth), keyframe.weights())


def _observed(volume: TSDFVolume, points: np.ndarray) -> np.ndarray:
    """(n,) bool: whether the voxel around each (n, 3) point was measured."""
    voxel = torch.from_numpy(np.floor(points / volume.voxel_size).astype(np.int64)).to(volume.device)
    block = torch.div(voxel, SIDE, rounding_mode="floor")
    slots, local = volume.blocks.find(block), voxel - block * SIDE
    number = (local[:, 0] * SIDE + local[:, 1]) * SIDE + local[:, 2]
    weights = volume.blocks.data["weight"][slots.clamp_min(0), number]
    return ((slots >= 0) & (weights > 0)).cpu().numpy()
