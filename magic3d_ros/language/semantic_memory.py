"""What is known of a scene's things, as far as questions need it: nothing here needs the surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from magic3d_ros.config import QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.answer import Answer, Match, Question, Status
from magic3d_ros.language.calibration import shape_fit
from magic3d_ros.language.places import KnownObject, Levels
from magic3d_ros.language.question import admitted, problem, restrictions
from magic3d_ros.language.relation_words import Phrase, parse
from magic3d_ros.language.relations import FROM_A_VIEWPOINT, Layout, Placed
from magic3d_ros.language.space import Asked, space_of
from magic3d_ros.language.vectors import softmax, unit
from magic3d_ros.language.vocabulary import known_names, vocabulary
from magic3d_ros.language.wording import FAMILIAR, WORD_TEMPERATURE, closeness_of, share_of

STRUCTURE_NAME_PROBABILITY = 0.9
"""Geometry says what is floor, wall and ceiling; large flat things are rarely something else."""
LEVEL_PROBABILITY = 0.9
"""A thing that is in full a horizontal surface at the height of a table is one with this probability; what else it could be
shares the rest."""
FLOOR_PIECE_PROBABILITY = 0.7
"""The same for pieces on the floor that were not told as structure (mats, floor behind furniture). The floor comes first."""

Thing = TypeVar("Thing", bound=KnownObject)


@dataclass(frozen=True)
class SemanticMemory(Generic[Thing]):
    """Immutable; in memory part of a scene, on disk storage.semantic_table. Vectors are centred, where the model's space needs
    it, and of unit length.

    objects: all things, also those that no picture shows. levels: by id, for each that is no structure. up (3,): unit. floor:
    its height along `up`, metres. ids (M,) int64: described things; vectors (M, D) float32. background (K, D): random views of
    the scene. center (D,): what was subtracted. words (W, D): vocabulary().things as text. seen_from (n, 3): places of the
    camera in the world.
    """

    model: LanguageModel
    query: QuerySettings
    objects: tuple[Thing, ...]
    levels: Mapping[int, Levels]
    up: np.ndarray
    floor: float
    ids: np.ndarray
    vectors: np.ndarray
    background: np.ndarray
    center: np.ndarray
    words: np.ndarray
    seen_from: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    def object(self, object_id: int) -> Thing | None:
        """The thing of that id, if it is known."""
        return next((o for o in self.objects if o.id == object_id), None)

    def answer(self, question: Question) -> Answer:
        """Answer a question; without a heat map."""
        return self.answer_and_chances(question)[0]

    def answer_and_chances(self, question: Question) -> tuple[Answer, dict[int, float]]:
        """The answer, and by id the probability of every thing of which something is known, also of those that the question does
        not admit."""
        wrong = problem(question)
        if wrong:
            return Answer(Status.INVALID, wrong), {}
        phrase = parse(question.text, known_names()) if question.text.strip() else Phrase("")
        if question.relations and phrase.relation is not None:
            scores, chances, places = self._related(question, phrase)
        else:
            (scores, chances), places = self._weighed(question), {}
        inside = [o for o in admitted(question, self.objects) if o.id in chances]
        if not inside:
            return Answer(Status.NOT_FOUND, f"nothing is known{restrictions(question)} yet that could be it"), chances
        order = sorted(inside, key=lambda o: (-chances[o.id], -scores[o.id]))
        matches = [Match(o.id, scores[o.id], chances[o.id], getattr(o, "label", "")) for o in order[:question.max_results]]
        status, why = self._verdict(matches, question)
        if places:
            why = f"read as {phrase}: {why}{places[matches[0].id]}"
        elif phrase.relation is not None and status != Status.FOUND:
            why += "; the words also say where it is: ask with relations"
        return Answer(status, why, matches), chances

    def _related(self, question: Question, phrase: Phrase) -> tuple[dict[int, float], dict[int, float], dict[int, str]]:
        """As _weighed, of a question that says where the thing is, and by id where each is, in words."""
        layout = Layout([Placed(o.id, o.box, getattr(o, "support", -1), o.kind == "structure") for o in self.objects],
                        self.seen_from)

        def in_order(chances: Mapping[int, float]) -> np.ndarray:
            return np.array([chances.get(o.id, 0.0) for o in self.objects])

        scores: dict[int, float] = {}
        own = None
        if phrase.thing or question.image is not None:
            scores, chances = self._weighed(replace(question, text=phrase.thing))
            own = in_order(chances)
        related = layout.related(phrase, lambda words: in_order(self._weighed(Question(words))[1]),
                                 self.query.found_probability, question.viewpoint, own)
        chances = {o.id: float(c) for o, c in zip(self.objects, related.chances, strict=True)}
        places = {o.id: self._place(layout, phrase, rows, question.viewpoint)
                  for o, rows in zip(self.objects, related.anchors, strict=True)}
        return {i: scores.get(i, chance) for i, chance in chances.items()}, chances, places

    def _place(self, layout: Layout, phrase: Phrase, rows: tuple[int, ...], viewpoint: np.ndarray | None) -> str:
        """Where a thing is in relation to the objects in those rows, to follow what was said of it."""
        assert phrase.relation is not None
        if not rows:
            return f"; nothing is known to be {Phrase('', phrase.relation, phrase.anchors)}".replace("anything ", "")
        things = [self.objects[row] for row in rows]
        names = [f"object {o.id}" + (f" ({label})" if (label := getattr(o, "label", "")) else "") for o in things]
        words = f"; it is {phrase.relation.value} {' and '.join(names)}"
        viewer = layout.viewer(rows[0], viewpoint) if phrase.relation in FROM_A_VIEWPOINT else None
        return words if viewer is None else f"{words}, seen from ({', '.join(f'{x:.1f}' for x in viewer)})"

    def _weighed(self, question: Question) -> tuple[dict[int, float], dict[int, float]]:
        """Raw similarity and probability of every thing that something is known of."""
        space = space_of(self.model)
        closeness = closeness_of(self.model, [question.text]) if question.text.strip() else None
        asked = self._asked(question, closeness)
        similarity = np.mean([self.vectors @ part for part in (asked.words, asked.picture) if part is not None], axis=0)
        chance = space.chances(asked, self.vectors, self.background, self.words)
        for negative in question.negatives:
            if negative.strip():
                against = self.vectors @ self.model.encode_text([negative])[0]
                chance = chance / (1 + np.exp(np.clip((against - similarity) / space.negative_temperature, -50, 50)))
        known = {o.id for o in self.objects}
        scores = {int(i): float(s) for i, s in zip(self.ids, similarity, strict=True) if int(i) in known}
        chances = {int(i): float(c) for i, c in zip(self.ids, chance, strict=True) if int(i) in known}
        if closeness is not None:
            self._add_geometry(closeness, scores, chances)
        return scores, chances

    def _asked(self, question: Question, closeness: Mapping[str, np.ndarray] | None) -> Asked:
        """The question's vectors, how foreign its words are, and how well each described thing's shape fits them."""
        picture = None if question.image is None else unit(self.model.encode_crops([question.image])[0] - self.center)
        if closeness is None:
            return Asked(None, picture, 0.0, None)
        elsewhere = max(0.0, float(closeness["elsewhere"][0] - max(closeness["things"][0], closeness["supports"][0])))
        return Asked(self.model.encode_text([question.text])[0], picture, elsewhere, self._shape_fit(question.text))

    def _shape_fit(self, text: str) -> np.ndarray:
        """(M,) log of how well each described thing's size and height fit the words nearest to the question."""
        words = vocabulary()
        weights = softmax(space_of(self.model).familiar_words(self.model, text, words.things, self.words) / WORD_TEMPERATURE)
        known = {o.id: (float(np.max(o.box.size)), float(o.box.center @ self.up) - self.floor) for o in self.objects}
        shapes = np.array([known.get(int(i), (1.0, 1.0)) for i in self.ids]).reshape(-1, 2)
        return shape_fit(shapes[:, 0], shapes[:, 1], np.array(words.sizes), np.array(words.heights), weights)

    def _add_geometry(self, closeness: Mapping[str, np.ndarray], scores: dict[int, float], chances: dict[int, float]) -> None:
        """Structure answers to its name, horizontal surfaces to questions about tables and the floor, and less to all others."""
        about = {name: float(share_of(closeness, name)[0]) for name in (*vocabulary().structure, "supports")}
        for thing in self.objects:
            share = about.get(getattr(thing, "label", ""), 0.0)
            if thing.kind == "structure":
                scores[thing.id], chances[thing.id] = share, share * STRUCTURE_NAME_PROBABILITY
        for i, flat in self.levels.items():
            table, floor = flat.table * LEVEL_PROBABILITY, flat.floor * FLOOR_PIECE_PROBABILITY
            other = chances.get(i, 0.0)
            asked = about["supports"] * (1 - (1 - table) * (1 - other)) + about["floor"] * floor
            rest = max(0.0, 1 - about["supports"] - about["floor"]) * other * (1 - table) * (1 - floor)
            scores.setdefault(i, 0.0)
            chances[i] = asked + rest

    def _verdict(self, matches: list[Match], question: Question) -> tuple[Status, str]:
        best = matches[0]
        found, ambiguous = self.query.found_probability, self.query.ambiguous_probability
        much = f"object {best.id}" + (f" ({best.label})" if best.label else "") + f" with probability {best.probability:.2f}"
        if best.probability >= found:
            return Status.FOUND, f"the best is {much}; {found:.2f} is enough (query.found_probability)"
        strange = question.text.strip() and \
            max(float(c[0]) for c in closeness_of(self.model, [question.text]).values()) < FAMILIAR
        hint = "; the words share little with anything known, English names of things work best" if strange else ""
        if best.probability >= ambiguous:
            why = f"it may be {much}: less than the {found:.2f} that make it sure (query.found_probability)"
            return Status.AMBIGUOUS, why + hint
        why = f"nothing here is it: the nearest is {much}, below {ambiguous:.2f} (query.ambiguous_probability)"
        return Status.NOT_FOUND, why + hint
