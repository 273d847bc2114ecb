"""What arrives from monocular networks finds its keyframe, or is turned away with a reason."""

from __future__ import annotations

import logging

import numpy as np

from magic3d_ros.frames import CueFrame, MonocularGeometry
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import KeyframeStore

logger = logging.getLogger(__name__)

LEAST_SURE = 0.05
"""Standard deviation, as a share, beyond which a pixel's depth is left out: the error at which a whole cue is
(metric_cues.WORST_ERROR)."""


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
    depth = _sure(monocular)
    new_depth = depth is not None and _usable(keyframe, depth, None, monocular.kind)
    new_normals = monocular.normals is not None and _usable(keyframe, None, monocular.normals)
    if not new_depth and not new_normals:
        return False
    return store.set_cues(cues.stamp, depth if new_depth else keyframe.monocular_depth,
                          monocular.normals if new_normals else keyframe.monocular_normals,
                          monocular.kind if new_depth else keyframe.monocular_kind)


def _sure(monocular: MonocularGeometry) -> np.ndarray | None:
    """The depth without what the network itself is not sure of."""
    if monocular.depth is None or monocular.uncertainty is None:
        return monocular.depth
    if monocular.uncertainty.shape != monocular.depth.shape:
        logger.warning("monocular depth of %s comes with uncertainty of %s and is used without it", monocular.depth.shape,
                       monocular.uncertainty.shape)
        return monocular.depth
    return np.where(monocular.uncertainty <= LEAST_SURE, monocular.depth, 0.0)


def _usable(keyframe: Keyframe, depth: np.ndarray | None, normals: np.ndarray | None, kind: str = "affine") -> bool:
    try:
        keyframe.with_cues(depth, normals, kind)
    except ValueError as error:
        logger.warning("%s", error)
        return False
    return True
