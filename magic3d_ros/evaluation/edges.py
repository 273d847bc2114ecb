"""The edge network on keyframes that were mapped without it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.cues.tiers import load_edges
from magic3d_ros.mapping.keyframe import Keyframe


def edges_of(keyframes: Iterable[Keyframe], settings: Settings) -> dict[int, np.ndarray]:
    """By stamp, what the configured network sees in each keyframe's picture: (h, w) uint8, 255 = certainly an edge.

    Raises ModelError for a network that is not there.
    """
    network = load_edges(settings)
    return {keyframe.stamp: network.edges([keyframe.rgb()])[0] for keyframe in keyframes}
