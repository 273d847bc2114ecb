"""Holes of the depth take the values of what looks like them nearby."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.mapping.distractors.holes import fill_holes


def two_halves() -> tuple[np.ndarray, np.ndarray]:
    """Dark and moving (2) on the left, bright and standing (-2) on the right: values (24, 40), rgb (24, 40, 3)."""
    values = np.full((24, 40), -2.0, np.float32)
    values[:, :20] = 2.0
    rgb = np.full((24, 40, 3), 220, np.uint8)
    rgb[:, :20] = 30
    return values, rgb


def far(measured: np.ndarray) -> np.ndarray:
    """Depth of 2 m with holes."""
    return np.where(measured, np.float32(2.0), np.float32(0.0))


def test_what_is_measured_stays() -> None:
    values, rgb = two_halves()
    assert fill_holes(values, far(np.ones(values.shape, bool)), rgb, -1.0, 3.0) is values
    measured = np.ones(values.shape, bool)
    measured[:, 16:24] = False
    filled = fill_holes(values, far(measured), rgb, -1.0, 3.0)
    assert (filled[measured] == values[measured]).all()


def test_a_hole_follows_its_brightness() -> None:
    values, rgb = two_halves()
    measured = np.ones(values.shape, bool)
    measured[:, 14:23] = False  # three quarters of it dark, and the middle nearer to the bright side
    filled = fill_holes(np.where(measured, values, 0.0).astype(np.float32), far(measured), rgb, -1.0, 3.0)
    assert filled[12, 14:20].min() > 1.0
    assert filled[12, 20:23].max() < -1.0


def test_the_border_continues_what_is_beside_it() -> None:
    values, rgb = two_halves()
    measured = np.ones(values.shape, bool)
    measured[:, :8] = False
    assert fill_holes(values * measured, far(measured), rgb, -1.0, 3.0)[:, :8].min() > 1.0


def test_nothing_is_known_of_an_image_without_depth() -> None:
    values, rgb = two_halves()
    filled = fill_holes(np.zeros_like(values), far(np.zeros(values.shape, bool)), rgb, -1.0, 3.0)
    assert filled == pytest.approx(-1.0)


def test_the_image_may_have_another_size() -> None:
    values, rgb = two_halves()
    measured = np.ones(values.shape, bool)
    measured[:, 14:23] = False
    large = rgb.repeat(4, 0).repeat(4, 1)
    small_filled = fill_holes(values * measured, far(measured), rgb, -1.0, 3.0)
    assert fill_holes(values * measured, far(measured), large, -1.0, 3.0) == pytest.approx(small_filled)


def test_a_hole_in_what_is_near_continues_it_however_large() -> None:
    """Somebody before the lens: only the rim at .5 m is read, the middle is nearer than the sensor's range."""
    values = np.full((60, 80), -2.0, np.float32)
    depth = np.full((60, 80), 2.0, np.float32)
    values[:, :62], depth[:, :62] = 2.5, 0.5
    depth[:, :60] = 0.0
    rgb = np.full((60, 80, 3), 120, np.uint8)
    assert fill_holes(values * (depth > 0), depth, rgb, -1.0, 3.0)[:, :60] == pytest.approx(2.5)
    depth[:, 60:62] = 2.0  # a rim as far as the rest says nothing of the hole's far end
    assert fill_holes(values * (depth > 0), depth, rgb, -1.0, 3.0)[:, :10].max() < 0.0
