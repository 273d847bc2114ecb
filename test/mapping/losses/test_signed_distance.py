import math

import pytest
import torch

from magic3d_ros.mapping.losses.signed_distance import (
    free_space_bounds_loss,
    sensor_depth_loss,
    truncated_sdf_loss,
)


def test_sensor_depth_leaves_out_what_has_no_reading():
    rendered = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    measured = torch.tensor([1.1, 0.0, math.nan, 3.8])
    loss = sensor_depth_loss(rendered, measured)
    assert loss.item() == pytest.approx((0.01 + 0.04) / 2, rel=1e-5)
    loss.backward()
    assert rendered.grad.tolist() == pytest.approx([-0.1, 0.0, 0.0, 0.2], rel=1e-5)
    assert sensor_depth_loss(rendered, measured, torch.tensor([1.0, 1.0, 1.0, 0.0])).item() == pytest.approx(0.01, rel=1e-5)


# Samples of one ray at 1.0, 1.9, 2.0, 2.05 and 2.2 m, surface at 2 m, truncation 0.1 m.
AHEAD = torch.tensor([[1.0, 0.1, 0.0, -0.05, -0.2]])
SDF = [[0.3, 0.05, 0.02, -0.05, 0.7]]


def test_truncated_distances_count_within_the_truncation_only():
    sdf = torch.tensor(SDF, requires_grad=True)
    loss = truncated_sdf_loss(sdf, AHEAD, 0.1)
    assert loss.item() == pytest.approx((0.25 + 0.04 + 0.0) / 3, rel=1e-4)
    loss.backward()
    assert sdf.grad[0, 0] == 0 and sdf.grad[0, 4] == 0  # free space, and what the surface hides
    assert sdf.grad[0, 1].item() == pytest.approx(2 * -0.5 / 0.1 / 3, rel=1e-4)


def test_true_distances_are_bounded_from_both_sides():
    ahead = torch.tensor([[0.5, 0.5, 0.5, -0.1]])
    sdf = torch.tensor([[0.3, 0.7, -0.1, -3.0]], requires_grad=True)
    loss = free_space_bounds_loss(sdf, ahead, 0.1)
    assert loss.item() == pytest.approx((0.0 + 0.2 + math.exp(0.5) - 1) / 3, rel=1e-5)
    loss.backward()
    assert sdf.grad[0].tolist() == pytest.approx([0.0, 1 / 3, -5 * math.exp(0.5) / 3, 0.0], rel=1e-5)


def test_weights_leave_out_rays():
    sdf = torch.tensor([[0.0], [0.5]])
    ahead = torch.tensor([[0.1], [math.nan]])
    weights = torch.tensor([[1.0], [0.0]])
    assert truncated_sdf_loss(sdf, ahead, 0.1, weights).item() == pytest.approx(1.0)
    assert truncated_sdf_loss(sdf, ahead, 0.1, 0 * weights).item() == 0.0
