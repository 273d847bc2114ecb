"""What the classifiers are told of a region, and of a pair of neighbours.

Shares, logarithms and clipped distances throughout: a larger room, a brighter lamp or a stray vertex must not leave the range
that training saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from magic3d_ros.instances import region_statistics as columns
from magic3d_ros.instances.region_statistics import RegionStatistics

PAIR_FEATURES, WHOLE_FEATURES = 90, 41
"""How many numbers describe a pair and a region: weights of other widths belong to another version."""

_CELL_AREA = 4e-4  # square metres a vertex stands for in a mesh of 2 cm
_THIN = 0.005  # metres: thinner than this is noise
_COLOR_NOISE = 4.0  # variance of Lab within a plain surface
_ROOM_HEIGHT = 3.0
_PACKED = (0, 3, 4, 3, 1, 5, 4, 5, 2)  # of xx yy zz xy xz yz, the matrix row by row
_LIMIT = 5.0  # of what is not finite


@dataclass(frozen=True)
class Regions:
    """R regions described from their sums: sizes in vertices, lengths in metres, `spread` standard deviations, `histogram` square
    roots of shares, `named` shares on floor, walls and ceiling, `planes` shares on each structure plane, `outer_*` means over
    the border with other regions, extent (R, 3) edges of the box of equal moments, ascending, thin (R, 3) its shortest axis."""

    size: np.ndarray
    center: np.ndarray
    covariance: np.ndarray
    extent: np.ndarray
    thin: np.ndarray
    straight: np.ndarray
    normal: np.ndarray
    color: np.ndarray
    spread: np.ndarray
    crease: np.ndarray
    contrast: np.ndarray
    rim: np.ndarray
    named: np.ndarray
    planes: np.ndarray
    histogram: np.ndarray
    perimeter: np.ndarray
    outer_crease: np.ndarray
    outer_contrast: np.ndarray
    gaps: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def of(self, index: np.ndarray) -> Regions:
        """Some of them, by number."""
        return Regions(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def described(sums: np.ndarray, low: np.ndarray, high: np.ndarray) -> Regions:
    """Regions of RegionStatistics' sums (R, C), low and high (R, 3)."""
    size = np.maximum(sums[:, columns.SIZE], 1.0)
    mean = sums / size[:, None]
    center = mean[:, columns.POSITION]
    covariance = mean[:, columns.MOMENT] - _outer(center)
    extent, thin = _box_of_moments(covariance)
    straight = np.linalg.norm(mean[:, columns.NORMAL], axis=1)
    color = mean[:, columns.COLOR]
    outer = np.maximum(sums[:, columns.OUTER], 0.0)
    edges = np.maximum(outer[:, :1], 1.0)
    return Regions(
        size, center, covariance, extent, thin, straight, mean[:, columns.NORMAL] / np.maximum(straight, 1e-6)[:, None], color,
        np.sqrt(np.maximum(mean[:, columns.COLOR_SQUARE] - color**2, 0.0)), mean[:, columns.CREASE], mean[:, columns.CONTRAST],
        mean[:, columns.RIM], mean[:, columns.ON_NAMED], mean[:, columns.PLANES], np.sqrt(mean[:, columns.HISTOGRAM]),
        outer[:, 0], outer[:, 1] / edges[:, 0], outer[:, 2] / edges[:, 0], outer[:, 3], low, high)


def pair_features(regions: RegionStatistics, which: np.ndarray) -> np.ndarray:
    """(Q, F) float32 of the pairs numbered `which` (Q,): PAIR_FEATURES columns."""
    pairs, border = regions.pairs[which], regions.borders[which]
    size = regions.sums[:, columns.SIZE]
    smaller_first = np.where((size[pairs[:, 0]] > size[pairs[:, 1]])[:, None], pairs[:, ::-1], pairs)
    used, place = np.unique(smaller_first, return_inverse=True)
    place = place.reshape(smaller_first.shape)
    every = described(regions.sums[used], regions.low[used], regions.high[used])
    small, large = every.of(place[:, 0]), every.of(place[:, 1])
    return _stacked([*_border(border, small, large), *_of_each(border, small), *_of_each(border, large), *_color(small, large),
                     *_shape(small, large), *_height(border, small, large)])


