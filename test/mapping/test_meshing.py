from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.meshing import Mesher
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.mapping.tsdf import TSDFVolume

from .conftest import looking_at, plane_frame, sphere_frame, sphere_views

CENTER, RADIUS = np.array([-0.413, 0.217, -0.332]), 0.37  # across the world's axes: blocks of all signs


def make(settings, min_weight: float = 1.0) -> tuple[TSDFVolume, Mesher]:
    volume = TSDFVolume(settings.map, settings.input.min_depth, settings.input.max_depth, torch.device(settings.map.device))
    return volume, Mesher(volume, min_weight)


def edge_counts(surface: Surface) -> np.ndarray:
    edges = np.sort(surface.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return np.unique(edges, axis=0, return_counts=True)[1]


def assert_same(first: Surface, second: Surface) -> None:
    for name in ("vertices", "faces", "normals", "colors", "weights"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.fixture
def sphere(settings) -> Surface:
    volume, mesher = make(settings)
    for frame in sphere_views(CENTER, RADIUS):
        volume.integrate(frame)
    return mesher.surface()


def test_a_sphere_is_watertight_and_welded(sphere):
    assert (edge_counts(sphere) == 2).all()
    assert len(np.unique(sphere.vertices, axis=0)) == len(sphere)
    edges = len(edge_counts(sphere))
    assert len(sphere) - edges + len(sphere.faces) == 2  # Euler: one closed surface without handles


def test_a_sphere_has_the_right_shape_normals_and_colours(sphere):
    out = sphere.vertices - CENTER
    distance = np.linalg.norm(out, axis=1)
    assert np.abs(np.median(distance) - RADIUS) < 0.004
    assert np.abs(distance - RADIUS).max() < 0.02
    assert np.percentile((out / distance[:, None] * sphere.normals).sum(1), 1) > 0.95
    np.testing.assert_allclose(np.linalg.norm(sphere.normals, axis=1), 1.0, atol=1e-4)
    assert np.abs(sphere.colors.astype(int) - (200, 100, 50)).max() <= 1
    a, b, c = (sphere.vertices[sphere.faces[:, i]] for i in range(3))
    facing = (np.cross(b - a, c - a) * (a - CENTER)).sum(1)
    assert (facing > 0).mean() > 0.995
    volume = (np.cross(a - CENTER, b - CENTER) * (c - CENTER)).sum() / 6
    assert abs(volume / (4 / 3 * np.pi * RADIUS**3) - 1) < 0.03


def test_a_wall_lies_where_it_was_measured(settings):
    volume, mesher = make(settings)
    volume.integrate(plane_frame(1.013))
    surface = mesher.surface()
    np.testing.assert_allclose(surface.vertices[:, 2], 1.013, atol=1e-4)
    np.testing.assert_allclose(surface.normals, np.tile([0.0, 0.0, -1.0], (len(surface), 1)), atol=1e-3)
    assert (surface.weights == 1).all()
    area = np.linalg.norm(np.cross(*(surface.vertices[surface.faces[:, i]] - surface.vertices[surface.faces[:, 0]]
                                     for i in (1, 2))), axis=1).sum() / 2
    assert area == pytest.approx(160 * 120 * (1.013 / 140) ** 2, rel=0.06)


def test_what_was_seen_too_rarely_is_no_surface_but_can_be_looked_for(settings):
    volume, mesher = make(settings, min_weight=3.0)
    volume.integrate(plane_frame())
    volume.integrate(plane_frame())
    assert len(mesher.surface()) == 0
    assert len(mesher.points()[0]) > 1000
    volume.integrate(plane_frame())
    assert len(mesher.surface()) > 1000


def test_meshing_step_by_step_equals_meshing_once(settings):
    volume, mesher = make(settings)
    steps = []
    for frame in sphere_views(CENTER, RADIUS)[:12]:
        volume.integrate(frame)
        surface = mesher.surface()
        steps.append(len(surface))
    assert steps[-1] > steps[0] > 0
    volume.blocks.changed[volume.blocks.slots] = True
    assert_same(surface, Mesher(volume, 1.0).surface())


def test_a_small_change_meshes_few_blocks_again(settings, monkeypatch):
    volume, mesher = make(settings)
    for x in range(6):
        volume.integrate(plane_frame(1.0, (x * 1.0, 0.0, 0.0)))
    mesher.surface()
    meshed = []
    original = mesher._mesh
    monkeypatch.setattr(mesher, "_mesh", lambda keys, slots, first: meshed.append(len(keys)) or original(keys, slots, first))
    volume.integrate(plane_frame(1.0))
    mesher.surface()
    assert 0 < sum(meshed) < 0.5 * len(volume.blocks)
    meshed.clear()
    mesher.surface()
    assert meshed == []


def test_evicted_blocks_leave_no_dangling_triangles(settings):
    settings.map.max_blocks = 256
    volume, mesher = make(settings)
    for x in range(10):
        volume.integrate(plane_frame(1.0, (x * 0.4, 0.0, 0.0)))
        surface = mesher.surface()
        assert surface.faces.max() < len(surface)
    assert volume.blocks.evicted > 0
    volume.blocks.changed[volume.blocks.slots] = True
    assert_same(surface, Mesher(volume, 1.0).surface())


def test_close_to_open3d(settings):
    o3d = pytest.importorskip("magic3d_ros.geometry.open3d_import").load_open3d()
    core = o3d.core
    volume, mesher = make(settings)
    grid = o3d.t.geometry.VoxelBlockGrid(("tsdf", "weight"), (core.float32, core.float32), ((1), (1)), 0.02, 8, 2000)
    for direction in ((0, 0, -1.2), (0.5, 0.3, -1.1), (-0.6, 0.2, -1.0)):
        frame = sphere_frame(CENTER, RADIUS, looking_at(CENTER + direction, CENTER))
        volume.integrate(frame)
        image = o3d.t.geometry.Image(frame.depth)
        intrinsics, extrinsics = core.Tensor(frame.camera.matrix), core.Tensor(np.linalg.inv(frame.camera_to_world))
        near = grid.compute_unique_block_coordinates(image, intrinsics, extrinsics, 1.0, 5.0, 4.0)
        grid.integrate(near, image, intrinsics, extrinsics, 1.0, 5.0, 4.0)
    ours, theirs = mesher.surface(), grid.extract_triangle_mesh(1.0)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(core.Tensor(ours.vertices), core.Tensor(ours.faces.astype(np.uint32)))
    # Open3D puts its voxels half a voxel elsewhere, so it samples the same surface at other places (and touches fewer blocks of
    # it).
    distance = scene.compute_distance(theirs.vertex.positions).numpy()
    assert len(distance) > 1000 and np.median(distance) < 0.002 and np.percentile(distance, 95) < 0.006
