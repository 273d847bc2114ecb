"""Encoded texts, so that none is encoded twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from magic3d_ros.cues.stored_vectors import cache_directory, remembered

_WORTH_KEEPING = 64
"""Texts asked for at once from which on they are a vocabulary and worth a file: a question has a handful."""


class TextCache:
    """Vectors of texts: the last `capacity` of them in memory (3 kB each at 768 dimensions), long lists in the user's cache
    directory as well. Thread-safe; texts are encoded by one thread at a time.

    encode: texts -> (N, dimension) float32. identity: of the model and all else that vectors depend on.
    directory: where long lists are kept.
    """

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray], dimension: int, identity: str, capacity: int = 4096,
                 directory: Path | None = None) -> None:
        self._encode = encode
        self._dimension = dimension
        self._identity = identity
        self._capacity = capacity
        self._directory = cache_directory() if directory is None else directory
        self._lock = threading.Lock()
        self._known: OrderedDict[str, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dimension) float32, in the order of the texts."""
        out = np.zeros((len(texts), self._dimension), np.float32)
        with self._lock:
            missing = list(dict.fromkeys(text for text in texts if text not in self._known))
            fresh = dict(zip(missing, self._computed(missing), strict=True)) if missing else {}
            for row, text in enumerate(texts):
                out[row] = fresh[text] if text in fresh else self._known[text]
            self._known.update(fresh)
            for text in texts:
                self._known.move_to_end(text)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return out

    def _computed(self, texts: list[str]) -> np.ndarray:
        if len(texts) < _WORTH_KEEPING:
            return self._encode(texts)
        key = hashlib.sha256("\n".join([self._identity, *texts]).encode()).hexdigest()[:24]
        return remembered(self._directory / f"texts-{key}.npy", (len(texts), self._dimension), lambda: self._encode(texts))
