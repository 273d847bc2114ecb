"""What is known of a scene's things, as far as questions need it: nothing here needs the surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from magic3d_ros.config import QuerySettings
from magic3d_ros.cues.protocols import LanguageModel
from magic3d_ros.language.answer import Answer, Match, Question, Status
from magic3d_ros.language.concepts.attributes import attribute_fit
from magic3d_ros.language.concepts.colours import COLOURS
from magic3d_ros.language.concepts.evidence import STRUCTURE_PROBABILITY, as_asked
from magic3d_ros.language.concepts.form import form_fit
from magic3d_ros.language.concepts.knowledge import FAMILIAR, Knowledge
from magic3d_ros.language.places import KnownObject, Levels
from magic3d_ros.language.question import admitted, problem, restrictions
from magic3d_ros.language.recognition import forms_of, recognise, volume
from magic3d_ros.language.relation_words import Phrase, parse
from magic3d_ros.language.relations import FROM_A_VIEWPOINT, Layout, Placed
from magic3d_ros.language.space import Asked, space_of
from magic3d_ros.language.vectors import unit

_LEAST_SHARE = 0.1
"""A question of which no concept has more is about nothing in particular: the longest groups of the lexicon give .15."""
_NEVER = 1e-6
"""Probability of a concept that counts as none at all, so that logarithms stay finite."""

Thing = TypeVar("Thing", bound=KnownObject)


@dataclass(frozen=True)
class SemanticMemory(Generic[Thing]):
    """Immutable; in memory part of a scene, on disk storage.semantic_table. Vectors are centred, where the model's space needs
    it, and of unit length.

    objects: all things, also those that no picture shows. levels: by id, for each that is no structure. up (3,): unit. floor:
    its height along `up`, metres. ids (M,) int64: described things; vectors (M, D) float32. background (K, D): random views of
    the scene. center (D,): what was subtracted. knowledge: bank and lexicon. seen_from (n, 3): places of the
    camera in the world. colours: by id, (11,) shares of concepts.colours.COLOURS; even where unknown.
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
    knowledge: Knowledge
    seen_from: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    colours: Mapping[int, np.ndarray] = field(default_factory=dict)

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
        phrase = parse(question.text, self.knowledge.known_names) if question.text.strip() else Phrase("")
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
        space, asked = space_of(self.model), self.asked(question)
        pictured = None if asked.picture is None else self.pictures @ asked.picture
        similarity = np.mean([part for part in (asked.similarity, pictured) if part is not None], axis=0)
        chance = space.chances(asked, self.pictures, self.background)
        for negative in question.negatives:
            if negative.strip():
                against = self._looks @ self.knowledge.text_vectors([negative])[0]
                chance = chance / (1 + np.exp(np.clip((against - similarity) / space.negative_temperature, -50, 50)))
        known = self._structure | self._shown if asked.fit is None else np.ones(len(self.objects), bool)
        if question.text.strip():
            weights = self.knowledge.meaning([question.text]).weights[0]
            share = self._concepts @ weights
            chance = np.where(self._structure, share, chance)
            similarity = np.where(self._structure, share / STRUCTURE_PROBABILITY, similarity)
        else:
            known &= ~self._structure
        return ({o.id: float(s) for o, s, k in zip(self.objects, similarity, known, strict=True) if k},
                {o.id: float(c) for o, c, k in zip(self.objects, chance, known, strict=True) if k})

    def asked(self, question: Question) -> Asked:
        """The question's vectors, and what concepts, forms, colours and sizes say of every thing."""
        picture = None if question.image is None else unit(self.model.encode_crops([question.image])[0] - self.center)
        if not question.text.strip():
            return Asked(None, picture)
        meaning = self.knowledge.meaning([question.text])
        weights = meaning.weights[0]
        forms = forms_of(self.objects, self.up, self.floor)
        form = np.log(np.exp(form_fit(self.knowledge.bank, forms)) @ weights + _NEVER)
        even = np.full(len(COLOURS), 1 / len(COLOURS))
        colours = np.array([self.colours.get(o.id, even) for o in self.objects]).reshape(-1, len(COLOURS))
        fit = np.log(as_asked(self.knowledge.bank, self._concepts) @ weights + _NEVER) - np.log(max(weights.max(), _LEAST_SHARE))
        return Asked(self._looks @ self.knowledge.text_vectors([question.text])[0], picture, fit, form,
                     attribute_fit(question.text, colours, forms.length), self._concepts @ meaning.nearest[0],
                     np.log([volume(o.box) for o in self.objects]), max(0.0, FAMILIAR - float(meaning.closeness[0])))

    @cached_property
    def pictures(self) -> np.ndarray:
        """(O, D) of all objects, zeros for those that no picture shows."""
        row_of = {o.id: row for row, o in enumerate(self.objects)}
        vectors = np.zeros((len(self.objects), self.model.dimension), np.float32)
        for i, vector in zip(self.ids, self.vectors, strict=True):
            if int(i) in row_of:
                vectors[row_of[int(i)]] = vector
        return vectors

    @cached_property
    def _looks(self) -> np.ndarray:
        """(O, D) the same, as words are compared with them."""
        return self.knowledge.corrected(self.pictures)

    @cached_property
    def _shown(self) -> np.ndarray:
        """(O,) bool, objects that pictures show."""
        return np.isin([o.id for o in self.objects], self.ids)

    @cached_property
    def _structure(self) -> np.ndarray:
        """(O,) bool, objects that are floor, wall or ceiling."""
        return np.array([o.kind == "structure" for o in self.objects], bool)

    @cached_property
    def _concepts(self) -> np.ndarray:
        """(O, C) probability of each concept for each object."""
        structure = [getattr(o, "label", "") if o.kind == "structure" else "" for o in self.objects]
        return recognise(self.knowledge, self.objects, structure, self.pictures, self.levels, self.colours, self.up, self.floor)

    def _verdict(self, matches: list[Match], question: Question) -> tuple[Status, str]:
        best = matches[0]
        found, ambiguous = self.query.found_probability, self.query.ambiguous_probability
        much = f"object {best.id}" + (f" ({best.label})" if best.label else "") + f" with probability {best.probability:.2f}"
        if best.probability >= found:
            return Status.FOUND, f"the best is {much}; {found:.2f} is enough (query.found_probability)"
        strange = question.text.strip() and self.knowledge.meaning([question.text]).closeness[0] < FAMILIAR
        hint = "; the words share little with anything known, English names of things work best" if strange else ""
        if best.probability >= ambiguous:
            why = f"it may be {much}: less than the {found:.2f} that make it sure (query.found_probability)"
            return Status.AMBIGUOUS, why + hint
        why = f"nothing here is it: the nearest is {much}, below {ambiguous:.2f} (query.ambiguous_probability)"
        return Status.NOT_FOUND, why + hint
