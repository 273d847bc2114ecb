"""Image-text models trained by contrast, as a LanguageModel: what CLIP, SigLIP and whatever comes next have in common.

A new family, or a dense encoder such as OpenSeg or LSeg, is one file: a class that derives from ContrastiveModel, loads its
network and says how it sees texts, crops and patches (three methods).
"""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import normalize

from magic3d_ros.cues.contrast import CANONICAL_PHRASES, Contrast
from magic3d_ros.cues.embedded.joint_space import class_names
from magic3d_ros.cues.foundation.images import check_image
from magic3d_ros.cues.foundation.prompts import TEMPLATES, mean_direction, prompts
from magic3d_ros.cues.foundation.text_cache import TextCache
from magic3d_ros.cues.placement import Placement
from magic3d_ros.cues.random_crops import random_crops
from magic3d_ros.cues.running_model import is_out_of_memory
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.frames import FeatureGrid

DENSE = ("naclip", "maskclip")
_TEXTS_AT_ONCE = 256
_CROPS_AN_IMAGE = 8
"""Crops that cost about as much as one 640x480 image: 196 patches against 1200 at a patch size of 16, with room to spare."""
_BACKGROUND_CROPS = 4
"""As many as the embedded tier's."""
_DIRECTION_TEMPLATES = ("a photo of {a}.",)
"""One is enough for directions, and seven times faster: on a CPU a text takes a tenth of a second."""
_MIDDLE_STEP = 9
"""Every ninth of 602 names: a mean needs no more, and 67 are enough for text_cache.py to keep them in a file."""
_log = logging.getLogger(__name__)


