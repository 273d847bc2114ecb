"""7-Scenes: frame-NNNNNN.color.png (or .jpg), .depth.png and .pose.txt, in one folder or in a scene's seq-XX folders.

Depth is 16-bit millimetres, 65535 = no reading. Poses are the depth camera's (KinectFusion tracked it). Depth is not registered
to colour, and the authors give no calibration of the two cameras: only the depth camera's default, f 585, centre (320, 240).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.recording import NOMINAL_RATE, RecordedFrame, Recording, nominal_stamp, numbered_files
from magic3d_ros.sources.rectification import Calibration
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import image_size, parse_intrinsics, read_pose

DESCRIPTION = "7-Scenes (frame-000000.color.png, .depth.png, .pose.txt; or seq-XX folders of them)"

_DEPTH_CAMERA = Camera(640, 480, 585.0, 585.0, 320.0, 240.0)  # the data set's web page
_COLOR_CAMERA = Camera(640, 480, 525.0, 525.0, 320.0, 240.0)  # the Kinect's factory default, as DSAC* (setup_7scenes.py) takes it


def _depth_to_color() -> np.ndarray:
    """A Kinect's colour camera sits 25 mm beside its depth camera; the tilt was measured.

    On every 25th frame of RedKitchen, depth edges moved onto the colour image fall on its edges best with 22 to 25 mm and 0.2 to
    0.3 degrees about x: the gradient there is 1.15 standard deviations above the image's mean, against 1.04 without tilt, 0.65
    without extrinsics, and 0.62 with the calibration of another Kinect (LIRIS) that DSAC* uses.
    """
    transform = np.eye(4)
    transform[:3, :3] = Rotation.from_euler("x", 0.25, degrees=True).as_matrix()
    transform[0, 3] = -0.024
    return transform


def recognise(folder: Path) -> bool:
    """True for a sequence, or for a scene with sequences in it."""
    return bool(_sequences(folder))


def read(folder: Path, settings: Settings) -> Recording:
    """The recording in a sequence, or in all sequences of a scene one after the other. Raises SourceError."""
    depth_to_color = _depth_to_color()
    color_to_depth = np.linalg.inv(depth_to_color)
    rate = settings.input.frame_rate or NOMINAL_RATE
    frames: list[RecordedFrame] = []
    for sequence in _sequences(folder):
        first = frames[-1].index + 1 if frames else 0
        for number, color in numbered_files(sequence, r"frame-(\d+)\.color").items():
            stem = f"frame-{color.name.split('-')[1].split('.')[0]}"
            index = first + number
            frames.append(RecordedFrame(index, nominal_stamp(index, rate), color, sequence / f"{stem}.depth.png",
                                        _color_pose(sequence / f"{stem}.pose.txt", color_to_depth)))
    camera = _COLOR_CAMERA
    size = image_size(frames[0].color)
    if settings.input.intrinsics:
        camera = parse_intrinsics(settings.input.intrinsics, size)
    elif size != (camera.width, camera.height):
        raise SourceError(f"{folder}: 7-Scenes images are 640x480, these are {size[0]}x{size[1]}: set input.intrinsics")
    calibration = Calibration(CameraModel(camera), CameraModel(_DEPTH_CAMERA), depth_to_color)
    return Recording(folder.name, frames, calibration, 0.001, "the .pose.txt file", invalid_depth=65535)


def _sequences(folder: Path) -> list[Path]:
    folders = [folder, *sorted(path for path in folder.glob("seq-*") if path.is_dir())]
    return [path for path in folders if next(path.glob("frame-*.color.*"), None) is not None]


def _color_pose(path: Path, color_to_depth: np.ndarray) -> np.ndarray | None:
    pose = read_pose(path) if path.is_file() else None
    return None if pose is None else pose @ color_to_depth
