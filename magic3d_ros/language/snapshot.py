"""What the scene knows of meaning at one moment, and the answers it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from magic3d_ros.config import QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.answer import Answer, Match, Question, Status
from magic3d_ros.language.calibration import shape_fit
from magic3d_ros.language.places import KnownObject, Levels, floor_height, ground, levels
from magic3d_ros.language.question import problem
from magic3d_ros.language.space import Asked, Space, space_of
from magic3d_ros.language.vectors import softmax, unit
from magic3d_ros.language.vocabulary import vocabulary
from magic3d_ros.language.voxel_features import VoxelFeatures, look_up
from magic3d_ros.mapping.surface import Surface

_WORD_TEMPERATURE = 0.05
"""Softmax over cosines of meaning gives what a question is about (measured beforehand with a larger bank of concepts)."""
_STRUCTURE_NAME_PROBABILITY = 0.9
"""Geometry says what is floor, wall and ceiling; large flat things are rarely something else."""
_LEVEL_PROBABILITY = 0.9
"""A thing that is in full a horizontal surface at the height of a table is one with this probability; what else it could be
shares the rest."""
_FLOOR_PIECE_PROBABILITY = 0.7
"""The same for pieces on the floor that were not told as structure (mats, floor behind furniture). The floor comes first."""
_NAMED_BY_SHAPE = 0.3
"""Things are named after their shape from this probability on: a chair's seat alone (.2) makes no table."""
_FAMILIAR = 0.35
"""Cosine of meaning with the nearest known word below which a question is said to share little with anything known; questions
in other languages stay around .2-.3, English ones about household things above .4."""


