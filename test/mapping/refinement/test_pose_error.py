"""Corrections made of noise from frame to frame and of drift, which are the poses', and of slow waves, which are the depth's."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.rigid import moved
from magic3d_ros.mapping.keyframes import distance
from magic3d_ros.mapping.refinement.pose_error import Corrections, PoseError

from .conftest import corner_run

COUNT = 150
STAMPS = [i * 10**8 for i in range(COUNT)]  # ten a second
# Weak along x: the standard deviation that 30 points in common mean there is 2 cm, along the rest .5 mm.
INFORMATION = np.diag([1e8, 1e8, 1e8, 7.5e4, 1e8, 1e8])
TURN = 0.5  # radians a metre, of noise and of drift


class Run:
    """Poses as they should be, as they came with `noise` metres and `drift` metres a root second, and as depth found them, whose
    own error lasts two seconds and is `waves` metres along x."""

    def __init__(self, noise: float, drift: float, waves: float = 0.0, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        walk = np.cumsum(random.normal(size=(COUNT, 6)) * drift * np.sqrt(0.1), 0)
        errors = walk + random.normal(size=(COUNT, 6)) * noise
        kept, wave = np.exp(-0.1 / 2.0), [random.normal()]
        for step in random.normal(size=COUNT - 1) * np.sqrt(1 - kept**2):
            wave.append(kept * wave[-1] + step)
        self.truth = {s: frame.camera_to_world for s, frame in zip(STAMPS, corner_run(COUNT), strict=True)}
        self.given = {s: moved(self.truth[s], TURN * e[:3], e[3:]) for s, e in zip(STAMPS, errors, strict=True)}
        self.found = {s: moved(pose, np.zeros(3), np.array([waves * w, 0.0, 0.0]))
                      for w, (s, pose) in zip(wave, self.truth.items(), strict=True)}

    def corrections(self) -> Corrections:
        return Corrections(self.given, self.found, dict.fromkeys(STAMPS, INFORMATION))

    def off(self, poses: dict[int, np.ndarray]) -> float:
        """Metres, root mean square, the common shift taken out."""
        gaps = np.array([poses[s][:3, 3] - self.truth[s][:3, 3] for s in self.truth])
        return float(np.sqrt(((gaps - gaps.mean(0)) ** 2).sum(1).mean()))


@pytest.mark.parametrize(("noise", "drift"), [(0.01, 0.0), (0.0, 0.008), (0.01, 0.008), (0.003, 0.004)])
def test_how_large_noise_and_drift_are_is_told_from_the_corrections(noise, drift):
    for seed in range(3):
        error = Run(noise, drift, 0.02, seed).corrections().error()
        if noise:
            assert error.noise[1] == pytest.approx(noise, rel=0.3) and error.noise[0] == pytest.approx(TURN * noise, rel=0.3)
        else:
            assert error.noise[1] < 0.001
        if drift:
            assert 0.5 * drift <= error.drift <= 2.0 * drift
        else:
            assert error.drift <= 0.002


@pytest.mark.parametrize(("noise", "drift", "share"), [(0.01, 0.0, 0.5), (0.0, 0.008, 0.9), (0.01, 0.008, 0.9)])
def test_what_is_left_is_less_than_the_error_of_the_poses_and_of_the_depth(noise, drift, share):
    for seed in range(3):
        run = Run(noise, drift, 0.02, seed)
        corrections = run.corrections()
        left = run.off(corrections.taken_out(corrections.error()))
        assert left < share * min(run.off(run.given), run.off(run.found))


def test_exact_poses_stay_where_they_are():
    run = Run(0.0, 0.0, 0.02)
    corrections = run.corrections()
    error = corrections.error()
    assert run.off(run.found) > 0.01 and error.noise[1] < 0.001 and error.drift <= 0.001
    assert run.off(corrections.taken_out(error)) < 0.003


def test_where_the_view_fixes_the_pose_depth_is_believed():
    run = Run(0.01, 0.0)
    left = Corrections(run.given, run.found, dict.fromkeys(STAMPS, 1e12 * np.eye(6))).taken_out(PoseError((0.005, 0.01), 1e-4))
    for stamp in STAMPS:
        assert distance(left[stamp], run.truth[stamp])[0] < 1e-6


def test_the_probability_is_that_of_the_covariance():
    """Three frames: the banded system against covariances written out."""
    run = Run(0.01, 0.0, 0.02)
    stamps = [STAMPS[0], STAMPS[1], STAMPS[4]]
    found = {s: run.found[s] for s in stamps}
    corrections = Corrections(run.given, found, dict.fromkeys(stamps, INFORMATION))
    times = np.array([0.0, 0.1, 0.4])

    def surprise(noise: float, drift: float) -> float:
        total = 0.0
        depth = [30 / 1e8] * 3 + [30 / 7.5e4] + [30 / 1e8] * 2
        for axis in range(6):
            arm = 2.0 if axis < 3 else 1.0
            covariance = depth[axis] * np.exp(-np.abs(times[:, None] - times) / 2.0) + (noise / arm) ** 2 * np.eye(3)
            covariance += (0.05 / arm) ** 2 + (drift / arm) ** 2 * np.minimum(times[:, None], times)
            values = corrections.values[:, axis]
            total += 0.5 * (values @ np.linalg.solve(covariance, values) + np.linalg.slogdet(covariance)[1])
        return total

    one, other = PoseError((0.005, 0.01), 0.004), PoseError((0.001, 0.002), 0.016)
    difference = corrections._solved(one)[1] - corrections._solved(other)[1]
    assert difference == pytest.approx(surprise(0.01, 0.004) - surprise(0.002, 0.016), rel=1e-6)


def test_a_few_frames_tell_nothing():
    run = Run(0.01, 0.0)
    few = {s: run.found[s] for s in STAMPS[:7]}
    assert Corrections(run.given, few, dict.fromkeys(STAMPS, INFORMATION)).error() is None
    assert Corrections(run.given, {}, {}).error() is None
