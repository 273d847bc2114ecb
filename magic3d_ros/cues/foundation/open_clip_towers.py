"""Image towers of open_clip whose cells can be brought to the texts' space without training.

One rule for all: what a cell says is what the tower's own pooling and projection make of it when it is all there is to pool.
Where self-attention comes before the pooling, dense_attention.py says what the last block looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from magic3d_ros.cues.foundation.dense_attention import attended


class Tower(Protocol):
    """patch_size: side of a cell, pixels; images come in whole cells. image_size: side of the square images that it was trained
    on. blocks: what torch.compile takes one by one."""

    patch_size: int
    image_size: int
    blocks: Sequence[torch.nn.Module]

    def tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, prefix + rows * columns, width): what the pooling sees, cells last, row by row. kind: of
        dense_attention.attended, for towers that have attention before their pooling."""
        ...

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, prefix + cells, width) -> (N, dimension): of `tokens(pixels, "plain")`, what encode_image makes of the pixels."""
        ...

    def cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, prefix + cells, width) -> (N, cells, dimension): each cell alone."""
        ...


class ClipTower:
    """open_clip's own VisionTransformer: a class token that gathers (CLIP), a mean (CLIPA) or queries that pool (CoCa)."""

    def __init__(self, visual: Any) -> None:
        self._visual = visual
        self._gathers = visual.pool_type == "tok" and visual.attn_pool is None
        self.patch_size = int(visual.patch_size[0])
        self.image_size = int(min(visual.image_size))
        self.blocks = visual.transformer.resblocks

    def tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """See Tower."""
        visual = self._visual
        patches = visual.conv1(pixels)
        rows, columns = patches.shape[2:]
        patches = patches.flatten(2).transpose(1, 2)
        token = visual.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        positions = torch.cat([visual.positional_embedding[:1],
                               _resized(visual.positional_embedding[1:], visual.grid_size, rows, columns)])
        x = visual.ln_pre(torch.cat([token, patches], 1) + positions.to(patches.dtype))
        for block in self.blocks[:-1]:
            x = block(x)
        block = self.blocks[-1]
        attention = block.attn
        qkv = torch.nn.functional.linear(block.ln_1(x), attention.in_proj_weight, attention.in_proj_bias)
        q, k, v = (part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        gathered = block.ls_1(attention.out_proj(attended(kind, q, k, v, rows, columns).transpose(1, 2).flatten(2)))
        if kind == "naclip" and self._gathers:
            return gathered  # without what comes from the block before and without the MLP: the authors' "reduced" last block
        x = x + gathered
        return x + block.ls_2(block.mlp(block.ln_2(x)))

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        return self._visual._pool(tokens)[0] @ self._visual.proj

    def cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        visual, x = self._visual, tokens[:, 1:]
        if visual.attn_pool is not None:
            x = _attended_alone(visual.attn_pool, x)
        return visual.ln_post(x) @ visual.proj


class ResNetTower:
    """open_clip's ModifiedResNet: attention pools its last map. A cell alone is its value, projected, without the encoding of
    its place: MaskCLIP's own way with a ResNet, for either kind of dense features."""

    patch_size = 32
    """Pixels; the stem halves twice and three of four stages once (open_clip, modified_resnet.py)."""

    def __init__(self, visual: Any) -> None:
        self._visual = visual
        size = visual.image_size
        self.image_size = int(size if isinstance(size, int) else min(size))
        self.blocks: Sequence[torch.nn.Module] = [visual.layer1, visual.layer2, visual.layer3, visual.layer4]

    def tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """See Tower."""
        x = self._visual.stem(pixels)
        for block in self.blocks:
            x = block(x)
        return x.flatten(2).transpose(1, 2)

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        return self._visual.attnpool(tokens.transpose(1, 2).unflatten(2, (self.image_size // self.patch_size, -1)))

    def cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        pool = self._visual.attnpool
        return pool.c_proj(pool.v_proj(tokens))


def tower_of(visual: Any) -> Tower | None:
    """The tower of an open_clip network's `visual`; None for one whose cells no pooling brings to the texts' space."""
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    from magic3d_ros.cues.foundation.timm_towers import timm_tower_of

    if isinstance(visual, ModifiedResNet):
        return ResNetTower(visual)
    if isinstance(visual, TimmModel):
        return timm_tower_of(visual)
    if isinstance(visual, VisionTransformer) and visual.pool_type != "none" and visual.patch_size[0] == visual.patch_size[1] \
            and isinstance(visual.transformer.resblocks[-1], ResidualAttentionBlock):
        return ClipTower(visual)
    return None


def _attended_alone(pooler: Any, x: torch.Tensor) -> torch.Tensor:
    """What CoCa's pooler gives for each token alone: a softmax over one key is one, so it is the token's value, whoever asks."""
    attention, width = pooler.attn, pooler.attn.embed_dim
    weight = attention.in_proj_weight[2 * width:] if attention.v_proj_weight is None else attention.v_proj_weight
    return attention.out_proj(torch.nn.functional.linear(pooler.ln_k(x), weight, attention.in_proj_bias[2 * width:]))


def _resized(positions: torch.Tensor, grid: tuple[int, int], rows: int, columns: int) -> torch.Tensor:
    """Position encodings (patches, width) of a grid, resized as open_clip resizes them between checkpoints."""
    if (rows, columns) == tuple(grid):
        return positions
    image = positions.float().unflatten(0, tuple(grid)).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(image, (rows, columns), mode="bicubic", antialias=True, align_corners=False)
    return resized[0].flatten(1).T.to(positions.dtype)