class ContrastiveModel(ABC):
    """The LanguageModel (cues/protocols.py) of an image and a text tower. Everything it gives is of unit length in their common
    space; nothing needs centring. Thread-safe.

    network: in float32 on its device; afterwards in the placement's number format. patch_size: pixels. image_size: side of the
    square images that it was trained on, pixels. feature_dimension: of `compress` and `encode_dense`. max_width: longer sides of
    images are reduced to it (may be changed between calls). batch: images at once, at most. templates: see prompts.py.
    cache: folder of long text lists, the user's by default.
    """

    class_names: Sequence[str] = ()

    def __init__(self, network: torch.nn.Module, placement: Placement, *, name: str, logit_scale: float, patch_size: int,
                 image_size: int, feature_dimension: int, max_width: int, batch: int, templates: tuple[str, ...] = TEMPLATES,
                 cache: Path | None = None) -> None:
        self.name = name
        self.patch_size = patch_size
        self.image_size = image_size
        self.max_width = max_width
        self.batch = batch
        self._crops_at_once = batch * _CROPS_AN_IMAGE
        self.feature_dimension = feature_dimension
        with torch.inference_mode():
            self.dimension = int(self._text_vectors(["a"]).shape[1])
        names, kinds = class_names()
        things = [name for name, kind in zip(names, kinds, strict=True) if kind != "animal"]
        # Directions must be the same wherever the model runs, so they come from float32 texts whatever the placement.
        identity = fingerprint(network)
        exact = TextCache(lambda texts: self._encode_texts(texts, _DIRECTION_TEMPLATES), self.dimension, f"{identity} float32",
                          directory=cache)
        directions = exact.vectors(things)
        self._projection = leading_directions(directions, feature_dimension)
        self._dense_projection = torch.from_numpy(self._projection.T.copy()).to(placement.device, torch.float32)
        _log.info("%s: %d of %d directions keep the dot products of %d names within %.4f (root mean square)", name,
                  feature_dimension, self.dimension, len(things), dot_product_error(directions, self._projection))
        placement.put(network)
        self._texts = TextCache(lambda texts: self._encode_texts(texts, templates), self.dimension,
                                f"{identity} {templates} {placement.dtype}", directory=cache)
        self._middle = self.encode_text(things[::_MIDDLE_STEP]).mean(0)
        self.contrast: Contrast | None = Contrast(float(logit_scale), self.encode_text(CANONICAL_PHRASES))

    @abstractmethod
    def _text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, dimension) of any length: texts as they stand, cut where the model's context ends."""

    @abstractmethod
    def _crop_vectors(self, crops: Sequence[np.ndarray]) -> torch.Tensor:
        """(N, dimension) of any length: images (H, W, 3) uint8 by the model's official preprocessing."""

    @abstractmethod
    def _patch_vectors(self, images: Sequence[np.ndarray], rows: int, columns: int) -> torch.Tensor:
        """(N, rows * columns, dimension) of any length: images (H, W, 3) uint8, each stretched to rows x columns patches."""

    def encode_text(self, texts: Sequence[str], kept: bool = True) -> np.ndarray:
        """(N, dimension) float32, unit length: the mean direction of the prompts made of each text. All are kept."""
        return self._texts.vectors(texts)

    def text_similarity(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """(N, M) float32: cosines after the mean of many names was subtracted: a text tower puts all it reads into one narrow
        cone."""
        first, second = (vectors - self._middle for vectors in (self.encode_text(texts), self.encode_text(others)))
        return _unit(first) @ _unit(second).T

    @torch.inference_mode()
    def encode_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """(N, dimension) float32, unit length. Fewer at once from then on when memory does not suffice.

        Raises FrameError for an image that is not (H, W, 3) uint8, ModelError when there is no room for a single one.
        """
        for crop in crops:
            check_image(crop)
        done: list[np.ndarray] = []
        while (start := sum(map(len, done))) < len(crops):
            chosen = crops[start:start + self._crops_at_once]
            try:
                done.append(normalize(self._crop_vectors(chosen).float(), dim=-1).cpu().numpy())
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if len(chosen) == 1:
                    raise ModelError(f"{self.name} has no room for a single picture: choose a smaller model, another "
                                     "language.device, or cues.precision float16") from error
                self._crops_at_once = len(chosen) // 2
                _log.warning("%s ran out of memory over pictures of things: from now on %d at once", self.name,
                             self._crops_at_once)
        return np.concatenate(done) if done else np.zeros((0, self.dimension), np.float32)

    @torch.inference_mode()
    def encode_dense(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """Unit vectors of patches, compressed to (h, w, feature_dimension) float16 a picture, of images of any sizes.

        Images keep their shape: no crop, position encodings are interpolated. Raises FrameError for what is not (H, W, 3) uint8.
        """
        groups: dict[tuple[int, int], list[int]] = {}
        for index, rgb in enumerate(images):
            check_image(rgb)
            groups.setdefault(self.cells(*rgb.shape[:2]), []).append(index)
        grids: dict[int, FeatureGrid] = {}
        for (rows, columns), members in groups.items():
            for start in range(0, len(members), self.batch):
                chosen = members[start:start + self.batch]
                vectors = self._patch_vectors([images[index] for index in chosen], rows, columns)
                values = (normalize(vectors.float(), dim=-1) @ self._dense_projection).half().unflatten(1, (rows, columns))
                for index, grid in zip(chosen, values.cpu().numpy(), strict=True):
                    # Pixel centres lie at integers; cells share the image evenly, because it was stretched to whole patches.
                    stride_x, stride_y = images[index].shape[1] / columns, images[index].shape[0] / rows
                    grids[index] = FeatureGrid(grid, stride_x, stride_y, stride_x / 2 - 0.5, stride_y / 2 - 0.5)
        return [grids[index] for index in range(len(images))]

    def cells(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches over an image. Its shorter side is enlarged to the size that the model was trained on where
        it is smaller, its longer side is at most max_width; then each goes to the nearest whole patch."""
        scale = min(self.max_width / max(height, width), max(1.0, self.image_size / min(height, width)))
        return max(1, round(height * scale / self.patch_size)), max(1, round(width * scale / self.patch_size))

    def compress(self, embeddings: np.ndarray) -> np.ndarray:
        """(N, dimension) -> (N, feature_dimension): the directions in which names of things differ most."""
        return np.asarray(embeddings, np.float32) @ self._projection.T

    def background(self, rgb: np.ndarray) -> np.ndarray:
        """(4, dimension) of random crops; the same for the same image."""
        return self.encode_crops(random_crops(rgb, _BACKGROUND_CROPS))

    @torch.inference_mode()
    def _encode_texts(self, texts: Sequence[str], templates: tuple[str, ...]) -> np.ndarray:
        read, owner = [], []
        for index, text in enumerate(texts):
            filled = prompts(text, templates)
            read += filled
            owner += [index] * len(filled)
        vectors = torch.cat([self._text_vectors(read[start:start + _TEXTS_AT_ONCE])
                             for start in range(0, len(read), _TEXTS_AT_ONCE)])
        return mean_direction(vectors, torch.tensor(owner, device=vectors.device), len(texts)).cpu().numpy()


def leading_directions(vectors: np.ndarray, dimension: int) -> np.ndarray:
    """(dimension, D) orthonormal rows: the directions of (N, D) vectors that keep their dot products best, each with its largest
    component positive (two machines must choose the same). The identity where all D fit, with zero rows beyond them."""
    size = vectors.shape[1]
    if dimension >= size:
        return np.eye(dimension, size, dtype=np.float32)
    rows = np.linalg.svd(vectors.astype(np.float64), full_matrices=len(vectors) < dimension)[2][:dimension]
    signs = np.sign(rows[np.arange(dimension), np.abs(rows).argmax(1)])
    return np.ascontiguousarray(rows * signs[:, None]).astype(np.float32)


def dot_product_error(vectors: np.ndarray, projection: np.ndarray) -> float:
    """Root mean square of what (N, D) vectors' dot products with each other lose by the projection (dimension, D)."""
    small = vectors @ projection.T
    return float(np.sqrt(np.square(vectors @ vectors.T - small @ small.T).mean()))


def fingerprint(network: torch.nn.Module) -> str:
    """A hash of a network's architecture and weights (of the first 64 of each tensor)."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten()[:64].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:24]


def check_dense(dense: str) -> str:
    """The kind of dense attention, if it is one. Raises ModelError."""
    if dense not in DENSE:
        raise ModelError(f"language.dense is '{dense}': it must be {' or '.join(DENSE)}")
    return dense


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
