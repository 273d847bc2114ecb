"""TUM RGB-D: rgb.txt and depth.txt (time and file), groundtruth.txt (time, position, quaternion).

Depth is 16-bit, 5000 a metre, registered to the colour camera by the sensor's driver. Colour and depth are put together by time
(within 20 ms, as the data set's associate.py does), the pose is interpolated at the colour image's time.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.distortion import CameraModel
from magic3d_ros.sources.recording import RecordedFrame, Recording
from magic3d_ros.sources.rectification import Calibration
from magic3d_ros.sources.source import SourceError
from magic3d_ros.sources.text_files import image_size, parse_intrinsics, read_numbers
from magic3d_ros.sources.time_sync import TimeSynchronizer
from magic3d_ros.sources.transform_buffer import TransformBuffer, TransformError

logger = logging.getLogger(__name__)

DESCRIPTION = "TUM RGB-D (rgb.txt, depth.txt, groundtruth.txt)"

_SLOP = 20_000_000  # ns; associate.py of the data set's tools
_LARGEST_GAP = 200_000_000  # ns; motion capture runs at 100 Hz, a longer silence means that it lost the camera

# The data set's page "File Formats", section "Intrinsic Camera Calibration": fx fy cx cy, then k1 k2 p1 p2 k3.
_CALIBRATIONS = {
    "1": ((517.3, 516.5, 318.6, 255.3), (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "2": ((520.9, 521.0, 325.1, 249.7), (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
    "3": ((535.4, 539.2, 320.1, 247.6), ()),
}
_DEFAULT = ((525.0, 525.0, 319.5, 239.5), ())  # the same page: "ROS default"


def recognise(folder: Path) -> bool:
    """True for a folder of this layout."""
    return all((folder / name).is_file() for name in ("rgb.txt", "depth.txt"))


def read(folder: Path, settings: Settings) -> Recording:
    """The recording in a folder of this layout. Raises SourceError."""
    colors, depths = _files(folder, "rgb.txt"), _files(folder, "depth.txt")
    trajectory = _trajectory(folder / "groundtruth.txt")
    synchronizer = TimeSynchronizer(("rgb", "depth"), _SLOP)
    numbered = [(stamp, 0, (number, path)) for number, (stamp, path) in enumerate(colors)]
    messages = sorted([*numbered, *((stamp, 1, path) for stamp, path in depths)], key=lambda message: message[0])
    matches = [match for stamp, stream, item in messages for match in synchronizer.add(stream, stamp, item)]
    matches += synchronizer.flush()
    logger.info("%s: %s", folder, synchronizer.describe())
    if not matches:
        raise SourceError(f"{folder}: no colour image has a depth image within {_SLOP // 1_000_000} ms")
    frames = [RecordedFrame(number, match.stamp, color, depth, _pose(trajectory, match.stamp))
              for match in matches for (number, color), depth in [match.items]]
    camera = _camera(folder, image_size(frames[0].color), settings)
    return Recording(folder.name, frames, Calibration(camera), 1 / 5000, str(folder / "groundtruth.txt"))


def _camera(folder: Path, size: tuple[int, int], settings: Settings) -> CameraModel:
    if settings.input.intrinsics:
        return CameraModel(parse_intrinsics(settings.input.intrinsics, size))
    known = re.search(r"(?:freiburg|fr)([123])", folder.resolve().name)
    if known is None:
        logger.warning("%s: the name does not say which camera (freiburg1, 2 or 3) it was; taking the default f 525", folder)
    intrinsics, coefficients = _CALIBRATIONS[known.group(1)] if known else _DEFAULT
    return CameraModel(Camera(*size, *intrinsics), "plumb_bob", coefficients)


def _files(folder: Path, name: str) -> list[tuple[int, Path]]:
    """(stamp in ns, file) of each line, in order of time."""
    try:
        lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"cannot read {folder / name}: {error.strerror}") from error
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    found = [(_nanoseconds(row[0]), folder / row[1]) for row in rows if len(row) >= 2 and re.fullmatch(r"\d+(\.\d*)?", row[0])]
    if len(found) < len(rows):
        logger.warning("%s: %d of %d lines are not 'time file'", folder / name, len(rows) - len(found), len(rows))
    if not found:
        raise SourceError(f"{folder / name} lists no images: lines must be 'time file'")
    return sorted(found, key=lambda entry: entry[0])


def _nanoseconds(seconds: str) -> int:
    """Exactly: a float holds today's time only to 200 ns."""
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int((fraction + "000000000")[:9])


def _trajectory(path: Path) -> TransformBuffer:
    buffer = TransformBuffer(max_gap=_LARGEST_GAP)
    damaged = 0
    for row in read_numbers(path):
        if len(row) != 8 or not np.isfinite(row).all() or not any(row[4:]):
            damaged += 1
            continue
        buffer.set("world", "camera", round(row[0] * 1e9), np.array(row[1:4]), np.array(row[4:8]))
    if damaged:
        logger.warning("%s: %d lines are not 'time tx ty tz qx qy qz qw'", path, damaged)
    return buffer


def _pose(trajectory: TransformBuffer, stamp: int) -> np.ndarray | None:
    try:
        return trajectory.lookup("world", "camera", stamp)
    except TransformError:  # the frame is skipped and counted as one without a pose
        return None
