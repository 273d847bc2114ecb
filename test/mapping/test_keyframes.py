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


def test_cues_and_trust_are_attached_and_survive_the_round_trip():
    store, other = KeyframeStore(KeyframeSettings()), KeyframeStore(KeyframeSettings())
    store.add(frame(0.0))
    depth = np.full((60, 80), 2.5, np.float32)
    depth[0, :3] = (np.nan, -1.0, 0.0)
    normals = np.zeros((30, 40, 3), np.float32)
    normals[...] = (0.6, 0.0, -0.8)
    normals[0, 0] = 0.0
    trust = np.full((120, 160), 255, np.uint8)
    trust[5, 7] = 51
    assert store.set_cues(0, depth, normals) and store.set_trust(0, trust)
    other.load_state(store.state())
    loaded = other.get(0)
    assert loaded.monocular_depth.dtype == np.float16 and loaded.monocular_depth[0, :4].tolist() == [0.0, 0.0, 0.0, 2.5]
    np.testing.assert_allclose(loaded.monocular_normals[3, 3], (0.6, 0.0, -0.8), atol=0.006)
    assert np.isnan(loaded.monocular_normals[0, 0]).all()
    np.testing.assert_array_equal(loaded.trust, trust)
    assert loaded.weights()[5, 7] == pytest.approx(0.2) and loaded.weights()[0, 0] == 1.0
    assert other.bytes == store.bytes
    store.set_trust(0, np.full((120, 160), 255, np.uint8))
    store.set_cues(0, None, None)
    assert store.get(0).trust is None and store.get(0).monocular_depth is None and store.get(0).monocular_normals is None


def test_cues_that_cannot_be_used_are_named_and_change_nothing():
    store = KeyframeStore(KeyframeSettings())
    store.add(frame(0.0))
    before = store.get(0)
    for depth, normals, words in (
            (np.zeros((60, 80)), None, "no usable value"), (np.full((60, 80), np.nan), None, "no usable value"),
            (np.ones((60, 60)), None, "whole image"), (np.ones((60, 80, 3)), None, "shape"),
            (None, np.full((60, 80, 3), 9.0), "unit length"), (None, np.ones((60, 80)), "shape")):
        with pytest.raises(ValueError, match=words):
            store.set_cues(0, depth, normals)
    for trust in (np.zeros((60, 80), np.uint8), np.zeros((120, 160), np.float32)):
        with pytest.raises(ValueError, match="one uint8 a pixel"):
            store.set_trust(0, trust)
    assert store.get(0) is before
    assert not store.set_cues(5, np.ones((60, 80)), None) and not store.set_trust(5, None)


def test_a_pose_can_be_replaced_and_the_next_keyframe_counts_from_it():
    store = KeyframeStore(KeyframeSettings(translation=0.1))
    store.add(frame(0.0, 1.0))
    pose = frame(1.0).camera_to_world
    store.replace_poses({10**9: pose, 7: pose})
    assert 7 not in [keyframe.stamp for keyframe in store]
    np.testing.assert_array_equal(store.get(10**9).camera_to_world, pose)
    assert not store.wants(frame(1.0, 1.1)) and store.wants(frame(0.0, 1.1))


def test_frames_between_keyframes_are_remembered_reduced_with_pixels_where_they_were():
    store = KeyframeStore(KeyframeSettings(between_width=80))
    made = frame(0.0, 1.0)
    made.depth[::2, ::2] = 2.0
    trust = np.zeros((120, 160), np.uint8)
    trust[::2, ::2] = 102
    store.add_between(made, trust)
    assert len(store) == 0 and store.get(10**9) is None
    (kept,) = store.remembered()
    assert kept.is_between and (kept.camera.width, kept.camera.height) == (80, 60)
    # Pixel (2, 4) of the frame is pixel (1, 2) of what is kept, on the same ray.
    np.testing.assert_allclose(kept.camera.rays()[2, 1], made.camera.rays()[4, 2], atol=1e-6)
    assert (kept.depth() == 2.0).all() and kept.weights()[0, 0] == pytest.approx(0.4)
    other = KeyframeStore(KeyframeSettings())
    other.load_state(store.state())
    assert other.remembered()[0].images == kept.images and other.remembered()[0].is_between
    without = KeyframeStore(KeyframeSettings(between_width=0))
    without.add_between(made)
    assert without.remembered() == []


def test_a_keyframe_too_many_stays_as_a_frame_between():
    store = KeyframeStore(KeyframeSettings(max_count=8, between_width=80))
    for i, x in enumerate([0.0, 1.0, 2.0, 3.0, 3.01, 5.0, 6.0, 7.0, 8.0]):
        store.add(frame(x, i))
    assert [k.stamp // 10**9 for k in store.remembered()] == list(range(9)) and store.forgotten == 0
    assert [k.stamp // 10**9 for k in store.remembered() if k.is_between] == [3]


def test_beyond_the_memory_cap_redundant_frames_between_go_first():
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)

    def noisy(x: float, seconds: float):
        made = frame(x, seconds)
        made.rgb[...] = noise
        return made

    size = KeyframeStore(KeyframeSettings()).add(noisy(0.0, 0.0)).size
    store = KeyframeStore(KeyframeSettings(max_memory=1.0, between_width=160))
    places = [0.0, 1.0, 1.01, 1.02, 2.0]
    rounds = int(1.3e6 / size / len(places)) + 1
    for i in range(rounds):
        store.add(noisy(10.0 * i, 10 * i))
        for j, x in enumerate(places[1:], 1):
            store.add_between(noisy(10.0 * i + x, 10 * i + j))
    assert store.bytes <= 1e6 and store.forgotten > 0 and len(store) == rounds
    kept = {k.stamp // 10**9 for k in store.remembered()}
    lost = {j for i in range(rounds) for j in range(5) if 10 * i + j not in kept}
    # Frame 2 lies between neighbours 2 cm apart: it goes before those that stand alone.
    assert 2 in lost and 0 not in lost
    assert store.bytes == sum(k.size for k in store.remembered())


def test_a_state_without_cues_and_frames_between_loads():
    store, other = KeyframeStore(KeyframeSettings()), KeyframeStore(KeyframeSettings())
    store.add(frame(0.0))
    state = store.state()
    old = {name: array for name, array in state.items() if name != "between"} | {"image_bytes": state["image_bytes"][:, :2]}
    other.load_state(old)
    assert other.get(0).images == store.get(0).images
