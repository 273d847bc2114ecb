"""What all image-text models share: batching, geometry, compression to the directions of words; and how one's own is added."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from magic3d_ros.cues.foundation.contrastive import ContrastiveModel, dot_product_error, leading_directions
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError


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


class MeanColours(ContrastiveModel):
    """What an encoder of one's own must say, and no more: the direction of a patch's mean colour; texts by their letters."""

    def __init__(self, cache, **options):
        super().__init__(torch.nn.Identity(), Placement(torch.device("cpu")), name="mean colours", logit_scale=10.0, patch_size=8,
                         image_size=32, cache=cache, **{"feature_dimension": 3, "max_width": 64, "batch": 2, **options})

    def _text_vectors(self, texts):
        return torch.tensor([[1.0 + text.count(letter) for letter in "rgb"] for text in texts])

    def _crop_vectors(self, crops):
        return torch.stack([torch.from_numpy(crop.mean((0, 1))) for crop in crops]).float()

    def _patch_vectors(self, images, rows, columns):
        shrunk = [cv2.resize(image.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA) for image in images]
        return torch.from_numpy(np.stack(shrunk)).flatten(1, 2)


@pytest.fixture
def colours(tmp_path):
    return MeanColours(tmp_path)


def test_an_encoder_of_ones_own_is_a_language_model(colours):
    image = np.full((48, 80, 3), (200, 1, 1), np.uint8)
    np.testing.assert_allclose(colours.encode_crops([image])[0], [1, 0.005, 0.005], atol=1e-4)
    assert colours.background(image).shape == (4, 3) and colours.contrast.negatives.shape == (4, 3)
    np.testing.assert_allclose(np.linalg.norm(colours.encode_text(["rug", "bag"]), axis=1), 1, atol=1e-6)
    same, other = colours.text_similarity(["rrr"], ["rrrr", "bbbb"])[0]
    assert same > 0.9 > 0 > other, "what all texts share was taken away"


@pytest.mark.parametrize(("size", "cells"), [((32, 32), (4, 4)), ((48, 64), (6, 8)), ((33, 61), (4, 8)), ((96, 256), (3, 8)),
                                             ((16, 20), (4, 5)), ((3, 300), (1, 8))])
def test_a_cell_holds_the_pixels_that_its_geometry_says(colours, size, cells):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    grid = colours.encode_dense([rgb])[0]
    assert grid.values.shape == (*cells, 3)
    for row in range(cells[0]):
        for column in range(cells[1]):
            top, left = (grid.offset_y + (row - 0.5) * grid.stride_y + 0.5, grid.offset_x + (column - 0.5) * grid.stride_x + 0.5)
            expected = area_mean(rgb, top, top + grid.stride_y, left, left + grid.stride_x)
            np.testing.assert_allclose(grid.values[row, column], expected / np.linalg.norm(expected), atol=5e-3)


def area_mean(rgb, top, bottom, left, right):
    """Mean over a rectangle with fractional edges, (0, 0) being the corner of the first pixel."""
    down, across = (np.clip(np.minimum(np.arange(n) + 1, high) - np.maximum(np.arange(n), low), 0, None)
                    for n, low, high in ((rgb.shape[0], top, bottom), (rgb.shape[1], left, right)))
    weights = down[:, None] * across
    return (rgb * weights[..., None]).sum((0, 1)) / weights.sum()


def test_batches_of_mixed_sizes_keep_their_order(colours):
    images = [np.full((h, w, 3), colour, np.uint8) for h, w, colour in
              ((32, 32, (9, 1, 1)), (48, 64, (1, 9, 1)), (32, 32, (1, 1, 9)), (32, 32, (9, 9, 1)), (48, 64, (1, 9, 9)))]
    for image, grid in zip(images, colours.encode_dense(images), strict=True):
        expected = image[0, 0] / np.linalg.norm(image[0, 0])
        np.testing.assert_allclose(grid.values, np.broadcast_to(expected, grid.values.shape), atol=2e-3)


def test_pictures_are_seen_fewer_at_once_where_memory_ends(colours, monkeypatch, caplog):
    """A device with room for three of the sixteen pictures that are shown at once, then for none."""
    random, room, sizes = np.random.default_rng(0), 3, []
    crops = [random.integers(0, 255, (9, 7, 3), dtype=np.uint8) for _ in range(20)]
    plain = colours.encode_crops(crops)
    see = colours._crop_vectors

    def limited(chosen):
        sizes.append(len(chosen))
        if len(chosen) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return see(chosen)

    monkeypatch.setattr(colours, "_crop_vectors", limited)
    np.testing.assert_array_equal(colours.encode_crops(crops), plain)
    assert sizes == [16, 8, 4, *[2] * 10]
    assert "from now on 2 at once" in caplog.text
    room = 0
    with pytest.raises(ModelError, match="no room for a single picture"):
        colours.encode_crops(crops)
    assert colours.encode_crops([]).shape == (0, colours.dimension)
