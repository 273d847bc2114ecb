"""Every remembered frame aligned with the map, as many as there is time for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import numpy as np

from magic3d_ros.cpu_sharing import let_pass
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.refinement.alignment import LEAST, POINTS, Alignment, align, frame_points
from magic3d_ros.mapping.refinement.fusing import Cancelled

LONGEST_STEP = (0.15, 10.0)  # metres and degrees from where a frame was: farther than the truncation reaches, it is a slip


def align_frames(mapper: Mapper, frames: list[Keyframe], deadline: float, cancelled: Callable[[], bool],
                 progress: Callable[[float], None], first: AbstractContextManager[object]) -> tuple[dict[int, Alignment], float]:
    """By stamp, the frames that could be aligned before the deadline (time.monotonic), and their median error in metres.

    first: see `align`. Raises Cancelled.
    """
    aligned: dict[int, Alignment] = {}
    # Keyframes first: where time is short the frames between can go with them.
    for number, keyframe in enumerate(sorted(frames, key=lambda k: k.is_between)):
        if cancelled():
            raise Cancelled
        if time.monotonic() > deadline and len(aligned) >= 2:
            break
        let_pass(first)
        found = _found(mapper, keyframe, number, first)
        step = distance(keyframe.camera_to_world, found.camera_to_world)
        if found.aligned and step[0] < LONGEST_STEP[0] and step[1] < LONGEST_STEP[1]:
            aligned[keyframe.stamp] = found
        progress(_median_error(aligned))
    return aligned, _median_error(aligned)


def _found(mapper: Mapper, keyframe: Keyframe, seed: int, first: AbstractContextManager[object]) -> Alignment:
    volume = mapper.volume
    return mapper.memory.in_batches("points of a frame's pose", POINTS, LEAST, lambda count: align(
        volume, frame_points(keyframe, volume, count, seed, first), keyframe.camera_to_world, first=first))


def _median_error(aligned: Mapping[int, Alignment]) -> float:
    return float(np.median([found.error for found in aligned.values()])) if aligned else float("nan")
