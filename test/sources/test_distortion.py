from __future__ import annotations

import cv2
import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel, distort, undistortion_map

CAMERA = Camera(64, 48, 50.0, 52.0, 31.0, 24.5)


def at(model: CameraModel, x: float, y: float) -> tuple[float, float]:
    u, v = distort(np.array([x]), np.array([y]), model)
    return float(u[0]), float(v[0])


def test_by_hand():
    assert at(CameraModel(CAMERA, "plumb_bob", (0.1, 0.02, 0, 0, 0.003)), 1.0, 0.0) == pytest.approx((1.123, 0.0))
    # p1 = 0.01 at (0, 1): r2 = 1, y' = 1 + 0.01 * (1 + 2); p2 = 0.02: x' = 0.02 * 1.
    assert at(CameraModel(CAMERA, "plumb_bob", (0, 0, 0.01, 0.02, 0)), 0.0, 1.0) == pytest.approx((0.02, 1.03))
    rational = CameraModel(CAMERA, "rational_polynomial", (0.2, 0, 0, 0, 0, 0.1, 0, 0))
    assert at(rational, 1.0, 0.0) == pytest.approx((1.2 / 1.1, 0.0))
    # Equidistant: a ray at 45 degrees lands at pi/4; with k1 = 0.1 at pi/4 (1 + 0.1 (pi/4)^2).
    fisheye = CameraModel(CAMERA, "equidistant", (0.1, 0, 0, 0))
    assert at(fisheye, 1.0, 0.0) == pytest.approx((0.785398 * 1.0616850, 0.0), abs=1e-6)
    assert at(fisheye, 0.0, 0.0) == (0.0, 0.0)


@pytest.mark.parametrize("coefficients", [
    (0.2624, -0.9531, -0.0054, 0.0026, 1.1633), (0.5, -2.4, 0.001, -0.0003, 1.5, 0.4, -2.3, 1.4)])
def test_agrees_with_opencv(coefficients):
    model = CameraModel(CAMERA, "plumb_bob" if len(coefficients) == 5 else "rational_polynomial", coefficients)
    ours = undistortion_map(model, CAMERA)
    theirs = cv2.initUndistortRectifyMap(CAMERA.matrix, np.array(coefficients), None, CAMERA.matrix, (64, 48), cv2.CV_32FC1)
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-3)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-3)


def test_equidistant_agrees_with_opencv():
    model = CameraModel(CAMERA, "equidistant", (0.03, -0.01, 0.002, -0.0004))
    ours = undistortion_map(model, CAMERA)
    theirs = cv2.fisheye.initUndistortRectifyMap(CAMERA.matrix, np.array(model.coefficients), np.eye(3), CAMERA.matrix, (64, 48),
                                                 cv2.CV_32FC1)
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-3)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-3)


def test_names_and_counts_of_coefficients():
    assert CameraModel(CAMERA, "plumb_bob", (0, 0, 0, 0, 0)).is_pinhole
    assert CameraModel(CAMERA, "something else", (0.0, 0.0)).is_pinhole  # all zero: the name does not matter
    assert CameraModel(CAMERA, "plumb_bob", (0.1, 0, 0, 0)).distortion == "plumb_bob"
    assert CameraModel(CAMERA, "fisheye", (0.1, 0, 0, 0)).distortion == "equidistant"
    assert CameraModel(CAMERA, "rational_polynomial", (0.1, 0, 0, 0, 0, 0, 0, 0.2, 0, 0, 0, 0)).coefficients[7] == 0.2
    for model, coefficients, words in (("plumb_bob", (0.1, 0.2), "4 to 5"), ("thin_prism", (0.1,) * 12, "thin_prism"),
                                       ("equidistant", (0.1, 0, 0, 0, 0.3), "4 to 4"), ("plumb_bob", (np.nan,) * 5, "NaN")):
        with pytest.raises(ValueError, match=words):
            CameraModel(CAMERA, model, coefficients)
