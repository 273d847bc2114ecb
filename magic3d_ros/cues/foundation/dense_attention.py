"""What the parts of an image mean to a model that was trained on whole images: other attention in the last block, no training.

In its last block a CLIP gathers what the image is about into few tokens, so the others forget what they show. Both ways below
leave the weights alone and only change which tokens the last block looks at.
MaskCLIP: Zhou, Loy, Dai, "Extract Free Dense Labels from CLIP", ECCV 2022. NACLIP: Hajimiri, Ben Ayed, Dolz, "Pay Attention to
Your Neighbours: Training-Free Open-Vocabulary Semantic Segmentation", WACV 2025.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

GAUSSIAN_DEVIATION = 5.0
"""Patches; the authors' own choice for all their data sets (naclip.py, gaussian_std). RayFronts takes 7 on larger grids."""
_MAX_LOGITS = 1 << 26
"""Attention logits in memory at once (256 MB in float32): more queries than that are taken in turns."""


def attended(kind: str, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, rows: int, columns: int,
             deviation: float = GAUSSIAN_DEVIATION) -> torch.Tensor:
    """What each token gathers: (batch, heads, tokens, d) from queries, keys and values of that shape.

    The last rows * columns tokens are patches, row by row; those before them (a class token) are none.
    kind: "plain" the model's own attention; "maskclip" every token its own value; "naclip" softmax over j of
    k_i . k_j / sqrt(d) + exp(-|p_i - p_j|^2 / (2 deviation^2)), where p is a patch's place on the grid; tokens that are no patch
    take part without the second term.
    """
    if kind == "plain":
        return scaled_dot_product_attention(q, k, v)
    if kind == "maskclip":
        return v
    if kind != "naclip":
        raise ValueError(f"'{kind}' is no kind of dense attention: plain, maskclip or naclip")
    tokens = k.shape[2]
    step = max(1, _MAX_LOGITS // (k.shape[0] * k.shape[1] * tokens))
    parts = []
    for start in range(0, tokens, step):
        near = nearness(start, min(tokens, start + step), tokens, rows, columns, deviation, k)
        parts.append(scaled_dot_product_attention(k[:, :, start:start + step], k, v, attn_mask=near))
    return torch.cat(parts, 2)


def gathered_in(layer: Any, x: torch.Tensor, kind: str, rows: int, columns: int) -> torch.Tensor:
    """What `attended` gives in an encoder layer of transformers' CLIPs and SigLIPs, projected, without the residual: (batch,
    tokens, width) of states x of that shape."""
    attention, normed = layer.self_attn, layer.layer_norm1(x)
    q, k, v = (part(normed).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
               for part in (attention.q_proj, attention.k_proj, attention.v_proj))
    gathered: torch.Tensor = attention.out_proj(attended(kind, q, k, v, rows, columns).transpose(1, 2).flatten(2))
    return gathered


def nearness(first: int, last: int, tokens: int, rows: int, columns: int, deviation: float, like: torch.Tensor) -> torch.Tensor:
    """(last - first, tokens) Gaussian of the distance on the grid between tokens first..last-1 and all tokens; 0 for what is no
    patch. like: a tensor of the wanted device and number format."""
    prefix = tokens - rows * columns
    index = torch.arange(tokens, device=like.device) - prefix
    place = torch.stack([index.div(columns, rounding_mode="floor"), index.remainder(columns)], 1).float()
    apart = (place[first:last, None] - place[None]).square().sum(-1)
    near = torch.exp(-apart / (2 * deviation ** 2))
    patch = index >= 0
    return (near * (patch[first:last, None] & patch[None])).to(like.dtype)
