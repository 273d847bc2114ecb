"""A small scene of superpoints: boxes beside each other, each over-segmented."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph

PIECES = 4


def _boxes(count: int = 3, seed: int = 0) -> tuple[SuperpointGraph, np.ndarray]:
    """`count` cubes of .8 m in a row, 30 points in each of 4 slices; neighbouring slices are pairs, also across boxes, and the
    first feature of a pair says noisily whether both are of one box -> the graph, (S,) int32 box of each superpoint."""
    random = np.random.default_rng(seed)
    superpoint = np.repeat(np.arange(count * PIECES), 30)
    box = (np.arange(count * PIECES) // PIECES).astype(np.int32)
    points = random.uniform(0, 0.2, (len(superpoint), 3)) * (1, 4, 4) + np.outer(superpoint, (0.2, 0, 0))
    pairs = np.stack([np.arange(len(box) - 1), np.arange(1, len(box))], 1).astype(np.int32)
    edges = random.normal(0, 0.3, (len(pairs), PAIR_FEATURES))
    edges[:, 0] += 3.0 * (box[pairs[:, 0]] == box[pairs[:, 1]])
    edges[:, 2] = 2.0
    nodes = random.normal(0, 0.3, (len(box), NODE_FEATURES))
    colors = np.repeat(60 * box[superpoint, None] + 30, 3, 1)
    return SuperpointGraph(points.astype(np.float32), colors.astype(np.uint8), superpoint.astype(np.int32),
                           nodes.astype(np.float32), pairs, edges.astype(np.float32)), box


@pytest.fixture
def boxes() -> Callable[..., tuple[SuperpointGraph, np.ndarray]]:
    """`_boxes`, for tests that need several."""
    return _boxes
