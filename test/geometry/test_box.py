from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.box import upright_box

UP = np.array([0.0, 0.0, 1.0])


def block(size, heading=0.0, center=(0, 0, 0), n=11):
    """Grid points that fill a block turned by `heading` degrees about z."""
    axes = [np.linspace(-s / 2, s / 2, n) for s in size]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    c, s = np.cos(np.radians(heading)), np.sin(np.radians(heading))
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + center


def test_a_turned_block_gets_its_own_size_and_place():
    box = upright_box(block((2.0, 1.0, 0.5), heading=30, center=(1, 2, 3), n=5), UP)
    assert np.sort(box.size) == pytest.approx([0.5, 1.0, 2.0], abs=1e-6)
    assert box.center == pytest.approx([1, 2, 3], abs=1e-6)
    assert box.size[2] == pytest.approx(0.5)
    assert box.rotation[:, 2] == pytest.approx(UP)
    assert box.rotation @ box.rotation.T == pytest.approx(np.eye(3))
    assert np.linalg.det(box.rotation) == pytest.approx(1.0)


def test_the_long_axis_points_where_the_block_does():
    box = upright_box(block((2.0, 0.4, 0.5), heading=40, n=5), UP)
    long_axis = box.rotation[:, int(np.argmax(box.size))]
    assert abs(long_axis @ [np.cos(np.radians(40)), np.sin(np.radians(40)), 0]) > np.cos(np.radians(1.01))


def test_another_up_axis():
    points = block((2.0, 1.0, 0.5), heading=20, n=5)[:, [0, 2, 1]] * [1, -1, 1]  # y is down
    box = upright_box(points, np.array([0.0, -1.0, 0.0]))
    assert box.rotation[:, 2] == pytest.approx([0, -1, 0])
    assert box.size[2] == pytest.approx(0.5)


def test_stray_points_do_not_blow_the_box_up():
    points = np.concatenate([block((1, 1, 1), n=10), [[9, 9, 9], [-9, 0, 0]]])
    assert (upright_box(points, UP).size < 1.2).all()


def test_many_points_cost_no_accuracy():
    points = block((2.0, 1.0, 0.5), n=31)  # 29,791 points
    assert np.sort(upright_box(points, UP).size) == pytest.approx([0.5, 1.0, 2.0], rel=0.05)


@pytest.mark.parametrize("points", [np.ones((1, 3)), np.array([[0.0, 0, 0], [1, 0, 0]]), np.ones((300, 3))])
def test_degenerate_points_give_finite_flat_boxes(points):
    box = upright_box(points, UP)
    assert np.isfinite(box.center).all() and np.isfinite(box.size).all() and (box.size >= 0).all()
    assert box.center == pytest.approx(points.mean(0))


def test_no_points_is_an_error():
    with pytest.raises(ValueError, match="at least one point"):
        upright_box(np.zeros((0, 3)), UP)
