"""ScanNet as its SensReader exports it: color/N.jpg, depth/N.png, pose/N.txt, intrinsic/intrinsic_color.txt, intrinsic_depth.txt.

Depth is 16-bit millimetres of its own camera (640x480; colour is 1296x968), so it is registered to colour; a pose of -inf means
that tracking was lost there. The two cameras of published scans are aligned (extrinsic_*.txt are identity).
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.recording import NOMINAL_RATE, RecordedFrame, Recording, nominal_stamp, numbered_files
from magic3d_ros.sources.rectification import Calibration
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import image_size, parse_intrinsics, read_intrinsics, read_pose

logger = logging.getLogger(__name__)

DESCRIPTION = "ScanNet (color/, depth/, pose/, intrinsic/intrinsic_color.txt, intrinsic_depth.txt)"

# Full sizes of the iPad colour camera and the Structure sensor (ScanNet paper, section 3.1); exports with smaller images keep the
# intrinsics of these.
_COLOR_SIZE = (1296, 968)
_DEPTH_SIZE = (640, 480)


def recognise(folder: Path) -> bool:
    """True for a folder of this layout."""
    return all((folder / name).is_dir() for name in ("color", "depth", "pose")) and _file(folder, "intrinsic_color") is not None


def read(folder: Path, settings: Settings) -> Recording:
    """The recording in a folder of this layout. Raises SourceError."""
    colors = numbered_files(folder / "color")
    depths = numbered_files(folder / "depth")
    if not colors or not depths:
        raise SourceError(f"{folder}: color/ holds {len(colors)} and depth/ {len(depths)} numbered images")
    color_size, depth_size = image_size(next(iter(colors.values()))), image_size(next(iter(depths.values())))
    color = (parse_intrinsics(settings.input.intrinsics, color_size) if settings.input.intrinsics
             else _camera(folder, "intrinsic_color", color_size, _COLOR_SIZE))
    depth = _camera(folder, "intrinsic_depth", depth_size, _DEPTH_SIZE)
    color_to_body, depth_to_body = _extrinsics(folder, "extrinsic_color"), _extrinsics(folder, "extrinsic_depth")
    rate = settings.input.frame_rate or NOMINAL_RATE
    frames = []
    for number, path in colors.items():
        pose_file = folder / "pose" / f"{path.stem}.txt"
        pose = read_pose(pose_file) if pose_file.is_file() else None
        frames.append(RecordedFrame(number, nominal_stamp(number, rate), path,
                                    depths.get(number, folder / "depth" / f"{path.stem}.png"),
                                    None if pose is None else _moved(pose, color_to_body)))
    calibration = Calibration(CameraModel(color), CameraModel(depth), np.linalg.inv(color_to_body) @ depth_to_body)
    return Recording(folder.name, frames, calibration, 0.001, "pose/")


def _file(folder: Path, name: str) -> Path | None:
    """Where an export keeps a calibration file: SensReader's folder, or beside (as in the 25k-frames subset, with a plural)."""
    plural = name.replace("intrinsic_", "intrinsics_")
    places = (folder / "intrinsic" / f"{name}.txt", folder / f"{name}.txt", folder / f"{plural}.txt")
    return next((path for path in places if path.is_file()), None)


def _camera(folder: Path, name: str, size: tuple[int, int], full_size: tuple[int, int]) -> Camera:
    path = _file(folder, name)
    if path is None:
        raise SourceError(f"{folder} has no intrinsic/{name}.txt")
    camera = read_intrinsics(path, size)
    # The principal point lies near the middle of the image that the numbers were made for.
    if abs(camera.cx / full_size[0] - 0.5) < abs(camera.cx / size[0] - 0.5) - 0.1:
        logger.info("%s is for %dx%d images; scaled to %dx%d", path, *full_size, *size)
        camera = read_intrinsics(path, full_size).resized(*size)
    return camera


def _extrinsics(folder: Path, name: str) -> np.ndarray:
    path = _file(folder, name)
    transform = np.eye(4) if path is None else read_pose(path)
    if transform is None or not np.isfinite(transform).all() or abs(np.linalg.det(transform)) < 0.5:
        raise SourceError(f"{path} is not a 4x4 rigid transform")
    return transform


def _moved(pose: np.ndarray, color_to_body: np.ndarray) -> np.ndarray:
    """The colour camera's pose; a lost pose stays as it is, so that the frame is skipped with its own reason."""
    return pose @ color_to_body if np.isfinite(pose).all() else pose
