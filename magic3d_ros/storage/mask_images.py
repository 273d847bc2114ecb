"""The distractor masks of a run as images beside the map: masks/NAME.png, 0..255 uncertainty, more than 127 = distractor."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict

MASKS = "masks"


class MaskImages:
    """Collects the images of a run in a hidden folder, because the map's own folder is replaced whole when it is saved.

    directory: the map's. names: file name without suffix by frame index, where the source has names; else the index, six digits.
    """

    def __init__(self, directory: Path, names: Mapping[int, str] | None = None) -> None:
        self._directory = directory.absolute()
        self._names = names or {}
        self._directory.parent.mkdir(parents=True, exist_ok=True)
        # Removes itself when the run fails, at the latest when the program ends.
        self._waiting = tempfile.TemporaryDirectory(prefix=".masks-", dir=self._directory.parent)
        self._images = Path(self._waiting.name) / MASKS
        self._images.mkdir()

    def write(self, frame: RGBDFrame, verdict: DistractorVerdict) -> None:
        """Add the image of one frame. Raises OSError when it cannot be written."""
        image = cv2.imencode(".png", verdict.grey(), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        (self._images / f"{self._names.get(frame.index, f'{frame.index:06d}')}.png").write_bytes(image.tobytes())

    def finish(self) -> Path:
        """Put the images into the map's folder, which is there by now, in place of an earlier run's; returns their folder."""
        target = self._directory / MASKS
        shutil.rmtree(target, ignore_errors=True)
        self._images.rename(target)
        self._waiting.cleanup()
        return target
