"""SigLIP and SigLIP 2 (of fixed and of flexible image size, "NaFlex") through the transformers library.

Zhai et al. 2023; Tschannen et al. 2025. Their image tower has no class token: a head with one learned query looks at all patches.
What a single patch says is that head's answer when the patch is all there is to look at: its value, projected, and the MLP.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import linear

from magic3d_ros.cues.foundation.contrastive import ContrastiveModel, check_dense
from magic3d_ros.cues.foundation.dense_attention import gathered_in
from magic3d_ros.cues.foundation.images import Preprocessing, processor_values
from magic3d_ros.cues.foundation.pretrained import check_vocabulary, load_pretrained, model_type, text_tokenizer
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError

MODEL_TYPES = ("siglip", "siglip2")
"""What config.json may name; SigLIP 2 of fixed size is a "siglip"."""
_CONTEXT = 64
"""Tokens; all published models were trained with texts padded to it, and their pooled token is the last."""


class Siglip(ContrastiveModel):
    """path: a folder with config.json, preprocessor_config.json, a tokenizer and weights. dense: naclip or maskclip.

    Raises ModelError for what is no whole checkpoint of such a model.
    """

    def __init__(self, path: Path, placement: Placement, *, dense: str = "naclip", feature_dimension: int = 64,
                 max_width: int = 640, batch: int = 4, name: str = "", cache: Path | None = None) -> None:
        kind = model_type(path)
        if kind not in MODEL_TYPES:
            raise ModelError(f"{path} holds a {kind} model, language needs {', '.join(MODEL_TYPES)}, clip, altclip, "
                             "chinese_clip, metaclip_2, or a model of open_clip")
        self._dense = check_dense(dense)
        self._flexible = kind == "siglip2"
        self._tokenizer = text_tokenizer(path)
        self._pixels = Preprocessing.of(path, "pil")
        self._placement = placement
        self._network = load_pretrained("AutoModel", path, Placement(placement.device))
        self._vision: Any = self._network.vision_model
        vision, text = self._network.config.vision_config, self._network.config.text_config
        if not self._vision.use_head:
            raise ModelError(f"{path} was saved without the head that brings images to the texts' space: get the whole model")
        check_vocabulary(path, self._tokenizer, text)
        self._context = min(_CONTEXT, int(text.max_position_embeddings))
        patch = int(vision.patch_size)
        if self._flexible:
            self._most_patches = int(processor_values(path).get("max_num_patches", 256))
            side = round(int(vision.num_patches) ** 0.5) * patch
        else:
            side = int(vision.image_size)
        super().__init__(self._network, placement, name=name or path.name, logit_scale=float(self._network.logit_scale.exp()),
                         patch_size=patch, image_size=side, feature_dimension=feature_dimension, max_width=max_width, batch=batch,
                         cache=cache)
        if placement.compile:
            for layer in self._vision.encoder.layers:
                layer.compile()

    def _text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self._tokenizer(list(texts), padding="max_length", max_length=self._context, truncation=True,
                                 return_tensors="pt")
        return self._network.get_text_features(**tokens.to(self._placement.device)).pooler_output

    def _crop_vectors(self, crops: Sequence[np.ndarray]) -> torch.Tensor:
        return self._network.get_image_features(**self.crop_pixels(crops)).pooler_output

    def crop_pixels(self, crops: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
        """Images (H, W, 3) uint8 -> what the network takes, on its device: the official processor's values."""
        if not self._flexible:
            pixels = torch.stack([self._pixels.pixel_values(rgb, self.image_size, self.image_size) for rgb in crops])
            return {"pixel_values": self._on_device(pixels)}
        from transformers.models.siglip2.image_processing_pil_siglip2 import get_image_size_for_max_num_patches

        values = torch.zeros(len(crops), self._most_patches, 3 * self.patch_size ** 2)
        mask = torch.zeros(len(crops), self._most_patches, dtype=torch.int32)
        shapes = torch.zeros(len(crops), 2, dtype=torch.int64)
        for row, rgb in enumerate(crops):
            height, width = get_image_size_for_max_num_patches(
                rgb.shape[0], rgb.shape[1], self.patch_size, self._most_patches)
            patches = self._flattened(self._pixels.pixel_values(rgb, height, width)[None])[0]
            values[row, :len(patches)], mask[row, :len(patches)] = patches, 1
            shapes[row] = torch.tensor([height // self.patch_size, width // self.patch_size])
        return {"pixel_values": self._on_device(values), "pixel_attention_mask": mask.to(self._placement.device),
                "spatial_shapes": shapes.to(self._placement.device)}

    def _patch_vectors(self, images: Sequence[np.ndarray], rows: int, columns: int) -> torch.Tensor:
        size = (rows * self.patch_size, columns * self.patch_size)
        pixels = torch.stack([self._pixels.pixel_values(rgb, *size) for rgb in images])
        return self.head(self.patch_tokens(pixels, self._dense), alone=True)

    def patch_tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, rows * columns, width): patches after the last norm, row by row. kind: of dense_attention.attended.

        The last block keeps its residual and its MLP (as RayFronts does it): here it is patches that the head looks at, not what
        a class token gathered from them.
        """
        vision = self._vision
        rows, columns = pixels.shape[2] // self.patch_size, pixels.shape[3] // self.patch_size
        pixels = self._on_device(pixels)
        if self._flexible:
            shapes = torch.tensor([[rows, columns]] * len(pixels), device=pixels.device)
            x = vision.embeddings(self._flattened(pixels), shapes)
        else:
            x = vision.embeddings(pixels, interpolate_pos_encoding=True)
        for layer in vision.encoder.layers[:-1]:
            x = layer(x, attention_mask=None)
        layer = vision.encoder.layers[-1]
        x = x + gathered_in(layer, x, kind, rows, columns)
        x = x + layer.mlp(layer.layer_norm2(x))
        return vision.post_layernorm(x)

    def head(self, tokens: torch.Tensor, alone: bool) -> torch.Tensor:
        """The pooling head. tokens (N, T, width) -> (N, width) over all T; or (N, T, width), each alone: a softmax over one key
        is one, so query and keys do not matter."""
        head = self._vision.head
        if not alone:
            return head(tokens)
        width = tokens.shape[-1]
        attention = head.attention
        value = linear(tokens, attention.in_proj_weight[2 * width:], attention.in_proj_bias[2 * width:])
        gathered = attention.out_proj(value)
        return gathered + head.mlp(head.layernorm(gathered))

    def _flattened(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) -> (N, patches, patch_size^2 * 3), row by row, channels last within a patch: NaFlex' own order."""
        side = self.patch_size
        patches = pixels.unflatten(3, (-1, side)).unflatten(2, (-1, side)).permute(0, 2, 4, 3, 5, 1)
        return patches.flatten(3).flatten(1, 2)

    def _on_device(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(self._placement.device, self._vision.embeddings.patch_embedding.weight.dtype)
