"""DINOv2 (with and without registers) and DINOv3: patch tokens as a grid of appearance features.

Oquab et al. 2023, Darcet et al. 2023 (registers), Simeoni et al. 2025 (DINOv3), through the transformers library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.foundation.images import Preprocessing, check_image
from magic3d_ros.cues.foundation.pretrained import load_pretrained, model_type
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FeatureGrid

MODEL_TYPES = ("dinov2", "dinov2_with_registers", "dinov3_vit", "dinov3_convnext")
"""what config.json may name"""
_CONVNEXT_STRIDE = 32
"""pixels a cell: a stem of 4 and three reductions by 2 (Liu et al. 2022); none of them pads, so cells lie edge to edge."""


class DinoFeatures:
    """A FeatureModel. Images keep their shape: no crop, position encodings are interpolated to the image's own grid.

    path: a folder with config.json, preprocessor_config.json and weights. max_width: longer sides are reduced to it (may be
    changed between calls). batch: at most so many images of one size at once. name: of the model, the folder's by default.
    Raises ModelError when the folder does not hold a whole DINO checkpoint.
    """

    def __init__(self, path: Path, placement: Placement, max_width: int = 640, batch: int = 8, name: str = "") -> None:
        kind = model_type(path)
        if kind not in MODEL_TYPES:
            raise ModelError(f"{path} holds a {kind} model, features need one of {', '.join(MODEL_TYPES)}: name another model")
        self.name = name or path.name
        self.max_width = max_width
        self.batch = batch
        self._placement = placement
        self._preprocessing = Preprocessing.of(path, "float_tensor" if kind.startswith("dinov3") else "pil")
        network = load_pretrained("AutoModel", path, placement)
        settings = network.config
        if kind == "dinov3_convnext":
            self.patch_size, self.dimension = _CONVNEXT_STRIDE, int(settings.hidden_sizes[-1])
        else:
            self.patch_size, self.dimension = int(settings.patch_size), int(settings.hidden_size)
        self._prefix = 1 + int(getattr(settings, "num_register_tokens", 0) or 0)  # class token, then registers
        self._network: Any = torch.compile(network) if placement.compile else network

    def features(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """(H, W, 3) uint8 images of any sizes -> per image a grid (h, w, dimension) float16.

        Raises FrameError for an image that is not (H, W, 3) uint8.
        """
        for rgb in images:
            check_image(rgb)
        return [_grid(tokens.half().cpu().numpy(), rgb) for tokens, rgb in zip(self.tokens(images), images, strict=True)]

    @torch.inference_mode()
    def tokens(self, images: Sequence[np.ndarray]) -> list[torch.Tensor]:
        """The patch tokens after the network's last normalisation, (h, w, dimension) per image, on the model's device."""
        groups: dict[tuple[int, int], list[int]] = {}
        for index, rgb in enumerate(images):
            groups.setdefault(self.cells(*rgb.shape[:2]), []).append(index)
        out: list[torch.Tensor] = [torch.empty(0)] * len(images)
        for (rows, columns), members in groups.items():
            for start in range(0, len(members), self.batch):
                chosen = members[start:start + self.batch]
                pixels = torch.stack([self._preprocessing.pixel_values(images[index], rows * self.patch_size,
                                                                       columns * self.patch_size) for index in chosen])
                states = self._network(pixel_values=pixels.to(self._placement.device, self._placement.dtype)).last_hidden_state
                patches = states[:, self._prefix:].unflatten(1, (rows, columns))
                for index, patch_tokens in zip(chosen, patches, strict=True):
                    out[index] = patch_tokens
        return out

    def cells(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the grid over an image: the longer side at most max_width, then each to the nearest whole patch."""
        scale = min(1.0, self.max_width / max(height, width))
        return max(1, round(height * scale / self.patch_size)), max(1, round(width * scale / self.patch_size))


def _grid(values: np.ndarray, rgb: np.ndarray) -> FeatureGrid:
    """Cells share the image evenly, because the image was stretched to whole patches; pixel centres are at integers."""
    stride_x, stride_y = rgb.shape[1] / values.shape[1], rgb.shape[0] / values.shape[0]
    return FeatureGrid(values, stride_x, stride_y, stride_x / 2 - 0.5, stride_y / 2 - 0.5)
