"""A recording in a folder: which files make which frame, and how the sensor was calibrated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from magic3d_ros.sources.rectification import Calibration

NOMINAL_RATE = 30.0
"""Hz, of the Kinect and Xtion sensors that these data sets were recorded with."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, eq=False)
class RecordedFrame:
    """One frame of a recording: its number, time (ns), image files, and camera-to-world pose (4, 4); None = no pose recorded."""

    index: int
    stamp: int
    color: Path
    depth: Path
    camera_to_world: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Recording:
    """What a folder layout found.

    name: for people. depth_scale: metres per unit of the depth files. invalid_depth: a stored value that means "no reading"
    besides 0. poses_from: where poses come from, for messages.
    """

    name: str
    frames: Sequence[RecordedFrame]
    calibration: Calibration
    depth_scale: float
    poses_from: str
    invalid_depth: int | None = None


def nominal_stamp(index: int, rate: float) -> int:
    """Time in ns of file number `index` in a folder without times, at `rate` file numbers a second."""
    return round(index / rate * 1e9)


def numbered_files(folder: Path, pattern: str = r"\D*(\d+)") -> dict[int, Path]:
    """Image files of a folder by the number in their name, in order. pattern: matched against the name without suffix."""
    files: dict[int, Path] = {}
    for path in folder.iterdir():
        match = re.fullmatch(pattern, path.stem)
        if match and path.suffix.lower() in IMAGE_SUFFIXES:
            files[int(match.group(1))] = path
    return dict(sorted(files.items()))