def _border(border: np.ndarray, small: Regions, large: Regions) -> Iterable[np.ndarray]:
    edges, gaps = border[:, columns.EDGES], border[:, columns.GAPS]
    count, side = np.maximum(edges, 1.0), np.sqrt(small.size)
    yield from (np.log(small.size), np.log(large.size), np.log1p(edges), edges / np.maximum(small.perimeter, 1.0),
                edges / np.maximum(large.perimeter, 1.0), edges / side)
    yield from (gaps / np.maximum(edges + gaps, 1.0), (edges == 0).astype(float), np.minimum(gaps / side, 4.0),
                border[:, columns.GAP_LENGTH] / np.maximum(gaps, 1.0) * 20.0)
    yield from (border[:, columns.BORDER_CREASE] / count, border[:, columns.BORDER_CONTRAST] / count,
                border[:, columns.BEND] / count * 4.0, np.where(edges > 0, border[:, columns.ALIKE] / count, 1.0),
                border[:, columns.CHANGE] / count / 10.0)
    yield from (border[:, columns.CREASE_STEPS] / count[:, None]).T
    yield from (border[:, columns.CONTRAST_STEPS] / count[:, None]).T


def _of_each(border: np.ndarray, region: Regions) -> Iterable[np.ndarray]:
    count = np.maximum(border[:, columns.EDGES], 1.0)
    yield from (region.outer_crease, region.outer_contrast, region.crease, region.contrast,
                border[:, columns.BORDER_CREASE] / count - region.outer_crease,
                border[:, columns.BORDER_CONTRAST] / count - region.outer_contrast)
    yield from (region.rim, region.spread[:, 0] / 10.0, np.linalg.norm(region.spread[:, 1:], axis=1) / 10.0, region.straight,
                region.normal[:, 2])
    yield from region.named.T
    yield from (np.clip(region.low[:, 2], -0.5, _ROOM_HEIGHT), np.clip(region.high[:, 2], -0.5, _ROOM_HEIGHT))
    yield from _log_length(region.extent).T
    yield np.log((region.perimeter + 1.0) / np.sqrt(region.size))


def _color(small: Regions, large: Regions) -> Iterable[np.ndarray]:
    apart = small.color - large.color
    pooled = np.sqrt((small.spread**2 + large.spread**2) / 2.0 + _COLOR_NOISE)
    yield np.minimum(np.abs(apart[:, 0]) / 20.0, 2.0)
    yield np.minimum(np.linalg.norm(apart[:, 1:], axis=1) / 20.0, 2.0)
    yield np.minimum(np.linalg.norm(apart / pooled, axis=1) / 3.0, 3.0)
    yield (small.histogram * large.histogram).sum(1)  # Bhattacharyya


def _shape(small: Regions, large: Regions) -> Iterable[np.ndarray]:
    between = large.center - small.center
    distance = np.linalg.norm(between, axis=1) + 1e-6
    yield (small.normal * large.normal).sum(1)
    yield np.minimum(distance, 3.0)
    for one in (small, large):  # how far the other's middle lies from its plane
        yield np.minimum(np.abs((between * one.thin).sum(1)) * 10.0, 3.0)
    yield np.abs((small.thin * large.thin).sum(1))
    yield ((large.normal - small.normal) * between).sum(1) / distance  # above 0: turned away from each other, convex
    share = (large.size / (small.size + large.size))[:, None]
    union = _box_of_moments(small.covariance * (1 - share) + large.covariance * share + _outer(between) * share * (1 - share))[0]
    yield from _log_length(union).T
    yield from (_log_length(union) - _log_length(large.extent)).T
    low, high = np.minimum(small.low, large.low), np.maximum(small.high, large.high)
    yield np.log(_volume(low, high) / (_volume(small.low, small.high) + _volume(large.low, large.high)))
    inner = np.minimum(small.high, large.high) - np.maximum(small.low, large.low)
    yield np.clip((inner + 0.04) / (small.high - small.low + 0.04), 0.0, 1.0).prod(1)  # share of the smaller box in the larger
    yield from np.abs(_log_length(small.extent) - _log_length(large.extent)).T  # two legs, two slats
    yield np.log(np.maximum(union[:, 1] * union[:, 2], 1e-4) / ((small.size + large.size) * _CELL_AREA))


