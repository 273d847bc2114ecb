"""Merging the 2D masks of all frames in 3D, as SAM3D does it (Yang et al. 2023): the usual baseline of 3D things from 2D masks.

Masks are unprojected into voxels of 5 cm; neighbouring frames are merged in pairs, the results again, as a binary tree. Of two
scenes, a group becomes part of the other's group that it overlaps most, when the overlap is at least half of the smaller one,
both ways. Groups under 50 voxels are dropped at the end. Facts from SAM3D's paper and code; our own program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from magic3d_ros.frames import RGBDFrame

VOXEL = 0.05
MIN_POINTS = 50
OVERLAP = 0.5
_REACH = 1.5  # voxels: points of two scenes this near are the same place
_FARTHEST = 10.0  # metres


@dataclass(frozen=True)
class GroupedCloud:
    """points (N, 3) float64 metres, one a voxel; group (N,) int64, -1 = none."""

    points: np.ndarray
    group: np.ndarray


def unprojected(frame: RGBDFrame, masks: np.ndarray, step: int = 1) -> GroupedCloud:
    """One frame's masks (H, W) int, -1 = none, as a cloud in the world. step: every so manieth pixel takes part."""
    depth = frame.depth[::step, ::step]
    known = np.isfinite(depth) & (depth > 0) & (depth < _FARTHEST)
    points = frame.camera.rays()[::step, ::step][known] * depth[known][:, None]
    points = points @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
    return _thinned(points, masks[::step, ::step][known].astype(np.int64))


def merged(clouds: list[GroupedCloud], min_points: int = MIN_POINTS) -> GroupedCloud:
    """All clouds as one, merged in pairs of neighbours until one is left; groups under `min_points` voxels are dropped."""
    if not clouds:
        return GroupedCloud(np.zeros((0, 3)), np.zeros(0, np.int64))
    while len(clouds) > 1:
        pairs = [_merged_pair(*clouds[k:k + 2]) for k in range(0, len(clouds) - 1, 2)]
        clouds = pairs + ([clouds[-1]] if len(clouds) % 2 else [])
    values, index, count = np.unique(clouds[0].group, return_inverse=True, return_counts=True)
    kept = (values >= 0) & (count >= min_points)
    return GroupedCloud(clouds[0].points, np.where(kept, np.cumsum(kept) - 1, -1)[index.ravel()])


def _merged_pair(first: GroupedCloud, second: GroupedCloud) -> GroupedCloud:
    shift = int(first.group.max(initial=-1)) + 1
    group = np.where(second.group >= 0, second.group + shift, -1)
    if len(first.points) and len(second.points):
        group = _absorbed(second.points, group, first.points, first.group)
        own = _absorbed(first.points, first.group, second.points, group)
    else:
        own = first.group
    return _thinned(np.concatenate([first.points, second.points]), np.concatenate([own, group]))


def _absorbed(points: np.ndarray, group: np.ndarray, other_points: np.ndarray, other_group: np.ndarray) -> np.ndarray:
    """(N,) groups, each renamed to the other cloud's group that it overlaps by at least half of the smaller of the two."""
    distance, nearest = cKDTree(other_points).query(points, distance_upper_bound=_REACH * VOXEL)
    near = np.isfinite(distance)
    mine, theirs = group[near], other_group[nearest[near]]
    both = (mine >= 0) & (theirs >= 0)
    if not both.any():
        return group
    span = int(other_group.max()) + 1
    pair, shared = np.unique(mine[both] * span + theirs[both], return_counts=True)
    one, other = pair // span, pair % span
    size, other_size = np.bincount(group[group >= 0]), np.bincount(other_group[other_group >= 0])
    new = np.arange(len(size))
    order = np.argsort(shared, kind="stable")  # the last assignment, of the largest overlap, stays
    best = np.full(len(size), -1, np.int64)
    best[one[order]] = order
    for g in np.flatnonzero(best >= 0):
        k = best[g]
        if shared[k] >= OVERLAP * min(size[g], other_size[other[k]]):
            new[g] = other[k]
    return np.where(group >= 0, new[group], -1)


def _thinned(points: np.ndarray, group: np.ndarray) -> GroupedCloud:
    """One point a voxel, the first; one with a group goes before one without."""
    order = np.argsort(group < 0, kind="stable")
    points, group = points[order], group[order]
    voxel = np.floor(points / VOXEL).astype(np.int64)
    voxel -= voxel.min(0, initial=0)
    _, first = np.unique((voxel[:, 0] << 42) | (voxel[:, 1] << 21) | voxel[:, 2], return_index=True)
    return GroupedCloud(points[first], group[first])
