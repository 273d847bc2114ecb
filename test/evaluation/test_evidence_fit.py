"""Weights of evidence from examples."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.evidence_fit import Choice, choice_weights, slope_and_offset


def test_weights_are_those_that_the_choices_were_made_with():
    rng = np.random.default_rng(0)
    truth = np.array([2.0, 0.5, 0.0])
    choices = []
    for _ in range(1500):
        terms = rng.normal(size=(6, 3))
        chosen = (terms @ truth + rng.gumbel(size=6)).argmax()  # Gumbel noise makes choices follow a softmax
        choices.append(Choice(terms, np.arange(6) == chosen))
    np.testing.assert_allclose(choice_weights(choices, 0.0), truth, atol=0.15)


def test_what_speaks_against_the_right_one_gets_no_weight():
    terms = np.array([[0.0], [1.0]])
    assert choice_weights([Choice(terms, np.array([True, False]))], 0.01)[0] == 0


def test_nothing_right_is_refused():
    with pytest.raises(ValueError, match="nothing can be fitted"):
        choice_weights([Choice(np.zeros((2, 1)), np.zeros(2, bool))], 0.01)


def test_probabilities_follow_the_shares_that_were_right():
    """Score 0: one of four right; score 1: three of four. Logit of 1/4 is -log 3, of 3/4 log 3."""
    scores, right = np.repeat([0.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0])
    slope, offset = slope_and_offset(scores, right, np.ones(8))
    assert (slope, offset) == (pytest.approx(2 * np.log(3), abs=1e-3), pytest.approx(-np.log(3), abs=1e-3))
