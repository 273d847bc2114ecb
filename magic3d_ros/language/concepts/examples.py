"""What an image network makes of things whose kind is known, and what follows for things that look alike to it.

The network was trained on photographs of single things; crops of a robot's pictures look other to it, the same way each time: a
crate like a chest, a pile of books like a binder. A Gaussian process whose prior mean is the vector as it is learns by how much
vectors of known things miss their concepts. Far from all examples nothing changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from magic3d_ros.cues.stored_vectors import remembered
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.language.concepts.bank import LOOK_ALIKE_DECAY
from magic3d_ros.language.vectors import unit

FILE = Path(__file__).with_name("examples.safetensors")
FORMAT = "magic3d examples 1"
_NEARNESS = 8.0
"""Kernel exp(-8 (1 - cosine)), and the noise beside its diagonal. Measured on 482 questions to 11 rooms, each left out in turn: a
wider one (4, noise 3) knows rooms better (P@1 .64 instead of .62), but where the kind asked for is left out too, it wrongly says
NOT_FOUND more often (.38 instead of .30, without examples .30)."""
_NOISE = 0.3


@dataclass(frozen=True)
class Examples:
    """vectors (N, D) of unit length: things as their scenes' snapshots hold them. concepts: what each may rightly be called, the
    closest first."""

    vectors: np.ndarray
    concepts: tuple[tuple[str, ...], ...]

    def save(self, model: str, file: Path = FILE) -> None:
        """Write them down. model: name of the language model whose vectors they are."""
        from safetensors.numpy import save_file

        kinds = sorted(set(self.concepts))
        rows = np.array([kinds.index(names) for names in self.concepts], np.int32)
        save_file({"vectors": self.vectors.astype(np.float16), "kinds": rows}, file,
                  {"format": FORMAT, "model": model, "kinds": json.dumps(kinds)})


def load_examples(model: str, file: Path = FILE) -> Examples | None:
    """The examples of the language model of that name; None where the file holds those of another.

    Raises ModelError for a file that is no such one.
    """
    try:
        with safe_open(file, "np") as stored:  # type: ignore[no-untyped-call]
            told = stored.metadata() or {}
            if told.get("format") != FORMAT:
                raise ModelError(f"{file} holds no examples of `magic3d bench query_weights`: install the package again")
            if told["model"] != model:
                return None
            vectors, rows = stored.get_tensor("vectors").astype(np.float32), stored.get_tensor("kinds")
            kinds = [tuple(names) for names in json.loads(told["kinds"])]
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file} cannot be read ({error}): install the package again") from error
    return Examples(vectors, tuple(kinds[row] for row in rows))


class Correction:
    """Examples among the vectors of concepts. vectors (C, D), row_of: those of the bank. kept: folder that remembers what was
    learned from them, half a second's work for 1600; None = learn anew."""

    def __init__(self, examples: Examples, vectors: np.ndarray, row_of: Mapping[str, int], kept: Path | None = None) -> None:
        self._known, self._concepts = examples.vectors, examples.concepts
        missed = np.stack([_meant(names, vectors, row_of) for names in examples.concepts]) - self._known
        if kept is None:
            self._missed = self._learned(missed)
        else:
            key = hashlib.blake2b(f"{_NEARNESS} {_NOISE}".encode(), digest_size=12)
            key.update(self._known.tobytes())
            key.update(missed.tobytes())
            self._missed = remembered(kept / f"examples-{key.hexdigest()}.npy", missed.shape, lambda: self._learned(missed))

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """(M, D) unit vectors of things, corrected; zeros stay zeros."""
        shown = np.abs(vectors).max(1, initial=0.0)[:, None] > 0
        return np.asarray(np.where(shown, unit(vectors + self._alike(vectors) @ self._missed), vectors), np.float32)

    def _learned(self, missed: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self._system(), missed).astype(np.float32)

    def without(self, concepts: Collection[str]) -> Correction:
        """As if no thing that is closest to one of the concepts had been among the examples. The rows of the solved system that
        stay are what they would be without the others, less what those had brought them, so that nothing is solved anew."""
        rows = [row for row, names in enumerate(self._concepts) if names[0] in concepts]
        if not rows:
            return self
        columns = self._inverse[:, rows]
        other = copy(self)
        other._missed = (self._missed - columns @ np.linalg.solve(columns[rows], self._missed[rows])).astype(np.float32)
        return other

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self._system())

    def _system(self) -> np.ndarray:
        return np.asarray(self._alike(self._known) + _NOISE * np.eye(len(self._known)))

    def _alike(self, vectors: np.ndarray) -> np.ndarray:
        """(M, N) how much each vector is like each example, 0..1."""
        return np.asarray(np.exp(-_NEARNESS * np.maximum(1 - vectors @ self._known.T, 0)))


def _meant(names: Sequence[str], vectors: np.ndarray, row_of: Mapping[str, int]) -> np.ndarray:
    """(D,) unit: the concepts of those names, the n-th by LOOK_ALIKE_DECAY^n."""
    rows = [row_of[name] for name in names]
    return unit(LOOK_ALIKE_DECAY ** np.arange(len(rows)) @ vectors[rows])
