"""Intrinsics and poses from the small text files that data sets keep beside their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.image_file import compressed_image_size
from magic3d_ros.sources.source import SourceError

_HEAD = 65536  # bytes; EXIF and ICC blocks before a JPEG's size rarely fill one segment of this length


def read_numbers(path: Path) -> list[list[float]]:
    """Rows of numbers; '#' starts a comment, commas count as spaces. What is not a number becomes NaN. Raises SourceError."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    rows = (line.split("#")[0].replace(",", " ").split() for line in text.splitlines())
    return [[_number(word) for word in row] for row in rows if row]


def read_pose(path: Path) -> np.ndarray | None:
    """(4, 4) camera-to-world from a file with 16 numbers (or 12, the upper three rows); None where the file has none of these."""
    values = [value for row in read_numbers(path) for value in row]
    return pose_from_values(values)


def pose_from_values(values: list[float]) -> np.ndarray | None:
    """(4, 4) from 16 row-major values, or 12 (the upper three rows); None for any other count."""
    if len(values) == 12:
        values = [*values, 0.0, 0.0, 0.0, 1.0]
    return np.array(values, np.float64).reshape(4, 4) if len(values) == 16 else None


def read_intrinsics(path: Path, size: tuple[int, int]) -> Camera:
    """Pinhole camera of `size` (width, height) from a 3x3 or 4x4 matrix, or 'fx fy cx cy'. Raises SourceError naming the file."""
    values = [value for row in read_numbers(path) for value in row]
    return _camera(values, size, str(path))


def parse_intrinsics(text: str, size: tuple[int, int]) -> Camera:
    """Pinhole camera of `size` from the setting input.intrinsics: 'fx fy cx cy'. Raises SourceError."""
    return _camera([_number(word) for word in text.replace(",", " ").split()], size, "the setting input.intrinsics")


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) from an image file's header. Raises SourceError naming the file."""
    try:
        with path.open("rb") as file:
            return compressed_image_size(file.read(_HEAD))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read the size of {path}: {error}") from error


def _camera(values: list[float], size: tuple[int, int], where: str) -> Camera:
    if len(values) in (9, 16):
        width = 3 if len(values) == 9 else 4
        values = [values[0], values[width + 1], values[2], values[width + 2]]
    if len(values) != 4:
        raise SourceError(f"{where} has {len(values)} numbers; write 'fx fy cx cy', or a 3x3 or 4x4 intrinsic matrix")
    try:
        return Camera(size[0], size[1], *values)
    except ValueError as error:
        raise SourceError(f"{where}: {error}") from error


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
