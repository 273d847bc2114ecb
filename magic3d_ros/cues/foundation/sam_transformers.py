"""SAM, SAM-HQ, SAM 2 / 2.1, EdgeTAM and SAM 3's tracker from folders in the transformers library's format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.foundation.images import Preprocessing, check_image
from magic3d_ros.cues.foundation.point_prompts import PointPrompted
from magic3d_ros.cues.foundation.pretrained import load_pretrained, model_type
from magic3d_ros.cues.foundation.segment_anything import MIN_QUALITY, resized_longer_side
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError

_PADDED = ("sam", "sam_hq")
"""These see the image with its own shape, padded to a square; the others see it stretched to one."""
MODEL_TYPES = (*_PADDED, "sam2", "sam2_video", "edgetam", "edgetam_video", "sam3_tracker", "sam3_video")
"""what config.json may name: transformers' models for mask generation"""
MIN_QUALITY_SAM2 = 0.8
"""of SAM 2's own SAM2AutomaticMaskGenerator (pred_iou_thresh)"""


@dataclass(frozen=True)
class _Embedding:
    inputs: dict[str, Any]
    """what the network's forward takes for an image that it has seen"""
    input_size: tuple[int, int]
    scale: np.ndarray
    """network pixels per image pixel, x y"""


class TransformersSam(PointPrompted):
    """A MaskModel from a folder with config.json, preprocessor_config.json and weights.

    Raises ModelError when the folder does not hold a whole checkpoint of the SAM family.
    """

    def __init__(self, path: Path, placement: Placement, points_per_side: int = 32, granularity: str = "objects",
                 time_budget: float = 0.0, max_width: int = 640, name: str = "", min_quality: float | None = None) -> None:
        kind = model_type(path)
        if kind not in MODEL_TYPES:
            raise ModelError(f"{path} holds a {kind} model, masks need one of {', '.join(MODEL_TYPES)}: name another model")
        self._padded = kind in _PADDED
        if min_quality is None:
            min_quality = MIN_QUALITY if self._padded else MIN_QUALITY_SAM2
        super().__init__(name or path.name, min_quality, points_per_side, granularity, time_budget, max_width)
        self._preprocessing = Preprocessing.of(path, "pil" if self._padded else "tensor")
        self._network: Any = load_pretrained("AutoModelForMaskGeneration", path, placement)
        size = self._network.config.prompt_encoder_config.image_size
        self._side = int(size if isinstance(size, int) else size[0])
        if placement.compile:
            self._network.vision_encoder = torch.compile(self._network.vision_encoder)
        self._placement = placement

    def pixel_values(self, rgb: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (1, 3, side, side) float32 on the CPU."""
        check_image(rgb)
        rows, columns = self._input_size(*rgb.shape[:2])
        pixels = self._preprocessing.pixel_values(rgb, rows, columns)[None]
        return torch.nn.functional.pad(pixels, (0, self._side - columns, 0, self._side - rows))

    def _embed(self, rgb: np.ndarray) -> _Embedding:
        pixels = self.pixel_values(rgb).to(self._placement.device, self._placement.dtype)
        seen = self._network.get_image_embeddings(pixels)
        inputs = {"image_embeddings": seen}
        if isinstance(seen, tuple):  # SAM-HQ's finer masks need what the encoder's blocks said, too
            inputs = {"image_embeddings": seen[0], "intermediate_embeddings": seen[1]}
        rows, columns = self._input_size(*rgb.shape[:2])
        return _Embedding(inputs, (rows, columns), np.array([columns / rgb.shape[1], rows / rgb.shape[0]]))

    def _answer(self, embedding: _Embedding, points: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        places = torch.from_numpy(points * embedding.scale)[None, :, None].to(self._placement.device, self._placement.dtype)
        labels = torch.ones(places.shape[:3], dtype=torch.int, device=places.device)
        answer = self._network(input_points=places, input_labels=labels, multimask_output=True, **embedding.inputs)
        return answer.pred_masks[0].float(), answer.iou_scores[0].float()

    def _enlarge(self, logits: torch.Tensor, embedding: _Embedding, size: tuple[int, int]) -> torch.Tensor:
        enlarge = torch.nn.functional.interpolate
        masks = logits[:, None]
        if self._padded:
            rows, columns = embedding.input_size
            masks = enlarge(masks, (self._side, self._side), mode="bilinear", align_corners=False)[..., :rows, :columns]
        return enlarge(masks, size, mode="bilinear", align_corners=False)[:, 0]

    def _input_size(self, height: int, width: int) -> tuple[int, int]:
        return resized_longer_side(height, width, self._side) if self._padded else (self._side, self._side)
