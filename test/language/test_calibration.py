"""From evidence to probability."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.calibration import Evidence, picture_probability, standout


def test_standing_out_is_counted_in_robust_deviations():
    scores = np.array([0.30, 0.0, 0.02, -0.02, 0.04])  # median 0.02, deviations .28 .02 0 .04 .02: half the plain spread is more
    middle, spread = 0.02, 0.5 * scores.std() + 0.02
    np.testing.assert_allclose(standout(scores[:2], scores[2:]), [(0.30 - middle) / spread, -middle / spread], rtol=1e-6)


def test_probability_has_its_constants():
    evidence = Evidence(np.array([-1.0, -4.0]), np.array([0.2, 0.1]), np.array([0.5, 0.4]), np.array([0.0, -1.0]),
                        np.array([-3.0, 1.0]))
    scores = np.array([-1.3 - 0.47 + 1.5 * 0.2 + 4.2 * 0.5 - 0.6, -1.3 - 4 * 0.47 + 1.5 * 0.1 + 4.2 * 0.4 + 0.2 - 0.47])
    np.testing.assert_allclose(evidence.probability(), 1 / (1 + np.exp(-scores)))


def test_words_without_meaning_find_nothing():
    known, strange = (Evidence(*[np.zeros(1)] * 5, s).probability()[0] for s in (0.0, 0.1))
    assert strange / (1 - strange) == pytest.approx(np.exp(-2.8) * known / (1 - known))


def test_a_picture_that_fits_everything_alike_finds_nothing():
    assert picture_probability(np.full(4, 0.1), np.full(4, 0.1)).max() < 0.15
    assert picture_probability(np.array([0.8, 0.0]), np.zeros(20))[0] > 0.9


def test_no_things():
    assert Evidence(*[np.zeros(0)] * 5).probability().shape == (0,)
    assert picture_probability(np.zeros(0), np.zeros(0)).shape == (0,)
