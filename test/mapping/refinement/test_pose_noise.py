"""Corrections made of a noise from frame to frame, which is the poses', and slow waves, which are the depth's."""

from __future__ import annotations

import numpy as np

from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.refinement.pose_noise import without_noise

from .conftest import corner_run

COUNT = 120
STAMPS = [i * 10**8 for i in range(COUNT)]  # ten a second
# Weak along x: the standard deviation that 100 points in common mean there is 2 cm, along the rest 1 mm.
INFORMATION = np.diag([1e8, 1e8, 1e8, 2.5e5, 1e8, 1e8])


def run(noise: float, wave: float) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Poses as they should be, as given (noise in metres and as many radians), and as depth found them (a wave of 3 s in x)."""
    random = np.random.default_rng(0)
    truth = {stamp: frame.camera_to_world for stamp, frame in zip(STAMPS, corner_run(COUNT), strict=True)}
    given = {s: moved(pose, random.normal(size=3) * noise, random.normal(size=3) * noise) for s, pose in truth.items()}
    waves = {s: np.array([wave * np.sin(2 * np.pi * s * 1e-9 / 3), 0.0, 0.0]) for s in STAMPS}
    found = {s: moved(pose, np.zeros(3), waves[s]) for s, pose in truth.items()}
    return truth, given, found


def off(poses: dict[int, np.ndarray], truth: dict[int, np.ndarray]) -> float:
    return float(np.sqrt(np.mean([distance(poses[s], truth[s])[0] ** 2 for s in truth])))


def test_noise_goes_and_the_waves_of_the_depth_are_not_followed():
    truth, given, found = run(0.01, 0.03)
    assert off(given, truth) > 0.015 and off(found, truth) > 0.02
    left = without_noise(given, found, dict.fromkeys(STAMPS, INFORMATION))
    assert off(left, truth) < 0.4 * off(given, truth)


def test_exact_poses_stay_where_they_are():
    truth, given, found = run(0.0, 0.03)
    assert off(without_noise(given, found, dict.fromkeys(STAMPS, INFORMATION)), truth) < 1e-6


def test_where_the_view_fixes_the_pose_depth_is_believed():
    truth, given, found = run(0.01, 0.0)
    left = without_noise(given, found, dict.fromkeys(STAMPS, 1e12 * np.eye(6)))
    assert off(left, truth) < 1e-6


def test_frames_that_were_not_found_stay_and_a_few_tell_nothing():
    _, given, found = run(0.01, 0.03)
    some = {s: found[s] for s in STAMPS[::2]}
    left = without_noise(given, some, dict.fromkeys(STAMPS, INFORMATION))
    assert left.keys() == given.keys()
    assert all(np.array_equal(left[s], given[s]) for s in STAMPS[1::2])
    few = without_noise(given, {s: found[s] for s in STAMPS[:7]}, dict.fromkeys(STAMPS, INFORMATION))
    assert all(np.array_equal(few[s], given[s]) for s in STAMPS)
