"""The network of the embedded tier: its geometry, above all."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.cues.embedded.efficientnet import CLASSES, EfficientNetLite


@pytest.fixture(scope="module")
def network():
    return EfficientNetLite()


def test_grid_covers_the_image_with_the_strides_it_names(network):
    fine, coarse, grid = network.maps(np.zeros((480, 640, 3), np.uint8))
    assert fine.values.shape == (30, 40, 112) and coarse.shape == (15, 20, 1280)
    assert (grid.stride_x, grid.stride_y, grid.offset_x, grid.offset_y) == (32, 32, 18.5, 18.5)
    assert (fine.stride_x, fine.offset_x) == (16, 9.3)


def test_wide_images_are_reduced_and_cells_still_name_pixels_of_the_original():
    small = EfficientNetLite(max_width=320)
    _, coarse, grid = small.maps(np.zeros((480, 640, 3), np.uint8))
    assert coarse.shape[:2] == (8, 10)  # 240 rows are padded to 256
    assert (grid.stride_x, grid.stride_y) == (64, 64)
    assert grid.offset_x == pytest.approx((18.5 + 0.5) * 2 - 0.5)


def test_odd_sizes_are_padded_to_whole_cells(network):
    _, coarse, _ = network.maps(np.zeros((33, 65, 3), np.uint8))
    assert coarse.shape[:2] == (2, 3)


def test_a_cell_is_centred_where_it_says(network):
    """A patch on grey, and the image turned by 180 degrees: the centroids of the two answers, in the grid's own pixels, lie
    opposite each other. Turning cancels what the patch and the border do; a wrong offset would not cancel."""
    generator = np.random.default_rng(0)
    grey = np.full((480, 640, 3), 127, np.uint8)
    quiet_fine, quiet, _ = network.maps(grey)
    sums = {"coarse": [], "fine": []}
    for _ in range(8):
        y, x = generator.integers(176, 240), generator.integers(240, 336)
        image = grey.copy()
        image[y:y + 64, x:x + 64] = np.kron(generator.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        for turned in (image, image[::-1, ::-1].copy()):
            fine, coarse, grid = network.maps(turned)
            sums["coarse"].append(centroid((coarse - quiet).square().sum(-1).double().numpy(), grid))
            sums["fine"].append(centroid(np.square(fine.values.astype(float) - quiet_fine.values).sum(-1), fine))
    middle = np.array([319.5, 239.5])
    coarse_x, coarse_y = np.abs(np.mean(sums["coarse"], axis=0) - middle)
    assert coarse_x < 4 and coarse_y < 10  # of a cell of 32; upside down is not the same to the network, so y is less certain
    assert np.abs(np.mean(sums["fine"], axis=0) - middle).max() < 1.5  # of a cell of 16


def centroid(answer, grid):
    answer = np.where(answer > 0.05 * answer.max(), answer, 0)  # the faint far ones follow the border, not the patch
    rows, columns = np.mgrid[:answer.shape[0], :answer.shape[1]]
    return ((answer * columns).sum() / answer.sum() * grid.stride_x + grid.offset_x,
            (answer * rows).sum() / answer.sum() * grid.stride_y + grid.offset_y)


def test_logits_do_not_depend_on_the_batch(network):
    crops = [np.random.default_rng(i).integers(0, 255, (20 + 50 * i, 30, 3), dtype=np.uint8) for i in range(3)]
    together = network.logits(crops, batch=2)
    assert together.shape == (3, CLASSES)
    np.testing.assert_allclose(together[2], network.logits(crops[2:])[0], atol=1e-3)


def test_no_crops_no_logits(network):
    assert network.logits([]).shape == (0, CLASSES)


def test_an_empty_crop_is_refused(network):
    with pytest.raises(ValueError, match="at least one pixel"):
        network.logits([np.zeros((0, 5, 3), np.uint8)])
