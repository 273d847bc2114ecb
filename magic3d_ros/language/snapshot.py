"""What the scene knows of meaning at one moment, and the answers it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from magic3d_ros.config import QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.answer import Answer, Question, Status
from magic3d_ros.language.concepts.bank import STRUCTURE
from magic3d_ros.language.concepts.evidence import STRUCTURE_PROBABILITY
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.ensemble import Prediction, ensembled, united
from magic3d_ros.language.places import KnownObject, floor_height, ground, levels
from magic3d_ros.language.recognition import colours_of, recognise
from magic3d_ros.language.semantic_memory import SemanticMemory, Thing
from magic3d_ros.language.space import Space, space_of
from magic3d_ros.language.vectors import softmax, unit
from magic3d_ros.language.voxel_features import VoxelFeatures, nearby_rows
from magic3d_ros.mapping.surface import Surface

_TOLD_BY_SHAPE = 0.5
"""Share of a table's or the floor's surface from which on a thing has a name though no picture shows it: a chair's seat has .2"""


@dataclass(frozen=True)
class LanguageSnapshot:
    """Immutable. Vectors are centred, where the model's space needs it, and of unit length.

    keys (V,) int64 sorted, features (V, C) float16: the voxel layer. ids (M,): described things; vectors (M, D).
    background (K, D): random views of the scene. center (D,): what was subtracted. knowledge: bank and lexicon.
    weights (V,): observations behind the features, 0 = none, the prediction alone; prediction: what geometry says of voxels.
    """

    model: LanguageModel
    query: QuerySettings
    voxel_size: float
    keys: np.ndarray
    features: np.ndarray
    ids: np.ndarray
    vectors: np.ndarray
    background: np.ndarray
    center: np.ndarray
    knowledge: Knowledge
    weights: np.ndarray
    prediction: Prediction | None = None
    _rows_of: dict[str, tuple[Surface, np.ndarray]] = field(init=False, repr=False, compare=False, default_factory=dict)

    @staticmethod
    def build(model: LanguageModel, query: QuerySettings, voxel_size: float, keys: np.ndarray, features: np.ndarray,
              views: Mapping[int, np.ndarray], background: np.ndarray, knowledge: Knowledge, weights: np.ndarray | None = None,
              prediction: Prediction | None = None) -> LanguageSnapshot:
        """views: by thing, raw embeddings (n, D). knowledge: as the attribute. weights: None = all were seen well. The rest as
        the attributes, raw."""
        weights = np.ones(len(keys), np.float32) if weights is None else weights
        if prediction is not None:
            keys, features, weights = united(keys, features, weights, prediction)
        seen = np.concatenate(list(views.values())) if views else background[:0]
        center = space_of(model).center(background, seen, model.dimension)
        vectors = [unit(unit(v - center).mean(0)) for v in views.values()]
        return LanguageSnapshot(model, query, voxel_size, keys, features, np.array(list(views), np.int64),
                                np.array(vectors, np.float32).reshape(len(vectors), model.dimension), unit(background - center),
                                center.astype(np.float32), knowledge, weights, prediction)

    def names(self, instances: Iterable[object], up: np.ndarray, surface: Surface,
              labels: np.ndarray) -> dict[int, tuple[str, float]]:
        """The best name of each thing and its probability; structure by geometry; ("", 0) for what no picture shows.

        instances: with id, kind, structure, box and centroid. labels: (N,) thing of each surface vertex.
        """
        listed: list = list(instances)
        axis, bank = np.asarray(up), self.knowledge.bank
        floor = floor_height(surface, listed, [i.id for i in listed if i.structure == "floor"], axis)
        row_of = {int(i): row for row, i in enumerate(self.ids)}
        vectors = np.array([self.vectors[row_of[i.id]] if i.id in row_of else np.zeros(self.model.dimension) for i in listed],
                           np.float32).reshape(len(listed), self.model.dimension)
        flat = levels(surface, labels, listed, axis, floor)
        chances = recognise(self.knowledge, listed, [i.structure for i in listed], vectors, flat,
                            colours_of(surface, labels, [i.id for i in listed]), axis, floor)
        names = {}
        for i, row in zip(listed, chances, strict=True):
            known = i.structure or i.id in row_of or max(flat[i.id].table, flat[i.id].floor) >= _TOLD_BY_SHAPE
            names[i.id] = (bank.concepts[int(row.argmax())].name, float(row.max())) if known else ("", 0.0)
        return names

    def memory(self, surface: Surface, labels: np.ndarray, objects: Sequence[Thing],
               seen_from: np.ndarray | None = None) -> SemanticMemory[Thing]:
        """What questions need of the things given, without their surface. labels: (N,) thing of each surface vertex. seen_from:
        (n, 3) places of the camera."""
        up, floor = ground(surface, objects)
        return SemanticMemory(self.model, self.query, tuple(objects), levels(surface, labels, objects, up, floor), up, floor,
                              self.ids, self.vectors, self.background, self.center, self.knowledge,
                              np.zeros((0, 3)) if seen_from is None else seen_from,
                              colours_of(surface, labels, [o.id for o in objects]))

    def answer(self, question: Question, surface: Surface, labels: np.ndarray, memory: SemanticMemory[Any]) -> Answer:
        """Answer a question about the things in `memory`, with a heat map; see answer.Question and answer.Answer."""
        answer, chances = memory.answer_and_chances(question)
        return answer if answer.status == Status.INVALID else replace(answer, heat=self._heat(question, surface, labels, chances))

    def segment(self, labels: Sequence[str], surface: Surface, vertex_labels: np.ndarray,
                objects: Sequence[KnownObject]) -> tuple[np.ndarray, np.ndarray]:
        """The best of the labels for every surface vertex: (N,) int32 index, -1 = none, and (N,) float32 confidence.

        A vertex takes the label of its thing; structure only one whose meaning is that structure; a vertex without a thing that
        of its voxel.
        """
        index, confidence = np.full(len(surface), -1, np.int32), np.zeros(len(surface), np.float32)
        if not labels or len(surface) == 0:
            return index, confidence
        text = self.knowledge.text_vectors(labels)
        row = self.knowledge.bank.row_of
        weights = self.knowledge.meaning(labels).weights
        about = {name: weights[:, row[name]] for name in STRUCTURE if name in row}
        looks = self.knowledge.corrected(self.vectors)
        middle = self._space.usual(np.concatenate([looks, self.background]) @ text.T)
        rows = self._voxel_rows(surface)
        dense = softmax((self._voxel_similarity(text) - middle) / self._space.temperature)
        loose = (vertex_labels < 0) & (rows >= 0)
        index[loose], confidence[loose] = dense.argmax(1)[rows[loose]], dense.max(1)[rows[loose]]
        things = softmax((looks @ text.T - middle) / self._space.temperature)
        row_of = {int(i): row for row, i in enumerate(self.ids)}
        for thing in objects:
            mine = vertex_labels == thing.id
            if thing.kind == "structure":
                share = about.get(getattr(thing, "label", ""), np.zeros(len(labels)))
                if share.max() >= 0.5:
                    index[mine], confidence[mine] = int(share.argmax()), share.max() * STRUCTURE_PROBABILITY
            elif thing.id in row_of:
                chances = things[row_of[thing.id]]
                index[mine], confidence[mine] = int(chances.argmax()), chances.max()
        return index, confidence

    def _heat(self, question: Question, surface: Surface, labels: np.ndarray, chances: Mapping[int, float]) -> np.ndarray | None:
        """(N,) float32 in 0..1 for display: two thirds the thing's probability, one third the voxel's own similarity; both
        relative to the best, which itself stays cool when nothing was found."""
        if len(surface) == 0:
            return None
        top = max(chances.values(), default=0.0)
        warmth = min(1.0, top / max(self.query.found_probability, 1e-6))
        table = np.zeros(max([int(labels.max(initial=-1)), *chances], default=-1) + 2, np.float32)
        for i, chance in chances.items():
            table[i] = chance / max(top, 1e-9)
        heat = (2 / 3 * table)[labels]  # label -1 is the last, which stays zero
        asked = self.knowledge.text_vectors([question.text]) if question.text.strip() else \
            unit(self.model.encode_crops([question.image]) - self.center)  # type: ignore[list-item]
        similarity, rows = self._voxel_similarity(asked)[:, 0], self._voxel_rows(surface)
        if len(similarity):
            low, high = np.percentile(similarity, [50, 99.5])
            scaled = np.clip((similarity - low) / max(high - low, 1e-6), 0, 1) / 3
            heat += np.append(scaled, 0.0).astype(np.float32)[rows]  # row -1 is the last, too
        heat *= warmth
        return heat

    def _voxel_rows(self, surface: Surface) -> np.ndarray:
        """(N,) row of each surface vertex in the voxel layer; that of the nearest of its six neighbours where it has none; -1."""
        known = self._rows_of.get("surface")  # a snapshot is asked about one surface again and again
        if known is None or known[0] is not surface:
            rows = nearby_rows(self.keys, VoxelFeatures(self.voxel_size, 1), surface.vertices).astype(np.int32)
            known = self._rows_of["surface"] = (surface, rows)
        return known[1]

    def dense_similarity(self, embeddings: np.ndarray, surface: Surface) -> np.ndarray:
        """(N, n) of surface vertices with (n, D) embeddings of texts or centred pictures, by their voxels; NaN where no voxel is
        known. What images said, or with a prediction the ensemble."""
        rows = self._voxel_rows(surface)
        found = np.full((len(rows), len(embeddings)), np.nan, np.float32)
        found[rows >= 0] = self._voxel_similarity(embeddings)[rows[rows >= 0]]
        return found

    def _voxel_similarity(self, embeddings: np.ndarray) -> np.ndarray:
        """(V, n) of the voxels with (n, D) embeddings, in the compressed space."""
        asked = self._space.compressed(self.model.compress(embeddings)).T
        seen = self._voxels @ asked
        if self.prediction is None:
            return seen
        return ensembled(seen, self._predicted @ asked, self.weights, self.prediction.everywhere)

    @cached_property
    def _space(self) -> Space:
        return space_of(self.model)

    @cached_property
    def _voxels(self) -> np.ndarray:
        """(V, C) as the space compares them, zero where no camera saw."""
        made, seen = np.zeros(self.features.shape, np.float32), self.weights > 0
        made[seen] = self._space.voxels(self.features[seen].astype(np.float32))
        return made

    @cached_property
    def _predicted(self) -> np.ndarray:
        """(V, C) of geometry, as long as what cameras saw is on average: distillation teaches directions alone."""
        if self.prediction is None:
            raise ValueError("nothing was predicted")
        lengths = np.linalg.norm(self._voxels[self.weights > 0], axis=1)
        return self.prediction.at(self.keys).astype(np.float32) * (float(lengths.mean()) if len(lengths) else 1.0)
