"""Image towers of open_clip whose patches can be brought to the texts' space: its own ViT, and timm's ViT of SigLIP."""

from __future__ import annotations

from typing import Any

import torch

from magic3d_ros.cues.foundation.dense_attention import attended
from magic3d_ros.cues.weights import ModelError


class ClipTower:
    """open_clip's VisionTransformer: a class token that gathers, a norm and a projection."""

    prefix = 1

    def __init__(self, visual: Any) -> None:
        self._visual = visual
        self.patch_size = int(visual.patch_size[0])
        self.image_size = int(min(visual.image_size))
        self.blocks = visual.transformer.resblocks

    def token_vectors(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, 1 + rows * columns, dimension): the class token and the patches after the last norm and projection,
        row by row. kind: of dense_attention.attended; with "plain" the class token is what encode_image gives."""
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
        if kind == "naclip":
            x = gathered  # without what comes from the block before and without the MLP: the authors' "reduced" last block
        else:
            x = x + gathered
            x = x + block.ls_2(block.mlp(block.ln_2(x)))
        return visual.ln_post(x) @ visual.proj


class SiglipTower:
    """timm's VisionTransformer with the attention pooling of SigLIP: what a patch says is the head's answer to it alone, and the
    last block keeps its residual and its MLP, for the reasons that siglip.py gives."""

    prefix = 0

    def __init__(self, visual: Any) -> None:
        self._trunk, self._after = visual.trunk, visual.head
        self.patch_size = int(visual.trunk.patch_embed.patch_size[0])
        self.image_size = int(min(visual.image_size))
        self.blocks = visual.trunk.blocks

    def token_vectors(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, rows * columns, dimension), row by row."""
        head = self._trunk.attn_pool
        value = head.kv(self.patch_tokens(pixels, kind)).chunk(2, dim=-1)[1]
        gathered = head.proj(value)
        return self._finished(gathered + head.mlp(head.norm(gathered)))

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, T, width) -> (N, dimension) as encode_image pools them."""
        return self._finished(self._trunk.attn_pool(tokens))

    def patch_tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """(N, 3, H, W) -> (N, rows * columns, width) after the last norm."""
        trunk = self._trunk
        patches = trunk.patch_embed.proj(pixels)
        rows, columns = patches.shape[2:]
        x = trunk.patch_embed.norm(patches.flatten(2).transpose(1, 2))
        x = trunk.norm_pre(x + _resized(trunk.pos_embed[0], trunk.patch_embed.grid_size, rows, columns).to(x.dtype))
        for block in self.blocks[:-1]:
            x = block(x)
        block = self.blocks[-1]
        attention = block.attn
        q, k, v = (part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
                   for part in attention.qkv(block.norm1(x)).chunk(3, dim=-1))
        q, k = attention.q_norm(q), attention.k_norm(k)
        gathered = attention.norm(attended(kind, q, k, v, rows, columns).transpose(1, 2).flatten(2))
        x = x + block.ls1(attention.proj(gathered))
        return trunk.norm(x + block.ls2(block.mlp(block.norm2(x))))

    def _finished(self, x: torch.Tensor) -> torch.Tensor:
        return self._after(self._trunk.head(self._trunk.fc_norm(x)))


def tower_of(network: Any, what: str) -> ClipTower | SiglipTower:
    """The tower of an open_clip network. Raises ModelError, naming `what`, for one that is neither."""
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    visual = network.visual
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None and visual.patch_size[0] == visual.patch_size[1] \
            and isinstance(visual.transformer.resblocks[-1], ResidualAttentionBlock):
        return ClipTower(visual)
    if isinstance(visual, TimmModel) and _is_siglip(visual.trunk):
        return SiglipTower(visual)
    kind = type(getattr(visual, "trunk", visual)).__name__
    raise ModelError(f"{what} has an image tower ({kind}) for which dense features are unknown: take a ViT of open_clip's own "
                     "(laion/CLIP-ViT-B-16-laion2B-s34B-b88K) or a SigLIP")


def _is_siglip(trunk: Any) -> bool:
    """Whether a timm network is a ViT of SigLIP's kind: no class token, one latent query that pools."""
    from timm.layers import Attention, AttentionPoolLatent
    from timm.models.vision_transformer import VisionTransformer

    if not isinstance(trunk, VisionTransformer) or not isinstance(getattr(trunk, "attn_pool", None), AttentionPoolLatent):
        return False
    head, attention = trunk.attn_pool, trunk.blocks[-1].attn
    plain_head = head.pos_embed is None and head.latent_len == 1 and head.pool == "token" and head.mlp is not None
    return plain_head and trunk.num_prefix_tokens == 0 and type(attention) is Attention and attention.gate is None


def _resized(positions: torch.Tensor, grid: tuple[int, int], rows: int, columns: int) -> torch.Tensor:
    """Position encodings (patches, width) of a grid, resized as open_clip and timm resize them between checkpoints."""
    if (rows, columns) == tuple(grid):
        return positions
    image = positions.float().unflatten(0, tuple(grid)).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(image, (rows, columns), mode="bicubic", antialias=True, align_corners=False)
    return resized[0].flatten(1).T.to(positions.dtype)
