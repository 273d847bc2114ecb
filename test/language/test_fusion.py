"""From frames and views to what is known."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from fake import FourClasses, picture

from magic3d_ros.config import LanguageSettings, QuerySettings
from magic3d_ros.frames import Camera, CueFrame, FeatureGrid, RGBDFrame
from magic3d_ros.language.fusion import LanguageMap, overlap


@pytest.fixture
def language(model):
    return LanguageMap(LanguageSettings(feature_dimension=4), QuerySettings(), model)


def half_and_half():
    """A wall 2 m away: its left half looks like a chair, its right half like a mug."""
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, 32:] = 2
    return RGBDFrame(9, rgb, np.full((64, 64), 2.0, np.float32), Camera(64, 64, 64.0, 64.0, 31.5, 31.5), np.eye(4))


def test_features_land_where_the_depth_says(language, model):
    frame = half_and_half()
    language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0]))
    keys, features, weights = language._voxels.arrays()
    x = ((keys >> 42) - (1 << 20)) * 0.04
    z = ((keys & ((1 << 21) - 1)) - (1 << 20)) * 0.04
    assert np.allclose(z, 2.0, atol=0.041)
    assert (features[x < -0.3].argmax(1) == 0).all() and (features[x > 0.3].argmax(1) == 2).all()
    assert np.allclose(weights, 0.75, atol=0.01)  # 1.5 m / 2 m, no normals: no obliquity


def test_oblique_views_count_less(language, model):
    frame = half_and_half()
    normals = np.zeros((32, 32, 3), np.float32)
    normals[..., 0], normals[..., 2] = np.sqrt(0.75), -0.5  # 60 degrees off
    language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0], normals=normals))
    middle = np.abs(((language._voxels.arrays()[0] >> 42) - (1 << 20)) * 0.04) < 0.05
    assert np.allclose(language._voxels.arrays()[2][middle].mean(), 0.75 * 0.5, atol=0.05)


def test_cues_of_another_dimension_are_refused(language):
    grid = FeatureGrid(np.zeros((8, 8, 3), np.float16), 8, 8, 0, 0)
    with pytest.raises(ValueError, match=r"language\.feature_dimension"):
        language.observe(half_and_half(), CueFrame(9, language=grid))


def test_a_view_is_encoded_once(language, model):
    views = {1: [(100, (0, 0, 10, 10), lambda: picture("mug"))], 2: [(100, (5, 5, 9, 9), lambda: picture("chair"))]}
    assert language.describe(views) == 0
    assert model.encoded == 2
    language.describe(views)
    assert model.encoded == 2


def test_a_view_is_encoded_again_when_the_thing_has_grown(language, model):
    language.describe({1: [(100, (0, 0, 10, 10), lambda: picture("mug"))]})
    language.describe({1: [(100, (0, 0, 11, 11), lambda: picture("mug"))]})
    assert model.encoded == 1
    language.describe({1: [(100, (0, 0, 20, 20), lambda: picture("chair"))]})
    assert model.encoded == 2
    assert language._views[1][100][1].argmax() == 0


def test_what_vanished_is_forgotten_and_lost_pictures_are_passed_over(language):
    language.describe({1: [(100, (0, 0, 9, 9), lambda: picture("mug"))], 2: [(100, (0, 0, 9, 9), lambda: None)]})
    assert list(language.snapshot().ids) == [1]
    language.describe({2: []})
    assert len(language.snapshot().ids) == 0


def test_the_budget_goes_to_first_views_first(language, model):
    views = {i: [(s, (0, 0, 9, 9), lambda: picture("mug")) for s in (100, 200)] for i in range(3)}
    assert language.describe(views, budget=3) == 3
    assert list(language.snapshot().ids) == [0, 1, 2]
    assert language.describe(views, budget=3) == 0
    assert model.encoded == 6


def test_state_comes_back(language, model):
    frame = half_and_half()
    language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0]))
    language.describe({4: [(100, (1, 2, 9, 9), lambda: picture("mug"))]})
    state = language.state()
    assert all(isinstance(v, np.ndarray) and v.dtype.kind in "fi" for v in state.values())
    other = LanguageMap(LanguageSettings(feature_dimension=4), QuerySettings(), FourClasses())
    other.load_state(state)
    first, second = language.snapshot(), other.snapshot()
    np.testing.assert_allclose(first.vectors, second.vectors, atol=1e-3)
    np.testing.assert_array_equal(first.keys, second.keys)
    assert other._views[4][100][0] == (1, 2, 9, 9)


@pytest.mark.parametrize(("change", "message"), [
    ({"view_vectors": np.zeros((0, 9))}, "dimensions"), ({"background": np.zeros((2, 9))}, "background")])
def test_a_state_of_another_model_is_refused(language, change, message):
    with pytest.raises(ValueError, match=message):
        language.load_state({**language.state(), **change})


def test_voxels_of_other_directions_are_refused(language, model):
    frame = half_and_half()
    language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0]))
    state = language.state()
    assert state["directions"].tolist() == [0.5] * 4  # identity of (1, 1, 1, 1) / 2
    for other in ({**state, "directions": -state["directions"]}, {n: a for n, a in state.items() if n != "directions"}):
        with pytest.raises(ValueError, match="map the recording again"):
            language.load_state(other)


def test_an_incomplete_state_is_refused(language):
    state = language.state()
    del state["view_ids"]
    with pytest.raises(ValueError, match="view_ids"):
        language.load_state(state)


def test_overlap():
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (20, 0, 30, 10)) == 0


def test_meaning_moves_with_the_world_also_what_was_seen_meanwhile(language, model):
    first, later = half_and_half(), replace(half_and_half(), stamp=20)
    language.observe(first, CueFrame(9, language=model.encode_dense([first.rgb])[0]))
    before, shift = language._voxels.copy(), np.array([0.4, 0.0, 0.0])  # ten voxels
    finish = language.moving(lambda points, stamps: points + shift, nullcontext())
    language.observe(later.with_pose(np.array([[1, 0, 0, 10.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])),
                     CueFrame(20, language=model.encode_dense([later.rgb])[0]))
    finish()
    centers = before.centers_of(before.arrays()[0]) + shift
    now = language._voxels
    assert np.isin(now.keys_of(centers), now.arrays()[0]).all()
    assert np.isin(now.keys_of(centers + 25 * shift), now.arrays()[0]).all()
    assert len(now) == 2 * len(before)


def test_what_a_keyframe_added_can_be_taken_out_again(language, model):
    first, second = half_and_half(), replace(half_and_half(), stamp=20, rgb=np.full((64, 64, 3), 1, np.uint8))
    language.observe(first, CueFrame(9, language=model.encode_dense([first.rgb])[0]))
    before = language._voxels.arrays()
    turned = second.with_pose(np.array([[1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    language.observe(turned, CueFrame(20, language=model.encode_dense([turned.rgb])[0]))
    assert len(language._voxels) > len(before[0])
    language.forget(20)
    after = language._voxels.arrays()
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_allclose(after[1].astype(float), before[1].astype(float), atol=0.02)  # float16 of 5 to 10
    np.testing.assert_allclose(after[2], before[2], atol=1e-6)
    language.forget(9)
    assert len(language._voxels) == 0


def test_what_moved_is_taken_out_and_what_stood_stays(language, model):
    frame = half_and_half()
    language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0]))
    left = np.zeros((64, 64), bool)
    left[:, :32] = True
    language.distrust(9, left)
    language.distrust(77, left)  # of a frame that is not remembered
    keys, features, _ = language._voxels.arrays()
    assert len(keys) and (language._voxels.centers_of(keys)[:, 0] > -0.04).all()
    assert (features[language._voxels.centers_of(keys)[:, 0] > 0.3].argmax(1) == 2).all()


def test_a_keyframe_seen_again_counts_once(language, model):
    frame = half_and_half()
    for _ in range(2):
        language.observe(frame, CueFrame(9, language=model.encode_dense([frame.rgb])[0]))
    assert np.allclose(language._voxels.arrays()[2], 0.75, atol=0.01)


def test_features_that_are_not_finite_are_named_and_left_out(language, model, caplog):
    grid = model.encode_dense([half_and_half().rgb])[0]
    grid.values[3, 3, 1] = np.nan
    language.observe(half_and_half(), CueFrame(9, language=grid))
    assert len(language._voxels) == 0
    assert "keyframe 9 hold NaN" in caplog.text


def test_keyframes_beyond_the_remembered_ones_stay_and_move_by_their_voxels(language, model, monkeypatch):
    monkeypatch.setattr("magic3d_ros.language.fusion._REMEMBERED", 1)
    first = half_and_half()
    far = replace(first, stamp=20).with_pose(np.array([[1, 0, 0, 10.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    for frame in (first, far):
        language.observe(frame, CueFrame(frame.stamp, language=model.encode_dense([frame.rgb])[0]))
    assert list(language._dense) == [20] and len(language._settled)
    settled = language._settled.centers_of(language._settled.arrays()[0])
    language.moving(lambda points, stamps: points + np.where(stamps == 20, 4.0, 1.0)[:, None] * (0, 1, 0), nullcontext())()
    now = language._voxels
    assert np.isin(now.keys_of(settled + np.array([0.0, 1.0, 0.0])), now.arrays()[0]).all()
    centers = now.centers_of(now.arrays()[0])
    assert np.abs(centers[centers[:, 0] > 5, 1].mean() - 4.0) < 0.05
    language.forget(9)  # settled: no longer removable
    assert len(language._voxels) == len(now)
