"""From opinions to a verdict: geometry where it knows, features where it does not, spread as far as the depth is continuous."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.distractors.bilateral_grid import BilateralGrid
from magic3d_ros.mapping.distractors.evidence import Evidence
from magic3d_ros.mapping.distractors.holes import fill_holes
from magic3d_ros.mapping.distractors.losses import color_weight
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict

# Log odds of "distractor", and how much each opinion weighs against the neighbourhood's. Geometry that saw a place free is sure;
# that it saw surface there may also be the inside of a thing that slides along itself, so it must have stood for seconds first.
# All found on composites of redkitchen with the tuning textures and on the simulated room (docs/distractors.md).
MOVING, SURE = 3.0, 1.0
STANDING, FAIRLY_SURE = -3.0, 0.12
PROVEN, YOUNG = 6.0, 0.01  # seconds of standing that count in full, and the share that the first glimpse counts
UNKNOWN, UNSURE = -1.0, 0.03  # without any opinion a pixel stands
FEATURES_LIMIT, BY_FEATURES = 2.0, 0.4
CARRIED, BY_MEMORY = 0.95, 0.4  # the last frame's verdict fades by a twentieth a frame
# 10 instead of .5 raises IoU from .757 to .811 and takes false alarms in a still recording from .0039 to .0022: a surface that is
# continuous in depth decides as one. Beyond 25 little changes.
SMOOTHNESS = 40.0
ITERATIONS = 30
BELOW, ABOVE = 0.999, 1.001  # uncertainty on either side of 1 where interpolation would leave it on the wrong one
EDGE = 1.0  # small pixels on either side of the small mask's edge in which full pixels are decided by their own depth
RIM = 1.25  # small pixels (5 of 640x480) around a distractor that are not fused: colour and depth of edges are mixed


def spread(depth: np.ndarray, evidence: Evidence, beta: np.ndarray | None, carried: np.ndarray | None, rgb: np.ndarray
           ) -> tuple[BilateralGrid, np.ndarray, np.ndarray]:
    """The grid, its values, and the log odds (h, w) of "distractor" of a small image.

    depth: (h, w). beta: (h, w) uncertainty by features, or None. carried: (h, w) log odds of the same places in the last frame,
    NaN where they were not seen, or None. rgb: (H, W, 3) uint8 of any size; it tells what holes of the depth belong to.
    """
    weight = np.full(depth.shape, UNSURE, np.float32)
    total = np.full(depth.shape, UNSURE * UNKNOWN, np.float32)
    proven = np.where(evidence.standing, np.clip(evidence.age / PROVEN, YOUNG, 1.0), np.float32(0))
    # What is proven to stand needs no other opinion: the head still knows the thing as one that moved.
    if beta is not None:
        total += BY_FEATURES * (1.0 - proven) * np.clip(2.0 * np.log(beta), -FEATURES_LIMIT, FEATURES_LIMIT)
        weight += BY_FEATURES * (1.0 - proven)
    if carried is not None:
        remembered = BY_MEMORY * np.isfinite(carried) * (1.0 - proven)
        total += remembered * np.nan_to_num(CARRIED * carried)
        weight += remembered
    stands = FAIRLY_SURE * proven
    moves = SURE * evidence.moving.astype(np.float32)
    total += stands * STANDING + moves * MOVING
    weight += stands + moves
    grid = BilateralGrid(depth)
    value = grid.solve(total / weight, weight, SMOOTHNESS, ITERATIONS)
    rows, columns = np.nonzero(evidence.measured)
    odds = np.zeros(depth.shape, np.float32)
    odds[rows, columns] = grid.read(value, rows, columns, depth[rows, columns])
    return grid, value, fill_holes(odds, depth, rgb, UNKNOWN, MOVING)


def verdict(frame: RGBDFrame, grid: BilateralGrid, value: np.ndarray, odds: np.ndarray) -> DistractorVerdict:
    """The verdict at full size from what `spread` gave; pixels near the mask's edge are decided by their own depth."""
    height, width = frame.depth.shape
    beta = np.exp(0.5 * odds)
    uncertainty = cv2.resize(beta, (width, height), interpolation=cv2.INTER_LINEAR)
    weights = cv2.resize(color_weight(torch.from_numpy(beta)).numpy(), (width, height), interpolation=cv2.INTER_LINEAR)
    coarse = (odds > 0).astype(np.uint8)
    if not coarse.any():
        nothing = np.zeros((height, width), bool)
        return DistractorVerdict(frame.stamp, np.minimum(uncertainty, np.float32(BELOW)), nothing, weights)
    mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    pixel = height / odds.shape[0]  # full pixels in a small one
    near = _square(EDGE * pixel)
    rows, columns = np.nonzero(cv2.dilate(mask, near) != cv2.erode(mask, near))
    depth = frame.depth[rows, columns]
    own = np.isfinite(depth) & (depth > 0)
    rows, columns, depth = rows[own], columns[own], depth[own]
    small_rows, small_columns = (np.maximum((index + 0.5) * small / full - 0.5, 0)
                                 for index, small, full in ((rows, odds.shape[0], height), (columns, odds.shape[1], width)))
    exact = grid.read(value, small_rows, small_columns, depth)
    uncertainty[rows, columns] = np.exp(0.5 * exact)
    mask[rows, columns] = exact > 0
    moving = mask.view(bool)
    # Interpolation may leave a pixel on the other side of 1 than its verdict.
    uncertainty = np.where(moving, np.maximum(uncertainty, np.float32(ABOVE)), np.minimum(uncertainty, np.float32(BELOW)))
    weights[cv2.dilate(mask, _square(RIM * pixel)).view(bool)] = 0.0
    return DistractorVerdict(frame.stamp, uncertainty, moving, weights)


def _square(radius: float) -> np.ndarray:
    side = 2 * int(np.ceil(radius)) + 1
    return np.ones((side, side), np.uint8)
