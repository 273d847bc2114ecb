"""A frame that cannot be right is refused with the cause and the cure."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.frames import Camera, FrameError, RGBDFrame

CAMERA = Camera(16, 8, 10.0, 10.0, 7.5, 3.5)


def frame(depth: float | np.ndarray = 1.5, pose: np.ndarray | None = None, **changes) -> RGBDFrame:
    values = dict(stamp=1, rgb=np.zeros((8, 16, 3), np.uint8), depth=np.full((8, 16), depth, np.float32),
                  camera=CAMERA, camera_to_world=np.eye(4) if pose is None else pose)
    return RGBDFrame(**{**values, **changes})


def test_a_good_frame_passes() -> None:
    frame().check()


@pytest.mark.parametrize(("changes", "reason", "message"), [
    (dict(depth=1500.0), "depth_unit", "set input.depth_scale to 0.001"),
    (dict(depth=0.0015), "depth_unit", "set input.depth_scale to 1.0"),
    (dict(depth=0.0), "depth_empty", "no depth pixel"),
    (dict(depth=float("nan")), "depth_empty", "no depth pixel"),
    (dict(pose=np.full((4, 4), np.nan)), "pose", "NaN"),
    (dict(pose=np.diag([1.0, 1.0, -1.0, 1.0])), "pose", "not a rigid"),
    (dict(pose=np.diag([2.0, 2.0, 2.0, 1.0])), "pose", "not a rigid"),
    (dict(rgb=np.zeros((8, 8, 3), np.uint8)), "size", "camera info says 16x8"),
])
def test_bad_frames_name_their_cause(changes, reason, message) -> None:
    with pytest.raises(FrameError, match=message) as caught:
        frame(**changes).check()
    assert caught.value.reason == reason


def test_depth_of_another_size_is_refused() -> None:
    bad = RGBDFrame(1, np.zeros((8, 16, 3), np.uint8), np.ones((4, 8), np.float32), CAMERA, np.eye(4))
    with pytest.raises(FrameError, match="depth is 8x4, colour is 16x8"):
        bad.check()


@pytest.mark.parametrize("values", [
    (16, 8, 0.0, 10.0, 0.0, 0.0), (0, 8, 1.0, 1.0, 0.0, 0.0), (16, 8, float("nan"), 1.0, 0.0, 0.0)])
def test_cameras_that_cannot_be_are_refused(values) -> None:
    with pytest.raises(ValueError, match=r"focal length|image size"):
        Camera(*values)


def test_resizing_keeps_pixel_edges_in_place() -> None:
    half = CAMERA.resized(8, 4)
    # The right edge of the image (15.5 px) sees the same ray as the right edge of the half-size image (7.5 px).
    assert (15.5 - CAMERA.cx) / CAMERA.fx == pytest.approx((7.5 - half.cx) / half.fx)
    assert (-0.5 - CAMERA.cy) / CAMERA.fy == pytest.approx((-0.5 - half.cy) / half.fy)


def test_rays_and_projection_are_inverse() -> None:
    rays = CAMERA.rays()
    u, v, z = CAMERA.project(rays.reshape(-1, 3) * 2.0)
    assert np.allclose(u.reshape(8, 16)[3], np.arange(16), atol=1e-5)
    assert np.allclose(v.reshape(8, 16)[:, 5], np.arange(8), atol=1e-5)
    assert np.allclose(z, 2.0)
