"""CLIP through the open_clip library: the models it publishes with a ViT of its own or of SigLIP's, from a local checkpoint.

Radford et al. 2021; Cherti et al. 2023 (open_clip, LAION). Dense features: see open_clip_towers.py.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from magic3d_ros.config import CueSettings
from magic3d_ros.cues.foundation.contrastive import ContrastiveModel, check_dense
from magic3d_ros.cues.foundation.images import Preprocessing
from magic3d_ros.cues.foundation.open_clip_checkpoint import load_network, tokenizer_of
from magic3d_ros.cues.foundation.pretrained import naming_the_cause
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, find_model

_LONGEST = 16
"""Sides a crop may differ by before its ends are cut: the official resize makes its shorter side 224 and crops a square, so a
crop of 8000 x 1 would be 1.8 million pixels long in between; what is cut here is cut there."""


class OpenClip(ContrastiveModel):
    """path: a folder with open_clip_config.json and open_clip_model.safetensors or open_clip_pytorch_model.bin, as on the hub; or
    a checkpoint file, when `architecture` names one that the library knows ("ViT-B-16"). dense: naclip or maskclip.

    Raises ModelError for what is no whole checkpoint of such a model, or has an image tower that dense features are unknown for.
    """

    def __init__(self, path: Path, placement: Placement, *, architecture: str = "", dense: str = "naclip",
                 feature_dimension: int = 64, max_width: int = 640, batch: int = 4, name: str = "",
                 cache: Path | None = None) -> None:
        self._dense = check_dense(dense)
        with naming_the_cause(path):
            from open_clip.transform import PreprocessCfg, image_transform_v2

            self._network, self.tower, preprocessing = load_network(path, architecture)
            self._tokenizer = tokenizer_of(path, architecture, self._network)
            self._official = image_transform_v2(PreprocessCfg(**preprocessing), is_train=False)
        resample = Image.Resampling.BILINEAR if preprocessing["interpolation"] == "bilinear" else Image.Resampling.BICUBIC
        self._pixels = Preprocessing(tuple(preprocessing["mean"]), tuple(preprocessing["std"]), 1 / 255, int(resample), "pil")
        self._placement = placement
        Placement(placement.device).put(self._network)
        super().__init__(self._network, placement, name=name or path.name, logit_scale=float(self._network.logit_scale.exp()),
                         patch_size=self.tower.patch_size, image_size=self.tower.image_size,
                         feature_dimension=feature_dimension, max_width=max_width, batch=batch, cache=cache)
        if placement.compile:
            for block in self.tower.blocks:
                block.compile()

    def _text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        return self._network.encode_text(self._tokenizer(list(texts)).to(self._placement.device))

    def _crop_vectors(self, crops: Sequence[np.ndarray]) -> torch.Tensor:
        return self._network.encode_image(self._on_device(torch.stack([self.crop_pixels(crop) for crop in crops])))

    def crop_pixels(self, crop: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (3, size, size) float32 by open_clip's own transform."""
        height, width = crop.shape[:2]
        allowed = min(height, width) * _LONGEST
        top, left = max(0, height - allowed) // 2, max(0, width - allowed) // 2
        return self._official(Image.fromarray(crop[top:top + allowed, left:left + allowed]))

    def _patch_vectors(self, images: Sequence[np.ndarray], rows: int, columns: int) -> torch.Tensor:
        size = (rows * self.patch_size, columns * self.patch_size)
        pixels = self._on_device(torch.stack([self._pixels.pixel_values(rgb, *size) for rgb in images]))
        return self.tower.token_vectors(pixels, self._dense)[:, self.tower.prefix:]

    def _on_device(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(self._placement.device, self._placement.dtype)


def find_open_clip(model: str, cues: CueSettings) -> tuple[Path, str]:
    """Where a model is, and its architecture ("" where its folder says it), from one of: a folder, a hub name, "ARCHITECTURE:TAG"
    with a tag of open_clip ("ViT-B-16:laion2b_s34b_b88k"), "ARCHITECTURE:FILE" with a checkpoint.

    Raises ModelError when it is not on this machine and may not be fetched (weights.find_model), or has no such architecture.
    """
    architecture, colon, rest = model.partition(":")
    if not colon or Path(model).expanduser().exists():
        return find_model(model, cues), ""
    with naming_the_cause(Path(model)):
        import open_clip

        known, tag = open_clip.list_models(), open_clip.get_pretrained_cfg(architecture, rest)
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, 1)
        raise ModelError(f"open_clip knows no architecture '{architecture}'" + (f": did you mean '{near[0]}'?" if near else ""))
    if tag and tag.get("hf_hub"):
        return find_model(os.path.split(tag["hf_hub"])[0], cues), ""
    return find_model(rest, cues), architecture
