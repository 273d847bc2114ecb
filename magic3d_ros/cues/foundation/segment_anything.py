"""Segment Anything from the authors' own checkpoints (sam_vit_b/l/h_*.pth), through their package.

Kirillov et al. 2023, github.com/facebookresearch/segment-anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from magic3d_ros.cues.foundation.point_prompts import PointPrompted
from magic3d_ros.cues.foundation.pretrained import naming_the_cause
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.weights import ModelError, check_names, read_weights

MIN_QUALITY = 0.88
"""of SamAutomaticMaskGenerator (pred_iou_thresh)"""
_DECODER_HEADS = 8
"""of the two-way transformer: the one number of build_sam.py that a checkpoint's shapes do not tell for every size"""


@dataclass(frozen=True)
class _Embedding:
    features: torch.Tensor
    input_size: tuple[int, int]
    scale: np.ndarray
    """network pixels per image pixel, x y"""


class SegmentAnything(PointPrompted):
    """A MaskModel from one checkpoint file; ViT-B, L or H is read from its shapes.

    Raises ModelError for a file that is missing, truncated, or no SAM checkpoint.
    """

    def __init__(self, path: Path, placement: Placement, points_per_side: int = 32, granularity: str = "objects",
                 time_budget: float = 0.0, max_width: int = 640, name: str = "", min_quality: float = MIN_QUALITY) -> None:
        super().__init__(name or path.stem, min_quality, points_per_side, granularity, time_budget, max_width)
        weights = read_weights(path)
        with naming_the_cause(path):
            network = build_sam(weights, path)
        # The image encoder has nearly all the arithmetic. The rest embeds points in float32 whatever its weights are.
        self._network: Any = replace(placement, dtype=torch.float32).put(network)
        self._network.image_encoder.to(placement.dtype)
        if placement.compile:
            self._network.image_encoder = torch.compile(self._network.image_encoder)
        self._placement = placement
        self._side = int(network.image_encoder.img_size)

    def _embed(self, rgb: np.ndarray) -> _Embedding:
        x = self.pixel_values(rgb)
        features = self._network.image_encoder(x.to(self._placement.dtype)).float()
        rows, columns = self._input_size(*rgb.shape[:2])
        return _Embedding(features, (rows, columns), np.array([columns / rgb.shape[1], rows / rgb.shape[0]]))

    def pixel_values(self, rgb: np.ndarray) -> torch.Tensor:
        """(H, W, 3) uint8 -> (1, 3, side, side) float32: the longer side resized to the network's, normalised, padded right and
        below with zeros."""
        rows, columns = self._input_size(*rgb.shape[:2])
        resized = np.array(Image.fromarray(rgb).resize((columns, rows), Image.Resampling.BILINEAR))
        pixels = torch.from_numpy(resized).to(self._placement.device).permute(2, 0, 1)[None]
        out: torch.Tensor = self._network.preprocess(pixels)
        return out

    def _answer(self, embedding: _Embedding, points: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        places = torch.from_numpy(points * embedding.scale)[:, None].to(embedding.features)
        labels = torch.ones(places.shape[:2], dtype=torch.int, device=places.device)
        sparse, dense = self._network.prompt_encoder(points=(places, labels), boxes=None, masks=None)
        logits, quality = self._network.mask_decoder(
            image_embeddings=embedding.features, image_pe=self._network.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)
        return logits, quality

    def _enlarge(self, logits: torch.Tensor, embedding: _Embedding, size: tuple[int, int]) -> torch.Tensor:
        enlarge = torch.nn.functional.interpolate
        at_input = enlarge(logits[:, None], (self._side, self._side), mode="bilinear", align_corners=False)
        rows, columns = embedding.input_size
        return enlarge(at_input[..., :rows, :columns], size, mode="bilinear", align_corners=False)[:, 0]

    def _input_size(self, height: int, width: int) -> tuple[int, int]:
        return resized_longer_side(height, width, self._side)


def resized_longer_side(height: int, width: int, side: int) -> tuple[int, int]:
    """An image's size after its longer side became `side`, rounded as SAM does (ResizeLongestSide); never less than a pixel."""
    scale = side / max(height, width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def build_sam(weights: dict[str, torch.Tensor], path: Path) -> Any:
    """segment_anything's Sam with these weights; sizes are read from the tensors, so that ViT-B, L and H need no name.

    Raises ModelError when the tensors are not those of a SAM; what the package itself raises (ImportError) passes.
    """
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    try:
        position = weights["image_encoder.pos_embed"]
        rows, width = position.shape[1], position.shape[3]
        patch = weights["image_encoder.patch_embed.proj.weight"].shape[-1]
        channels = weights["image_encoder.neck.0.weight"].shape[0]
        blocks = range(_count(weights, "image_encoder.blocks."))
        relative = [weights[f"image_encoder.blocks.{block}.attn.rel_pos_h"].shape for block in blocks]
        windows = [(length + 1) // 2 for length, _ in relative]  # a table of 2 n - 1 offsets for windows of n x n patches
        decoder = "mask_decoder.transformer.layers."
        network = Sam(
            image_encoder=ImageEncoderViT(
                depth=len(relative), embed_dim=width, img_size=rows * patch, patch_size=patch, num_heads=width // relative[0][1],
                mlp_ratio=weights["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / width, out_chans=channels, qkv_bias=True,
                norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), use_rel_pos=True, window_size=min(windows),
                global_attn_indexes=tuple(block for block, window in enumerate(windows) if window == rows)),
            prompt_encoder=PromptEncoder(
                embed_dim=channels, image_embedding_size=(rows, rows), input_image_size=(rows * patch, rows * patch),
                mask_in_chans=weights["prompt_encoder.mask_downscaling.3.weight"].shape[0]),
            mask_decoder=MaskDecoder(
                num_multimask_outputs=weights["mask_decoder.mask_tokens.weight"].shape[0] - 1, transformer_dim=channels,
                transformer=TwoWayTransformer(depth=_count(weights, decoder), embedding_dim=channels, num_heads=_DECODER_HEADS,
                                              mlp_dim=weights[f"{decoder}0.mlp.lin1.weight"].shape[0]),
                iou_head_depth=_count(weights, "mask_decoder.iou_prediction_head.layers."),
                iou_head_hidden_dim=weights["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0]))
    except (KeyError, IndexError, AttributeError, ZeroDivisionError) as error:
        raise ModelError(f"{path} is no checkpoint of segment-anything (it lacks {error}): take sam_vit_b, l or h of its "
                         "authors, or name a folder in the transformers library's format") from error
    expected = network.state_dict()
    check_names(path, "segment-anything", expected.keys() - weights.keys(), weights.keys() - expected.keys(),
                [name for name in expected.keys() & weights.keys() if expected[name].shape != weights[name].shape])
    network.load_state_dict(weights)
    return network


def _count(weights: dict[str, torch.Tensor], prefix: str) -> int:
    """How many numbered modules begin with the prefix."""
    return len({name[len(prefix):].partition(".")[0] for name in weights if name.startswith(prefix)})
