from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.mapper import Mapper

from .conftest import CAMERA, frame_of, looking_at, plane_frame, pose, sphere_frame, sphere_views

CENTER, RADIUS = np.array([0.113, -0.217, 0.05]), 0.4


def test_an_empty_map_renders_nothing(settings):
    view = Mapper(settings).render(CAMERA, np.eye(4))
    assert view.rgb.shape == (120, 160, 3) and view.rgb.dtype == np.uint8
    assert view.depth.shape == (120, 160) and view.normals.shape == (120, 160, 3)
    assert not view.rgb.any() and not view.depth.any() and not view.normals.any()


@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (4000.0, -3000.0, 50.0)])
def test_a_wall_from_the_pose_it_was_seen_from(settings, origin):
    mapper = Mapper(settings)
    mapper.integrate(plane_frame(1.213, origin))
    view = mapper.render(CAMERA, pose(origin))
    assert (view.depth > 0).mean() > 0.92  # not quite to the border: a voxel is three pixels wide
    shown = view.depth > 0
    np.testing.assert_allclose(view.depth[shown], 1.213, atol=1e-3)
    np.testing.assert_allclose(view.normals[shown], np.tile([0, 0, -1.0], (shown.sum(), 1)), atol=1e-2)
    assert np.abs(view.rgb[shown].astype(int) - (200, 100, 50)).max() <= 1


def test_a_sphere_from_a_new_pose_and_resolution(settings):
    mapper = Mapper(settings)
    for frame in sphere_views(CENTER, RADIUS):
        mapper.integrate(frame)
    camera = Camera(320, 240, 280.0, 280.0, 159.5, 119.5)
    at = looking_at(CENTER + np.array([0.5, 0.8, -1.0]), CENTER)
    view = mapper.render(camera, at)
    rays = camera.rays().astype(np.float64)
    toward = at[:3, :3].T @ (CENTER - at[:3, 3])
    along, square = rays @ toward, (rays**2).sum(-1)
    root = along**2 - square * (toward @ toward - RADIUS**2)
    expected = np.where(root > 0, (along - np.sqrt(np.maximum(root, 0))) / square, 0.0)
    shown = (view.depth > 0) & (expected > 0)
    assert shown.sum() > 0.97 * (expected > 0).sum()
    assert (view.depth[expected == 0] > 0).mean() < 0.005  # nothing is made up beside it
    assert np.median(np.abs(view.depth - expected)[shown]) < 0.003
    points = rays[shown] * expected[shown][:, None]
    cosine = ((points - toward) / RADIUS * view.normals[shown]).sum(1)
    assert np.percentile(cosine, 5) > 0.95


def test_what_lies_behind_an_edge_is_found(settings):
    depth = np.full((CAMERA.height, CAMERA.width), 2.0)
    depth[30:90, 60:100] = 1.0
    mapper = Mapper(settings)
    mapper.integrate(frame_of(depth, pose()))
    view = mapper.render(CAMERA, pose())
    assert (np.abs(view.depth - depth) < 0.02).mean() > 0.93
    shown = view.depth > 0
    # All but the edge itself, which is a voxel (one to three pixels) wide.
    assert (np.minimum(np.abs(view.depth - 1.0), np.abs(view.depth - 2.0))[shown] < 0.02).mean() > 0.97


def test_surfaces_are_seen_from_their_front_only(settings):
    mapper = Mapper(settings)
    mapper.integrate(plane_frame(1.0))
    behind = np.diag([-1.0, 1.0, -1.0, 1.0])
    behind[2, 3] = 2.0
    assert not mapper.render(CAMERA, behind).depth.any()


def test_agrees_with_ray_casting_the_mesh(settings):
    o3d = pytest.importorskip("magic3d_ros.geometry.open3d_import").load_open3d()
    settings.map.min_weight = 1.0
    mapper = Mapper(settings)
    wall = np.full((CAMERA.height, CAMERA.width), 1.9)
    for frame in sphere_views(CENTER, RADIUS):
        depth = np.where(frame.depth > 0, frame.depth, wall)
        mapper.integrate(frame_of(depth, frame.camera_to_world))
    surface = mapper.surface()
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(surface.vertices), o3d.core.Tensor(surface.faces.astype(np.uint32)))
    at = looking_at(CENTER + np.array([0.3, 0.4, -1.0]), CENTER)
    rays = CAMERA.rays().reshape(-1, 3) @ at[:3, :3].T.astype(np.float32)
    rays = np.concatenate([np.broadcast_to(at[:3, 3].astype(np.float32), rays.shape), rays], 1).astype(np.float32)
    hit = scene.cast_rays(o3d.core.Tensor(rays))
    depth, normals = hit["t_hit"].numpy().reshape(120, 160), hit["primitive_normals"].numpy().reshape(120, 160, 3)
    front = np.isfinite(depth) & ((normals * rays[:, 3:].reshape(120, 160, 3)).sum(-1) < 0)
    view = mapper.render(CAMERA, at)
    assert (view.depth[front] > 0).mean() > 0.97
    both = front & (view.depth > 0)
    difference = np.abs(view.depth - depth)[both]
    assert np.median(difference) < 0.002 and np.percentile(difference, 90) < 0.005  # the rest are silhouettes


def test_a_camera_inside_the_surface_and_a_very_near_wall_do_no_harm(settings):
    mapper = Mapper(settings)
    mapper.integrate(plane_frame(1.0))
    for z in (0.999, 1.0, 1.3, 0.9):
        view = mapper.render(CAMERA, pose((0.0, 0.0, z)))
        assert np.isfinite(view.depth).all() and np.isfinite(view.normals).all()
    np.testing.assert_allclose(np.median(mapper.render(CAMERA, pose((0.0, 0.0, 0.8))).depth), 0.2, atol=2e-3)


def test_the_pose_of_a_held_out_view_of_a_sphere(settings):
    mapper = Mapper(settings)
    for frame in sphere_views(CENTER, RADIUS):
        mapper.integrate(frame)
    unseen = sphere_frame(CENTER, RADIUS, looking_at(CENTER + np.array([0.2, 0.5, 1.1]), CENTER))
    view = mapper.render(CAMERA, unseen.camera_to_world)
    measured = unseen.depth > 0
    assert (np.abs(view.depth - unseen.depth)[measured] < 0.025).mean() > 0.95
