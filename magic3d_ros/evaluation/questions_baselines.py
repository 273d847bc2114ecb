"""What a simpler system would answer: ConSE on the same things, and pictures of single frames without a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.evaluation.questions_truth import Truth
from magic3d_ros.instances.frame_masks import frame_masks
from magic3d_ros.language.vectors import softmax, unit
from magic3d_ros.mapping.keyframe import Keyframe

CONSE_CLASSES = 10
"""Classes of which a picture's vector is the mean (Norouzi et al. 2014: T = 10)."""
_SMALLEST, _LARGEST = 0.001, 0.5
"""Share of the image: smaller masks show nothing at 320 pixels' width, larger ones are walls and floors."""


class ConSE:
    """Plain ConSE: a thing is the mean of the names of its likeliest classes, weighted by their probability, in MiniLM's space.

    views: by thing, raw embeddings (n, 1000) of the class space: logits. Nothing is subtracted, no lexicon, no geometry.
    """

    def __init__(self, model: LanguageModel, views: Mapping[int, np.ndarray]) -> None:
        self._model = model
        self.ids = list(views)
        chances = np.array([softmax(v).mean(0) for v in views.values()]).reshape(len(views), -1)
        if len(chances):
            chances = np.where(chances >= np.sort(chances, 1)[:, [-CONSE_CLASSES]], chances, 0.0)
        among = model.text_similarity(model.class_names, model.class_names)
        length = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", chances, among, chances, optimize=True), 1e-9))
        self._weights = chances / length[:, None]

    def ranked(self, text: str) -> list[int]:
        """Ids of all described things, best first."""
        close = self._weights @ self._model.text_similarity([text], self._model.class_names)[0]
        return [self.ids[row] for row in np.argsort(-close, kind="stable")]


@dataclass(frozen=True)
class FramePictures:
    """Crops of single frames. vectors (n, D): centred by their mean, unit length. names: what each shows."""

    vectors: np.ndarray
    names: tuple[frozenset[str], ...]

    def ranked(self, asked: np.ndarray) -> list[int]:
        """Rows by cosine with (D,) a question's vector, best first."""
        return np.argsort(-(self.vectors @ asked), kind="stable").tolist()


def frame_pictures(keyframes: list[Keyframe], up: np.ndarray, model: LanguageModel, truth: Truth) -> FramePictures:
    """What is seen in keyframes alone, without a map: tight crops of their masks, and what most of each mask's points are.

    up: (3,) unit, world.
    """
    raw, names = [], []
    for keyframe in keyframes:
        frame = keyframe.frame()
        masks = frame_masks(frame, up)
        points = frame.camera.rays() * frame.depth[..., None]
        points = points @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
        crops = []
        for i in range(int(masks.max(initial=-1)) + 1):
            mask = (masks == i) & (frame.depth > 0)
            if _SMALLEST <= mask.mean() <= _LARGEST:
                x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
                crops.append(frame.rgb[y:y + height, x:x + width])
                names.append(truth.names(points[mask]))
        if crops:
            raw.append(model.encode_crops(crops))
    vectors = np.concatenate(raw) if raw else np.zeros((0, model.dimension), np.float32)
    return FramePictures(unit(vectors - vectors.mean(0)) if len(vectors) else vectors, tuple(names))
