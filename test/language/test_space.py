"""What cosines mean in a space that was learned by contrast; the joint class space is tested through calibration and snapshot."""

from __future__ import annotations

import numpy as np
import pytest
from fake import FourClasses

from magic3d_ros.cues.contrast import Contrast
from magic3d_ros.language.space import Asked, Contrastive, JointClasses, space_of

SCALE = 50.0
CONTRAST = Contrast(SCALE, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.float32))
THINGS = np.array([[0.6, 0.8, 0.0], [1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], np.float32)
NONE = np.zeros((0, 3), np.float32)


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def space():
    return Contrastive(CONTRAST)


def test_a_model_says_which_space_it_is():
    model = FourClasses()
    assert isinstance(space_of(model), JointClasses)
    model.contrast = CONTRAST
    assert isinstance(space_of(model), Contrastive)


def test_a_question_must_fit_better_than_phrases_that_fit_everything(space):
    """Cosines with (0, 1, 0): .8, 0, .6; with the better of the two phrases: .6, 1, .8."""
    chances = space.chances(Asked(THINGS @ (0.0, 1.0, 0.0), None), THINGS, NONE)
    np.testing.assert_allclose(chances, logistic(SCALE * np.array([0.2, -1.0, -0.2])), atol=1e-6)


def test_a_picture_must_fit_better_than_random_views(space):
    background = np.array([[0.0, 0.5, 0.0]], np.float32)
    chances = space.chances(Asked(None, np.array([0.0, 1.0, 0.0])), THINGS, background)
    np.testing.assert_allclose(chances, logistic(SCALE * (np.array([0.8, 0.0, 0.6]) - 0.5)), atol=1e-6)


def test_words_and_picture_count_equally(space):
    words, picture = THINGS @ (0.0, 1.0, 0.0), np.array([1.0, 0.0, 0.0])
    each = [space.chances(Asked(w, p), THINGS, NONE) for w, p in ((words, None), (None, picture))]
    np.testing.assert_allclose(space.chances(Asked(words, picture), THINGS, NONE), np.mean(each, 0))


def test_shape_shifts_the_odds(space):
    asked = THINGS @ (0.0, 1.0, 0.0)
    plain = space.chances(Asked(asked, None), THINGS, NONE)
    form, colour = np.log([0.5, 1.0, 1.0]), np.log([0.8, 1.0, 1.0])
    shaped = space.chances(Asked(asked, None, form=form, attributes=colour), THINGS, NONE)
    np.testing.assert_allclose(shaped[0] / (1 - shaped[0]), 0.5 * 0.8 * plain[0] / (1 - plain[0]), rtol=1e-4)
    np.testing.assert_allclose(shaped[1:], plain[1:], atol=1e-9)


def test_certainty_stays_a_number(space):
    sure = space.chances(Asked(THINGS @ (0.0, 100.0, 0.0), None, form=np.full(3, -16.0), attributes=np.zeros(3)), THINGS, NONE)
    assert np.isfinite(sure).all() and ((sure >= 0) & (sure <= 1)).all()


def test_nothing_seen_is_no_chances(space):
    assert space.chances(Asked(np.zeros(0), None, form=np.zeros(0), attributes=np.zeros(0)), NONE, NONE).shape == (0,)


def test_nothing_is_subtracted_or_stretched(space):
    assert not space.center(np.ones((4, 3)), np.ones((2, 3)), 3).any()
    assert not space.usual(np.ones((4, 2))).any()
    features = np.array([[0.1, 0.2]])
    assert space.voxels(features) is features and space.compressed(features) is features
    assert space.temperature == pytest.approx(1 / SCALE)
