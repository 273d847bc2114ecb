"""From frames and views to what is known."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from fake import FourClasses, picture

from magic3d_ros.config import LanguageSettings, QuerySettings
from magic3d_ros.frames import Camera, CueFrame, FeatureGrid, RGBDFrame
from magic3d_ros.language.fusion import LanguageMap, overlap, sample


@pytest.fixture
def language(model):
    return LanguageMap(LanguageSettings(feature_dimension=4), QuerySettings(), model)


def half_and_half():
    """A wall 2 m away: its left half looks like a chair, its right half like a mug."""
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, 32:] = 2
    return RGBDFrame(9, rgb, np.full((64, 64), 2.0, np.float32), Camera(64, 64, 64.0, 64.0, 31.5, 31.5), np.eye(4))


def test_bilinear_sampling_between_cell_centres():
    grid = FeatureGrid(np.array([[[0.0], [8.0]], [[4.0], [12.0]]], np.float32), 10, 10, 5, 5)
    found = sample(grid, np.array([5.0, 10.0, 15.0, 0.0, 10.0]), np.array([5.0, 5.0, 15.0, 0.0, 10.0]))
    assert found[:, 0].tolist() == [0.0, 4.0, 12.0, 0.0, 6.0]


def test_sampling_a_grid_of_one_cell():
    grid = FeatureGrid(np.full((1, 1, 3), 7.0, np.float16), 10, 10, 5, 5)
    assert sample(grid, np.array([0.0, 50.0]), np.array([3.0, 4.0])).tolist() == [[7.0] * 3] * 2


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
    before, shift = language._voxels.copy(), np.array([0.4, 0.0, 0.0])
    finish = language.moving(lambda points, stamps: points + shift, nullcontext())
    language.observe(later.with_pose(np.array([[1, 0, 0, 10.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])),
                     CueFrame(20, language=model.encode_dense([later.rgb])[0]))
    finish()
    centers = before.centers_of(before.arrays()[0]) + shift
    now = language._voxels
    assert np.isin(now.keys_of(centers), now.arrays()[0]).all()
    assert np.isin(now.keys_of(centers + 25 * shift), now.arrays()[0]).all()
    assert len(now) == 2 * len(before)
