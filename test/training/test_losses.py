"""The predictor's losses against values written out."""

from __future__ import annotations

import math

import torch
from pytest import approx

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, Prediction
from magic3d_ros.training.losses import MEAN_SHARE, gradient, laplace, losses, scale_invariant


def _normals(*vector: float) -> torch.Tensor:
    return torch.tensor(vector)[None, :, None, None].expand(1, 3, 8, 8)


def test_a_perfect_prediction_costs_nothing_but_its_doubt() -> None:
    depth = torch.rand(1, 8, 8) * 3 + 0.5
    focal = torch.tensor([320.0])
    log_depth = torch.log(depth * CANONICAL_FOCAL / 320)
    parts = losses(Prediction(log_depth, torch.zeros(1, 8, 8), _normals(0, 0, -1)), depth, _normals(0, 0, -1), focal)
    assert parts.scale_invariant.item() == approx(1e-3)  # the root is kept away from zero
    assert parts.gradient.item() == approx(0, abs=1e-6)
    assert parts.normal.item() == approx(0, abs=1e-6)
    assert parts.confidence.item() == approx(math.log(2), abs=1e-5)


def test_scale_costs_less_than_shape() -> None:
    known = torch.ones(1, 2, 2, dtype=torch.bool)
    assert scale_invariant(torch.full((1, 2, 2), 0.2), known).item() == approx(0.2 * math.sqrt(MEAN_SHARE))
    assert scale_invariant(torch.tensor([[[0.2, -0.2], [0.2, -0.2]]]), known).item() == approx(0.2)


def test_unknown_pixels_do_not_count() -> None:
    known = torch.tensor([[[True, False], [True, False]]])
    error = torch.tensor([[[0.2, 0.0], [0.2, 0.0]]])  # where truth is unknown the error is set to zero
    assert scale_invariant(error, known).item() == approx(0.2 * math.sqrt(MEAN_SHARE))
    assert laplace(error, torch.zeros(1, 2, 2), known).item() == approx(0.2 + math.log(2))


def test_a_slope_in_the_error_is_a_gradient() -> None:
    error = (0.1 * torch.arange(8.0))[None, None].expand(1, 8, 8)
    assert gradient(error, torch.ones(1, 8, 8, dtype=torch.bool)).item() == approx((0.1 + 0.2 + 0.4) / 3)


def test_opposite_normals_cost_two() -> None:
    depth = torch.ones(1, 8, 8)
    prediction = Prediction(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8), _normals(0, 0, 1))
    assert losses(prediction, depth, _normals(0, 0, -1), torch.tensor([CANONICAL_FOCAL])).normal.item() == approx(2)


def test_confidence_is_best_at_the_size_of_the_error() -> None:
    error, known = torch.full((1, 2, 2), 0.3), torch.ones(1, 2, 2, dtype=torch.bool)
    at = [laplace(error, torch.full((1, 2, 2), math.log(scale)), known).item() for scale in (0.15, 0.3, 0.6)]
    assert at[1] == approx(1 + math.log(2 * 0.3))
    assert at[1] < min(at[0], at[2])
