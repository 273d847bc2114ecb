import logging

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.frames import CueFrame, MonocularGeometry
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.monocular_cues import attach

from .conftest import plane_frame

DEPTH = np.full((60, 80), 2.0, np.float32)
NORMALS = np.zeros((60, 80, 3), np.float32)
NORMALS[..., 2] = -1.0


def cues(stamp: int, depth: np.ndarray, normals: np.ndarray | None = None) -> CueFrame:
    return CueFrame(stamp, monocular=MonocularGeometry(depth, "affine", normals))


@pytest.fixture
def store() -> KeyframeStore:
    made = KeyframeStore(Settings().keyframes)
    made.add(plane_frame(stamp=5))
    return made


def test_cues_find_their_keyframe(store):
    assert attach(store, cues(5, DEPTH, NORMALS))
    assert np.array_equal(store.get(5).monocular_depth, DEPTH)
    assert np.abs(store.get(5).monocular_normals - NORMALS).max() < 0.01


def test_cues_of_an_unknown_stamp_are_named(store, caplog):
    with caplog.at_level(logging.WARNING):
        assert not attach(store, cues(6, DEPTH))
    assert "stamp 6" in caplog.text
    assert store.get(5).monocular_depth is None


@pytest.mark.parametrize(("bad", "message"), [
    (np.full((60, 60), 2.0, np.float32), "60x60"),
    (np.zeros((60, 80), np.float32), "no usable value"),
    (np.full((60, 80), np.nan, np.float32), "no usable value"),
    (np.full((60, 80, 2), 1.0, np.float32), "shape"),
])
def test_bad_depth_loses_nothing(store, caplog, bad, message):
    attach(store, cues(5, DEPTH))
    with caplog.at_level(logging.WARNING):
        assert attach(store, cues(5, bad, NORMALS))
    assert message in caplog.text and "stamp 5" in caplog.text
    assert np.array_equal(store.get(5).monocular_depth, DEPTH)
    assert store.get(5).monocular_normals is not None


@pytest.mark.parametrize("bad", [3.0 * NORMALS, 0.0 * NORMALS, np.full_like(NORMALS, np.nan)])
def test_bad_normals_leave_the_depth(store, caplog, bad):
    with caplog.at_level(logging.WARNING):
        assert attach(store, cues(5, DEPTH, bad))
    assert "unit length" in caplog.text
    assert np.array_equal(store.get(5).monocular_depth, DEPTH)
    assert store.get(5).monocular_normals is None


def test_the_sensors_own_normals_are_no_cue(store):
    assert not attach(store, CueFrame(5, normals=NORMALS))
    assert store.get(5).monocular_normals is None


def test_two_bad_cues_change_nothing(store):
    assert not attach(store, cues(5, 0 * DEPTH, 0 * NORMALS))
    assert store.get(5).monocular_depth is None


def test_kind_and_what_the_network_is_unsure_of(store):
    unsure = np.zeros((60, 80), np.float32)
    unsure[:, :40] = 0.2
    assert attach(store, CueFrame(5, monocular=MonocularGeometry(DEPTH, "affine_inverse", uncertainty=unsure)))
    keyframe = store.get(5)
    assert keyframe.monocular_kind == "affine_inverse"
    assert (keyframe.monocular_depth[:, :40] == 0).all() and (keyframe.monocular_depth[:, 40:] == 2).all()
    again = KeyframeStore(Settings().keyframes)
    again.load_state(store.state())
    assert again.get(5).monocular_kind == "affine_inverse"
    old = {name: value for name, value in store.state().items() if name != "monocular_kinds"}
    again.load_state(old)
    assert again.get(5).monocular_kind == "affine"
    with pytest.raises(ValueError, match="monocular_kinds"):
        again.load_state({**old, "monocular_kinds": np.array([7], np.uint8)})


def test_an_unknown_kind_is_named(store, caplog):
    with caplog.at_level(logging.WARNING):
        assert not attach(store, CueFrame(5, monocular=MonocularGeometry(DEPTH, "disparity")))
    assert "'disparity'" in caplog.text
