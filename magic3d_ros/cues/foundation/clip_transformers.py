"""CLIP through the transformers library: OpenAI's own, and Chinese CLIP, AltCLIP and MetaCLIP 2, whose image tower is the same.

Radford et al. 2021. Dense features as in open_clip_towers.py: what a patch says is the last norm and the projection of it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.foundation.contrastive import ContrastiveModel, check_dense
from magic3d_ros.cues.foundation.dense_attention import gathered_in
from magic3d_ros.cues.foundation.images import Preprocessing, processor_values, without_far_ends
from magic3d_ros.cues.foundation.pretrained import check_vocabulary, load_pretrained, model_type, text_tokenizer
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError

MODEL_TYPES = ("clip", "chinese_clip", "altclip", "metaclip_2")
"""What config.json may name."""
_CONTEXT = 77
"""Tokens; what CLIP and MetaCLIP 2 were trained with. The others' texts were longer or shorter, but no question is."""


class TransformersClip(ContrastiveModel):
    """path: a folder with config.json, preprocessor_config.json, a tokenizer and weights. dense: naclip or maskclip.

    Raises ModelError for what is no whole checkpoint of such a model.
    """

    def __init__(self, path: Path, placement: Placement, *, dense: str = "naclip", feature_dimension: int = 64,
                 max_width: int = 640, batch: int = 4, name: str = "", cache: Path | None = None) -> None:
        kind = model_type(path)
        if kind not in MODEL_TYPES:
            raise ModelError(f"{path} holds a {kind} model, not one of {', '.join(MODEL_TYPES)}")
        self._dense = check_dense(dense)
        self._tokenizer = text_tokenizer(path)
        self._pixels = Preprocessing.of(path, "pil")
        self._crops_squarely = _crops_squarely(path)
        self._placement = placement
        self._network = load_pretrained("AutoModel", path, Placement(placement.device))
        self._vision: Any = self._network.vision_model
        vision, text = self._network.config.vision_config, self._network.config.text_config
        check_vocabulary(path, self._tokenizer, text)
        self._context = min(_CONTEXT, int(text.max_position_embeddings))
        super().__init__(self._network, placement, name=name or path.name, logit_scale=float(self._network.logit_scale.exp()),
                         patch_size=int(vision.patch_size), image_size=int(vision.image_size),
                         feature_dimension=feature_dimension, max_width=max_width, batch=batch, cache=cache)
        if placement.compile:
            for layer in self._vision.encoder.layers:
                layer.compile()

    def _text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self._tokenizer(list(texts), padding=True, max_length=self._context, truncation=True, return_tensors="pt")
        return self._network.get_text_features(**tokens.to(self._placement.device)).pooler_output

    def _crop_vectors(self, crops: Sequence[np.ndarray]) -> torch.Tensor:
        pixels = torch.stack([self.crop_pixels(crop) for crop in crops])
        return self._network.get_image_features(self._on_device(pixels)).pooler_output

    def crop_pixels(self, crop: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (3, image_size, image_size) float32: the official processor's values."""
        side = self.image_size
        if not self._crops_squarely:
            return self._pixels.pixel_values(crop, side, side)
        crop = without_far_ends(crop)
        height, width = crop.shape[:2]
        short = min(height, width)
        pixels = self._pixels.pixel_values(crop, int(side * height / short), int(side * width / short))
        top, left = (pixels.shape[1] - side) // 2, (pixels.shape[2] - side) // 2
        return pixels[:, top:top + side, left:left + side]

    def _patch_vectors(self, images: Sequence[np.ndarray], rows: int, columns: int) -> torch.Tensor:
        size = (rows * self.patch_size, columns * self.patch_size)
        pixels = torch.stack([self._pixels.pixel_values(rgb, *size) for rgb in images])
        return self.token_vectors(pixels, self._dense)[:, 1:]

    def token_vectors(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, 1 + rows * columns, dimension): the class token and the patches after the last norm and
        projection, row by row. kind: of dense_attention.attended; with "plain" the class token is the image's embedding."""
        vision = self._vision
        rows, columns = pixels.shape[2] // self.patch_size, pixels.shape[3] // self.patch_size
        x = vision.pre_layrnorm(vision.embeddings(self._on_device(pixels), interpolate_pos_encoding=True))
        for layer in vision.encoder.layers[:-1]:
            x = layer(x, attention_mask=None)
        layer = vision.encoder.layers[-1]
        gathered = gathered_in(layer, x, kind, rows, columns)
        if kind == "naclip":
            x = gathered  # without what comes from the layer before and without the MLP: the authors' "reduced" last block
        else:
            x = x + gathered
            x = x + layer.mlp(layer.layer_norm2(x))
        return self._network.visual_projection(vision.post_layernorm(x))

    def _on_device(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(self._placement.device, self._vision.embeddings.patch_embedding.weight.dtype)


def _crops_squarely(folder: Path) -> bool:
    """Whether the official processor cuts the middle square out, as CLIP's, or stretches the whole image, as Chinese CLIP's."""
    values = processor_values(folder)
    size = values.get("size", {"shortest_edge": 0})
    return bool(values.get("do_center_crop", True)) and (not isinstance(size, dict) or "shortest_edge" in size)
