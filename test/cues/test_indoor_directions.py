"""What compressed dense features keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from magic3d_ros.cues.embedded.indoor_directions import FORMAT, directions, orthonormal
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.training.indoor_directions import leading


def test_the_rows_are_orthonormal_at_any_dimension():
    classifier = np.random.default_rng(0).normal(size=(1000, 50)).astype(np.float32)
    for dimension in (8, 64, 290):
        rows = directions(classifier, dimension)
        assert rows.shape == (dimension, 1000)
        np.testing.assert_allclose(rows @ rows.T, np.eye(dimension), atol=1e-5)
    np.testing.assert_array_equal(directions(classifier, 64), directions(classifier, 290)[:64])


def test_orthonormal_rows_stay_near():
    made = orthonormal(np.array([[2.0, 0.0, 0.0], [1.0, -3.0, 0.0]]))
    np.testing.assert_allclose(made, [[1, 0, 0], [0, -1, 0]], atol=1e-12)


def test_leading_directions_are_those_of_the_rooms_and_a_share_of_the_classifier():
    features = np.zeros((4, 3))
    features[:, 0] = [-3, 3, -3, 3]
    features[:, 1] = [-1, -1, 1, 1]
    classifier = np.diag([0.0, 0.0, 5.0])
    # covariance of the rooms: 12, 4/3, 0 of a trace of 40/3: .9, .1; the classifier's is all in the third
    for share, order in ((0.0, [0, 1]), (0.2, [0, 2]), (0.9, [2, 0])):
        rows = leading(features, classifier, 2, share)
        assert np.abs(rows).argmax(1).tolist() == order


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    save_file({"directions": torch.ones(2, 7)}, tmp_path / "narrow.safetensors", {"format": FORMAT})
    save_file({"directions": torch.ones(2, 1000)}, tmp_path / "other.safetensors", {"format": "x"})
    for name in ("missing", "broken", "narrow", "other"):
        with pytest.raises(ModelError, match=f"{name}.safetensors.*install the package again"):
            directions(np.ones((1000, 5)), 8, tmp_path / f"{name}.safetensors")
