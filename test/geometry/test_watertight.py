from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.geometry.watertight import watertight


def mesh_of(vertices: np.ndarray, faces: np.ndarray):
    o3d = load_open3d()
    return o3d.geometry.TriangleMesh(o3d.utility.Vector3dVector(vertices.astype(float)), o3d.utility.Vector3iVector(faces))


def patch(count: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two walls and a floor of a corner, 1 m each, seen from inside: an open surface."""
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count)))
    zero = np.zeros_like(u)
    points = np.concatenate([np.stack(p, 1) for p in ((u, v, zero), (u, zero, v), (zero, u, v))])
    normals = np.repeat([[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]], len(u), 0)
    colors = np.repeat(np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200]], np.uint8), len(u), 0)
    return points, normals, colors


def test_an_open_corner_becomes_a_closed_body_behind_its_surface():
    points, normals, colors = patch()
    vertices, faces, facing, shown = watertight(points, normals, colors, 0.05)
    mesh = mesh_of(vertices, faces)
    assert mesh.is_watertight() and mesh.get_volume() > 0
    o3d = load_open3d()
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.t.geometry.TriangleMesh.from_legacy(mesh))
    assert scene.compute_distance(points.astype(np.float32)).numpy().max() < 0.08  # at the free rims, a cell; elsewhere far less
    sides = scene.compute_occupancy(np.float32([[0.5, 0.5, 0.1], [0.5, 0.5, 0.5], [0.5, 0.5, -0.04], [-0.04, 0.5, 0.5]])).numpy()
    assert sides.tolist() == [0, 0, 1, 1]  # free before the surface, solid behind it
    on_the_floor = (np.abs(vertices[:, 2]) < 0.01) & (vertices[:, :2] > 0.2).all(1) & (vertices[:, :2] < 0.8).all(1)
    assert (shown[on_the_floor] == (200, 0, 0)).all() and (facing[on_the_floor, 2] > 0.9).all()


def test_the_map_of_a_room_is_closed(mapped_room):
    surface = mapped_room[0].scene.surface
    vertices, faces, normals, colors = watertight(surface.vertices, surface.normals, surface.colors, 0.08)
    assert mesh_of(vertices, faces).is_watertight()
    assert len(vertices) == len(normals) == len(colors) and np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)


def test_too_little_to_close():
    with pytest.raises(ValueError, match="too few"):
        watertight(np.zeros((5, 3)), np.zeros((5, 3)), np.zeros((5, 3), np.uint8), 0.02)