def _height(border: np.ndarray, small: Regions, large: Regions) -> Iterable[np.ndarray]:
    """What stands on what: where the border is within the height of either; and which planes both lie on."""
    for ends in ((small.low, large.low), (small.high, large.high)):
        yield np.minimum(np.abs(ends[0][:, 2] - ends[1][:, 2]), 1.5)
    height = border[:, columns.PLACE][:, 2] / np.maximum(border[:, columns.EDGES] + border[:, columns.GAPS], 1.0)
    for one in (small, large):
        yield np.clip((height - one.low[:, 2]) / np.maximum(one.high[:, 2] - one.low[:, 2], 0.04), -0.5, 1.5)
    yield np.clip(height, -0.5, _ROOM_HEIGHT)
    same = np.minimum(small.planes, large.planes).sum(1)
    yield same
    yield small.planes.sum(1) * large.planes.sum(1) - same**2


def whole_features(sums: np.ndarray, low: np.ndarray, high: np.ndarray, joins: np.ndarray) -> np.ndarray:
    """(R, F) float32 of regions that may be a whole thing: WHOLE_FEATURES columns.

    joins (R, 7): of what they were made of (region_tree.py): weakest join within, its own, the one it went into, its best
    neighbour's (probabilities), number of basins, share of the vertices that its largest part lacks, share of what it became.
    """
    region = described(sums, low, high)
    box = np.log(np.sort(high - low, axis=1) + 0.02)
    extent = _log_length(region.extent)
    area = region.size * _CELL_AREA
    colors = region.histogram**2
    weakest, own, up, best = _logit(joins[:, :4]).T
    return _stacked([
        np.log(region.size), *extent.T, extent[:, 0] - extent[:, 1], extent[:, 1] - extent[:, 2], *box.T,
        np.log(high[:, 2] - low[:, 2] + 0.02), np.log(area) - box[:, 1] - box[:, 2],
        np.log(area / np.maximum(region.extent[:, 1] * region.extent[:, 2], 1e-4)),
        np.clip(low[:, 2], -0.5, _ROOM_HEIGHT), np.clip(high[:, 2], -0.5, _ROOM_HEIGHT), region.straight, region.normal[:, 2],
        region.spread[:, 0] / 10.0, np.linalg.norm(region.spread[:, 1:], axis=1) / 10.0,
        -(colors * np.log(colors + 1e-9)).sum(1), region.crease, region.contrast, region.rim, region.outer_crease,
        region.outer_contrast, np.log((region.perimeter + 1.0) / np.sqrt(region.size)),
        np.log((region.perimeter + 1.0) / (region.rim * region.size + region.perimeter + 1.0)),
        np.log1p(region.gaps / np.sqrt(region.size)), *region.named.T, region.planes.max(1, initial=0.0), region.planes.sum(1),
        own, weakest, up, best, own - up, np.log(joins[:, 4]), (joins[:, 4] == 1).astype(float),
        np.log(np.maximum(joins[:, 5], 1e-3)), np.log(np.maximum(joins[:, 6], 1e-3))])


def _stacked(features: list[np.ndarray]) -> np.ndarray:
    return np.nan_to_num(np.stack(features, 1).astype(np.float32), nan=0.0, posinf=_LIMIT, neginf=-_LIMIT)


def _logit(probability: np.ndarray) -> np.ndarray:
    inside = np.clip(probability, 0.003, 0.997)
    return np.log(inside / (1.0 - inside))


def _log_length(metres: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(metres, _THIN))


def _volume(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.maximum(high - low, 0.02).prod(1)


def _outer(v: np.ndarray) -> np.ndarray:
    """(N, 6) packed products of (N, 3) vectors with themselves."""
    x, y, z = v.T
    return np.stack([x * x, y * y, z * z, x * y, x * z, y * z], 1)


def _box_of_moments(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) edges of the box that has these packed second moments, ascending, and (N, 3) the direction of the shortest."""
    values, vectors = np.linalg.eigh(covariance[:, _PACKED].reshape(-1, 3, 3))
    return np.sqrt(12.0 * np.maximum(values, 1e-8)), vectors[:, :, 0]
