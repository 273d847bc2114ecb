"""Mesh files: each format read, and damaged files refused before anything large is allocated."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from magic3d_ros.sources.room.mesh_files import load_mesh
from magic3d_ros.sources.source import SourceError

VERTICES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], "<f4")
FACES = np.array([[0, 1, 2], [0, 1, 3]], "<i4")
UV = np.array([[0, 0], [1, 0], [0, 0.25], [1, 1]], "<f4")
UP = np.array([[0, 0, 1]] * 4, "<f4")


def msh(vertices=VERTICES, normals=UP, uv=UV, faces=FACES):
    arrays = (vertices, normals, uv, faces)
    return struct.pack("<4i", *(len(a) for a in arrays)) + b"".join(a.tobytes() for a in arrays)


def test_msh(tmp_path):
    (tmp_path / "a.msh").write_bytes(msh())
    mesh = load_mesh(tmp_path / "a.msh")
    np.testing.assert_array_equal(mesh.positions, VERTICES[FACES.ravel()])
    np.testing.assert_array_equal(mesh.normals, UP[FACES.ravel()])
    np.testing.assert_array_equal(mesh.uv, UV[FACES.ravel()])


def test_stl(tmp_path):
    record = np.zeros(2, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]))
    record["corners"] = VERTICES[FACES]
    (tmp_path / "a.stl").write_bytes(b" " * 80 + struct.pack("<I", 2) + record.tobytes())
    mesh = load_mesh(tmp_path / "a.stl")
    np.testing.assert_array_equal(mesh.positions, VERTICES[FACES.ravel()])
    np.testing.assert_allclose(mesh.normals[:3], [[0, 0, 1]] * 3)
    np.testing.assert_allclose(mesh.normals[3:], [[0, -1, 0]] * 3)


def test_obj_with_a_polygon_and_image_rows_from_below(tmp_path):
    (tmp_path / "a.obj").write_text("# four corners\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
                                    "vn 0 0 1\nf 1/1/1 2/2/1 3/3/1 -1/-1/-1\n", encoding="utf-8")
    mesh = load_mesh(tmp_path / "a.obj")
    assert len(mesh) == 2
    np.testing.assert_array_equal(mesh.positions[:3], [[0, 0, 0], [1, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(mesh.positions[5], [0, 1, 0])
    np.testing.assert_array_equal(mesh.uv[:3], [[0, 1], [1, 1], [1, 0]])
    np.testing.assert_array_equal(mesh.normals, [[0, 0, 1]] * 6)


@pytest.mark.parametrize(("name", "data", "message"), [
    ("a.msh", b"\0" * 8, "the header is cut off"),
    ("a.msh", struct.pack("<4i", 2**31 - 1, 2**31 - 1, 2**31 - 1, 2**31 - 1), "16 bytes, its header says"),
    ("a.msh", struct.pack("<4i", -5, 0, 0, 0), "negative counts"),
    ("a.msh", msh()[:-4], "its header says"),
    ("a.msh", msh(faces=np.array([[0, 1, 9]], "<i4")), "faces name vertices that are not there"),
    ("a.msh", msh(faces=FACES[:0]), "no triangles"),
    ("a.msh", msh(vertices=VERTICES * np.float32("nan")), "positions that are not numbers"),
    ("a.stl", b" " * 80 + struct.pack("<I", 2**32 - 1), "84 bytes, its header says"),
    ("a.stl", b"solid", "the header is cut off"),
    ("a.obj", b"v 0 0 0\nf 1 2 3\n", "a face names a vertex that is not there"),
    ("a.obj", b"v a b c\n", "not a readable .obj mesh"),
    ("a.ply", b"ply", "a mesh must be one of .msh, .obj, .stl"),
])
def test_damaged_files_are_refused(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=message):
        load_mesh(tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(SourceError, match="cannot read the mesh"):
        load_mesh(tmp_path / "a.msh")
