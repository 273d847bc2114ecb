"""Binary PLY files of meshes and labelled points, for other programs.

Written straight from numpy records: Open3D's writer reports a full disk only as False, and plyfile writes faces one by one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from magic3d_ros.language.label_set import painted
from magic3d_ros.mapping.surface import Surface

_NAMES = {"<f4": "float", "|u1": "uchar", "<i4": "int"}
_MESH_VERTEX = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("nx", "<f4"), ("ny", "<f4"), ("nz", "<f4"),
                         ("red", "u1"), ("green", "u1"), ("blue", "u1")])
_FILLED_VERTEX = np.dtype([*_MESH_VERTEX.descr, ("guessed", "u1")])
_POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1"),
                   ("instance", "<i4")])
_LABELLED = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1"),
                      ("label", "<i4"), ("confidence", "<f4")])
_FACE = np.dtype([("count", "u1"), ("vertices", "<i4", (3,))])


def write_mesh(path: Path, surface: Surface, with_guesses: bool = False) -> None:
    """x y z nx ny nz red green blue and the triangles; metres, world frame. Raises OSError.

    with_guesses: also `guessed`, 1 at vertices that no sensor measured: those of weight 0.
    """
    vertices = _records(_FILLED_VERTEX if with_guesses else _MESH_VERTEX, surface)
    if with_guesses:
        vertices["guessed"] = surface.weights == 0
    for axis, name in enumerate(("nx", "ny", "nz")):
        vertices[name] = surface.normals[:, axis]
    faces = np.empty(len(surface.faces), _FACE)
    faces["count"] = 3
    faces["vertices"] = surface.faces
    with open(path, "wb") as file:
        file.write(_header(vertices, _face_header(len(faces))))
        file.write(vertices.tobytes())
        file.write(faces.tobytes())


def read_mesh(path: Path) -> Surface:
    """What `write_mesh` wrote; the vertices' weights, which a file does not have, are 1. Raises ValueError for any other file."""
    data = path.read_bytes()
    end = data.find(b"end_header\n") + len(b"end_header\n")
    counts = {line.split()[1]: int(line.split()[2]) for line in data[:end].decode("ascii", "replace").splitlines()
              if line.startswith("element ") and line.split()[2].isdecimal()}
    vertices, faces = counts.get("vertex", -1), counts.get("face", -1)
    header = _header(np.empty(0, _MESH_VERTEX), _face_header(faces), vertices)
    if min(vertices, faces) < 0 or data[:end] != header or len(data) - end != (vertices * _MESH_VERTEX.itemsize
                                                                              + faces * _FACE.itemsize):
        raise ValueError(f"{path} is not the mesh.ply of a map")
    table = np.frombuffer(data, _MESH_VERTEX, vertices, end)
    triangles = np.frombuffer(data, _FACE, faces, end + vertices * _MESH_VERTEX.itemsize)["vertices"].copy()
    places, normals, colors = (np.stack([table[name] for name in names], 1) for names in
                               (("x", "y", "z"), ("nx", "ny", "nz"), ("red", "green", "blue")))
    return Surface(places, triangles, normals, colors, np.ones(vertices, np.float32))


def write_points(path: Path, surface: Surface, labels: np.ndarray) -> None:
    """x y z red green blue and `instance`, the id of the thing each point belongs to, -1 = none. Raises OSError."""
    points = _records(_POINT, surface)
    points["instance"] = labels
    with open(path, "wb") as file:
        file.write(_header(points, ""))
        file.write(points.tobytes())


def write_labels(path: Path, surface: Surface, names: Sequence[str], index: np.ndarray, confidence: np.ndarray) -> None:
    """x y z, the label's colour, `label` (index into names, -1 = none) and confidence. Raises OSError.

    A comment in the header for each label that a point has, `label 3 office chair`, as JSON in ASCII where a name is no ASCII.
    """
    points = _records(_LABELLED, surface)
    points["label"], points["confidence"] = index, confidence
    for channel, values in zip(("red", "green", "blue"), painted(names, index).T, strict=True):
        points[channel] = values
    comments = "".join(f"comment label {i} {_one_line(names[i])}\n" for i in np.unique(index[index >= 0]))
    with open(path, "wb") as file:
        file.write(_header(points, "", comments=comments))
        file.write(points.tobytes())


def read_points(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `write_points` wrote: (N, 3) float32, (N, 3) uint8, (N,) int32. Raises ValueError for any other file."""
    data = path.read_bytes()
    end = data.find(b"end_header\n") + len(b"end_header\n")
    lines = data[:end].decode("ascii", "replace").splitlines()
    count = next((int(line.split()[2]) for line in lines if line.startswith("element vertex ")), -1)
    if count < 0 or data[:end] != _header(np.empty(0, _POINT), "", count) or len(data) - end != count * _POINT.itemsize:
        raise ValueError(f"{path} is not the points.ply of a map")
    points = np.frombuffer(data, _POINT, count, end)
    return (np.stack([points[n] for n in ("x", "y", "z")], 1), np.stack([points[n] for n in ("red", "green", "blue")], 1),
            points["instance"].copy())


def _records(kind: np.dtype, surface: Surface) -> np.ndarray:
    records = np.empty(len(surface), kind)
    for axis in range(3):
        records["xyz"[axis]] = surface.vertices[:, axis]
        records[("red", "green", "blue")[axis]] = surface.colors[:, axis]
    return records


def _face_header(count: int) -> str:
    return f"element face {count}\nproperty list uchar int vertex_indices\n"


def _one_line(name: str) -> str:
    return name if name.isascii() and name.isprintable() else json.dumps(name)


def _header(vertices: np.ndarray, rest: str, count: int | None = None, comments: str = "") -> bytes:
    properties = "".join(f"property {_NAMES[vertices.dtype[name].str]} {name}\n" for name in vertices.dtype.names or ())
    length = len(vertices) if count is None else count
    return (f"ply\nformat binary_little_endian 1.0\ncomment metres, world frame\n{comments}element vertex {length}\n"
            f"{properties}{rest}end_header\n").encode("ascii")
