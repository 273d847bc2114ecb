import math

import pytest
import torch

from magic3d_ros.mapping.losses.regularity import eikonal_loss, neighbours, smoothness_loss


def test_slopes_of_one_cost_nothing():
    gradients = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 3.0], [0.0, 0.5, 0.0]])
    assert eikonal_loss(gradients).item() == pytest.approx((0.0 + 4.0 + 0.25) / 3)
    assert eikonal_loss(gradients, torch.tensor([1.0, 0.0, 1.0])).item() == pytest.approx(0.125)


def test_eikonal_changes_the_length_of_a_gradient_not_its_direction():
    gradients = torch.tensor([[0.0, 2.0, 0.0]], requires_grad=True)
    eikonal_loss(gradients).backward()
    assert gradients.grad.tolist() == [[0.0, 2.0, 0.0]]


def test_smoothness_compares_unit_normals():
    first = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    second = torch.tensor([[0.0, 5.0, 0.0], [0.0, 0.3, 0.0]])
    assert smoothness_loss(first, second).item() == pytest.approx(math.sqrt(2) / 2, abs=1e-4)


def test_equal_normals_give_finite_gradients():
    first = torch.tensor([[1.0, 0.0, 0.0]], requires_grad=True)
    smoothness_loss(first, first.detach().clone()).backward()
    assert torch.isfinite(first.grad).all()


def test_neighbours_lie_within_half_a_centimetre_each_way():
    points = torch.zeros(1000, 3)
    offsets = neighbours(points, torch.Generator().manual_seed(0))
    assert 0.0045 < offsets.abs().max() <= 0.005
    assert offsets.mean(0).abs().max() < 5e-4
