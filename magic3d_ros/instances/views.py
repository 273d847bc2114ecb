"""The keyframes that show a thing best, and the crops that language looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances.evidence import DepthView, DepthViews, Sight, look
from magic3d_ros.instances.instance import InstanceView
from magic3d_ros.mapping.keyframes import Keyframe

CROP_MARGIN = 6  # pixels around the box: tight crops are recognised better than padded ones (embedded models, measured)
_MIN_CROP = 12  # pixels; smaller crops hold nothing to recognise
_SAMPLES = 200  # points that stand for a thing: its box is then within a few per cent
_SEEN_SHARE, _SEEN_POINTS = 0.05, 3  # of a thing's points, before a keyframe counts as having seen it
_WHOLE = 0.98  # share of a thing's points inside the image above which it is not cut
_BORDER = 2.0  # full pixels: a box this near to the image's border is cut
_LARGE = 0.5  # of the image's side: being larger than this is no further gain
_CLEAR = 0.5  # share of a picture that must not be covered by what moves: else it shows rather that
_APART = np.radians(30.0)  # directions of view this far apart are worth seeing both


@dataclass(frozen=True)
class Sightings:
    """What each of K keyframes saw of each of T things.

    weight (T,): mean over a thing's points of the summed view weights. seen (K, T) bool. views: for each thing its best views.
    """

    weight: np.ndarray
    seen: np.ndarray
    views: list[list[InstanceView]]


def sightings(points: np.ndarray, normals: np.ndarray, thing: np.ndarray, count: int, keyframes: list[Keyframe],
              depths: DepthViews, max_views: int) -> Sightings:
    """Look at `count` things from all keyframes.

    points, normals (N, 3); thing (N,) 0 ... count-1, or -1 = none. The cost is that of 200 points a thing and keyframe, so all is
    looked at anew each time: neither a changed surface nor a corrected pose can leave anything stale.
    """
    chosen = _sampled(thing, count)
    points, normals, thing = points[chosen], normals[chosen], thing[chosen]
    total = np.bincount(thing, minlength=count)
    tables = [_one_keyframe(look(points, normals, depths.of(k), k.camera_to_world), thing, count, depths.of(k), k)
              for k in keyframes]
    if not tables:
        return Sightings(np.zeros(count), np.zeros((0, count), bool), [[] for _ in range(count)])
    of = np.maximum(total, 1)
    weight = np.sum([t.weight for t in tables], axis=0) / of
    visible = np.stack([t.visible for t in tables]) / of
    inside = np.stack([t.inside for t in tables]) / of
    box = np.stack([t.box for t in tables])
    sharpness = np.stack([t.sharpness for t in tables])
    seen = (visible >= _SEEN_SHARE) & (visible * of >= np.minimum(_SEEN_POINTS, of))
    size = np.array([(k.camera.width, k.camera.height) for k in keyframes], np.float64)[:, None]
    sides = np.sqrt(np.maximum((box[..., 2:] - box[..., :2]) / size, 0.0).prod(-1))
    score = (np.minimum(1.0, sides / _LARGE) * inside**2 * visible / np.maximum(visible.max(0), 1e-9)
             * np.sqrt(sharpness / np.maximum(np.where(seen, sharpness, 0.0).max(0), 1e-9)).clip(0, 1)) * seen
    clear = np.stack([t.standing for t in tables])
    score *= np.where(clear < _CLEAR, 0.0, clear)
    touches = (box[..., :2].min(-1) < _BORDER) | ((size - box[..., 2:]).min(-1) < _BORDER)
    cut = (inside < _WHOLE) | touches
    middle = np.stack([np.bincount(thing, points[:, axis], count) for axis in range(3)], 1) / of[:, None]
    towards = np.stack([k.camera_to_world[:3, 3] for k in keyframes])[:, None] - middle
    towards /= np.maximum(np.linalg.norm(towards, axis=-1, keepdims=True), 1e-9)
    views = []
    for t in range(count):
        best = _diverse(score[:, t], towards[:, t], max_views)
        views.append([InstanceView(keyframes[k].stamp, _pixels(box[k, t], keyframes[k]), float(visible[k, t]), bool(cut[k, t]),
                                   float(score[k, t])) for k in best])
    return Sightings(weight, seen, views)


def crop(keyframe: Keyframe | None, view: InstanceView) -> np.ndarray | None:
    """(h, w, 3) uint8 RGB: the thing with a margin of 6 pixels. None when the keyframe was forgotten or too little is left."""
    if keyframe is None:
        return None
    x0, y0, x1, y1 = view.box
    left, top = max(x0 - CROP_MARGIN, 0), max(y0 - CROP_MARGIN, 0)
    right, bottom = min(x1 + CROP_MARGIN, keyframe.camera.width), min(y1 + CROP_MARGIN, keyframe.camera.height)
    if right - left < _MIN_CROP or bottom - top < _MIN_CROP:
        return None
    return keyframe.rgb()[top:bottom, left:right].copy()


@dataclass(frozen=True)
class _Table:
    """One keyframe's account of T things: sums of weights, counts of points, box (T, 4) in full pixels, mean sharpness within it
    and share of it that stands."""

    weight: np.ndarray
    visible: np.ndarray
    inside: np.ndarray
    box: np.ndarray
    sharpness: np.ndarray
    standing: np.ndarray


def _one_keyframe(sight: Sight, thing: np.ndarray, count: int, view: DepthView, keyframe: Keyframe) -> _Table:
    of_visible = thing[sight.visible]
    u, v = sight.u[sight.visible], sight.v[sight.visible]
    box = np.zeros((count, 4))
    present, first = np.unique(of_visible, return_index=True)  # `thing` is sorted, so runs are contiguous
    if len(present):
        low = np.stack([np.minimum.reduceat(u, first), np.minimum.reduceat(v, first)], 1)
        high = np.stack([np.maximum.reduceat(u, first), np.maximum.reduceat(v, first)], 1)
        scale = (view.scale_x, view.scale_y)
        box[present] = np.concatenate([(low + 0.5) / scale, (high + 0.5) / scale], 1)
    return _Table(np.bincount(thing, sight.weight, count), np.bincount(of_visible, minlength=count),
                  np.bincount(thing[sight.inside], minlength=count), box, _box_mean(view.sharpness, box, keyframe),
                  _box_mean(view.standing, box, keyframe))


def _box_mean(grid: np.ndarray, box: np.ndarray, keyframe: Keyframe) -> np.ndarray:
    """(T,) mean of a grid's cells that each (T, 4) pixel box touches, by an integral image."""
    rows, columns = grid.shape
    integral = np.zeros((rows + 1, columns + 1))
    integral[1:, 1:] = grid.cumsum(0).cumsum(1)
    cell = np.array([columns / keyframe.camera.width, rows / keyframe.camera.height] * 2)
    x0, y0 = np.clip(np.floor(box[:, :2] * cell[:2]).astype(np.int64), 0, (columns - 1, rows - 1)).T
    x1, y1 = np.clip(np.ceil(box[:, 2:] * cell[2:]).astype(np.int64), 1, (columns, rows)).T
    x1, y1 = np.maximum(x1, x0 + 1), np.maximum(y1, y0 + 1)
    total = integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]
    return np.maximum(total, 0.0) / ((x1 - x0) * (y1 - y0))  # rounding can leave a negative zero


