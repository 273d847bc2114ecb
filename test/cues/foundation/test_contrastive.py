"""Compression to the directions of words."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.cues.foundation.contrastive import dot_product_error, leading_directions


@pytest.fixture
def vectors():
    """200 unit vectors of 24 dimensions whose spread falls off."""
    x = np.random.default_rng(0).normal(size=(200, 24)) * np.geomspace(1, 0.02, 24) + 0.3
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_directions_are_orthonormal_and_keep_more_the_more_there_are(vectors):
    errors = []
    for count in (2, 8, 16, 24):
        rows = leading_directions(vectors, count)
        assert rows.shape == (count, 24)
        np.testing.assert_allclose(rows @ rows.T, np.eye(count), atol=1e-5)
        errors.append(dot_product_error(vectors, rows))
    assert errors[0] > errors[1] > errors[2] > errors[3] and errors[3] < 1e-6
    random = np.linalg.qr(np.random.default_rng(1).normal(size=(24, 8)))[0].T
    assert errors[1] < 0.1 * dot_product_error(vectors, random)


def test_all_that_fit_stay_as_they_are(vectors):
    np.testing.assert_array_equal(leading_directions(vectors, 24), np.eye(24))
    wide = leading_directions(vectors, 30)  # more than there are: the rest is zero
    np.testing.assert_array_equal(vectors @ wide.T, np.pad(vectors, ((0, 0), (0, 6))))


def test_fewer_vectors_than_directions(vectors):
    rows = leading_directions(vectors[:3], 5)
    np.testing.assert_allclose(rows @ rows.T, np.eye(5), atol=1e-5)
    assert dot_product_error(vectors[:3], rows) < 1e-6


def test_another_machines_rounding_gives_the_same_directions(vectors):
    noise = np.random.default_rng(2).normal(0, 1e-7, vectors.shape).astype(np.float32)
    np.testing.assert_allclose(leading_directions(vectors + noise, 12), leading_directions(vectors, 12), atol=1e-4)
    np.testing.assert_allclose(leading_directions(vectors[::-1], 12), leading_directions(vectors, 12), atol=1e-4)


def test_the_error_is_written_out():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert dot_product_error(vectors, np.array([[1.0, 0.0]])) == pytest.approx(0.5)  # one of four products is lost
