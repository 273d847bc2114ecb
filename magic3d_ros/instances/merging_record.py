"""What each keyframe voted, in memory and as the arrays of a saved map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances.merging_sample import MaskSample

_ARRAYS: dict[str, tuple[type, tuple[int, ...]]] = {
    "stamps": (np.integer, ()), "planes": (np.integer, ()), "names": (np.integer, ()), "evidence": (np.integer, (4,)),
    "lengths": (np.integer, (2,)), "points": (np.floating, (3,)), "pixels": (np.integer, ()), "masks": (np.integer, ()),
    "tracks": (np.integer, ()), "mask_planes": (np.integer, ())}
"""name -> kind of number, and the shape of one row"""


@dataclass(frozen=True)
class Record:
    """What a keyframe voted: its sample, and the track (n,) int64 of each mask, -1 = too small for one."""

    sample: MaskSample
    tracks: np.ndarray


def voters(record: Record) -> tuple[np.ndarray, np.ndarray]:
    """(m,) bool of a record's points that voted, and the track of each of these."""
    member = (record.sample.mask >= 0) & (np.append(record.tracks, -1)[record.sample.mask] >= 0)
    return member, record.tracks[record.sample.mask[member]]


def packed(records: Mapping[int, Record]) -> dict[str, np.ndarray]:
    """Records by stamp as arrays, one after the other; lengths (n, 2): points and masks of each."""
    kept = list(records.values())
    return {
        "stamps": np.array(list(records), np.int64),
        "lengths": np.array([(len(r.sample.points), len(r.tracks)) for r in kept], np.int64).reshape(-1, 2),
        "points": np.concatenate([np.zeros((0, 3), np.float32), *(r.sample.points for r in kept)]),
        "pixels": np.concatenate([np.zeros(0, np.int32), *(r.sample.pixel for r in kept)]),
        "masks": np.concatenate([np.zeros(0, np.int32), *(r.sample.mask for r in kept)]),
        "tracks": np.concatenate([np.zeros(0, np.int64), *(r.tracks for r in kept)]),
        "mask_planes": np.concatenate([np.zeros(0, np.uint8), *(r.sample.plane.astype(np.uint8) for r in kept)])}


def unpacked(state: Mapping[str, np.ndarray]) -> dict[int, Record]:
    """Records by stamp from a merger's whole state. Raises ValueError naming what does not fit."""
    for name, (kind, row) in _ARRAYS.items():
        if name not in state or not np.issubdtype(state[name].dtype, kind) or state[name].shape[1:] != row:
            raise ValueError(f"the state of merged masks lacks '{name}' of shape (n{''.join(f', {n}' for n in row)})")
    lengths, count = state["lengths"], len(state["planes"])
    points, masks = lengths.sum(0).tolist() if len(lengths) else (0, 0)
    fits = (len(lengths) == len(state["stamps"]) and (lengths >= 0).all() and len(state["names"]) == count
            and len(state["points"]) == len(state["pixels"]) == len(state["masks"]) == points
            and len(state["tracks"]) == len(state["mask_planes"]) == masks)
    numbers = np.concatenate([state["names"] + 1, state["tracks"] + 1, state["evidence"][:, :2].ravel() + 1])
    if not fits or (len(numbers) and not 0 <= numbers.min() <= numbers.max() <= count) or not np.isfinite(state["points"]).all():
        raise ValueError("the state of merged masks has arrays that do not fit each other")
    starts = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(lengths, 0)])
    records = {}
    for k, stamp in enumerate(state["stamps"].tolist()):
        p, m = (slice(starts[k, j], starts[k + 1, j]) for j in (0, 1))
        mask = np.array(state["masks"][p], np.int32)
        if len(mask) and not -1 <= mask.min() <= mask.max() < lengths[k, 1]:
            raise ValueError("the state of merged masks has points of masks that it does not have")
        plane = state["mask_planes"][m].astype(bool)
        sample = MaskSample(np.array(state["points"][p], np.float32), np.array(state["pixels"][p], np.int32), mask, plane,
                            np.zeros((len(plane), 0), np.float32))
        records[stamp] = Record(sample, np.array(state["tracks"][m], np.int64))
    return records
