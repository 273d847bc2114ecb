"""Scores of guessed depth and normals against values written out."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.monocular_scores import at_cells, depth_scores, normal_error


def test_depth_scores() -> None:
    true = np.array([[1.0, 2.0], [4.0, 0.0]], np.float32)
    found = depth_scores(np.array([[1.1, 2.0], [2.0, 9.0]], np.float32), true)
    assert found is not None
    assert found.abs_rel == pytest.approx((0.1 + 0 + 0.5) / 3)
    assert found.delta1 == pytest.approx(2 / 3)


def test_aligned_depth_forgives_scale_and_shift_only() -> None:
    true = np.array([[1.0, 2.0, 3.0, 5.0]], np.float32)
    found = depth_scores(3 * true + 1, true)
    assert found is not None
    assert found.aligned_abs_rel == pytest.approx(0, abs=1e-6)
    assert found.abs_rel > 2
    squared = depth_scores(true**2, true)
    assert squared is not None and squared.aligned_abs_rel > 0.05


def test_without_truth_there_is_no_score() -> None:
    assert depth_scores(np.ones((4, 4)), np.zeros((4, 4))) is None
    assert normal_error(np.zeros((4, 4, 3)), np.ones((4, 4, 3))) is None


def test_normal_error_in_degrees() -> None:
    true = np.array([[[0, 0, -1.0], [0, 0, -1.0], [0, 0, -1.0], [0, 0, 0]]])
    found = normal_error(np.array([[[0, 0, -1.0], [0, -1.0, 0], [0, 0, -1.0], [1.0, 0, 0]]]), true)
    assert found == pytest.approx((30.0, 0.0), abs=1e-6)


def test_cells_take_the_pixel_in_their_middle() -> None:
    image = np.arange(24).reshape(4, 6)
    assert at_cells(image, 2, 2).tolist() == [[7, 10], [19, 22]]
    assert at_cells(image, 4, 6).tolist() == image.tolist()