def _sampled(thing: np.ndarray, count: int) -> np.ndarray:
    """Indices of at most 200 points of each thing, evenly spread over its points, sorted by thing."""
    order = np.argsort(thing, kind="stable")
    order = order[thing[order] >= 0]
    size = np.bincount(thing[order], minlength=count)
    start = np.repeat(np.cumsum(size) - size, size)
    place = np.arange(len(order)) - start
    every = np.maximum(1, -(-size // _SAMPLES))  # ceiling division
    return order[place % np.repeat(every, size) == 0]


def _diverse(score: np.ndarray, towards: np.ndarray, most: int) -> list[int]:
    """Keyframes for one thing: the best, then those that are good and look from elsewhere; best first."""
    chosen: list[int] = []
    gain = score.copy()
    while len(chosen) < most and gain.max(initial=0.0) > 0:
        best = int(gain.argmax())
        chosen.append(best)
        angle = np.arccos(np.clip(towards @ towards[chosen].T, -1, 1)).min(1)
        gain = score * np.minimum(1.0, 0.4 + angle / _APART)
        gain[chosen] = 0.0
    return sorted(chosen, key=lambda k: -score[k])


def _pixels(box: np.ndarray, keyframe: Keyframe) -> tuple[int, int, int, int]:
    """Whole pixels that the box touches, ends excluded."""
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    x0, y0 = max(int(x0), 0), max(int(y0), 0)
    return x0, y0, min(max(int(x1), x0 + 1), keyframe.camera.width), min(max(int(y1), y0 + 1), keyframe.camera.height)
