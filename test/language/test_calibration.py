"""From similarity to probability."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.calibration import shape_fit, weigh


def test_standing_out_is_counted_in_robust_deviations():
    evidence = weigh(np.array([0.30, 0.0]), np.array([0.02, -0.02, 0.04]), np.array([0.30, 0.2]), 0.0)
    scores = np.array([0.30, 0.0, 0.02, -0.02, 0.04])  # median 0.02, deviations .28 .02 0 .04 .02: half the plain spread is more
    middle, spread = 0.02, 0.5 * scores.std() + 0.02
    np.testing.assert_allclose(evidence.standout, [(0.30 - middle) / spread, -middle / spread], rtol=1e-6)
    np.testing.assert_allclose(evidence.margin, [0.0, -0.2])


def test_probability_has_its_constants():
    evidence = weigh(np.array([0.30, 0.0]), np.array([0.02, -0.02, 0.04]), np.array([0.30, 0.2]), 0.0)
    score = -2.7 + 0.74 * evidence.standout[0] + 5.1 * 0.30
    assert evidence.probability()[0] == pytest.approx(1 / (1 + np.exp(-score)))


def test_what_is_seldom_indoors_is_less_likely():
    here, away = (weigh(np.array([0.3]), np.linspace(-0.1, 0.1, 9), np.array([0.3]), e).probability()[0] for e in (0.0, 0.5))
    assert away < here / 1.5


def test_equal_scores_stand_nowhere():
    assert weigh(np.full(4, 0.1), np.full(4, 0.1), np.full(4, 0.1), 0.0).probability().max() < 0.15


def test_no_things_no_probabilities():
    assert weigh(np.zeros(0), np.zeros(3), np.zeros(0), 0.0).probability().shape == (0,)


def test_shape_fits_within_the_usual_range_and_falls_off_outside():
    lengths, heights = np.array([0.1, 0.2 * np.exp(0.35), 0.1, 0.02]), np.array([0.5, 0.5, 1.2, 0.5])
    fit = shape_fit(lengths, heights, np.array([[0.05, 0.2]]), np.array([[0.0, 1.0]]), np.array([1.0]))
    too_short = 0.5 * (0.5 * np.log(0.05 / 0.02) / 0.35) ** 2
    np.testing.assert_allclose(fit, [0, -0.5, -0.5, -too_short], atol=1e-9)  # one tolerance too long, one too high


def test_shape_is_a_mixture_over_words():
    usual = np.array([[0.1, 0.2], [1.0, 2.0]])
    fit = shape_fit(np.array([1.5]), np.array([0.5]), usual, np.array([[0.0, 1.0]] * 2), np.array([0.75, 0.25]))
    # seven times too long costs the cap
    assert fit[0] == pytest.approx(np.log(0.25 + 0.75 * np.exp(-8.0)))
