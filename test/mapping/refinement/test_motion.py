from __future__ import annotations

import numpy as np

from magic3d_ros.mapping.refinement.motion import WorldMotion


def at(x: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3] = x
    return pose


def test_motion_is_interpolated_between_corrected_times_and_lasts_after_them():
    before = {10: at(1.0), 20: at(2.0)}
    after = {10: at(1.1), 20: at(2.5)}
    motion = WorldMotion(before, after, lasting=True)
    shifts = [motion.at(stamp)[0, 3] for stamp in (9, 10, 15, 20, 99)]
    np.testing.assert_allclose(shifts, [0.0, 0.1, 0.3, 0.5, 0.5], atol=1e-12)
    passing = WorldMotion(before, after, lasting=False)
    np.testing.assert_allclose([passing.at(s)[0, 3] for s in (20, 21)], [0.5, 0.0], atol=1e-12)


def test_points_move_with_the_time_at_which_they_were_seen():
    motion = WorldMotion({10: at(1.0), 20: at(2.0)}, {10: at(1.1), 20: at(2.5)}, lasting=True)
    points = np.zeros((4, 3))
    moved = motion.moved(points, np.array([20, -1, 10, 20]))
    np.testing.assert_allclose(moved[:, 0], [0.5, 0.0, 0.1, 0.5], atol=1e-12)
    assert WorldMotion({}, {}, lasting=True).at(5).tolist() == np.eye(4).tolist()
    assert motion.moved(np.zeros((0, 3)), np.zeros(0, np.int64)).shape == (0, 3)
