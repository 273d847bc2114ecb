"""Image towers that open_clip takes from timm: SigLIP, EVA, Perception Encoder, ViTamin, MobileCLIP, ConvNeXt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from magic3d_ros.cues.foundation.dense_attention import attended

_ROTATION = ("dim", "max_res", "temperature", "in_pixels", "linear_bands", "ref_feat_shape", "grid_offset", "grid_indexing",
             "rotate_half")
"""What timm's rotary encoding is made with, beside the one shape that it is then fixed to; versions differ by the last two."""


class TransformerTower:
    """timm's VisionTransformer (also behind a convolutional stem: ViTamin, MobileCLIP-B) and Eva (EVA-02, Perception Encoder).

    From now on the trunk takes images of any whole number of patches, by timm's own resampling of position encodings; those of
    its own size go the way they went.
    """

    def __init__(self, visual: Any) -> None:
        self._trunk, self._after = visual.trunk, visual.head
        self.patch_size = int(visual.trunk.patch_embed.feat_ratio())
        self.image_size = int(min(visual.image_size))
        self.blocks = visual.trunk.blocks
        self._gathers = visual.trunk.attn_pool is None and visual.trunk.global_pool == "token"
        _take_any_size(visual.trunk)

    def tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """See open_clip_towers.Tower. The last block keeps its residual and its MLP where its patches are pooled, for the reason
        that siglip.py gives; not with NACLIP where a class token gathers, as in its authors' own."""
        trunk = self._trunk
        patches = trunk.patch_embed(pixels)
        rows, columns = patches.shape[1:3]
        placed = trunk._pos_embed(patches)
        x, rotation = placed if isinstance(placed, tuple) else (placed, None)
        x = trunk.norm_pre(x)
        turned = {} if rotation is None else {"rope": rotation}
        for block in self.blocks[:-1]:
            x = block(x, **turned)
        block = self.blocks[-1]
        after = _norms_afterwards(block)
        q, k, v = _queries_keys_values(block.attn, x if after else block.norm1(x), rotation if kind == "plain" else None)
        gathered = block.attn.norm(attended(kind, q, k, v, rows, columns).transpose(1, 2).flatten(2))
        gathered = block.attn.proj(gathered)
        gathered = block.norm1(gathered) if after else _scaled(block, 1, gathered)
        if kind == "naclip" and self._gathers:
            return trunk.norm(gathered)
        x = x + gathered
        return trunk.norm(x + (block.norm2(block.mlp(x)) if after else _scaled(block, 2, block.mlp(block.norm2(x)))))

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """See open_clip_towers.Tower."""
        return self._after(self._trunk.forward_head(tokens))

    def cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """See open_clip_towers.Tower."""
        patches = tokens[:, self._trunk.num_prefix_tokens:]
        return self.pooled(patches.flatten(0, 1)[:, None]).unflatten(0, patches.shape[:2])


