from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import KeyframeSettings
from magic3d_ros.mapping.keyframes import KeyframeStore, distance

from .conftest import plane_frame


def frame(x: float, seconds: float = 0.0, turn: float = 0.0):
    made = plane_frame(1.25, (x, 0.0, 0.0), stamp=int(seconds * 1e9))
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    made.camera_to_world[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    return made


def test_distance_between_poses():
    metres, degrees = distance(frame(0.0).camera_to_world, frame(0.3, turn=30.0).camera_to_world)
    assert metres == pytest.approx(0.3) and degrees == pytest.approx(30.0)


def test_motion_turning_and_time_make_keyframes():
    store = KeyframeStore(KeyframeSettings(translation=0.1, rotation=8.0, max_interval=3.0))
    assert store.wants(frame(0.0))
    store.add(frame(0.0))
    assert not store.wants(frame(0.05, 1.0, 5.0))
    assert store.wants(frame(0.11, 1.0))
    assert store.wants(frame(0.0, 1.0, 8.5))
    assert store.wants(frame(0.0, 3.1))


def test_images_survive_compression():
    store = KeyframeStore(KeyframeSettings())
    keyframe = store.add(frame(0.0, 2.0))
    assert store.get(2_000_000_000) is keyframe and len(store) == 1
    np.testing.assert_allclose(keyframe.depth(), 1.25, atol=5e-4)
    assert np.abs(keyframe.rgb().astype(int) - (200, 100, 50)).max() <= 3


def test_the_most_redundant_view_is_forgotten_beyond_the_cap():
    store = KeyframeStore(KeyframeSettings(max_count=8))
    for i, x in enumerate([0.0, 1.0, 2.0, 3.0, 3.01, 5.0, 6.0, 7.0, 8.0]):
        store.add(frame(x, i))
    assert len(store) == 8
    assert store.get(3_000_000_000) is None and store.get(4_000_000_000) is not None


def test_state_round_trip_goes_on_from_the_last_keyframe():
    store, other = KeyframeStore(KeyframeSettings()), KeyframeStore(KeyframeSettings())
    for i in range(3):
        store.add(frame(i * 0.5, i))
    other.load_state(store.state())
    assert [k.stamp for k in other] == [k.stamp for k in store]
    for mine, theirs in zip(store, other, strict=True):
        assert (mine.index, mine.camera) == (theirs.index, theirs.camera)
        assert (mine.jpeg, mine.depth_png) == (theirs.jpeg, theirs.depth_png)
        np.testing.assert_array_equal(mine.camera_to_world, theirs.camera_to_world)
    assert not other.wants(frame(1.0, 2.1)) and other.wants(frame(1.5, 2.1))
    other.load_state(KeyframeStore(KeyframeSettings()).state())
    assert len(other) == 0 and other.wants(frame(0.0))


def test_a_damaged_state_is_named():
    store = KeyframeStore(KeyframeSettings())
    store.add(frame(0.0))
    state = store.state()
    with pytest.raises(ValueError, match="no 'poses'"):
        store.load_state({k: v for k, v in state.items() if k != "poses"})
    with pytest.raises(ValueError, match="'images'"):
        store.load_state({**state, "images": state["images"][:-5]})
    with pytest.raises(ValueError, match="'cameras'"):
        store.load_state({**state, "cameras": state["cameras"][:, :3]})
