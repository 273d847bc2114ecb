"""What depth alone says of movement: surface where there was air before, and surface before what the map predicts.

The idea of an ever-free layer (nvblox; Schmid et al., Dynablox, 2023) with remembered depth images in the place of voxels: a
point is looked at from the poses of earlier keyframes, and one that saw through its place says that it was free. At the 10 cm of
the map's free-space layer a mask could not follow the edge of a thing, and everything would have to keep 20 cm away from what
stands; a depth image is as sharp as the sensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from magic3d_ros.geometry.camera import Camera

# A point counts as before a surface when it is nearer by TOLERANCE + SLOPE * depth metres: noise of sensor and poses. By
# this alone .34 % of the pixels of redkitchen, in which nothing moves, seem to; with .06 and .03 .26 %, at 1 % less recall.
TOLERANCE = 0.04
SLOPE = 0.02
# Depth this many pixels (of the small images) around a point's place in an earlier keyframe is compared with: poses and
# registration are not better than that at edges. With 3 (and a slope of .03) .86 % of redkitchen seem to move.
NEIGHBOURHOOD = 5
# Pixels of the neighbourhood that must have a reading where it is seen through. Asking for all of them lost most of what is known
# around silhouettes, where readings are frayed. IoU / recall with 25, 20, 15, 10: the procedural room's own walker .784 / .827,
# .854 / .919, .861 / .930, .864 / .941; redkitchen's tuning composite (160 frames) .865 / .946, -, .870 / .973, .869 / .974.
ENOUGH = 15
# Share of the tolerance by which half of the readings of two frames differ where poses fit: .05 to .11 in recordings and the
# simulated room, .14 with poses off by 5 mm and .25 degrees, .34 with 2 cm and 1 degree (redkitchen). Two frames that fit worse
# are compared with so much more tolerance: 1.1 % of the pixels are marked there in place of 3.7 %, and recall on the tuning
# composite stays .963. Readings that differ by more than APART tolerances are of other things: when they counted, people in the
# image widened the tolerance, and recall fell to .891.
MISFIT, APART = 0.2, 2.0
COMPARED = 2000  # readings that this is taken of
BEYOND = np.float32(1e6)  # metres: behind everything
NEAR = 0.05  # metres: what is nearer to an earlier camera's plane has no place in its image
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Look:
    """What one frame saw, small. camera: of the small image. depth: (h, w) float32 metres, 0 = no reading."""

    stamp: int
    camera: Camera
    camera_to_world: np.ndarray
    depth: np.ndarray

    @cached_property
    def nearest(self) -> np.ndarray:
        """(h, w) least reading around each pixel; 0, not to be seen through, in holes and where too little around has a reading
        (what is outside the image has none)."""
        kernel, measured = _kernel(), self.depth > 0
        count = cv2.boxFilter(measured.view(np.uint8), -1, kernel.shape, normalize=False, borderType=cv2.BORDER_CONSTANT)
        least = cv2.erode(np.where(measured, self.depth, BEYOND), kernel)
        return np.where(measured & (count >= ENOUGH), least, np.float32(0))

    @cached_property
    def farthest(self) -> np.ndarray:
        """(h, w) largest depth around each pixel; 0 where none has a reading."""
        return cv2.dilate(self.depth, _kernel())

    def points(self) -> np.ndarray:
        """(n, 3) float32 points of the pixels with a reading, in the camera's frame, row by row."""
        measured = self.depth > 0
        # Coordinate by coordinate in memory: `project` turns them five times as fast.
        return np.asfortranarray(self.camera.rays()[measured] * self.depth[measured][:, None])

    def project(self, points: np.ndarray, camera_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where (n, 3) float32 points in the frame of a camera at that pose are seen: indices (m,) of those in this image, their
        flat pixels (m,) and depths (m,) metres."""
        camera = self.camera
        # From camera to camera in float64: float32 is exact enough from there on, however far the world's origin is.
        rotation = self.camera_to_world[:3, :3].T @ camera_to_world[:3, :3]
        offset = (camera_to_world[:3, 3] - self.camera_to_world[:3, 3]) @ self.camera_to_world[:3, :3]
        intrinsics = np.array([[camera.fx, 0, camera.cx + 0.5], [0, camera.fy, camera.cy + 0.5], [0, 0, 1]])
        x, y, z = (intrinsics @ rotation).astype(np.float32) @ points.T + (intrinsics @ offset).astype(np.float32)[:, None]
        inverse = np.reciprocal(np.maximum(z, np.float32(NEAR)))
        u, v = x * inverse, y * inverse
        inside = np.flatnonzero((z > NEAR) & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height))
        return inside, v[inside].astype(np.int64) * camera.width + u[inside].astype(np.int64), z[inside]


@dataclass(frozen=True)
class History:
    """What keyframes say of n points.

    free: (n,) int32 how many saw through the point's place. since, until: (n,) int64 stamps of the first and the last keyframe
    that saw surface there after it was last seen free; since is NEVER where none did, and until means nothing then.
    """

    free: np.ndarray
    since: np.ndarray
    until: np.ndarray


class DepthMemory:
    """What keyframes saw: the newest ones, and of the older ones those that look at the same place.

    capacity: looks remembered. compared: looks that one frame is compared with.
    """

    def __init__(self, capacity: int = 200, compared: int = 12) -> None:
        self._capacity, self._compared = capacity, compared
        self._looks: list[Look] = []

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def newest(self) -> Look:
        """The last one that was added; there must be one."""
        return self._looks[-1]

    def add(self, look: Look) -> None:
        """Remember a keyframe. Beyond the capacity every other one of the older half is forgotten."""
        self._looks.append(look)
        if len(self._looks) > self._capacity:
            half = self._capacity // 2
            self._looks = self._looks[:half:2] + self._looks[half:]

    def replace_poses(self, poses: Mapping[int, np.ndarray]) -> None:
        """Give the looks of these stamps other camera-to-world poses."""
        self._looks = [replace(look, camera_to_world=poses.get(look.stamp, look.camera_to_world)) for look in self._looks]

    def clear(self) -> None:
        """Forget all."""
        self._looks.clear()

    def history(self, points: np.ndarray, camera_to_world: np.ndarray, margin: float = 1.0) -> History:
        """What the keyframes say of (n, 3) float32 points in the frame of a camera at that pose. margin: see `seen_through`."""
        free = np.zeros(len(points), np.int32)
        history = History(free, np.full(len(points), NEVER, np.int64), np.zeros(len(points), np.int64))
        for look in self._chosen(points, camera_to_world):
            _compare(look, points, camera_to_world, history, margin)
        return history

    def _chosen(self, points: np.ndarray, camera_to_world: np.ndarray) -> list[Look]:
        """Half the newest, half those in whose image most of the points are; oldest first."""
        if len(self._looks) <= self._compared or len(points) == 0:
            return self._looks
        newest = self._compared // 2
        older = self._looks[:-newest]
        overlap = _seen(older, points[:: max(1, len(points) // 64)], camera_to_world)
        best = np.argsort(overlap, kind="stable")[::-1][:self._compared - newest]
        return [older[i] for i in sorted(best)] + self._looks[-newest:]


def small_depth(depth: np.ndarray, width: int, height: int) -> np.ndarray:
    """(H, W) metres -> (height, width) float32 by the nearest pixel, 0 = no reading: a mean would invent surface at edges.

    Whole millimetres, as keyframes remember depth: a loaded map's frames are then the same as before.
    """
    small = cv2.resize(np.asarray(depth, np.float32), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(np.isfinite(small) & (small > 0), np.round(small * 1000.0) * np.float32(1e-3), np.float32(0))


def tolerance(depth: np.ndarray) -> np.ndarray:
    """Metres by which readings at that depth may differ without meaning anything."""
    return TOLERANCE + SLOPE * depth


def slack(depth: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(n,) metres by which points at (n,) depths may differ from the readings (n,) at their places, 0 = none: the tolerance, and
    more where the readings differ by more than they do when poses fit."""
    allowed = tolerance(depth)
    sample = slice(None, None, max(1, len(depth) // COMPARED))
    apart = (np.abs(seen - depth)[sample] / allowed[sample])[seen[sample] > 0]
    same = apart[apart < APART]
    return allowed * np.float32(max(1.0, np.median(same) / MISFIT)) if len(same) else allowed


def disagreement(sensed: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """Metres by which the sensor sees surface before all that the map shows around the pixel, beyond the tolerance (`slack`).

    sensed, rendered: (h, w) float32 depth, 0 = nothing. 0 where they agree, or one is missing, or the map shows nothing nearby.
    """
    nearest = cv2.erode(rendered, _kernel(), borderType=cv2.BORDER_REPLICATE)
    both = (sensed > 0) & (rendered > 0)
    allowed = slack(sensed.ravel(), np.where(both, rendered, 0.0).ravel()).reshape(sensed.shape)
    before = nearest - sensed - allowed
    return np.where((sensed > 0) & (nearest > 0), np.maximum(before, 0.0), 0.0).astype(np.float32)


def seen_through(look: Look, points: np.ndarray, camera_to_world: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """Indices (m,) of the (n, 3) float32 points, in the frame of a camera at that pose, that the look sees through, by `margin`
    times the tolerance."""
    index, at, z = look.project(points, camera_to_world)
    return index[look.nearest.ravel()[at] > z + margin * tolerance(z)]


def _seen(looks: Sequence[Look], points: np.ndarray, camera_to_world: np.ndarray) -> np.ndarray:
    """(looks,) how many of the (n, 3) points, in the frame of a camera at that pose, each look has in its image."""
    rotations = np.stack([look.camera_to_world[:3, :3] for look in looks])
    positions = np.stack([look.camera_to_world[:3, 3] for look in looks])
    cameras = np.array([[c.fx, c.fy, c.cx + 0.5, c.cy + 0.5, c.width, c.height] for c in (look.camera for look in looks)])
    fx, fy, cx, cy, width, height = cameras.T[:, :, None]
    relative = points @ camera_to_world[:3, :3].T + (camera_to_world[:3, 3] - positions)[:, None]
    x, y, z = np.moveaxis(relative @ rotations, 2, 0)
    inverse = np.reciprocal(np.maximum(z, NEAR))
    u, v = x * inverse * fx + cx, y * inverse * fy + cy
    return ((z > NEAR) & (u >= 0) & (v >= 0) & (u < width) & (v < height)).sum(1)


def _compare(look: Look, points: np.ndarray, camera_to_world: np.ndarray, history: History, margin: float) -> None:
    """Bring the points' history up to date with one look; looks come in the order of time. margin: of `seen_through`."""
    index, at, z = look.project(points, camera_to_world)
    nearest, farthest = look.nearest.ravel()[at], look.farthest.ravel()[at]
    allowed = slack(z, look.depth.ravel()[at])
    passed = nearest > z + margin * allowed
    # Surface there: within what the neighbourhood spans. Behind it the place was hidden, and nothing is known.
    touched = (farthest > 0) & ~passed & (z < farthest + allowed) & (z > nearest - allowed)
    through, touching = index[passed], index[touched]
    history.free[through] += 1
    history.since[through] = NEVER
    history.since[touching] = np.minimum(history.since[touching], look.stamp)
    history.until[touching] = look.stamp


def _kernel() -> np.ndarray:
    return np.ones((NEIGHBOURHOOD, NEIGHBOURHOOD), np.uint8)
