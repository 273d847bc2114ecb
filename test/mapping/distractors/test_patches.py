from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.mapping.distractors.patches import patches, random_samples


def test_samples_of_a_patch_lie_the_dilation_apart() -> None:
    drawn = patches(40, 60, 20, 4, np.random.default_rng(0))
    rows, columns = drawn // 60, drawn % 60
    assert drawn.shape == (20, 8, 8)
    assert (np.diff(rows, axis=1) == 4).all() and (np.diff(columns, axis=2) == 4).all()
    assert rows.max() < 40 and columns.max() < 60


def test_patches_reach_every_corner() -> None:
    drawn = patches(9, 9, 200, 1, np.random.default_rng(0))
    assert {0, 8, 72, 80} <= set(drawn.ravel().tolist())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 50), (7, 7), (8, 8)])
def test_small_images_have_patches_too(height: int, width: int) -> None:
    drawn = patches(height, width, 5, 4, np.random.default_rng(0))
    assert drawn.min() >= 0 and drawn.max() < height * width


def test_an_image_without_pixels_is_an_error() -> None:
    with pytest.raises(ValueError, match="0x5"):
        patches(5, 0, 1, 1, np.random.default_rng(0))


def test_random_samples_have_no_order() -> None:
    drawn = random_samples(40, 60, 20, np.random.default_rng(0))
    assert drawn.shape == (20, 8, 8) and drawn.max() < 2400
    assert len(np.unique(np.diff(drawn, axis=2))) > 100
