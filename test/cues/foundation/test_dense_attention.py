"""Attention of the last block, held against loops that say the formula."""

from __future__ import annotations

import math

import pytest
import torch

from magic3d_ros.cues.foundation import dense_attention
from magic3d_ros.cues.foundation.dense_attention import attended, nearness


def tensors(rows, columns, prefix, heads=2, size=4):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, heads, prefix + rows * columns, size, generator=generator) for _ in range(3)]


def naive(k, v, rows, columns, prefix, deviation):
    """NACLIP's formula, token by token."""
    out = torch.zeros_like(v)
    for b in range(k.shape[0]):
        for h in range(k.shape[1]):
            for i in range(k.shape[2]):
                logits = []
                for j in range(k.shape[2]):
                    logit = float(k[b, h, i] @ k[b, h, j]) / math.sqrt(k.shape[3])
                    if i >= prefix and j >= prefix:
                        (r, c), (s, d) = divmod(i - prefix, columns), divmod(j - prefix, columns)
                        logit += math.exp(-((r - s) ** 2 + (c - d) ** 2) / (2 * deviation ** 2))
                    logits.append(logit)
                out[b, h, i] = torch.softmax(torch.tensor(logits), 0) @ v[b, h]
    return out


@pytest.mark.parametrize(("rows", "columns", "prefix"), [(3, 5, 1), (4, 2, 0), (1, 1, 1)])
def test_keys_attend_to_near_keys(rows, columns, prefix):
    q, k, v = tensors(rows, columns, prefix)
    torch.testing.assert_close(attended("naclip", q, k, v, rows, columns, 1.5), naive(k, v, rows, columns, prefix, 1.5),
                               atol=1e-5, rtol=1e-4)


def test_taking_queries_in_turns_changes_nothing(monkeypatch):
    q, k, v = tensors(4, 6, 1)
    whole = attended("naclip", q, k, v, 4, 6)
    monkeypatch.setattr(dense_attention, "_MAX_LOGITS", 2 * 2 * 25 * 4)  # four queries at once
    torch.testing.assert_close(attended("naclip", q, k, v, 4, 6), whole)


def test_the_plain_path_is_ordinary_attention():
    q, k, v = tensors(2, 3, 1)
    weights = torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1)
    torch.testing.assert_close(attended("plain", q, k, v, 2, 3), weights @ v)


def test_the_value_path_looks_at_nothing_else():
    q, k, v = tensors(2, 3, 1)
    assert attended("maskclip", q, k, v, 2, 3) is v


def test_nearness_is_written_out():
    near = nearness(0, 3, 3, 1, 2, 1.0, torch.zeros(1))  # a class token and two patches side by side
    torch.testing.assert_close(near, torch.tensor([[0, 0, 0], [0, 1, math.exp(-0.5)], [0, math.exp(-0.5), 1]]))


def test_another_kind_is_refused():
    q, k, v = tensors(1, 2, 0)
    with pytest.raises(ValueError, match="plain, maskclip or naclip"):
        attended("sclip", q, k, v, 1, 2)
