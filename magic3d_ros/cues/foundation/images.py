"""Official preprocessing of images to pixel values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from magic3d_ros.cues.weights import ModelError, read_config
from magic3d_ros.frames import check_image

__all__ = ["Preprocessing", "check_image", "processor_values", "without_far_ends"]

_FILTERS = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""PIL's codes of resampling filters, which preprocessor_config.json uses, and torch's names of them."""
_LONGEST = 16
"""Sides an image may differ by before its ends are cut: CLIP's official resize makes its shorter side 224 and crops a square, so
an image of 8000 x 1 would be 1.8 million pixels long in between; what is cut here is cut there."""


@dataclass(frozen=True)
class Preprocessing:
    """An image processor's constants. Only the size is the caller's: no crop, so that every feature knows its pixel.

    mean, deviation: per channel, of values times `scale`. resample: PIL's code of the filter.
    order: which official processor's arithmetic is followed: "pil" resizes uint8 with PIL (DINOv2, SAM), "tensor" resizes uint8
    with torch (SAM 2, SAM 3, EdgeTAM), "float_tensor" scales to 0..1 first and resizes those with torch (DINOv3).
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    scale: float
    resample: int
    order: str

    @staticmethod
    def of(folder: Path, order: str) -> Preprocessing:
        """From a model folder's preprocessor_config.json, or the processor_config.json that newer transformers write.

        Raises ModelError when neither is there or a value is missing.
        """
        values = processor_values(folder)
        try:
            resample = int(values["resample"])
            if resample not in _FILTERS:
                raise ModelError(f"{folder}: its image processor resizes with PIL's filter {resample}, which is not one of "
                                 f"{sorted(_FILTERS)}: get the file again")
            mean, deviation = (tuple(float(value) for value in values[name]) for name in ("image_mean", "image_std"))
            if len(mean) != 3 or len(deviation) != 3 or min(deviation) <= 0:
                raise ModelError(f"{folder}: its image processor needs three means and three deviations: get the file again")
            return Preprocessing(mean, deviation, float(values.get("rescale_factor", 1 / 255)), resample, order)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{folder}: its image processor has no usable {error}: get the file again") from error

    def pixel_values(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        """(H, W, 3) uint8 -> (3, height, width) float32 on the CPU: resized without crop, scaled, normalised."""
        if self.order == "pil":
            resized = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling(self.resample)))
            x = torch.from_numpy(np.array(resized.transpose(2, 0, 1), np.float32)) * self.scale
        else:
            x = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None]
            if self.order == "float_tensor":
                x = x.float() * self.scale
            if x.shape[-2:] != (height, width):
                smooth: dict[str, Any] = {} if self.resample == 0 else {"antialias": True, "align_corners": False}
                x = torch.nn.functional.interpolate(x, (height, width), mode=_FILTERS[self.resample], **smooth)
            x = x[0] if self.order == "float_tensor" else x[0].float() * self.scale
        return (x - torch.tensor(self.mean)[:, None, None]) / torch.tensor(self.deviation)[:, None, None]


def processor_values(folder: Path) -> dict[str, Any]:
    """What a model folder says of its image processor. Raises ModelError when it says nothing."""
    if (folder / "preprocessor_config.json").is_file():
        return read_config(folder, "preprocessor_config.json")
    if (folder / "processor_config.json").is_file():
        values = read_config(folder, "processor_config.json").get("image_processor")
        if isinstance(values, dict):
            return values
    raise ModelError(f"{folder} holds no preprocessor_config.json, which says how pixels are prepared: copy it there too")


def without_far_ends(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) for a processor that takes its middle square, without what is far from that."""
    height, width = image.shape[:2]
    allowed = min(height, width) * _LONGEST
    top, left = max(0, height - allowed) // 2, max(0, width - allowed) // 2
    return image[top:top + allowed, left:left + allowed]
