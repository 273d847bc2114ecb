"""What arrives from monocular networks finds its keyframe, or is turned away with a reason."""

from __future__ import annotations

import logging

import numpy as np

from magic3d_ros.frames import CueFrame
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import KeyframeStore

logger = logging.getLogger(__name__)


def attach(store: KeyframeStore, cues: CueFrame) -> bool:
    """Remember a cue frame's monocular depth and normals at the keyframe of its stamp; whether any was used.

    A cue that cannot be used (another shape than the picture's, nothing but zeros and NaN, normals that are not of unit length)
    or has no keyframe is logged and left out; the other cue, and what the keyframe had, stay.
    """
    monocular = cues.monocular
    if monocular is None:
        return False
    keyframe = store.get(cues.stamp)
    if keyframe is None:
        logger.warning("monocular cues of stamp %d belong to no remembered keyframe and are not used: they came too late, or "
                       "from another recording", cues.stamp)
        return False
    new_depth = monocular.depth is not None and _usable(keyframe, monocular.depth, None)
    new_normals = monocular.normals is not None and _usable(keyframe, None, monocular.normals)
    if not new_depth and not new_normals:
        return False
    return store.set_cues(cues.stamp, monocular.depth if new_depth else keyframe.monocular_depth,
                          monocular.normals if new_normals else keyframe.monocular_normals)


def _usable(keyframe: Keyframe, depth: np.ndarray | None, normals: np.ndarray | None) -> bool:
    try:
        keyframe.with_cues(depth, normals)
    except ValueError as error:
        logger.warning("%s", error)
        return False
    return True
