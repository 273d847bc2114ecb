"""Normals from depth."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.cues.embedded.normals import DepthNormals
from magic3d_ros.frames import Camera, RGBDFrame

CAMERA = Camera(80, 60, 70.0, 72.0, 39.0, 31.0)


def frame(depth):
    return RGBDFrame(0, np.zeros((60, 80, 3), np.uint8), depth.astype(np.float32), CAMERA, np.eye(4))


def plane(normal, distance):
    """Depth of the plane normal . X = -distance (normal towards the camera)."""
    return -distance / (CAMERA.rays().astype(np.float64) @ normal)


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.5, 0, -1), (0, -0.6, -1), (0.3, 0.4, -0.8)])
def test_planes_have_their_normal(normal):
    normal = np.array(normal) / np.linalg.norm(normal)
    found = DepthNormals().normals(frame(plane(normal, 1.5)))
    assert found.shape == (30, 40, 3)
    inner = found[5:-5, 5:-5]
    np.testing.assert_allclose(inner, np.broadcast_to(normal, inner.shape), atol=2e-3)


def test_unknown_where_there_is_no_depth_and_at_edges():
    depth = np.full((60, 80), 2.0)
    depth[:, 40:] = 1.0
    depth[:30, :20] = 0.0
    found = DepthNormals().normals(frame(depth))
    assert np.isnan(found[5, 5]).all()
    assert np.isnan(found[20, 20]).all()  # the step
    np.testing.assert_allclose(found[20, 10], (0, 0, -1), atol=1e-3)
    np.testing.assert_allclose(found[20, 32], (0, 0, -1), atol=1e-3)


def test_holes_do_not_bend_their_surroundings():
    depth = plane(np.array([0.0, -0.6, -0.8]), 1.5)
    depth[::7, ::5] = 0.0
    depth[::6, ::9] = np.nan
    found = DepthNormals().normals(frame(depth))[5:-5, 5:-5]
    known = np.isfinite(found[..., 0])
    assert known.mean() > 0.8
    np.testing.assert_allclose(found[known], np.broadcast_to((0, -0.6, -0.8), found[known].shape), atol=5e-3)


def test_normals_point_to_the_camera():
    generator = np.random.default_rng(0)
    depth = plane(np.array([0.6, 0.0, -0.8]), 1.0) + generator.normal(0, 0.002, (60, 80))
    found = DepthNormals().normals(frame(depth))
    known = np.isfinite(found[..., 0])
    rays = CAMERA.rays()[::2, ::2]
    assert ((found * rays).sum(-1)[known] < 0).all()
