from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

SECOND = 1_000_000_000
NONE = np.array([0.0, 0.0, 0.0, 1.0])


def turn(degrees: float) -> np.ndarray:
    return Rotation.from_euler("z", degrees, degrees=True).as_quat()


def robot() -> TransformBuffer:
    """map -> odom (moves) -> base (moves) -> camera (static, 1 m up, turned by 90 degrees)."""
    buffer = TransformBuffer()
    buffer.set("base", "camera", 0, np.array([0.0, 0.0, 1.0]), turn(90), static=True)
    for second in range(3):
        buffer.set("odom", "base", second * SECOND, np.array([2.0 * second, 0.0, 0.0]), turn(30 * second))
        buffer.set("map", "odom", second * SECOND, np.array([0.0, 5.0, 0.0]), NONE)
    return buffer


def test_a_chain_by_hand():
    # At 1 s: base at (2, 0, 0), turned by 30 degrees; odom shifted by 5 in y; camera 1 m above, turned by 90 more.
    found = robot().lookup("map", "camera", SECOND)
    np.testing.assert_allclose(found[:3, 3], [2, 5, 1], atol=1e-12)
    np.testing.assert_allclose(found[:3, :3], Rotation.from_euler("z", 120, degrees=True).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(robot().lookup("camera", "map", SECOND) @ found, np.eye(4), atol=1e-12)


def test_between_samples_it_interpolates():
    found = robot().lookup("odom", "base", SECOND // 2)
    np.testing.assert_allclose(found[:3, 3], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found[:3, :3], Rotation.from_euler("z", 15, degrees=True).as_matrix(), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_interpolation_agrees_with_scipy(seed):
    pair = Rotation.random(2, random_state=seed)
    quaternions = pair.as_quat()
    buffer = TransformBuffer()
    buffer.set("a", "b", 0, np.zeros(3), quaternions[0])
    buffer.set("a", "b", 1000, np.zeros(3), -quaternions[1])  # the same rotation: the short way must be taken
    expected = Slerp([0, 1000], pair)(300).as_matrix()
    np.testing.assert_allclose(buffer.lookup("a", "b", 300)[:3, :3], expected, atol=1e-9)


def test_brothers_meet_at_their_common_parent():
    buffer = TransformBuffer()
    buffer.set("base", "left", 0, np.array([0.0, 0.1, 0.0]), NONE, static=True)
    buffer.set("/base", "/right", 0, np.array([0.0, -0.1, 0.0]), NONE, static=True)
    np.testing.assert_allclose(buffer.lookup("left", "right", 123)[:3, 3], [0, -0.2, 0], atol=1e-12)
    assert buffer.root("left") == "base"
    assert not buffer.moves("left", "right")
    assert robot().moves("map", "camera")
    assert not robot().moves("base", "camera")


def test_newest_common_time():
    buffer = robot()
    buffer.set("odom", "base", 9 * SECOND, np.array([9.0, 0.0, 0.0]), NONE)
    np.testing.assert_allclose(buffer.lookup("map", "base")[:3, 3], [4, 5, 0], atol=1e-12)  # map -> odom ends at 2 s


@pytest.mark.parametrize(("target", "source", "stamp", "reason", "can_wait", "words"), [
    ("map", "base", 3 * SECOND, "too_new", True, ["'odom' -> 'base'", "0.000 to 2.000 s", "3.000 s"]),
    ("map", "base", -1, "too_old", False, ["'odom' -> 'base'"]),
    ("map", "gripper", SECOND, "unknown_frame", True, ["'gripper'", "base, camera, lidar, map, odom, roof"]),
    ("world", "base", SECOND, "unknown_frame", True, ["'world'"]),
    ("lidar", "base", SECOND, "not_connected", True, ["no transform gives 'map' a parent", "roof -> lidar", "odom -> base"]),
])
def test_errors_name_what_is_missing(target, source, stamp, reason, can_wait, words):
    buffer = robot()
    buffer.set("roof", "lidar", 0, np.zeros(3), NONE, static=True)
    with pytest.raises(TransformError) as caught:
        buffer.lookup(target, source, stamp)
    assert (caught.value.reason, caught.value.can_wait) == (reason, can_wait)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_loops_are_named():
    buffer = TransformBuffer()
    buffer.set("a", "b", 0, np.zeros(3), NONE)
    buffer.set("b", "a", 0, np.zeros(3), NONE)
    with pytest.raises(TransformError, match="loop"):
        buffer.lookup("c", "a", 0)


def test_gaps_are_not_bridged_where_that_is_not_wanted():
    buffer = TransformBuffer(max_gap=SECOND // 10)
    buffer.set("a", "b", 0, np.zeros(3), NONE)
    buffer.set("a", "b", SECOND, np.ones(3), NONE)
    assert buffer.lookup("a", "b", SECOND)[0, 3] == 1.0
    with pytest.raises(TransformError, match=r"nothing between 0\.000 and 1.000 s") as caught:
        buffer.lookup("a", "b", SECOND // 2)
    assert not caught.value.can_wait


def test_history_is_bounded_and_clear_keeps_what_is_static():
    buffer = TransformBuffer(cache_time=10 * SECOND)
    for second in range(30):
        buffer.set("a", "b", second * SECOND, np.array([float(second), 0.0, 0.0]), NONE)
    buffer.set("a", "b", 2 * SECOND, np.zeros(3), NONE)  # too old to be kept
    buffer.set("b", "c", 0, np.zeros(3), NONE, static=True)
    assert buffer.lookup("a", "b", 19 * SECOND)[0, 3] == 19.0
    with pytest.raises(TransformError, match=r"19\.000 to 29\.000"):
        buffer.lookup("a", "b", 18 * SECOND)
    buffer.clear()
    assert buffer.frames() == ["b", "c"]


def test_an_edge_begins_anew_when_its_time_jumps_back():
    buffer = TransformBuffer(restart_jump=SECOND)
    for stamp, x in ((10 * SECOND, 1.0), (11 * SECOND, 2.0), (0, 7.0), (SECOND // 2, 8.0)):
        buffer.set("a", "b", stamp, np.array([x, 0.0, 0.0]), NONE)
    assert buffer.lookup("a", "b", SECOND // 4)[0, 3] == 7.5
    with pytest.raises(TransformError, match=r"0\.000 to 0\.500"):
        buffer.lookup("a", "b", 10 * SECOND)


@pytest.mark.parametrize(("translation", "quaternion"), [
    ([np.nan, 0, 0], [0, 0, 0, 1]), ([0, 0, 0], [0, 0, 0, 0]), ([0, 0, 0], [np.nan, 0, 0, 1])])
def test_transforms_that_are_none(translation, quaternion):
    with pytest.raises(ValueError, match="'a' -> 'b'"):
        TransformBuffer().set("a", "b", 0, np.array(translation), np.array(quaternion))


def test_a_frame_is_not_its_own_parent():
    with pytest.raises(ValueError, match="not an edge"):
        TransformBuffer().set("a", "/a", 0, np.zeros(3), NONE)


def test_quaternions_are_normalised():
    buffer = TransformBuffer()
    buffer.set("a", "b", 0, np.zeros(3), 3 * turn(40))
    expected = Rotation.from_euler("z", 40, degrees=True).as_matrix()
    np.testing.assert_allclose(buffer.lookup("a", "b", 0)[:3, :3], expected, atol=1e-12)
