from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.registration import DepthRegistration


def shifted(x: float) -> np.ndarray:
    transform = np.eye(4)
    transform[0, 3] = x
    return transform


def test_same_camera_changes_nothing():
    camera = Camera(7, 5, 10.0, 10.0, 3.0, 2.0)
    depth = np.random.default_rng(0).uniform(0.5, 4, (5, 7)).astype(np.float32)
    depth[2, 3] = 0
    np.testing.assert_allclose(DepthRegistration(camera, camera, np.eye(4))(depth), depth, rtol=1e-6)


def test_parallax_by_hand_and_the_nearer_surface_wins():
    # f 100, colour camera 10 cm to the right: points move by 100 * 0.1 / z pixels to the left: 10 at 1 m, 5 at 2 m.
    camera = Camera(21, 1, 100.0, 100.0, 10.0, 0.0)
    depth = np.full((1, 21), 2.0, np.float32)
    depth[0, 15] = 1.0
    expected = np.full(21, 2.0)
    expected[16:] = 0  # the wall there lies beyond the right edge of the depth image
    expected[10] = 0  # the wall behind the near pixel (column 15 - 5) was not seen
    expected[5] = 1.0  # the near pixel (column 15 - 10) hides the wall there
    assert DepthRegistration(camera, camera, shifted(-0.1))(depth)[0].tolist() == expected.tolist()


def test_depth_along_the_new_axis():
    # The colour camera stands 0.5 m nearer: depth becomes z - 0.5, and pixels spread from the centre by 2 / 1.5.
    camera = Camera(31, 31, 60.0, 60.0, 15.0, 15.0)
    transform = np.eye(4)
    transform[2, 3] = -0.5
    registered = DepthRegistration(camera, camera, transform)(np.full((31, 31), 2.0, np.float32))
    assert (registered == 1.5).all()  # spread by a third, and no holes


def test_rotation_by_hand():
    # Turned by 90 degrees about the view axis: x -> y, y -> -x. The pixel 3 right of the centre comes to lie 3 below it.
    camera = Camera(9, 9, 20.0, 20.0, 4.0, 4.0)
    transform = np.eye(4)
    transform[:2, :2] = [[0, -1], [1, 0]]
    depth = np.zeros((9, 9), np.float32)
    depth[4, 7] = 1.25
    registered = DepthRegistration(camera, camera, transform)(depth)
    assert np.argwhere(registered).tolist() == [[7, 4]]
    assert registered[7, 4] == 1.25


@pytest.mark.parametrize("factor", [0.5, 0.897, 1.3, 2.0, 3.0])
def test_no_holes_at_any_magnification(factor):
    depth_camera = Camera(40, 30, 50.0, 50.0, 19.5, 14.5)
    color_camera = depth_camera.resized(round(40 * factor), round(30 * factor))
    # A wall turned by 27 degrees: z = 1.2 + 0.5 x, so along a row z = 1.2 / (1 - 0.5 (u - 19.5) / 50).
    wall = 1.2 / (1 - 0.5 * (np.arange(40) - 19.5) / 50)
    registered = DepthRegistration(depth_camera, color_camera, shifted(-0.025))(np.tile(wall.astype(np.float32), (30, 1)))
    inner = registered[1:-1, int(3 * factor):-int(5 * factor)]  # at the sides the cameras see past each other
    assert (inner > 0).all()
    # Seen from 25 mm aside: z = 1.2 + 0.5 (x + 0.025).
    columns = (np.arange(color_camera.width) - color_camera.cx) / color_camera.fx
    exact = ((1.2 + 0.5 * 0.025) / (1 - 0.5 * columns))[int(3 * factor):-int(5 * factor)]
    step = np.diff(wall).max()  # of depth from one depth pixel to the next
    assert np.abs(inner - exact).max() < max(1.0, 1 / factor) * step
    assert np.abs(inner - exact).mean() < 0.3 * max(1.0, 1 / factor) * step


def test_nothing_behind_the_camera_or_without_reading():
    camera = Camera(5, 5, 10.0, 10.0, 2.0, 2.0)
    transform = np.eye(4)
    transform[2, 3] = -3.0
    assert not DepthRegistration(camera, camera, transform)(np.full((5, 5), 2.0, np.float32)).any()
    assert not DepthRegistration(camera, camera, np.eye(4))(np.zeros((5, 5), np.float32)).any()
