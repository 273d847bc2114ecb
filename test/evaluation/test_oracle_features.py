"""A teacher that knows the truth."""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.oracle_features import OracleFeatures


def image():
    classes = np.zeros((64, 96), int)
    classes[:, 48:] = 2
    classes[:32, :48] = -1
    return classes


def test_without_noise_cells_are_the_classes():
    oracle = OracleFeatures(3, 16, 0.0, 0.0)
    grid = oracle.features(image())
    assert grid.values.shape == (4, 6, 16)
    assert (grid.stride_x, grid.stride_y, grid.offset_x) == (16, 16, 7.5)
    np.testing.assert_allclose(grid.values[3, 0], oracle.texts[0], atol=1e-3)
    np.testing.assert_allclose(grid.values[0, 5], oracle.texts[2], atol=1e-3)
    assert not grid.values[0, 0].any()


def test_noise_has_the_length_that_was_asked_for_and_other_images_other_noise():
    oracle = OracleFeatures(3, 64, 2.0, 0.0)
    first, second = (oracle.features(np.full((320, 320), -1)).values.astype(float) for _ in range(2))
    np.testing.assert_allclose(np.linalg.norm(first, axis=2).mean(), 2.0, atol=0.05)
    assert np.abs(first - second).max() > 0.1


def test_a_share_of_cells_is_taken_for_something_else():
    oracle = OracleFeatures(50, 64, 0.0, 0.4)
    found = oracle.features(np.zeros((1600, 1600), int)).values.astype(float) @ oracle.texts.T
    assert abs((found.argmax(2) != 0).mean() - 0.4 * 49 / 50) < 0.03
