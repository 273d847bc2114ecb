"""What depth networks want to see, and how their maps come back onto the image, as their official image processors do it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from magic3d_ros.cues.foundation.images import Preprocessing, processor_values
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FrameError

_MODES = {2: "bilinear", 3: "bicubic"}  # PIL's codes of filters and torch's names of them
MOST_STRETCH = 4.0
"""An image that keeps its shape may become so many times as large as the network's nominal square: 16:4 at most, so that a strip
of an image cannot ask for gigabytes."""


@dataclass(frozen=True)
class DepthPixels:
    """Preprocessing of "depth_anything" (PIL filter on bytes), "zoedepth" (reflected border, corners aligned) or "depth_pro"
    (normalised, then a square), and the way back. height, width: what images are resized to, in its own shape where keep_shape
    is set, each side a multiple of `multiple`. pad: whether ZoeDepth's border is added."""

    family: str
    constants: Preprocessing
    height: int
    width: int
    keep_shape: bool
    multiple: float
    pad: bool

    @staticmethod
    def of(folder: Path, family: str) -> DepthPixels:
        """From a model folder's preprocessor_config.json. Raises ModelError when a value is missing."""
        constants, values = Preprocessing.of(folder, "pil"), processor_values(folder)
        try:
            size = values["size"]
            keeps = family != "depth_pro" and bool(values.get("keep_aspect_ratio", family == "zoedepth"))
            multiple = float(values.get("ensure_multiple_of", 1 / 32 if family == "zoedepth" else 1))
            made = DepthPixels(family, constants, int(size["height"]), int(size["width"]), keeps, multiple,
                               family == "zoedepth" and bool(values.get("do_pad", True)))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{folder}: its image processor has no usable {error}: get the file again") from error
        if min(made.height, made.width) < 1 or multiple <= 0 or constants.resample not in _MODES:
            raise ModelError(f"{folder}: its image processor resizes to {made.width}x{made.height} with PIL's filter "
                             f"{constants.resample}, which no depth network does: get the file again")
        return made

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the network's input for an image. Raises FrameError for an image too elongated to keep its
        shape."""
        if self.family == "depth_pro":
            return self.height, self.width
        rows, columns = self.height / height, self.width / width
        if self.keep_shape:
            rows = columns = columns if abs(1 - columns) < abs(1 - rows) else rows  # the smaller change, as DPT has it
        if rows * height * columns * width > MOST_STRETCH * self.height * self.width:
            raise FrameError("image", f"an image of {width}x{height} is too elongated for a depth network of "
                             f"{self.width}x{self.height} pixels: cut it into pieces")
        return self._whole(rows * height), self._whole(columns * width)

    def pixel_values(self, rgb: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (3, h, w) float32 on the CPU: the official processor's values."""
        mean, deviation = (torch.tensor(v)[:, None, None] for v in (self.constants.mean, self.constants.deviation))
        if self.family == "depth_anything":
            return self.constants.pixel_values(rgb, *self.size(*rgb.shape[:2]))
        scaled = torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32)) * self.constants.scale
        mode = _MODES[self.constants.resample]
        if self.family == "depth_pro":
            scaled = ((scaled - mean) / deviation)[None]
            if scaled.shape[-2:] != (self.height, self.width):
                scaled = torch.nn.functional.interpolate(scaled, (self.height, self.width), mode=mode, align_corners=False)
            return scaled[0]
        if self.pad:
            down, across = self._border(*rgb.shape[:2])
            scaled = torch.nn.functional.pad(scaled, (across, across, down, down), mode="reflect")
        size = self.size(*scaled.shape[-2:])
        return (torch.nn.functional.interpolate(scaled[None], size, mode=mode, align_corners=True)[0] - mean) / deviation

    def on_image(self, prediction: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """(h, w) of the network -> (height, width) over the image, float32: without border, by the official filter."""
        image = prediction.float()[None, None]
        if self.family == "depth_pro":
            return torch.nn.functional.interpolate(image, (height, width), mode=_MODES[self.constants.resample],
                                                   align_corners=False)[0, 0]
        down, across = self._border(height, width) if self.pad else (0, 0)
        image = torch.nn.functional.interpolate(image, (height + 2 * down, width + 2 * across), mode="bicubic",
                                                align_corners=False)
        return image[0, 0, down:down + height, across:across + width]

    def _whole(self, side: float) -> int:
        whole = round(side / self.multiple) * self.multiple
        return int(whole if whole > 0 else math.ceil(side / self.multiple) * self.multiple)

    def _border(self, height: int, width: int) -> tuple[int, int]:
        """ZoeDepth's own: 3 sqrt(side / 2). Raises FrameError for an image too small to be reflected that far."""
        down, across = int(math.sqrt(height / 2) * 3), int(math.sqrt(width / 2) * 3)
        if down >= height or across >= width:
            raise FrameError("image", f"an image of {width}x{height} is too small for ZoeDepth's border: at least 5x5")
        return down, across

