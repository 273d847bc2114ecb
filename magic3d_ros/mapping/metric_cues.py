"""Monocular depth of all keyframes in metres: kept aligned with the sensor's depth and with each other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from magic3d_ros.mapping.cue_alignment import Alignment, CueView, align_jointly
from magic3d_ros.mapping.keyframe import Keyframe

logger = logging.getLogger(__name__)

WORST_ERROR = 0.05  # median relative error beyond which a cue is not believed: five times that of a good network's affine part


class MetricCues:
    """Scale and shift of each keyframe's monocular depth, by stamp; `update` whenever keyframes, poses or cues have changed."""

    def __init__(self) -> None:
        self.alignments: dict[int, Alignment | None] = {}
        self._views: dict[int, tuple[Keyframe, CueView]] = {}

    def update(self, keyframes: Sequence[Keyframe]) -> None:
        """Align the cues of all keyframes that have one; nothing is done when they are the same objects as the last time.

        A tenth of a second a keyframe. What cannot be aligned (too little overlap, or a cue that contradicts depth and the other
        views) is not used, and logged.
        """
        wanted = {k.stamp: k for k in keyframes if k.monocular_depth_png}
        if all(s in self._views and self._views[s][0] is k for s, k in wanted.items()) and len(wanted) == len(self._views):
            return
        self._views = {stamp: self._views[stamp] if stamp in self._views and self._views[stamp][0] is keyframe
                       else (keyframe, cue_view(keyframe)) for stamp, keyframe in wanted.items()}
        found = align_jointly([view for _, view in self._views.values()])
        self.alignments = {stamp: alignment if alignment is not None and alignment.error <= WORST_ERROR else None
                           for stamp, alignment in zip(self._views, found, strict=True)}
        unused = [stamp for stamp, alignment in self.alignments.items() if alignment is None]
        if unused:
            logger.warning("the monocular depth of %d of %d keyframes (stamps %s%s) fits neither the sensor's depth nor other "
                           "keyframes and is not used", len(unused), len(self.alignments), ", ".join(map(str, unused[:3])),
                           ", ..." if len(unused) > 3 else "")

    def depth(self, keyframe: Keyframe) -> np.ndarray | None:
        """(h, w) float32 metres at the cue's own size, 0 = unknown; None for a keyframe without a cue that can be used."""
        alignment, cue = self.alignments.get(keyframe.stamp), keyframe.monocular_depth
        return None if alignment is None or cue is None else alignment.metric(cue)


def cue_view(keyframe: Keyframe) -> CueView:
    """A keyframe with monocular depth as alignment takes it: what is not trusted to be static has no cue."""
    cue, depth, trust = keyframe.monocular_depth, keyframe.depth(), keyframe.trust
    assert cue is not None
    view = CueView.of(cue, depth, keyframe.camera, keyframe.camera_to_world, kind=keyframe.monocular_kind)
    if trust is None:
        return view
    # What moves is elsewhere in every view.
    still = CueView.of((trust >= 128).astype(np.float32), depth, keyframe.camera, keyframe.camera_to_world).cue > 0
    return replace(view, cue=np.where(still, view.cue, 0.0))
