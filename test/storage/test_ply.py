"""The PLY files are read back by Open3D, a reader that is not ours."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.language.label_set import UNNAMED, label_colors
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.storage.ply import read_mesh, read_points, write_labels, write_mesh, write_points


@pytest.fixture
def surface():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.5]], np.float32)
    normals = np.tile(np.array([[0, 0, 1]], np.float32), (4, 1))
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]], np.uint8)
    return Surface(vertices, np.array([[0, 1, 2], [1, 3, 2]], np.int32), normals, colors, np.ones(4, np.float32))


def test_open3d_reads_the_mesh(surface, tmp_path):
    write_mesh(tmp_path / "mesh.ply", surface)
    mesh = load_open3d().io.read_triangle_mesh(str(tmp_path / "mesh.ply"))
    np.testing.assert_allclose(np.asarray(mesh.vertices), surface.vertices)
    np.testing.assert_array_equal(np.asarray(mesh.triangles), surface.faces)
    np.testing.assert_allclose(np.asarray(mesh.vertex_normals), surface.normals)
    np.testing.assert_allclose(np.asarray(mesh.vertex_colors) * 255, surface.colors)


def test_open3d_reads_the_points_and_their_instances(surface, tmp_path):
    write_points(tmp_path / "points.ply", surface, np.array([3, -1, 3, 12], np.int32))
    cloud = load_open3d().t.io.read_point_cloud(str(tmp_path / "points.ply"))
    np.testing.assert_allclose(cloud.point.positions.numpy(), surface.vertices)
    np.testing.assert_array_equal(cloud.point.colors.numpy(), surface.colors)
    assert cloud.point.instance.numpy().ravel().tolist() == [3, -1, 3, 12]


def test_points_come_back(surface, tmp_path):
    write_points(tmp_path / "points.ply", surface, np.array([3, -1, 3, 12], np.int32))
    vertices, colors, labels = read_points(tmp_path / "points.ply")
    np.testing.assert_array_equal(vertices, surface.vertices)
    np.testing.assert_array_equal(colors, surface.colors)
    assert labels.tolist() == [3, -1, 3, 12]


def test_a_mesh_comes_back(surface, tmp_path):
    write_mesh(tmp_path / "mesh.ply", surface)
    back = read_mesh(tmp_path / "mesh.ply")
    for name in ("vertices", "faces", "normals", "colors"):
        np.testing.assert_array_equal(getattr(back, name), getattr(surface, name))
    (tmp_path / "mesh.ply").write_bytes((tmp_path / "mesh.ply").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"not the mesh\.ply of a map"):
        read_mesh(tmp_path / "mesh.ply")


def test_an_empty_surface_is_a_valid_file(tmp_path):
    write_points(tmp_path / "points.ply", Surface.empty(), np.zeros(0, np.int32))
    assert len(read_points(tmp_path / "points.ply")[0]) == 0


@pytest.mark.parametrize("content", [b"", b"ply\n", b"solid cube\n", b"ply\nformat ascii 1.0\nelement vertex 2\nend_header\n"])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "points.ply").write_bytes(content)
    with pytest.raises(ValueError, match=r"not the points\.ply of a map"):
        read_points(tmp_path / "points.ply")


def test_a_cut_off_file_is_refused(surface, tmp_path):
    write_points(tmp_path / "points.ply", surface, np.zeros(4, np.int32))
    whole = (tmp_path / "points.ply").read_bytes()
    (tmp_path / "points.ply").write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"not the points\.ply"):
        read_points(tmp_path / "points.ply")


def test_open3d_reads_the_labels_and_the_header_names_them(surface, tmp_path):
    path = tmp_path / "labels.ply"
    write_labels(path, surface, ["wall", "office chair", "Stühle\nend_header"], np.array([1, -1, 2, 1], np.int32),
                 np.array([0.5, 0.0, 0.25, 1.0], np.float32))
    cloud = load_open3d().t.io.read_point_cloud(str(path))
    np.testing.assert_allclose(cloud.point.positions.numpy(), surface.vertices)
    assert cloud.point.label.numpy().ravel().tolist() == [1, -1, 2, 1]
    assert cloud.point.confidence.numpy().ravel().tolist() == [0.5, 0.0, 0.25, 1.0]
    np.testing.assert_array_equal(cloud.point.colors.numpy()[[0, 1]], [*label_colors(["office chair"]), UNNAMED])
    header = path.read_bytes().partition(b"end_header\n")[0].decode("ascii").splitlines()
    assert "comment label 1 office chair" in header
    assert 'comment label 2 "St\\u00fchle\\nend_header"' in header
    assert not any(line.startswith("comment label 0") for line in header)
