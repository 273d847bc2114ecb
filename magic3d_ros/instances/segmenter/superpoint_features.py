"""What the network is told of a superpoint beside what its U-Net sees: shape, colour, border, place in the room."""

from __future__ import annotations

import numpy as np

from magic3d_ros.instances.region_features import described
from magic3d_ros.instances.region_statistics import RegionStatistics

NODE_FEATURES = 26
_THIN = 0.005  # metres: thinner than this is noise
_MIDDLE_LAB, _COLOR_RANGE, _SPREAD_RANGE = (50.0, 128.0, 128.0), 20.0, 10.0  # OpenCV's 8-bit Lab, L halved
_LOWEST, _ROOM_HEIGHT = -0.5, 3.0  # metres: what is out of this range is as good as at its end
_LIMIT = 5.0  # of what is not finite


def node_features(regions: RegionStatistics) -> np.ndarray:
    """(S, NODE_FEATURES) float32: logarithms, shares and clipped heights; nothing depends on the room's axes but up."""
    one = described(regions.sums, regions.low, regions.high)
    columns = [np.log(one.size), *np.log(np.maximum(one.extent, _THIN)).T, one.straight, one.normal[:, 2],
               np.linalg.norm(one.normal[:, :2], axis=1), *((one.color - _MIDDLE_LAB) / _COLOR_RANGE).T,
               *(one.spread / _SPREAD_RANGE).T, one.crease, one.contrast, one.rim, one.outer_crease, one.outer_contrast,
               np.log1p(one.gaps / np.sqrt(one.size)), *one.named.T, one.planes.sum(1),
               np.clip(one.low[:, 2], _LOWEST, _ROOM_HEIGHT), np.clip(one.high[:, 2], _LOWEST, _ROOM_HEIGHT),
               np.log((one.perimeter + 1.0) / np.sqrt(one.size))]
    return np.nan_to_num(np.stack(columns, 1).astype(np.float32), nan=0.0, posinf=_LIMIT, neginf=-_LIMIT)
