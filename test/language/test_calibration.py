"""From evidence to probability."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.calibration import Evidence, picture_probability, standout

RIVALS = np.array([-4.0, -2.0, -6.0])
NOTHING = np.zeros(2)


def test_standing_out_is_counted_in_robust_deviations():
    scores = np.array([0.30, 0.0, 0.02, -0.02, 0.04])  # median 0.02, deviations .28 .02 0 .04 .02: half the plain spread is more
    middle, spread = 0.02, 0.5 * scores.std() + 0.02
    np.testing.assert_allclose(standout(scores[:2], scores[2:]), [(0.30 - middle) / spread, -middle / spread], rtol=1e-6)


def test_surprise_is_relative_to_concepts_that_are_not_here():
    evidence = Evidence(np.array([-1.0, -4.0]), RIVALS, NOTHING, NOTHING, 0.0)
    np.testing.assert_allclose(evidence.surprise(), [3.0 / (RIVALS.std() + 0.02), 0.0])


def test_probability_has_its_constants():
    evidence = Evidence(np.array([-1.0, -4.0]), RIVALS, np.array([0.2, 0.1]), np.array([0.0, -1.0]), 0.5)
    first, second = evidence.surprise()
    scores = np.array([-2.0 - 0.46 + 0.75 * first + 13.3 * 0.2 - 0.55, -2.0 - 1.84 + 0.75 * second + 13.3 * 0.1 - 1.4 - 0.55])
    np.testing.assert_allclose(evidence.probability(), 1 / (1 + np.exp(-scores)))


def test_words_without_meaning_find_nothing():
    known, strange = (Evidence(np.zeros(1), RIVALS, np.zeros(1), np.zeros(1), 0.0, s).probability()[0] for s in (0.0, 0.1))
    assert strange / (1 - strange) == pytest.approx(np.exp(-2.8) * known / (1 - known))


def test_what_is_seldom_indoors_is_less_likely():
    here, away = (Evidence(np.zeros(1), RIVALS, np.array([0.2]), np.zeros(1), e).probability()[0] for e in (0.0, 1.0))
    assert away < here


def test_a_picture_that_fits_everything_alike_finds_nothing():
    assert picture_probability(np.full(4, 0.1), np.full(4, 0.1)).max() < 0.15
    assert picture_probability(np.array([0.8, 0.0]), np.zeros(20))[0] > 0.9


@pytest.mark.parametrize("count", [0, 3])
def test_no_rivals_and_no_things(count):
    evidence = Evidence(np.zeros(count), np.zeros(0), np.zeros(count), np.zeros(count), 0.0)
    assert evidence.probability().shape == (count,) and np.isfinite(evidence.probability()).all()
    assert picture_probability(np.zeros(0), np.zeros(0)).shape == (0,)
