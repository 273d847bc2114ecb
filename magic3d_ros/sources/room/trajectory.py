"""Where the camera is, frame by frame; and where something that walks through is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TURN_SHARE = 0.45
"""Share of the time that goes with turning instead of driving: the camera slows down where it turns, which keeps motion between
frames even (measured on the first room: at most 6 cm and 4 degrees a frame in 220 frames)."""

BOB = 0.004
"""Metres the camera moves up and down, and 0.25 and 0.2 degrees it swings, as a cart on a hard floor does."""


def spline(keys: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Catmull-Rom curve through the rows of keys (k, d) at parameters 0..k-1 -> (len(at), d)."""
    last = len(keys) - 1
    x = np.clip(at, 0, last)
    i = np.minimum(x.astype(int), max(last - 1, 0))
    f = (x - i)[:, None]
    before, start, end, after = (keys[np.clip(i + k, 0, last)] for k in (-1, 0, 1, 2))
    return 0.5 * (2 * start + (end - before) * f + (2 * before - 5 * start + 4 * end - after) * f**2
                  + (3 * start - before - 3 * end + after) * f**3)


def look(position: Sequence[float] | np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """(4, 4) camera-to-world of a level camera with OpenCV axes in a world with z up.

    yaw: degrees counter-clockwise from +x. pitch: degrees, positive looks up.
    """
    y, p = np.radians(yaw), np.radians(pitch)
    forward = np.array([np.cos(y) * np.cos(p), np.sin(y) * np.cos(p), np.sin(p)])
    right = np.array([np.sin(y), -np.cos(y), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = position
    return pose


def camera_path(way_points: np.ndarray, frames: int) -> np.ndarray:
    """(frames, 4, 4) poses along way points (k, 5): x, y, z in metres, yaw and pitch in degrees."""
    fine = np.linspace(0, len(way_points) - 1, 200 * len(way_points))
    curve = spline(np.asarray(way_points, np.float64), fine)
    driven = _cumulated(np.linalg.norm(np.diff(curve[:, :3], axis=0), axis=1))
    turned = _cumulated(np.linalg.norm(np.diff(curve[:, 3:], axis=0), axis=1))
    clock = driven * (1 - TURN_SHARE) + turned * TURN_SHARE
    if clock[-1] <= 0:
        clock = np.linspace(0, 1, len(clock))
    at = np.interp(np.linspace(0, clock[-1], frames), clock, fine)
    sampled = spline(np.asarray(way_points, np.float64), at)
    i = np.arange(frames)
    sampled[:, 2] += BOB * np.sin(0.7 * i)
    sampled[:, 3] += 0.25 * np.sin(0.9 * i)
    sampled[:, 4] += 0.2 * np.sin(1.3 * i)
    return np.stack([look(s[:3], s[3], s[4]) for s in sampled])


def walk(keys: np.ndarray, moment: float) -> tuple[np.ndarray, float, float] | None:
    """Where a walker is at `moment` (0..1 of the sequence): (2,) place, heading in degrees and metres walked so far.

    keys: (k, 3) rows of moment, x, y with rising moments. None before the first and after the last.
    """
    if not keys[0, 0] <= moment <= keys[-1, 0]:
        return None
    place_keys = keys[:, 1:]
    parameter = float(np.interp(moment, keys[:, 0], np.arange(len(keys))))
    fine = np.linspace(0, parameter, max(2, int(parameter * 50)))
    trail = spline(place_keys, fine)
    behind, ahead = spline(place_keys, np.clip(np.array([parameter - 0.05, parameter + 0.05]), 0, len(keys) - 1))
    heading = float(np.degrees(np.arctan2(ahead[1] - behind[1], ahead[0] - behind[0])))
    return trail[-1], heading, float(np.linalg.norm(np.diff(trail, axis=0), axis=1).sum())


def _cumulated(steps: np.ndarray) -> np.ndarray:
    total = np.r_[0, np.cumsum(steps)]
    return total / total[-1] if total[-1] > 0 else total
