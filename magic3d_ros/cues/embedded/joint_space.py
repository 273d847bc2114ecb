"""Images and words in one space without CLIP: the joint class space.

An image is the logits of an ImageNet classifier; a text is a distribution over the same classes, by how close their names are in
a sentence encoder. Both are 1000-d, and the cosine says how well they fit. (ConSE, Norouzi et al. 2014, averages name vectors
instead; top-1 .36 against .53 here on 108 boxes of ten kinds.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from magic3d_ros.cues.contrast import Contrast
from magic3d_ros.cues.embedded.indoor_directions import directions
from magic3d_ros.cues.embedded.sentence import SentenceEncoder
from magic3d_ros.cues.random_crops import random_crops
from magic3d_ros.frames import FeatureGrid

if TYPE_CHECKING:
    import torch

    from magic3d_ros.cues.embedded.efficientnet import EfficientNetLite

_TEMPERATURE = 0.03
"""of the text distribution (measured beforehand on 108 hand-drawn boxes in a kitchen)."""
_ANIMAL_WEIGHT = 0.3
"""Animal classes answer to texture and fill the space with noise indoors (measured on instances of two rooms)."""
_BACKGROUND_CROPS = 4


class JointClassSpace:
    """The embedded tier's LanguageModel (cues/protocols.py). Thread-safe.

    image_model: makes the network that sees; called at the first image, since questions in words do without it and without torch,
    which takes longer to read than an answer. feature_dimension: of `compress` and `encode_dense`.
    """

    def __init__(self, image_model: Callable[[], EfficientNetLite], sentences: SentenceEncoder,
                 feature_dimension: int = 64) -> None:
        self.name = "efficientnet-lite0+minilm-joint-classes"
        self.contrast: Contrast | None = None
        self.dimension = 1000
        self.feature_dimension = feature_dimension
        self._make_images = image_model
        self._sentences = sentences
        self._kept: dict[tuple[str, ...], np.ndarray] = {}
        names, kinds = class_names()
        self.class_names: Sequence[str] = names
        self._class_weight = np.where(np.array(kinds) == "animal", _ANIMAL_WEIGHT, 1.0).astype(np.float32)

    def load(self) -> None:
        """Load the image side now, which otherwise happens at the first image."""
        _ = self._dense

    def encode_text(self, texts: Sequence[str], kept: bool = False) -> np.ndarray:
        """(N, 1000) float32, unit length. kept: the vectors stay in memory (do not write into them), and what takes long of them
        in the user's cache directory."""
        if kept and (key := tuple(texts)) not in self._kept:
            self._kept[key] = self._encoded(texts, self._sentences.encode_fixed)
        return self._kept[key] if kept else self._encoded(texts, self._sentences.encode)

    def _encoded(self, texts: Sequence[str], encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        weights = _softmax(encode(list(texts)) @ self._classes.T / _TEMPERATURE)
        return weights / np.linalg.norm(weights, axis=1, keepdims=True)

    def text_similarity(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """(N, M) float32 cosines of meaning between texts and a list of others that seldom changes."""
        known = self._sentences.encode_fixed(list(others))  # first: a text among them needs no model
        return self._sentences.encode(list(texts)) @ known.T

    def encode_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """(N, 1000) float32 raw logits, animal classes weighed down. (Mirror images as well gained nothing: 30 questions to
        replica_office0, hit@3 .73 both ways.)"""
        return self._images.logits(crops) * self._class_weight

    def encode_dense(self, images: Sequence[np.ndarray]) -> list[FeatureGrid]:
        """Raw language features over images, compressed; float16."""
        return [self.dense(rgb)[1] for rgb in images]

    def dense(self, rgb: np.ndarray) -> tuple[FeatureGrid, FeatureGrid]:
        """Appearance features and compressed language features of an image, in one pass of the network."""
        import torch

        with torch.inference_mode():
            appearance, coarse, grid = self._images.maps(rgb)
            weight, bias = self._dense
            values = (coarse @ weight + bias).half().cpu().numpy()
        return appearance, FeatureGrid(values, grid.stride_x, grid.stride_y, grid.offset_x, grid.offset_y)

    def compress(self, embeddings: np.ndarray) -> np.ndarray:
        """(N, 1000) -> (N, feature_dimension): the directions in which rooms differ most."""
        return np.asarray(embeddings, np.float32) @ self._projection.T

    def background(self, rgb: np.ndarray) -> np.ndarray:
        """(4, 1000) raw embeddings of random crops, a tenth to a half of the image wide; the same for the same image."""
        return self.encode_crops(random_crops(rgb, _BACKGROUND_CROPS))

    @property
    def classifier(self) -> np.ndarray:
        """(1000, 1280) weights of the outputs, animal classes weighed down."""
        return self._images.classifier_weight.cpu().numpy() * self._class_weight[:, None]

    @cached_property
    def _images(self) -> EfficientNetLite:
        return self._make_images()

    @cached_property
    def _projection(self) -> np.ndarray:
        return directions(self.classifier, self.feature_dimension)

    @cached_property
    def _dense(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight (1280, C) and bias (C,) from the network's feature map to compressed language features."""
        import torch

        weighted = torch.from_numpy(self._projection * self._class_weight).to(self._images.device)
        return (weighted @ self._images.classifier_weight).T.contiguous(), weighted @ self._images.classifier_bias

    @cached_property
    def _classes(self) -> np.ndarray:
        """(1000, 384) name vectors of the classes."""
        return self._sentences.encode_fixed(self.class_names)


def class_names() -> tuple[list[str], list[str]]:
    """Names of the classifier's outputs in order, and the kind of each (animal, thing, food, place, person, plant)."""
    text = Path(__file__).with_name("class_names.yaml").read_text(encoding="utf-8")
    groups = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # ten times as fast
    names = [name for group in groups for name in group["names"]]
    kinds = [group["kind"] for group in groups for _ in group["names"]]
    return names, kinds


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)
