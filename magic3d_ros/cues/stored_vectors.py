"""Vectors that take long to compute and never change, kept in the user's cache directory."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

_log = logging.getLogger(__name__)


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/magic3d_ros, by default ~/.cache/magic3d_ros."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "magic3d_ros"


def remembered(path: Path, shape: tuple[int, int], compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The float32 vectors of that shape that the file holds; else what `compute` gives, and the file written.

    A file that does not hold what its name says is ignored, with a warning, and replaced. The name must hold a hash of all that
    the vectors depend on.
    """
    try:
        known = np.load(path, allow_pickle=False)
        if known.shape == shape and known.dtype == np.float32 and np.isfinite(known).all():
            return known
        _log.warning("ignoring %s: it does not hold what its name says", path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError) as error:
        _log.warning("ignoring the unreadable cache file %s: %s", path, error)
    vectors = compute()
    _save_atomically(path, vectors)
    return vectors


def _save_atomically(path: Path, vectors: np.ndarray) -> None:
    """A cache that cannot be written costs time, not answers: it is said and left."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npy", delete=False) as file:
            np.save(file, vectors, allow_pickle=False)
        os.replace(file.name, path)
    except OSError as error:
        _log.info("cannot keep vectors in %s: %s", path.parent, error)
