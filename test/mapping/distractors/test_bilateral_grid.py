from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.mapping.distractors.bilateral_grid import BilateralGrid


def two_surfaces() -> np.ndarray:
    depth = np.full((40, 60), 2.0, np.float32)
    depth[:, 30:] = 1.0
    return depth


def read_all(grid: BilateralGrid, value: np.ndarray, depth: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(depth)
    return grid.read(value, rows, columns, depth[rows, columns]).reshape(depth.shape)


def test_an_opinion_spreads_over_its_surface_and_stops_at_the_edge() -> None:
    depth = two_surfaces()
    opinion, confidence = np.zeros_like(depth), np.zeros_like(depth)
    opinion[20, 40], confidence[20, 40] = 3.0, 1.0
    grid = BilateralGrid(depth)
    values = read_all(grid, grid.solve(opinion, confidence, 1.0, 20000), depth)
    assert values[:, 31:].min() > 2.9
    assert np.abs(values[:, :29]).max() == 0.0


def test_two_opinions_on_one_surface_meet_in_the_middle() -> None:
    depth = np.full((8, 81), 2.0, np.float32)
    opinion, confidence = np.zeros_like(depth), np.zeros_like(depth)
    opinion[:, 0], opinion[:, 80] = -1.0, 1.0
    confidence[:, [0, 80]] = 1e6
    grid = BilateralGrid(depth)
    values = read_all(grid, grid.solve(opinion, confidence, 1.0, 2000), depth)
    assert values[4, [0, 40, 80]] == pytest.approx([-1, 0, 1], abs=1e-3)
    assert values[4, 20] == pytest.approx(-0.5, abs=0.05)


def test_without_smoothness_a_cell_is_the_mean_of_its_pixels_by_confidence() -> None:
    depth = np.ones((1, 2), np.float32)
    grid = BilateralGrid(depth)
    value = grid.solve(np.array([[1.0, 4.0]], np.float32), np.array([[2.0, 1.0]], np.float32), 0.0, 3)
    assert value == pytest.approx([2.0])


@pytest.mark.parametrize("depth", [np.zeros((5, 7), np.float32), np.full((1, 1), 0.3, np.float32),
                                   np.linspace(0.1, 200, 5000).reshape(50, 100).astype(np.float32)])
def test_images_without_depth_of_one_pixel_and_of_any_range(depth: np.ndarray) -> None:
    grid = BilateralGrid(depth)
    value = grid.solve(np.ones_like(depth), np.ones_like(depth), 1.0, 5)
    rows, columns = np.nonzero(depth)
    assert grid.read(value, rows, columns, depth[rows, columns]) == pytest.approx(np.ones(len(rows)), abs=1e-3)
