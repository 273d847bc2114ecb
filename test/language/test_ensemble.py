"""Two opinions of every voxel."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import LanguageSettings
from magic3d_ros.language.ensemble import Prediction, ensembled, united

SEEN = np.array([[0.9, 0.1], [0.2, 0.3], [0.9, 0.1], [0.0, 0.0], [0.4, 0.1]])
PREDICTED = np.array([[0.1, 0.8], [0.1, 0.8], [0.1, 0.8], [0.5, 0.1], [0.0, 0.0]])
WEIGHTS = np.array([1.0, 1.0, 0.1, 0.0, 0.1])


def test_the_better_best_prompt_wins_and_prompts_are_not_mixed():
    # Both know the first two voxels: cameras' best .9 and .3, geometry's .8 and .8: it is shifted by -.2 and not stretched
    found = ensembled(SEEN, PREDICTED, WEIGHTS)
    # sure of its own; geometry fits better; seen badly; not seen; seen badly, but geometry says nothing
    np.testing.assert_allclose(found, [[0.9, 0.1], [-0.1, 0.6], [-0.1, 0.6], [0.3, -0.1], [0.4, 0.1]], atol=1e-6)


def test_smooth_predictions_are_brought_to_the_scale_of_what_was_seen():
    seen = np.array([[0.1, 0.0], [0.3, 0.0], [0.3, 0.0], [0.1, 0.0]])  # mean .2, deviation .1
    predicted = np.array([[0.0, 0.98], [0.0, 0.94], [0.0, 0.98], [0.0, 0.94]])  # mean .96, deviation .02: larger everywhere
    found = ensembled(seen, predicted, np.ones(4))
    # .98 becomes .2 + (.98 - .96) x 5 = .3, .94 becomes .1: better than what was seen in the first voxel alone
    np.testing.assert_allclose(found[0], [0.2 - 0.96 * 5, 0.3], atol=1e-6)
    np.testing.assert_array_equal(found[[1, 3]], seen[[1, 3]])


def test_only_where_no_camera_looked_well():
    found = ensembled(SEEN, PREDICTED, WEIGHTS, everywhere=False)
    np.testing.assert_allclose(found, [[0.9, 0.1], [0.2, 0.3], [-0.1, 0.6], [0.3, -0.1], [0.4, 0.1]], atol=1e-6)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="one row a voxel"):
        ensembled(SEEN, PREDICTED[:3], WEIGHTS)
    with pytest.raises(ValueError, match="one row a voxel"):
        ensembled(SEEN, PREDICTED, WEIGHTS[:3])
    assert ensembled(np.zeros((5, 0)), np.zeros((5, 0)), WEIGHTS).shape == (5, 0)


def test_voxels_that_geometry_alone_knows_join():
    prediction = Prediction(np.array([2, 5, 9]), np.eye(3, dtype=np.float16), True)
    keys, features, weights = united(np.array([5, 7]), np.full((2, 3), 4, np.float16), np.array([1.0, 2.0]), prediction)
    assert keys.tolist() == [2, 5, 7, 9]
    assert features[:, 0].tolist() == [0, 4, 4, 0]
    assert weights.tolist() == [0, 1, 2, 0]
    assert prediction.at(keys).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(("keys", "features", "message"), [
    ([1, 2], np.zeros((3, 2)), "2 voxels"), ([2, 1], np.zeros((2, 2)), "ascending"),
    ([1, 2], np.full((2, 2), np.inf), "infinity")])
def test_a_prediction_that_is_none_is_named(keys, features, message):
    with pytest.raises(ValueError, match=message):
        Prediction(np.array(keys), features.astype(np.float16), True)


def test_a_prediction_of_another_width_is_refused():
    with pytest.raises(ValueError, match="3 dimensions, those of images have 2"):
        united(np.array([5]), np.zeros((1, 2)), np.ones(1), Prediction(np.array([5]), np.ones((1, 3), np.float16), True))


def test_surface_that_no_camera_saw_answers_by_its_shape(room):
    language, surface, labels, things = room
    assert np.isnan(language.snapshot().dense_similarity(language._model.encode_text(["mug"]), surface)).all()
    layer = language._voxels
    keys = np.unique(layer.keys_of(surface.vertices))
    kind = np.zeros((len(keys), 4), np.float16)
    mug = np.isin(keys, layer.keys_of(surface.vertices[labels == 3]))
    kind[mug, 2], kind[~mug, 1] = 1, 1
    language.prediction = Prediction(keys, kind, True)
    found = language.snapshot().dense_similarity(language._model.encode_text(["mug"]), surface)[:, 0]
    assert found[labels == 3].min() > 0.9 > 0.1 > found[labels == 4].max()
    index, _ = language.snapshot().segment(["table", "mug"], surface, np.where(labels == 3, -1, labels), things)
    assert (index[labels == 3] == 1).all()  # points without a thing
    loaded = type(language)(LanguageSettings(feature_dimension=4), language._query, language._model)
    loaded.load_state(language.state())
    np.testing.assert_array_equal(loaded.prediction.features, kind)
    assert loaded.prediction.everywhere


def test_what_shape_says_counts_everywhere_or_only_where_it_has_to(room):
    language, surface, labels, _ = room
    layer = language._voxels
    keys = np.unique(layer.keys_of(surface.vertices))
    of_mug = np.isin(keys, layer.keys_of(surface.vertices[labels == 3]))
    seen = np.eye(4, dtype=np.float32)[np.where(of_mug, 0, np.arange(len(keys)) % 3)]  # the mug like a chair, the rest anyhow
    layer.add(keys, seen, np.ones(len(keys), np.float32), 1)
    shape = np.eye(4, dtype=np.float16)[np.where(of_mug, 2, 1)]
    text = language._model.encode_text(["mug"])
    found = []
    for everywhere in (False, True):
        language.prediction = Prediction(keys, shape, everywhere)
        found.append(language.snapshot().dense_similarity(text, surface)[labels == 3, 0])
    assert found[0].max() < 0.0 < 0.5 < found[1].min()
