"""Densities, ray sampling and compositing against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from magic3d_ros.mapping.field.density import KINDS, laplace_density, neus_weights, rendering_weights, truncated_weights
from magic3d_ros.mapping.field.ray_sampling import around_surface, by_importance, stratified
from magic3d_ros.mapping.field.volume_rendering import composite


def test_laplace_density_is_half_at_the_surface_and_full_inside():
    density = laplace_density(torch.tensor([0.0, -10.0, 10.0, 0.1, -0.1]), 0.1)
    expected = [5.0, 10.0, 0.0, 10 * 0.5 * math.exp(-1), 10 * (1 - 0.5 * math.exp(-1))]
    torch.testing.assert_close(density, torch.tensor(expected))


def test_neus_weights_by_hand():
    passed = [1 / (1 + math.exp(-2 * f)) for f in (1.0, 0.0, -1.0)]
    first = (passed[0] - passed[1]) / passed[0]
    second = (1 - first) * (passed[1] - passed[2]) / passed[1]
    torch.testing.assert_close(neus_weights(torch.tensor([[1.0, 0.0, -1.0]]), 2.0), torch.tensor([[first, second, 0.0]]),
                               atol=1e-5, rtol=1e-5)


def test_truncated_weights_end_behind_the_first_surface():
    sdf = torch.tensor([[0.2, 0.0, -0.2, 0.1, -0.1]])
    depths = torch.tensor([[1.0, 1.1, 1.2, 1.5, 1.6]])
    weights = truncated_weights(sdf, depths, 0.15)

    def bell(s: float) -> float:
        return 1 / (1 + math.exp(-s / 0.15)) / (1 + math.exp(s / 0.15))

    bells = [bell(0.2), bell(0.0), bell(-0.2), 0.0, 0.0]  # the surface is at 1.1; beyond 1.25 nothing counts
    torch.testing.assert_close(weights, torch.tensor([bells]) / sum(bells))


@pytest.mark.parametrize("kind", KINDS)
def test_every_density_finds_a_wall(kind: str):
    depths = torch.linspace(0.1, 3.0, 400).expand(2, -1)
    wall = torch.tensor([[1.0], [2.2]])
    weights = rendering_weights(kind, wall - depths, depths, 0.02)
    assert (weights >= 0).all() and (weights.sum(1) <= 1 + 1e-4).all() and (weights.sum(1) > 0.98).all()
    torch.testing.assert_close(composite(weights, depths).distance, wall[:, 0], atol=0.02, rtol=0)


def test_an_unknown_density_is_named():
    with pytest.raises(ValueError, match="unknown density 'fog': one of volsdf"):
        rendering_weights("fog", torch.zeros(1, 4), torch.arange(4.0)[None], 0.1)


def test_stratified_samples_stay_in_their_sections():
    samples = stratified(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 4.0]), 4)
    assert ((samples[0] - 1.0) * 4).floor().tolist() == [0, 1, 2, 3]
    assert samples[1].floor().tolist() == [0, 1, 2, 3]


def test_samples_around_a_surface():
    samples = around_surface(torch.tensor([2.0]), 0.1, 0.08, 6, 3)[0]
    assert len(samples) == 9 and (samples.diff() > 0).all()
    assert (samples[:3] < 1.92).all() and (samples[:3] >= 0.1).all()
    assert ((samples[3:] - 2.0).abs() <= 0.08).all()


def test_importance_samples_go_where_the_weight_is():
    depths = torch.linspace(0.0, 10.0, 101)[None]
    weights = torch.zeros(1, 101)
    weights[0, 40] = 1.0
    samples = by_importance(depths, weights, 1000, floor=0.1)
    near = ((samples - 4.0).abs() <= 0.051).float().mean()
    assert 0.88 < near < 0.95  # one part in 1.1, and the even share's hundredth
    assert samples.min() < 1.5 and samples.max() > 8.5


def test_composite_by_hand():
    rays = composite(torch.tensor([[0.25, 0.25]]), torch.tensor([[1.0, 3.0]]), torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]]))
    assert rays.opacity.item() == 0.5 and rays.distance.item() == 2.0
    assert rays.color.tolist() == [[0.25, 0.25, 0.0]]
