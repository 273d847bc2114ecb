"""From opinions to a verdict: geometry where it knows, features where it does not, spread as far as the depth is continuous."""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.distractors.bilateral_grid import BilateralGrid
from magic3d_ros.mapping.distractors.evidence import Evidence
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict

# Log odds of "distractor", and how much each opinion weighs against the neighbourhood's. Geometry that saw a place free is sure;
# that it saw surface there may also be the inside of a thing that slides along itself.
MOVING, SURE = 3.0, 1.0
STANDING, FAIRLY_SURE = -3.0, 0.3
UNKNOWN, UNSURE = -1.0, 0.03  # without any opinion a pixel stands
FEATURES_LIMIT, BY_FEATURES = 2.0, 0.1
CARRIED, BY_MEMORY = 0.8, 0.1  # the last frame's verdict fades by a fifth a frame
NEUTRAL_BETA = 1.0  # uncertainty of the head at which it says nothing
SMOOTHNESS = 0.5
ITERATIONS = 12
EDGE = 9  # full pixels around the small mask's edge that are decided by their own depth
RIM = 5  # full pixels around a distractor that are not fused: colour and depth of edges are mixed
HOLE = 9  # small pixels around a hole in the depth that decide on it


def spread(depth: np.ndarray, evidence: Evidence, beta: np.ndarray | None, carried: np.ndarray | None
           ) -> tuple[BilateralGrid, np.ndarray, np.ndarray]:
    """The grid, its values, and the log odds (h, w) of "distractor" of a small image.

    depth: (h, w). beta: (h, w) uncertainty by features, or None. carried: (h, w) log odds of the same places in the last frame,
    NaN where they were not seen, or None.
    """
    weight = np.full(depth.shape, UNSURE, np.float32)
    total = np.full(depth.shape, UNSURE * UNKNOWN, np.float32)
    if beta is not None:
        total += BY_FEATURES * np.clip(2.0 * np.log(beta / NEUTRAL_BETA), -FEATURES_LIMIT, FEATURES_LIMIT)
        weight += BY_FEATURES
    if carried is not None:
        known = np.isfinite(carried)
        total += np.where(known, BY_MEMORY * CARRIED * carried, 0.0).astype(np.float32)
        weight += BY_MEMORY * known
    for where, opinion, sure in ((evidence.standing, STANDING, FAIRLY_SURE), (evidence.moving, MOVING, SURE)):
        total[where] += sure * opinion
        weight[where] += sure
    grid = BilateralGrid(depth)
    value = grid.solve(total / weight, weight, SMOOTHNESS, ITERATIONS)
    rows, columns = np.nonzero(evidence.measured)
    odds = np.zeros(depth.shape, np.float32)
    odds[rows, columns] = grid.read(value, rows, columns, depth[rows, columns])
    measured = evidence.measured.astype(np.float32)
    # A hole takes the mean of what is around it; where nothing is, it stands.
    around = (cv2.boxFilter(odds, -1, (HOLE, HOLE)) + UNSURE * UNKNOWN) / (cv2.boxFilter(measured, -1, (HOLE, HOLE)) + UNSURE)
    return grid, value, np.where(evidence.measured, odds, around)


def verdict(frame: RGBDFrame, grid: BilateralGrid, value: np.ndarray, odds: np.ndarray) -> DistractorVerdict:
    """The verdict at full size from what `spread` gave; pixels near the mask's edge are decided by their own depth."""
    height, width = frame.depth.shape
    large = cv2.resize(odds, (width, height), interpolation=cv2.INTER_LINEAR)
    coarse = (odds > 0).astype(np.uint8)
    if coarse.any():
        mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        kernel = np.ones((EDGE, EDGE), np.uint8)
        edge = (cv2.dilate(mask, kernel) != cv2.erode(mask, kernel)) & np.isfinite(frame.depth) & (frame.depth > 0)
        rows, columns = np.nonzero(edge)
        small_rows, small_columns = ((index + 0.5) * small / full - 0.5
                                     for index, small, full in ((rows, odds.shape[0], height), (columns, odds.shape[1], width)))
        exact = grid.read(value, np.maximum(small_rows, 0), np.maximum(small_columns, 0), frame.depth[rows, columns])
        large[rows, columns] = exact
        moving = mask.view(bool)
        moving[rows, columns] = exact > 0
    else:
        moving = np.zeros((height, width), bool)
    large = np.where(moving, np.maximum(large, 1e-3), np.minimum(large, -1e-3))
    uncertainty = cv2.exp(0.5 * large.astype(np.float32))
    rim = cv2.dilate(moving.view(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)).view(bool)
    weights = np.where(rim, np.float32(0), np.minimum(0.5 / uncertainty**2, np.float32(1)))
    return DistractorVerdict(frame.stamp, uncertainty, moving, weights)
