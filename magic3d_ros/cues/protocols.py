"""One protocol per kind of 2D model. The embedded and the foundation tier both speak these, so nothing else knows which runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from magic3d_ros.cues.contrast import Contrast
from magic3d_ros.frames import FeatureGrid, MonocularGeometry, RGBDFrame


class FeatureModel(Protocol):
    """Appearance features of images."""

    name: str

    def features(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """(H, W, 3) uint8 each, of any sizes -> grids of features whose cells know their pixels."""
        ...


class LanguageModel(Protocol):
    """Images and words in one space, where the cosine says how well they fit (CLIP's interface).

    Image embeddings are *raw*: they become comparable with text after a centre was subtracted and they were normalised. Which
    centre, and what a cosine means as a probability, follows from `contrast` (language/space.py).
    """

    name: str
    contrast: Contrast | None
    """Of a model trained by contrast, which needs no centring; None where it must be estimated from what was seen."""
    class_names: Sequence[str]
    """What the dimensions mean where they are classes of a classifier; empty where the space was learned by contrast."""
    dimension: int
    """of the full embedding, used for crops and text."""

    def encode_text(self, texts: Sequence[str], kept: bool = False) -> np.ndarray:
        """(N, dimension) float32, unit length. kept: of a list that seldom changes, whose vectors are worth keeping on disk."""
        ...

    def text_similarity(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """(N, M) float32: how close texts are in meaning to each of a list that seldom changes (cosine of a text encoder)."""
        ...

    def encode_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Images (H, W, 3) uint8 of any size -> (N, dimension) float32, raw."""
        ...

    def encode_dense(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """Raw language features over images (H, W, 3) uint8, in the compressed space of `compress`."""
        ...

    def compress(self, embeddings: np.ndarray) -> np.ndarray:
        """(N, dimension) -> (N, feature_dimension): linear, keeps dot products as well as that many dimensions can."""
        ...

    def background(self, rgb: np.ndarray) -> np.ndarray:
        """(K, dimension) raw embeddings of arbitrary crops: what this scene looks like in general, for centring."""
        ...


class MaskModel(Protocol):
    """Separate things in images, whatever they are."""

    name: str

    def masks(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(H, W, 3) uint8 each -> (H, W) int32 label images, -1 = none."""
        ...


class EdgeModel(Protocol):
    """Where in images one thing ends and another begins."""

    name: str

    def edges(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(H, W, 3) uint8 each -> (h, w) uint8 that covers the image, 255 = certainly an edge."""
        ...


class GeometryModel(Protocol):
    """Depth or normals, or both, from colours alone."""

    name: str

    def geometry(self, images: Sequence[np.ndarray], focal_lengths: Sequence[float] | None = None) -> list[MonocularGeometry]:
        """(H, W, 3) uint8 each -> what can be guessed of their geometry. focal_lengths: pixels across, one an image (Camera.fx);
        metres may hang on them, and a model whose guess does not passes them over."""
        ...


class NormalModel(Protocol):
    """Surface normals of a frame, from its depth."""

    name: str

    def normals(self, frame: RGBDFrame) -> np.ndarray:
        """(H, W, 3) float32 unit normals in the camera frame, towards the camera; NaN = unknown."""
        ...