class ConvolutionTower:
    """timm's ConvNeXt and FastVit (MobileCLIP): the mean of the last map goes through a head.

    FastVit's head is linear, so the mean over its cells is the image; ConvNeXt's has a norm first (and an MLP in the large ones),
    so a cell's head is not quite its share of the image.
    """

    def __init__(self, visual: Any) -> None:
        self._trunk, self._after = visual.trunk, visual.head
        self.patch_size = int(visual.trunk.feature_info[-1]["reduction"])
        self.image_size = int(min(visual.image_size))
        self.blocks: Sequence[torch.nn.Module] = list(visual.trunk.stages)

    def tokens(self, pixels: torch.Tensor, kind: str) -> torch.Tensor:
        """See open_clip_towers.Tower; there is no attention that pools, so kind changes nothing."""
        return self._trunk.forward_features(pixels).flatten(2).transpose(1, 2)

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """See open_clip_towers.Tower."""
        return self._head(tokens.transpose(1, 2).unflatten(2, (self.image_size // self.patch_size, -1)))

    def cells(self, tokens: torch.Tensor) -> torch.Tensor:
        """See open_clip_towers.Tower."""
        return self._head(tokens.flatten(0, 1)[:, :, None, None]).unflatten(0, tokens.shape[:2])

    def _head(self, image: torch.Tensor) -> torch.Tensor:
        return self._after(self._trunk.forward_head(image))


def timm_tower_of(visual: Any) -> TransformerTower | ConvolutionTower | None:
    """The tower of an open_clip TimmModel; None for a network or a pooling that is not known here."""
    from timm.layers import Attention, AttentionPoolLatent, AttentionRope
    from timm.models.convnext import ConvNeXt
    from timm.models.eva import Eva, EvaAttention
    from timm.models.fastvit import FastVit
    from timm.models.vision_transformer import Block, VisionTransformer

    trunk = visual.trunk
    if "pool" in visual.head._modules:  # open_clip's own attention pooling of timm's maps
        return None
    if isinstance(trunk, (ConvNeXt, FastVit)):
        return ConvolutionTower(visual) if trunk.head.global_pool.pool_type == "avg" else None
    if not isinstance(trunk, (VisionTransformer, Eva)):
        return None
    block: Any = trunk.blocks[-1]
    pool = trunk.attn_pool
    usual = type(block.attn) in (Attention, EvaAttention, AttentionRope) and getattr(block.attn, "gate", None) is None \
        and (isinstance(trunk, Eva) or type(block) is Block) and not getattr(trunk, "rope_mixed", False) \
        and getattr(block.attn, "num_kv_heads", block.attn.num_heads) == block.attn.num_heads
    if pool is not None:
        alone = isinstance(pool, AttentionPoolLatent) and pool.pos_embed is None \
            and (trunk.num_prefix_tokens == 0 or getattr(trunk, "pool_include_prefix", True))
    else:
        alone = trunk.global_pool == "token" or (trunk.global_pool == "avg" and trunk.num_prefix_tokens == 0)
    return TransformerTower(visual) if usual and alone else None


def _take_any_size(trunk: Any) -> None:
    """What timm's dynamic_img_size=True sets up, which open_clip does not ask for."""
    from timm.layers import Format

    embed = trunk.patch_embed
    embed.flatten, embed.output_fmt, embed.strict_img_size = False, Format.NHWC, False
    trunk.dynamic_img_size = True
    rope = getattr(trunk, "rope", None)
    if rope is not None and rope.feat_shape is not None:
        trunk.rope = type(rope)(**{name: getattr(rope, name) for name in _ROTATION if hasattr(rope, name)}).eval()


def _queries_keys_values(attention: Any, x: torch.Tensor, rotation: torch.Tensor | None) -> list[torch.Tensor]:
    """(batch, heads, tokens, d) each, as the attention itself makes them; not turned by their places without a rotation, for
    where the Gaussian of dense_attention.py says what is near."""
    from timm.layers import apply_rot_embed_cat

    if getattr(attention, "qkv", None) is None:
        parts = [attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)]
    else:
        bias = attention.qkv.bias
        if getattr(attention, "q_bias", None) is not None:
            bias = torch.cat([attention.q_bias, attention.k_bias, attention.v_bias])
        parts = list(torch.nn.functional.linear(x, attention.qkv.weight, bias).chunk(3, dim=-1))
    q, k, v = (part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for part in parts)
    q, k = attention.q_norm(q), attention.k_norm(k)
    if rotation is not None:
        prefix, half = attention.num_prefix_tokens, getattr(attention, "rotate_half", False)
        q, k = (torch.cat([part[:, :, :prefix], apply_rot_embed_cat(part[:, :, prefix:], rotation, half=half)], 2).to(v.dtype)
                for part in (q, k))
    return [q, k, v]


def _norms_afterwards(block: Any) -> bool:
    from timm.models.eva import EvaBlockPostNorm

    return isinstance(block, EvaBlockPostNorm)


def _scaled(block: Any, number: int, x: torch.Tensor) -> torch.Tensor:
    """x times the block's learned scale of its attention (1) or MLP (2), which timm's two networks name differently."""
    if hasattr(block, f"gamma_{number}"):
        gamma = getattr(block, f"gamma_{number}")
        return x if gamma is None else gamma * x
    return getattr(block, f"ls{number}")(x)
