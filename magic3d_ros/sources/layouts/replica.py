"""Replica as rendered for iMAP and NICE-SLAM: results/frameNNNNNN.jpg and depthNNNNNN.png, traj.txt, cam_params.json.

traj.txt holds 16 values a row, row-major camera-to-world, OpenCV axes, row N for file N. cam_params.json lies beside the scenes
or in the scene; without it the values of NICE-SLAM's configs/Replica/replica.yaml are used.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.recording import NOMINAL_RATE, RecordedFrame, Recording, nominal_stamp, numbered_files
from magic3d_ros.sources.rectification import Calibration
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import image_size, parse_intrinsics, pose_from_values, read_numbers

logger = logging.getLogger(__name__)

DESCRIPTION = "Replica of NICE-SLAM (results/frame000000.jpg, results/depth000000.png, traj.txt)"

CAMERA = Camera(1200, 680, 600.0, 600.0, 599.5, 339.5)
_SCALE = 6553.5  # depth units a metre


def recognise(folder: Path) -> bool:
    """True for a folder of this layout."""
    return (folder / "results").is_dir() and (folder / "traj.txt").is_file()


def read(folder: Path, settings: Settings) -> Recording:
    """The recording in a folder of this layout. Raises SourceError."""
    colors = numbered_files(folder / "results", r"frame(\d+)")
    if not colors:
        raise SourceError(f"{folder / 'results'} holds no frameNNNNNN.jpg")
    camera, scale = _parameters(folder)
    size = image_size(next(iter(colors.values())))
    if settings.input.intrinsics:
        camera = parse_intrinsics(settings.input.intrinsics, size)
    elif size != (camera.width, camera.height):
        raise SourceError(f"{folder}: images are {size[0]}x{size[1]}, the camera is {camera.width}x{camera.height}: "
                          "correct cam_params.json or set input.intrinsics")
    rows = read_numbers(folder / "traj.txt")
    rate = settings.input.frame_rate or NOMINAL_RATE
    frames = [RecordedFrame(number, nominal_stamp(number, rate), path, path.with_name(f"depth{path.stem[len('frame'):]}.png"),
                            pose_from_values(rows[number]) if number < len(rows) else None)
              for number, path in colors.items()]
    return Recording(folder.name, frames, Calibration(CameraModel(camera)), 1 / scale, "traj.txt")


def _parameters(folder: Path) -> tuple[Camera, float]:
    path = next((place / "cam_params.json" for place in (folder, folder.resolve().parent)
                 if (place / "cam_params.json").is_file()), None)
    if path is None:
        logger.info("%s: no cam_params.json; taking NICE-SLAM's values for Replica", folder)
        return CAMERA, _SCALE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["camera"]
        camera = Camera(int(values["w"]), int(values["h"]), *(float(values[key]) for key in ("fx", "fy", "cx", "cy")))
        scale = float(values["scale"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is not NICE-SLAM's camera file (camera: w h fx fy cx cy scale): {error!r}") from error
    if not scale > 0:
        raise SourceError(f"{path}: scale must be positive, not {scale}")
    return camera, scale
