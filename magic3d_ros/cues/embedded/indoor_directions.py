"""The directions that compressed dense features keep: those in which rooms differ, `magic3d train directions` finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from magic3d_ros.cues.weights import ModelError

FILE = Path(__file__).with_name("indoor_directions.safetensors")
FORMAT = "magic3d indoor directions 1"


def directions(classifier: np.ndarray, dimension: int, file: Path = FILE) -> np.ndarray:
    """(dimension, classes) float32 orthonormal rows: those of the file, and beyond them the classifier's own leading ones.

    classifier: (classes, channels) weights of the outputs. Raises ModelError for a file that is no such one.
    """
    try:
        with safe_open(file, "np") as stored:  # type: ignore[no-untyped-call]
            if (stored.metadata() or {}).get("format") != FORMAT:
                raise ModelError(f"{file} holds no directions of `magic3d train directions`: install the package again")
            known = stored.get_tensor("directions").astype(np.float64)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file} cannot be read ({error}): install the package again") from error
    if known.ndim != 2 or known.shape[1] != len(classifier) or not np.isfinite(known).all():
        raise ModelError(f"{file} holds directions of {known.shape}, not (n, {len(classifier)}): install the package again")
    known = orthonormal(known)
    if dimension > len(known):
        rest = classifier - known.T @ (known @ classifier)
        more = np.linalg.svd(rest, full_matrices=False)[0].T[:dimension - len(known)]
        known = np.concatenate([known, more])
    return np.ascontiguousarray(known[:dimension]).astype(np.float32)


def orthonormal(rows: np.ndarray) -> np.ndarray:
    """(n, D) rows made exactly orthonormal, each as near to what it was as those before it allow."""
    upright, scale = np.linalg.qr(rows.T)
    return np.asarray((upright * np.sign(np.diag(scale))).T)
