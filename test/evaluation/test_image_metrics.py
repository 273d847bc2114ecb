from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.image_metrics import depth_error, depth_within, psnr, ssim


def noise(seed: int, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_psnr_of_a_known_error_and_of_masked_pixels():
    image = np.full((10, 10, 3), 100, np.uint8)
    other = image + np.uint8(10)
    everywhere = np.ones((10, 10), bool)
    assert psnr(other, image, everywhere) == pytest.approx(10 * np.log10(255**2 / 100), abs=1e-4)
    assert psnr(image, image, everywhere) == np.inf
    other[:5] = 255
    assert psnr(other, image, np.arange(10)[:, None].repeat(10, 1) >= 5) == pytest.approx(28.1308, abs=1e-3)
    assert np.isnan(psnr(image, image, ~everywhere))


def test_ssim_agrees_with_scikit_image_where_nothing_is_masked():
    metrics = pytest.importorskip("skimage.metrics")
    cv2 = pytest.importorskip("cv2")
    image = cv2.GaussianBlur(noise(0), (5, 5), 2)
    other = np.clip(image.astype(int) + noise(1) // 8 - 16, 0, 255).astype(np.uint8)
    weights = np.array([0.299, 0.587, 0.114])
    _, expected = metrics.structural_similarity(image @ weights / 255, other @ weights / 255, gaussian_weights=True, sigma=1.5,
                                                use_sample_covariance=False, data_range=1.0, full=True)
    inner = np.zeros(image.shape[:2], bool)
    inner[8:-8, 8:-8] = True  # scikit-image treats the border another way
    # Its window ends at 3.5 sigma (11 pixels), ours too.
    from magic3d_ros.evaluation import image_metrics

    assert 2 * int(3.5 * 1.5 + 0.5) + 1 == image_metrics.SSIM_WINDOW
    full = np.ones_like(inner)
    ours = ssim(other, image, full)
    assert ours == pytest.approx(expected.mean(), abs=0.01)
    assert 0.2 < ours < 0.99


def test_ssim_does_not_look_into_holes():
    image = noise(3)
    broken = image.copy()
    broken[10:20, 10:30] = 0
    mask = np.ones(image.shape[:2], bool)
    mask[10:20, 10:30] = False
    assert ssim(broken, image, mask) == pytest.approx(1.0, abs=1e-5)
    assert ssim(broken, image, np.ones_like(mask)) < 0.95
    assert np.isnan(ssim(image, image, np.zeros_like(mask)))


def test_depth_figures():
    reference = np.array([[1.0, 1.0, 1.0, 1.0]])
    depth = np.array([[1.02, 0.96, 0.0, 1.0]])
    mask = np.array([[True, True, True, True]])
    assert depth_within(depth, reference, 0.025, mask) == pytest.approx(0.5)
    assert depth_error(depth, reference, mask) == pytest.approx(0.02)
    assert depth_within(depth, reference, 0.025, np.array([[True, False, True, False]])) == pytest.approx(0.5)
    assert np.isnan(depth_within(depth, reference, 0.025, ~mask)) and np.isnan(depth_error(depth * 0, reference, mask))
