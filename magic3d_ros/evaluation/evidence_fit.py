"""Weights of evidence from examples: which of many is the right one, and how probable it is that the best one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

_NOTHING = 1e-9


@dataclass(frozen=True)
class Choice:
    """One of n to be chosen. terms (n, F): what speaks for each. right (n,) bool: any of these is right."""

    terms: np.ndarray
    right: np.ndarray


def choice_weights(choices: Sequence[Choice], penalty: float) -> np.ndarray:
    """(F,) weights >= 0 of a conditional logit (McFadden 1974): softmax over each choice's terms @ weights makes what is right
    likeliest. penalty: of the squared weights, against the mean log-likelihood. Choices without anything right do not count.

    Raises ValueError when none counts.
    """
    counted = [c for c in choices if c.right.any()]
    if not counted:
        raise ValueError("no choice has a right answer: nothing can be fitted")

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = 0.0, np.zeros_like(weights)
        for choice in counted:
            chances = _softmax(choice.terms @ weights)
            right = chances[choice.right].sum() + _NOTHING
            total -= np.log(right)
            slope -= (np.where(choice.right, chances / right, 0.0) - chances) @ choice.terms
        count = len(counted)
        return total / count + penalty * float(weights @ weights), slope / count + 2 * penalty * weights

    terms = counted[0].terms.shape[1]
    found = minimize(loss, np.full(terms, 0.3), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * terms)
    return np.asarray(found.x)


def slope_and_offset(scores: np.ndarray, right: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Of the logistic function that makes (n,) scores probabilities of being right (Platt 1999). weights (n,): how much each
    example counts."""

    def loss(line: np.ndarray) -> tuple[float, np.ndarray]:
        logits = scores * line[0] + line[1]
        wrong = weights * (1 / (1 + np.exp(-logits)) - right)
        return float((weights * (np.logaddexp(0, logits) - right * logits)).sum()), np.array([wrong @ scores, wrong.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return float(found[0]), float(found[1])


def _softmax(scores: np.ndarray) -> np.ndarray:
    chances = np.exp(scores - scores.max())
    return np.asarray(chances / chances.sum())
