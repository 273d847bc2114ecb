"""Each loss against numbers worked out by hand, and where its gradient must not go."""

from __future__ import annotations

import math

import pytest
import torch

from magic3d_ros.mapping.distractors import losses
from magic3d_ros.mapping.losses.color import color_loss


def constant(value: float) -> torch.Tensor:
    return torch.full((1, 5, 5, 3), value)


def checkerboard(low: float, high: float) -> torch.Tensor:
    """The middle sample's 5x5 window holds 13 of `low` and 12 of `high`."""
    odd = (torch.arange(5)[:, None] + torch.arange(5)) % 2
    return torch.where(odd == 1, high, low)[None, :, :, None].expand(1, 5, 5, 3).contiguous()


def test_equal_patches_leave_no_luminance_error() -> None:
    assert losses.structural_residual(checkerboard(0.2, 0.6), checkerboard(0.2, 0.6), 100.0).max() < 1e-6


def test_luminance_of_two_greys() -> None:
    luminance, contrast, structure = losses.similarity_terms(constant(0.2), constant(0.6))
    assert luminance[0, 2, 2].item() == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4), rel=1e-5)
    assert contrast[0, 2, 2].item() == pytest.approx(1.0, abs=1e-4)
    assert structure[0, 2, 2].item() == pytest.approx(1.0, abs=1e-3)


def test_residual_of_two_greys_is_what_the_clipped_factors_leave() -> None:
    """Contrast and structure are perfect and count as .98 each: 100 (1 - .600...) .02 .02."""
    luminance = (0.24 + 1e-4) / (0.4 + 1e-4)
    residual = losses.structural_residual(constant(0.2), constant(0.6), 100.0)
    assert residual[0, 2, 2].item() == pytest.approx(100 * (1 - luminance) * 0.02 * 0.02, rel=1e-3)


def test_residual_of_an_inverted_pattern() -> None:
    """Rendered 13 x .2 and 12 x .6, observed the other way round: all three factors by hand."""
    a, b = 0.2, 0.6
    mean_x, mean_y = (13 * a + 12 * b) / 25, (13 * b + 12 * a) / 25
    variance = 13 * 12 / 625 * (b - a) ** 2
    luminance = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
    structure = (-variance + 4.5e-4) / (variance + 4.5e-4)
    expected = 100 * (1 - luminance) * (1 - 0.98) * (1 - structure)
    residual = losses.structural_residual(checkerboard(a, b), checkerboard(b, a), 100.0)
    assert residual[0, 2, 2].item() == pytest.approx(expected, rel=1e-3)


def test_residual_is_at_most_five() -> None:
    assert losses.structural_residual(checkerboard(0.0, 0.1), checkerboard(1.0, 0.0), 1e6).max().item() == 5.0


def test_rate_grows_from_100_to_1000() -> None:
    assert [losses.rate_at(p) for p in (-1, 0, 0.5, 1, 7)] == pytest.approx([100, 100, 100 * math.sqrt(10), 1000, 1000])


def test_uncertainty_loss_by_hand_and_its_minimum() -> None:
    beta = torch.tensor([0.5, 2.0], requires_grad=True)
    loss = losses.uncertainty_loss(torch.tensor([2.0, 2.0]), beta)
    assert loss.tolist() == pytest.approx([2 / 0.5 + 0.5 * math.log(0.5), 2 / 8 + 0.5 * math.log(2)])
    loss.sum().backward()
    assert beta.grad[1].item() == pytest.approx(0.0, abs=1e-6)  # beta^2 = residual / .5


def test_neighbours_are_those_that_point_the_same_way() -> None:
    features = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
    assert losses.neighbours(features).tolist() == [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_at_most_128_neighbours_the_nearest() -> None:
    angle = torch.arange(300) * 1e-3
    shares = losses.neighbours(torch.stack([angle.cos(), angle.sin()], 1).double())
    assert (shares[0] > 0).nonzero()[:, 0].tolist() == list(range(128))


def test_a_feature_of_zeros_is_its_own_neighbour() -> None:
    assert losses.neighbours(torch.zeros(2, 3)).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_neighbour_consistency_by_hand() -> None:
    shares = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    mean, variance = losses.neighbour_consistency(torch.tensor([1.0, 3.0, 5.0]), shares)
    assert mean.tolist() == [2.0, 2.0, 5.0]
    assert variance.item() == pytest.approx(0.1 * (1 + 1 + 0) / 3)


def test_colour_counts_less_where_it_is_uncertain() -> None:
    assert losses.color_weight(torch.tensor([0.1, 0.5, 1.0, 2.0])).tolist() == [1.0, 1.0, 0.5, 0.125]
    rendered, observed = torch.tensor([[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]), torch.tensor([[0.5, 0.5, 1.0], [1.0, 0.0, 0.0]])
    loss = color_loss(rendered, observed, losses.color_weight(torch.tensor([0.5, 2.0])))
    assert loss.item() == pytest.approx((1.0 * 0.5 + 0.125 * 1.0) / (3 * 1.125))


def test_color_loss_trains_the_field_and_never_the_uncertainty() -> None:
    rendered, beta = torch.full((4, 3), 0.3, requires_grad=True), torch.full((4,), 0.7, requires_grad=True)
    color_loss(rendered, torch.ones(4, 3), losses.color_weight(beta)).backward()
    assert beta.grad is None and rendered.grad.abs().min() > 0


def test_uncertainty_loss_trains_the_uncertainty_and_never_the_field() -> None:
    rendered, beta = checkerboard(0.1, 0.9).requires_grad_(), torch.full((1, 5, 5), 0.7, requires_grad=True)
    losses.uncertainty_loss(losses.structural_residual(rendered, checkerboard(0.9, 0.1), 100.0), beta).sum().backward()
    assert rendered.grad is None and beta.grad.abs().min() > 0
