"""The plain layout: color/ (or rgb/), depth/ and one file of poses.

    color/NNNNNN.jpg|png   8-bit colour, any number of digits
    depth/NNNNNN.png       16-bit, millimetres (setting input.depth_scale for other units), registered to colour; 0 = no reading
    poses_c2w.txt          a row a frame: file number + 16 values, or only the 16 values (row-major camera-to-world, metres)
    intrinsics.txt         optional: 3x3 matrix or "fx fy cx cy"; the setting input.intrinsics takes its place
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.layouts import replica
from magic3d_ros.sources.recording import NOMINAL_RATE, RecordedFrame, Recording, nominal_stamp, numbered_files
from magic3d_ros.sources.rectification import Calibration
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import image_size, parse_intrinsics, pose_from_values, read_intrinsics, read_numbers

logger = logging.getLogger(__name__)

DESCRIPTION = "color/ (or rgb/), depth/ and poses_c2w.txt"

# A copy of Replica's renderings in this layout has no intrinsics file, and keeps every 10th frame of the 30 Hz trajectory.
_REPLICA_RATE = 3.0


def recognise(folder: Path) -> bool:
    """True for a folder of this layout."""
    return _color_folder(folder) is not None and (folder / "depth").is_dir()


def read(folder: Path, settings: Settings) -> Recording:
    """The recording in a folder of this layout. Raises SourceError."""
    if not (folder / "poses_c2w.txt").is_file():
        raise SourceError(f"{folder} has no poses_c2w.txt: a row a frame, file number and 16 values (camera-to-world, row-major)")
    color_folder = _color_folder(folder)
    colors = numbered_files(color_folder) if color_folder else {}
    if not colors:
        raise SourceError(f"{color_folder} holds no numbered .jpg or .png files")
    depths = numbered_files(folder / "depth")
    size = image_size(next(iter(colors.values())))
    camera, rate = _camera(folder, size, settings)
    rate = settings.input.frame_rate or rate
    poses = _read_poses(folder / "poses_c2w.txt", list(colors))
    frames = [RecordedFrame(number, nominal_stamp(number, rate), path, depths.get(number, folder / "depth" / f"{path.stem}.png"),
                            poses.get(number)) for number, path in colors.items()]
    return Recording(folder.name, frames, Calibration(CameraModel(camera)), 0.001, str(folder / "poses_c2w.txt"))


def _color_folder(folder: Path) -> Path | None:
    return next((folder / name for name in ("color", "rgb") if (folder / name).is_dir()), None)


def _camera(folder: Path, size: tuple[int, int], settings: Settings) -> tuple[Camera, float]:
    if settings.input.intrinsics:
        return parse_intrinsics(settings.input.intrinsics, size), NOMINAL_RATE
    if (folder / "intrinsics.txt").is_file():
        return read_intrinsics(folder / "intrinsics.txt", size), NOMINAL_RATE
    if size == (replica.CAMERA.width, replica.CAMERA.height):
        logger.info("%s: no intrinsics.txt; 1200x680 images are taken for a Replica rendering (f 600, centre 599.5 339.5, every "
                    "10th frame of 30 Hz)", folder)
        return replica.CAMERA, _REPLICA_RATE
    raise SourceError(f"{folder} has no intrinsics.txt: write one ('fx fy cx cy' or a 3x3 matrix), or set input.intrinsics to "
                      "'fx fy cx cy'")


def _read_poses(path: Path, numbers: list[int]) -> dict[int, np.ndarray]:
    """Poses by file number. Rows without a number belong to the files in order. A damaged row leaves its frame without a pose."""
    rows = read_numbers(path)
    widths = [len(row) for row in rows]
    if 17 in widths:
        numbered = [(row[0], pose_from_values(row[1:])) for row in rows if len(row) == 17]
        found = {int(number): pose for number, pose in numbered if np.isfinite(number) and pose is not None}
    elif 16 in widths:
        if len(rows) != len(numbers):
            raise SourceError(f"{path} has {len(rows)} poses for {len(numbers)} colour files, so it is unclear which belong "
                              "together: put the file's number before the 16 values")
        poses = [pose_from_values(row) for row in rows]
        found = {number: pose for number, pose in zip(numbers, poses, strict=True) if pose is not None}
    else:
        raise SourceError(f"{path}: rows must hold 16 values (camera-to-world, row-major), or a file number and 16 values")
    damaged = len(rows) - len(found)
    if damaged:
        logger.warning("%s: %d of %d rows are damaged or repeated", path, damaged, len(rows))
    return found
