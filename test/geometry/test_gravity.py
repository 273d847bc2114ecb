from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.geometry.plane import Plane, largest_plane

NOTHING = SimpleNamespace(vertices=np.zeros((0, 3), np.float32), normals=np.zeros((0, 3), np.float32))


def level_camera(heading, pitch=0.0, up=(0.0, 0.0, 1.0)):
    """Camera-to-world of a camera without roll; angles in degrees, pitch positive downwards."""
    up = np.asarray(up, np.float64)
    east = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    h, p = np.radians([heading, pitch])
    flat = np.cos(h) * east + np.sin(h) * north
    forward = np.cos(p) * flat - np.sin(p) * up
    right = np.cross(flat, up)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    return pose


def sheet(normal, spread=1.0, n=2000, seed=0):
    """Points and normals of a square sheet through the origin."""
    random = np.random.default_rng(seed)
    normal = np.asarray(normal, np.float64) / np.linalg.norm(normal)
    a = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    a /= np.linalg.norm(a)
    b = np.cross(normal, a)
    at = random.uniform(-spread, spread, (n, 2))
    points = at[:, :1] * a + at[:, 1:] * b
    return SimpleNamespace(vertices=points.astype(np.float32), normals=np.tile(normal, (n, 1)).astype(np.float32))


@pytest.mark.parametrize(("mode", "expected"), [("+x", (1, 0, 0)), ("-y", (0, -1, 0)), ("+z", (0, 0, 1)), ("-z", (0, 0, -1))])
def test_explicit_directions_are_taken_as_they_are(mode, expected):
    up = UpEstimator(mode)
    up.observe(level_camera(0, up=(1, 0, 0)))
    assert up.estimate(NOTHING).tolist() == list(expected)


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'up'"):
        UpEstimator("up")


def test_without_cameras_up_is_z():
    assert UpEstimator("auto").estimate(NOTHING).tolist() == [0, 0, 1]


def test_cameras_that_agree_with_z_give_exactly_z():
    up = UpEstimator("auto")
    for heading in (0, 30, 60):
        up.observe(level_camera(heading, pitch=25))
    assert up.estimate(sheet((0, 0.2, 1))).tolist() == [0, 0, 1]


def test_a_camera_that_looks_steeply_down_still_finds_z_when_it_turns():
    up = UpEstimator("auto")
    for heading in range(0, 90, 15):  # its mean up axis is 50 degrees off at a pitch of 60, its right axes are level
        up.observe(level_camera(heading, pitch=60))
    assert up.estimate(NOTHING).tolist() == [0, 0, 1]


def test_a_world_with_y_down_is_recognised_and_levelled_by_the_floor():
    floor = np.array([0.1, -1.0, -0.15])
    up = UpEstimator("auto")
    for heading in (0, 20):
        up.observe(level_camera(heading, pitch=10, up=(0, -1, 0)))
    found = up.estimate(sheet(floor))
    assert found @ floor / np.linalg.norm(floor) > np.cos(np.radians(0.5))
    assert np.linalg.norm(found) == pytest.approx(1.0)


def test_a_wall_does_not_pull_the_direction():
    up = UpEstimator("auto")
    up.observe(level_camera(0, up=(0, -1, 0)))
    assert up.estimate(sheet((1, 0, 0))) == pytest.approx([0, -1, 0], abs=1e-9)


def test_poses_with_nan_are_ignored():
    up = UpEstimator("auto")
    up.observe(np.full((4, 4), np.nan))
    up.observe(level_camera(10, up=(0, 1, 0)))
    assert up.estimate(NOTHING) == pytest.approx([0, 1, 0], abs=1e-9)


def test_state_continues_and_what_does_not_fit_is_named():
    first = UpEstimator("auto")
    first.observe(level_camera(0, up=(0, 1, 0)))
    second = UpEstimator("auto")
    second.load_state(first.state())
    assert second.estimate(NOTHING) == pytest.approx(first.estimate(NOTHING))
    for broken in ({}, {**first.state(), "up_sum": np.zeros(2)}, {**first.state(), "right_sum": np.full((3, 3), np.nan)}):
        with pytest.raises(ValueError, match=r"up_sum|right_sum"):
            second.load_state(broken)


def test_largest_plane_is_found_among_clutter_and_faces_free_space():
    table = sheet((0, 0, 1), n=1500)
    wall = sheet((1, 0, 0), n=700, seed=1)
    random = np.random.default_rng(2)
    points = np.concatenate([table.vertices, wall.vertices + np.array([1.5, 0, 0]), random.uniform(-1, 1, (300, 3))])
    noise = random.normal(size=(300, 3))
    normals = np.concatenate([table.normals, wall.normals, noise / np.linalg.norm(noise, axis=1, keepdims=True)])
    plane, mask = largest_plane(points, normals, np.random.default_rng(0))
    assert plane.normal @ [0, 0, 1] > 0.9999
    assert mask[:1500].all() and not mask[1500:2200].any()
    assert largest_plane(points[:2], normals[:2], np.random.default_rng(0)) is None


def test_distance_to_a_plane_is_positive_on_the_free_side():
    plane = Plane(np.array([0.0, 0, 1]), np.array([0.0, 0, 2]))
    assert plane.distance(np.array([[5.0, 5, 3], [0, 0, 1.5]])).tolist() == [1.0, -0.5]
