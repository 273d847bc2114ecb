"""Depth networks of the transformers library: Depth Anything (1 and 2, relative and metric), ZoeDepth, Depth Pro.

Yang et al. 2024 (Depth Anything V2), Bhat et al. 2023 (ZoeDepth), Bochkovskii et al. 2024 (Depth Pro).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.foundation.depth_pixels import DepthPixels
from magic3d_ros.cues.foundation.pretrained import load_pretrained, model_type
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import MonocularGeometry, check_image

MODEL_TYPES = ("depth_anything", "zoedepth", "depth_pro")
"""what config.json may name"""
_CANONICAL = (1e-4, 1e4)
"""Depth Pro's bounds of inverse depth (image_processing_depth_pro.py of transformers)."""


class TransformersDepth:
    """A GeometryModel: depth alone. kind: what it is, see MonocularGeometry; it follows from the checkpoint.

    path: a folder with config.json, preprocessor_config.json and weights. batch: at most so many images of one size at once.
    name: of the model, the folder's by default. Raises ModelError when the folder does not hold a whole checkpoint of one of
    these networks.
    """

    def __init__(self, path: Path, placement: Placement, batch: int = 8, name: str = "") -> None:
        self._family = _family(path)
        self.name = name or path.name
        self.batch = batch
        self._placement = placement
        self._pixels = DepthPixels.of(path, self._family)
        network = load_pretrained("AutoModelForDepthEstimation", path, placement)
        self.kind = _kind(self._family, network.config)
        self._network: Any = torch.compile(network) if placement.compile else network

    @torch.inference_mode()
    def geometry(self, images: Sequence[np.ndarray], focal_lengths: Sequence[float] | None = None) -> list[MonocularGeometry]:
        """(H, W, 3) uint8 images of any sizes -> the depth of each, (H, W).

        focal_lengths: pixels, of each image's camera across (Camera.fx). Depth Pro's metres hang on it; without, it takes
        the field of view that it sees in the image. Raises FrameError for an image that is not (H, W, 3) uint8, or is a strip.
        """
        for rgb in images:
            check_image(rgb)
        if focal_lengths is not None and len(focal_lengths) != len(images):
            raise ValueError(f"{len(focal_lengths)} focal lengths for {len(images)} images: one each is needed")
        groups: dict[tuple[int, int], list[int]] = {}
        for index, rgb in enumerate(images):
            groups.setdefault(rgb.shape[:2], []).append(index)
        found: dict[int, MonocularGeometry] = {}
        for (height, width), members in groups.items():
            for start in range(0, len(members), self.batch):
                chosen = members[start:start + self.batch]
                pixels = torch.stack([self._pixels.pixel_values(images[index]) for index in chosen])
                output = self._network(pixel_values=pixels.to(self._placement.device, self._placement.dtype))
                for row, index in enumerate(chosen):
                    focal = None if focal_lengths is None else focal_lengths[index]
                    found[index] = self._result(output, row, height, width, focal)
        return [found[index] for index in range(len(images))]

    def _result(self, output: Any, row: int, height: int, width: int, focal: float | None) -> MonocularGeometry:
        prediction = output.predicted_depth[row].float()
        if self._family != "depth_pro":
            return MonocularGeometry(self._pixels.on_image(prediction, height, width).cpu().numpy(), self.kind)
        fields = getattr(output, "field_of_view", None)
        # The network gives inverse depth times the focal length as a share of the image's width.
        share: Any = None
        if focal is not None:
            share = focal / width
        elif fields is not None:
            share = 0.5 / torch.tan(0.5 * torch.deg2rad(fields[row].float()))
        inverse = self._pixels.on_image(prediction if share is None else prediction / share, height, width)
        depth = 1.0 / inverse.clamp(*_CANONICAL)
        return MonocularGeometry(depth.cpu().numpy(), self.kind if share is None else "metric")


def _family(path: Path) -> str:
    kind = model_type(path)
    if kind == "prompt_depth_anything":
        raise ModelError(f"{path} is Prompt Depth Anything, which needs a LiDAR's depth beside the image: "
                         "take a Depth Anything V2")
    if kind not in MODEL_TYPES:
        raise ModelError(f"{path} holds a {kind} model, depth needs one of {', '.join(MODEL_TYPES)}: name another model")
    return kind


def _kind(family: str, config: Any) -> str:
    """depth_anything says itself what it is; Depth Pro without its field-of-view head knows depth up to a scale only."""
    if family == "depth_anything":
        return "metric" if config.depth_estimation_type == "metric" else "affine_inverse"
    return "affine" if family == "depth_pro" and not config.use_fov_model else "metric"
