from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.distractors.uncertainty_head import UncertaintyHead, load_optimiser_state, optimiser_state


def test_shape_and_floor() -> None:
    head = UncertaintyHead(7).eval()
    with torch.no_grad():
        head.out.bias.fill_(-100.0)
        beta = head(torch.randn(5, 7))
    assert beta.shape == (5,) and beta.tolist() == pytest.approx([0.101] * 5)


def test_dropout_only_while_training() -> None:
    head, features = UncertaintyHead(16), torch.randn(32, 16)
    head.train()
    assert not torch.equal(head(features), head(features))
    head.eval()
    assert torch.equal(head(features), head(features))


def test_the_same_head_whatever_random_numbers_were_drawn_before() -> None:
    first = UncertaintyHead(4).hidden.weight
    torch.rand(3)
    assert torch.equal(first, UncertaintyHead(4).hidden.weight)


def test_scale_of_features_does_not_matter_once_normalised() -> None:
    small, large = UncertaintyHead(4).eval(), UncertaintyHead(4).eval()
    features = torch.randn(100, 4)
    small.normalise(features)
    large.normalise(features * 1000)
    assert torch.allclose(small(features), large(features * 1000), atol=1e-4)


def test_round_trip_goes_on_training_the_same() -> None:
    def step(head: UncertaintyHead, optimiser: torch.optim.Adam) -> None:
        optimiser.zero_grad()
        head(torch.ones(3, 4)).sum().backward()
        optimiser.step()

    head = UncertaintyHead(4).eval()
    optimiser = head.optimiser()
    step(head, optimiser)
    again = UncertaintyHead.of_state(head.state()).eval()
    resumed = again.optimiser()
    load_optimiser_state(again, resumed, optimiser_state(head, optimiser))
    step(head, optimiser)
    step(again, resumed)
    assert all(np.array_equal(value, again.state()[name]) for name, value in head.state().items())


def test_another_feature_dimension_is_named() -> None:
    with pytest.raises(ValueError, match="features of 384 dimensions, the 2D model gives 112"):
        UncertaintyHead(384).check(112)


def test_a_damaged_state_is_named() -> None:
    with pytest.raises(ValueError, match=r"lacks 'hidden\.weight'"):
        UncertaintyHead.of_state({})
    state = UncertaintyHead(4).state() | {"out.weight": np.zeros((1, 3), np.float32)}
    with pytest.raises(ValueError, match=r"\(1, 3\) as 'out\.weight', expected \(1, 64\)"):
        UncertaintyHead.of_state(state)
