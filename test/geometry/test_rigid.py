from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.rigid import best_motion, blended, inverse, moved, rotation_of, vector_of


def test_rotation_vectors_go_both_ways():
    quarter = rotation_of(np.array([0.0, 0.0, np.pi / 2]))
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    for vector in ([0.0, 0.0, 0.0], [0.3, -0.2, 0.1], [0.0, 3.1, 0.0], [np.pi, 0.0, 0.0], [1e-9, 0.0, 0.0]):
        rotation = rotation_of(np.array(vector))
        np.testing.assert_allclose(rotation_of(vector_of(rotation)), rotation, atol=1e-9)
    np.testing.assert_allclose(vector_of(rotation_of(np.array([0.3, -0.2, 0.1]))), [0.3, -0.2, 0.1], atol=1e-12)


def test_a_pose_turns_about_its_own_place():
    pose = np.eye(4)
    pose[:3, 3] = (5.0, 6.0, 7.0)
    turned = moved(pose, np.array([0.0, 0.0, np.pi / 2]), np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(turned[:3, 3], (5.0, 6.0, 8.0))
    np.testing.assert_allclose(turned[:3, 0], (0.0, 1.0, 0.0), atol=1e-12)
    np.testing.assert_allclose(inverse(turned) @ turned, np.eye(4), atol=1e-12)


def test_half_way_between_two_motions_far_from_the_origin():
    place = np.array([1000.0, 0.0, 0.0])
    turn = np.eye(4)
    turn[:3, :3] = rotation_of(np.array([0.0, 0.0, 0.2]))
    turn[:3, 3] = place - turn[:3, :3] @ place + (0.0, 0.0, 0.4)  # turns about the place and lifts it by 0.4 m
    half = blended(np.eye(4), turn, 0.5, place)
    np.testing.assert_allclose(half[:3, :3] @ place + half[:3, 3], place + np.array([0.0, 0.0, 0.2]), atol=1e-9)
    np.testing.assert_allclose(vector_of(half[:3, :3]), (0.0, 0.0, 0.1), atol=1e-12)


def test_the_best_motion_is_found_exactly():
    points = np.random.default_rng(0).normal(size=(20, 3))
    motion = moved(np.eye(4), np.array([0.4, 0.1, -0.7]), np.array([1.0, 2.0, 3.0]))
    found = best_motion(points, points @ motion[:3, :3].T + motion[:3, 3])
    np.testing.assert_allclose(found, motion, atol=1e-9)
    assert np.linalg.det(best_motion(points, points * (1, 1, -1))[:3, :3]) == pytest.approx(1.0)