@dataclass(frozen=True)
class LanguageSnapshot:
    """Immutable. Vectors are centred, where the model's space needs it, and of unit length.

    keys (V,) int64 sorted, features (V, C) float16: the voxel layer. ids (M,): described things; vectors (M, D).
    background (K, D): random views of the scene. center (D,): what was subtracted. words (W, D): vocabulary().things as text.
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
    words: np.ndarray

    @staticmethod
    def build(model: LanguageModel, query: QuerySettings, voxel_size: float, keys: np.ndarray, features: np.ndarray,
              views: Mapping[int, np.ndarray], background: np.ndarray, words: np.ndarray) -> LanguageSnapshot:
        """views: by thing, raw embeddings (n, D). words: as the attribute. The rest as the attributes, raw."""
        seen = np.concatenate(list(views.values())) if views else background[:0]
        center = space_of(model).center(background, seen, model.dimension)
        vectors = [unit(unit(v - center).mean(0)) for v in views.values()]
        return LanguageSnapshot(model, query, voxel_size, keys, features, np.array(list(views), np.int64),
                                np.array(vectors, np.float32).reshape(len(vectors), model.dimension), unit(background - center),
                                center.astype(np.float32), words)

    def names(self, instances: Iterable[object], up: np.ndarray, surface: Surface,
              labels: np.ndarray) -> dict[int, tuple[str, float]]:
        """The best name of each thing and its probability; structure by geometry; ("", 0) for what no picture shows.

        instances: with id, kind, structure, box and centroid. labels: (N,) thing of each surface vertex.
        """
        listed: list = list(instances)
        names = {i.id: (i.structure, _STRUCTURE_NAME_PROBABILITY) for i in listed if i.kind == "structure"}
        words = vocabulary().things
        floors = [i.id for i in listed if i.structure == "floor"]
        flat = levels(surface, labels, listed, np.asarray(up), floor_height(surface, listed, floors, np.asarray(up)))
        row_of = {int(i): row for row, i in enumerate(self.ids)}
        chances = softmax(self._word_scores / self._space.temperature)
        for i in listed:
            if i.id in names:
                continue
            row = row_of.get(i.id)
            known = [("", 0.0)] if row is None else [(words[int(chances[row].argmax())], float(chances[row].max()))]
            by_shape = [("table", flat[i.id].table * _LEVEL_PROBABILITY), ("floor", flat[i.id].floor * _FLOOR_PIECE_PROBABILITY)]
            names[i.id] = max(known + [n for n in by_shape if n[1] >= _NAMED_BY_SHAPE], key=lambda n: n[1])
        return names

    def answer(self, question: Question, surface: Surface, labels: np.ndarray, objects: Sequence[KnownObject]) -> Answer:
        """Answer a question about the things given; see answer.Question and answer.Answer."""
        wrong = problem(question)
        if wrong:
            return Answer(Status.INVALID, wrong)
        scores, chances = self._weighed(question, surface, labels, objects)
        heat = self._heat(question, surface, labels, chances)
        inside = [o for o in objects if o.id in chances and _within(question.region, o.centroid)]
        if not inside:
            where = " in that region" if question.region is not None else ""
            return Answer(Status.NOT_FOUND, f"nothing is known{where} yet that could be it", heat=heat)
        order = sorted(inside, key=lambda o: (-chances[o.id], -scores[o.id]))
        matches = [Match(o.id, scores[o.id], chances[o.id], getattr(o, "label", "")) for o in order[:question.max_results]]
        status, why = self._verdict(matches, question)
        return Answer(status, why, matches, heat)

    def segment(self, labels: Sequence[str], surface: Surface, vertex_labels: np.ndarray,
                objects: Sequence[KnownObject]) -> tuple[np.ndarray, np.ndarray]:
        """The best of the labels for every surface vertex: (N,) int32 index, -1 = none, and (N,) float32 confidence.

        A vertex takes the label of its thing; structure only one whose meaning is that structure; a vertex without a thing that
        of its voxel.
        """
        index, confidence = np.full(len(surface), -1, np.int32), np.zeros(len(surface), np.float32)
        if not labels or len(surface) == 0:
            return index, confidence
        text = self.model.encode_text(list(labels))
        closeness = self._closeness(list(labels))
        about = {name: share_of(closeness, name) for name in vocabulary().structure}
        middle = self._space.usual(np.concatenate([self.vectors, self.background]) @ text.T)
        rows = self._voxel_rows(surface)
        dense = softmax((self._voxel_similarity(text) - middle) / self._space.temperature)
        loose = (vertex_labels < 0) & (rows >= 0)
        index[loose], confidence[loose] = dense.argmax(1)[rows[loose]], dense.max(1)[rows[loose]]
        things = softmax((self.vectors @ text.T - middle) / self._space.temperature)
        row_of = {int(i): row for row, i in enumerate(self.ids)}
        for thing in objects:
            mine = vertex_labels == thing.id
            if thing.kind == "structure":
                share = about.get(getattr(thing, "label", ""), np.zeros(len(labels)))
                if share.max() >= 0.5:
                    index[mine], confidence[mine] = int(share.argmax()), share.max() * _STRUCTURE_NAME_PROBABILITY
            elif thing.id in row_of:
                row = things[row_of[thing.id]]
                index[mine], confidence[mine] = int(row.argmax()), row.max()
        return index, confidence

    def _weighed(self, question: Question, surface: Surface, labels: np.ndarray, objects: Sequence[KnownObject]
                 ) -> tuple[dict[int, float], dict[int, float]]:
        """Raw similarity and probability of every thing that something is known of."""
        asked = self._asked(question, surface, objects)
        similarity = np.mean([self.vectors @ part for part in (asked.words, asked.picture) if part is not None], axis=0)
        chance = self._space.chances(asked, self.vectors, self.background, self.words)
        for negative in question.negatives:
            if negative.strip():
                against = self.vectors @ self.model.encode_text([negative])[0]
                chance = chance / (1 + np.exp(np.clip((against - similarity) / self._space.negative_temperature, -50, 50)))
        known = {o.id for o in objects}
        scores = {int(i): float(s) for i, s in zip(self.ids, similarity, strict=True) if int(i) in known}
        chances = {int(i): float(c) for i, c in zip(self.ids, chance, strict=True) if int(i) in known}
        if question.text.strip():
            self._add_geometry(self._closeness([question.text]), surface, labels, objects, scores, chances)
        return scores, chances

    def _asked(self, question: Question, surface: Surface, objects: Sequence[KnownObject]) -> Asked:
        """The question's vectors, how foreign its words are, and how well each described thing's shape fits them."""
        picture = None if question.image is None else unit(self.model.encode_crops([question.image])[0] - self.center)
        if not question.text.strip():
            return Asked(None, picture, 0.0, None)
        closeness = self._closeness([question.text])
        elsewhere = max(0.0, float(closeness["elsewhere"][0] - max(closeness["things"][0], closeness["supports"][0])))
        return Asked(self.model.encode_text([question.text])[0], picture, elsewhere,
                     self._shape_fit(question.text, surface, objects))

    def _shape_fit(self, text: str, surface: Surface, objects: Sequence[KnownObject]) -> np.ndarray:
        """(M,) log of how well each described thing's size and height fit the words nearest to the question."""
        words = vocabulary()
        weights = softmax(self._space.familiar_words(self.model, text, words.things, self.words) / _WORD_TEMPERATURE)
        up, floor = ground(surface, objects)
        known = {o.id: (float(np.max(o.box.size)), float(o.box.center @ up) - floor) for o in objects}
        shapes = np.array([known.get(int(i), (1.0, 1.0)) for i in self.ids]).reshape(-1, 2)
        return shape_fit(shapes[:, 0], shapes[:, 1], np.array(words.sizes), np.array(words.heights), weights)

    def _add_geometry(self, closeness: Mapping[str, np.ndarray], surface: Surface, labels: np.ndarray,
                      objects: Sequence[KnownObject], scores: dict[int, float], chances: dict[int, float]) -> None:
        """Structure answers to its name, horizontal surfaces to questions about tables and the floor, and less to all others."""
        about = {name: float(share_of(closeness, name)[0]) for name in (*vocabulary().structure, "supports")}
        for thing in objects:
            share = about.get(getattr(thing, "label", ""), 0.0)
            if thing.kind == "structure":
                scores[thing.id], chances[thing.id] = share, share * _STRUCTURE_NAME_PROBABILITY
        found: Mapping[int, Levels] = levels(surface, labels, objects, *ground(surface, objects))
        for i, flat in found.items():
            table, floor = flat.table * _LEVEL_PROBABILITY, flat.floor * _FLOOR_PIECE_PROBABILITY
            other = chances.get(i, 0.0)
            asked = about["supports"] * (1 - (1 - table) * (1 - other)) + about["floor"] * floor
            rest = max(0.0, 1 - about["supports"] - about["floor"]) * other * (1 - table) * (1 - floor)
            scores.setdefault(i, 0.0)
            chances[i] = asked + rest

    def _closeness(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """How close in meaning (N,) texts are to the nearest word of each group: things, elsewhere, supports, each structure."""
        groups = vocabulary().groups()
        closeness = self.model.text_similarity(texts, [word for words in groups.values() for word in words])
        ends = np.cumsum([len(words) for words in groups.values()])
        return {name: part.max(1) for name, part in zip(groups, np.split(closeness, ends[:-1], axis=1), strict=True)}

    def _verdict(self, matches: list[Match], question: Question) -> tuple[Status, str]:
        best = matches[0]
        found, ambiguous = self.query.found_probability, self.query.ambiguous_probability
        much = f"object {best.id}" + (f" ({best.label})" if best.label else "") + f" with probability {best.probability:.2f}"
        if best.probability >= found:
            return Status.FOUND, f"the best is {much}; {found:.2f} is enough (query.found_probability)"
        strange = question.text.strip() and max(float(c[0]) for c in self._closeness([question.text]).values()) < _FAMILIAR
        hint = "; the words share little with anything known, English names of things work best" if strange else ""
        if best.probability >= ambiguous:
            why = f"it may be {much}: less than the {found:.2f} that make it sure (query.found_probability)"
            return Status.AMBIGUOUS, why + hint
        why = f"nothing here is it: the nearest is {much}, below {ambiguous:.2f} (query.ambiguous_probability)"
        return Status.NOT_FOUND, why + hint

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
        heat = 2 / 3 * table[labels]  # label -1 is the last, which stays zero
        asked = self.model.encode_text([question.text]) if question.text.strip() else \
            unit(self.model.encode_crops([question.image]) - self.center)  # type: ignore[list-item]
        similarity, rows = self._voxel_similarity(asked)[:, 0], self._voxel_rows(surface)
        if len(similarity):
            low, high = np.percentile(similarity, [50, 99.5])
            scaled = np.clip((similarity - low) / max(high - low, 1e-6), 0, 1)
            heat += np.where(rows >= 0, scaled[rows], 0.0) / 3
        return (heat * warmth).astype(np.float32)

    def _voxel_rows(self, surface: Surface) -> np.ndarray:
        """(N,) row of each surface vertex in the voxel layer; that of the nearest of its six neighbours where it has none; -1."""
        layer = VoxelFeatures(self.voxel_size, 1)
        places = np.arange(len(self.keys))
        rows = look_up(self.keys, places, layer.keys_of(surface.vertices))
        for axis in range(3):
            for sign in (-1.0, 1.0):
                missing = np.flatnonzero(rows < 0)
                step = np.zeros(3)
                step[axis] = sign * self.voxel_size
                rows[missing] = look_up(self.keys, places, layer.keys_of(surface.vertices[missing] + step))
        return rows

    def _voxel_similarity(self, embeddings: np.ndarray) -> np.ndarray:
        """(V, n) of the voxels with (n, D) embeddings, in the compressed space."""
        return self._voxels @ self._space.compressed(self.model.compress(embeddings)).T

    @cached_property
    def _space(self) -> Space:
        return space_of(self.model)

    @cached_property
    def _voxels(self) -> np.ndarray:
        return self._space.voxels(self.features.astype(np.float32))

    @cached_property
    def _word_scores(self) -> np.ndarray:
        """(M, W) cosines of the things with the vocabulary, less each word's usual cosine in this scene."""
        cosines, background = (v @ self.words.T for v in (self.vectors, self.background))
        return cosines - self._space.usual(np.concatenate([cosines, background])) if len(cosines) else cosines


def share_of(closeness: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """(N,) 0..1, how much each text is about that group of words rather than the others, or than nothing known."""
    rivals = np.max([c for group, c in closeness.items() if group != name], axis=0)
    return 1 / (1 + np.exp((np.maximum(rivals, _FAMILIAR) - closeness[name]) / _WORD_TEMPERATURE))


def _within(region: np.ndarray | None, point: np.ndarray) -> bool:
    return region is None or bool((point >= region[0]).all() and (point <= region[1]).all())
