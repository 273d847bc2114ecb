from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera

CAMERA = Camera(640, 480, 500.0, 510.0, 319.5, 239.5)


def test_projection_inverts_rays():
    rays = CAMERA.rays()
    assert rays.shape == (480, 640, 3) and rays.dtype == np.float32 and (rays[..., 2] == 1).all()
    points = rays[[0, 100, 479], [0, 320, 639]] * np.array([[1.0], [2.5], [4.0]])
    u, v, z = CAMERA.project(points)
    np.testing.assert_allclose(u, [0, 320, 639], atol=1e-3)
    np.testing.assert_allclose(v, [0, 100, 479], atol=1e-3)
    np.testing.assert_allclose(z, [1.0, 2.5, 4.0])


def test_points_in_the_camera_plane_give_no_infinities():
    u, v, z = CAMERA.project(np.array([[1.0, 1.0, 0.0]]))
    assert np.isfinite(u).all() and np.isfinite(v).all() and z[0] == 0


def test_resizing_keeps_the_edges_of_the_image():
    half = CAMERA.resized(320, 240)
    assert (half.fx, half.fy, half.cx, half.cy) == (250.0, 255.0, 159.5, 119.5)
    point = np.array([[0.3, -0.2, 1.0]])
    (u, v, _), (half_u, half_v, _) = CAMERA.project(point), half.project(point)
    assert (half_u[0] + 0.5) * 2 == pytest.approx(u[0] + 0.5) and (half_v[0] + 0.5) * 2 == pytest.approx(v[0] + 0.5)


def test_matrix():
    np.testing.assert_array_equal(CAMERA.matrix, [[500, 0, 319.5], [0, 510, 239.5], [0, 0, 1]])


@pytest.mark.parametrize(("values", "named"), [
    ((0, 480, 500, 500, 1, 1), "image size"), ((640, 99999, 500, 500, 1, 1), "image size"),
    ((640, 480, 0, 500, 1, 1), "calibrated"), ((640, 480, 500, float("nan"), 1, 1), "focal"),
    ((640, 480, -5, 500, 1, 1), "focal")])
def test_cameras_that_cannot_be_are_refused(values, named):
    with pytest.raises(ValueError, match=named):
        Camera(*values)
