"""Fits how pictures, form, colours and words speak for answers (language/concepts, language/calibration.py).

    ./run bench query_weights [--scenes living_room,...,random:1000,...,varied:2000,...] [--maps FOLDER] [--write]

All things of the random and varied rooms whose class is a kind of the varied rooms, or one of bench/query_classes.yaml, are
examples of what pictures of things look like; each scene is looked at with those of the other rooms. First what a thing is, by
all known things; then, with the weights that the package has, which thing a question means, and how probable that is: by the
`tune` questions of bench/queries_*.yaml and, of the rooms by chance, by the phrases of bench/query_phrases.yaml and
bench/query_phrases_varied.yaml. Each question is asked twice, the second time as if there were no example of what it asks for,
because people ask for kinds that no room of ours holds; both count. The numbers are printed beside those in use. --write: the
examples replace those that the package has (language/concepts/examples.safetensors); weights are written nowhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.evidence_fit import Choice, choice_weights, slope_and_offset
from magic3d_ros.evaluation.questions import ABSENT, TUNE, KnownQuestion, QuestionSet, load_questions
from magic3d_ros.evaluation.questions_scenes import ROOM, mapped
from magic3d_ros.evaluation.questions_scores import Outcome, ranking, rejection, reliability
from magic3d_ros.language import calibration, space
from magic3d_ros.language.answer import Question, Status
from magic3d_ros.language.concepts import evidence, form
from magic3d_ros.language.concepts.bank import FREQUENCIES
from magic3d_ros.language.concepts.colours import COLOURS
from magic3d_ros.language.concepts.examples import Examples
from magic3d_ros.language.recognition import forms_of
from magic3d_ros.language.semantic_memory import SemanticMemory
from magic3d_ros.sources.room.shapes.varied.kinds import KINDS

BENCH = Path(__file__).parent
DATA = BENCH.resolve().parents[1] / "shared" / "data"
VARIED = "varied:"
PHRASES = {"random:": "query_phrases.yaml", VARIED: "query_phrases_varied.yaml"}
"""Rooms that nobody furnished, by how their names begin, and what is asked there."""
BY_CHANCE = tuple(PHRASES)
VARIED_ROOMS = (*range(2000, 2007), *range(2008, 2014), *range(2016, 2022), *range(2024, 2028))
SCENES = ",".join(["living_room", "procedural_room", "redkitchen", *(f"random:{seed}" for seed in range(1000, 1020)),
                   *(f"{VARIED}{seed}" for seed in VARIED_ROOMS)])
"""The tune scenes, and the rooms that the package's examples are from."""
PENALTY_THINGS, PENALTY_QUESTIONS = 0.003, 0.002
"""Of the squared weights: hundreds of examples need little."""
ABSENT_SHARE = 0.25
"""So many phrases for what other rooms hold as there are for what this one holds, and so many for what none does."""
_LOOK_UNIT, _COSINE_UNIT = 0.1, 0.1
"""Terms are about as large as each other."""


@dataclass(frozen=True)
class Labelled:
    """A mapped scene. names: by thing, what it really is. points: by thing, how many of the surface are its."""

    name: str
    memory: SemanticMemory
    names: Mapping[int, frozenset[str]]
    points: Mapping[int, int]
    questions: tuple[KnownQuestion, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="magic3d bench query_weights", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=SCENES, help="of bench/queries_*.yaml, or random:N, separated by commas")
    parser.add_argument("--frames", type=int, default=72, help="of a room; of a recording about as many")
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    parser.add_argument("--write", action="store_true", help="the examples of these rooms become those of the package")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    settings = load_settings(None, {})
    extractor = CueExtractor(settings)
    classes = {name: [name] for name in KINDS} | yaml.safe_load((BENCH / "query_classes.yaml").read_text(encoding="utf-8"))
    phrases = {start: yaml.safe_load((BENCH / file).read_text(encoding="utf-8")) for start, file in PHRASES.items()}
    scenes = []
    for name in options.scenes.split(","):
        known = (QuestionSet(name.replace(":", ""), ROOM + name, ()) if name.startswith(BY_CHANCE)
                 else load_questions(BENCH / f"queries_{name}.yaml"))
        scene = mapped(known, DATA, settings, extractor, options.frames, None, options.maps)
        found, memory = scene.pipeline.scene, scene.pipeline.scene.memory
        assert memory is not None
        lying = {o.id: found.points_of(o.id) for o in found.objects}
        names = {id_: scene.truth.names(found.surface.vertices[rows]) for id_, rows in lying.items()}
        asked = tuple(q for q in known.questions if q.split == TUNE) or automatic(
            frozenset().union(*names.values()), phrases[name.partition(":")[0] + ":"])
        scenes.append(Labelled(name, memory, names, {id_: len(rows) for id_, rows in lying.items()}, asked))
        console.print(f"{name}: {len(found.objects)} things, {len(asked)} questions")
    rooms = {scene.name: examples(scene, classes) for scene in scenes if scene.name.startswith(BY_CHANCE)}
    if options.write:
        together(rooms).save(extractor.language.name)
    scenes = [informed(scene, {name: those for name, those in rooms.items() if name != scene.name}) for scene in scenes]
    things = [choice for scene in scenes for choice in named_things(scene, classes)]
    weights = choice_weights(things, PENALTY_THINGS)
    table = Table(f"what a thing is: {len(things)} things", "fitted", "in use")
    used = (space.LOOK_WEIGHT, *form.WEIGHTS, evidence.COLOUR_WEIGHT, *(-r for r in evidence.RARITY[1:]))
    fitted = (weights[0] / _LOOK_UNIT, *weights[1:])
    for name, new, now in zip(("looks", "too long", "too short", "height", "shape", "colour", *FREQUENCIES[1:]), fitted, used,
                              strict=True):
        table.add_row(name, f"{new:.2f}", f"{now:.2f}")
    console.print(table)
    known = {scene.name: scene_choices(scene) for scene in scenes}
    unknown = {scene.name: choices_without_examples(scene, classes, known[scene.name]) for scene in scenes}
    both = {name: known[name] + unknown[name] for name in known}
    terms, offset = question_weights([choice for of_scene in both.values() for choice in of_scene])
    table = Table(f"what a question means: {sum(map(len, known.values()))} questions", "fitted", "in use")
    fitted = (terms[0], terms[1] / _COSINE_UNIT, terms[2] / _COSINE_UNIT, terms[3], offset)
    used = (calibration.FIT, calibration.SIMILARITY, calibration.CLOSENESS, calibration.VOLUME, calibration.BIAS)
    for name, new, now in zip(("fit", "cosine", "closeness", "volume", "offset"), fitted, used, strict=True):
        table.add_row(name, f"{new:.2f}", f"{now:.2f}")
    console.print(table)
    table = Table("each left out in turn", "present", "P@1", "hit@3", "absent", "F1 of NOT_FOUND", "calibration error")
    left_out = {scene.name: question_weights([c for name, of_scene in both.items() if name != scene.name for c in of_scene])
                for scene in scenes}
    for title, choices in (("", known), (", no example of what is asked for", unknown)):
        outcomes = [outcome(scene.name, question, choice, *left_out[scene.name], settings.query.ambiguous_probability)
                    for scene in scenes for question, choice in zip(scene.questions, choices[scene.name], strict=True)]
        for where, rows in (*((f"{start}N", [o for o in outcomes if o.scene.startswith(start)]) for start in BY_CHANCE),
                            ("the others", [o for o in outcomes if not o.scene.startswith(BY_CHANCE)])):
            if not rows:
                continue
            ranked, refused = ranking(rows), rejection(rows)
            table.add_row(where + title, str(ranked.count), f"{ranked.first:.2f}", f"{ranked.three:.2f}", str(refused.absent),
                          f"{refused.f1:.2f}", f"{reliability(rows)[0]:.3f}")
    console.print(table)
    return 0


def called(scene: Labelled, classes: Mapping[str, Sequence[str]]) -> dict[int, tuple[str, ...]]:
    """By row of each thing whose class is known and that is no structure, the concepts that it may rightly be called."""
    of = {row: next((classes[name] for name in sorted(scene.names[thing.id]) if name in classes), ())
          for row, thing in enumerate(scene.memory.objects) if thing.kind == "object"}
    return {row: tuple(names) for row, names in of.items() if names}


def examples(scene: Labelled, classes: Mapping[str, Sequence[str]]) -> Examples:
    """All known things of a scene that pictures show; of varied rooms, which hold one thing of a kind, its largest piece alone.

    With all pieces of 13 varied rooms 15 of redkitchen's 22 questions were answered first, with the largest of 21 rooms 17, with
    examples of random rooms alone 18.
    """
    pictures = scene.memory.pictures
    known = {row: names for row, names in called(scene, classes).items() if pictures[row].any()}
    if scene.name.startswith(VARIED):
        by_size = sorted(known, key=lambda row: scene.points[scene.memory.objects[row].id])
        known = {row: names for names, row in {known[row]: row for row in by_size}.items()}
    return Examples(pictures[list(known)], tuple(known.values()))


def together(rooms: Mapping[str, Examples]) -> Examples:
    """Those of all rooms."""
    return Examples(np.concatenate([room.vectors for room in rooms.values()]),
                    tuple(names for room in rooms.values() for names in room.concepts))


def informed(scene: Labelled, rooms: Mapping[str, Examples]) -> Labelled:
    """The scene as the examples of those rooms make it known, in place of those that the package has."""
    others = scene.memory.knowledge.with_examples(together(rooms) if rooms else None)
    return replace(scene, memory=replace(scene.memory, knowledge=others))


def question_weights(choices: Sequence[Choice]) -> tuple[np.ndarray, float]:
    """Of the terms of `scene_choices`, and an offset: of the logistic function that makes them probabilities."""
    weights = choice_weights(choices, PENALTY_QUESTIONS)
    scores = [choice.terms @ weights for choice in choices]
    slope, offset = slope_and_offset(np.array([s.max() for s in scores]),
                                     np.array([c.right[s.argmax()] for c, s in zip(choices, scores, strict=True)]),
                                     np.ones(len(choices)))
    return slope * weights, offset


def outcome(scene: str, question: KnownQuestion, choice: Choice, terms: np.ndarray, offset: float, least: float) -> Outcome:
    """What came of a question asked to things alone, structure left out. least: query.ambiguous_probability."""
    scores = choice.terms @ terms + offset
    probability = float(1 / (1 + np.exp(-scores.max())))
    return Outcome(scene, question, choice.right[np.argsort(-scores, kind="stable")],
                   Status.FOUND if probability >= least else Status.NOT_FOUND, probability)


def named_things(scene: Labelled, classes: Mapping[str, Sequence[str]]) -> list[Choice]:
    """Of each thing that has a known class: terms of all concepts but structure, in the order of the first table."""
    memory, bank = scene.memory, scene.memory.knowledge.bank
    even = np.full(len(COLOURS), 1 / len(COLOURS))
    colours = np.array([memory.colours.get(o.id, even) for o in memory.objects]).reshape(-1, len(COLOURS))
    looks = memory.knowledge.corrected(memory.pictures) @ memory.knowledge.vectors.T
    frequency = np.broadcast_to(-np.eye(len(FREQUENCIES))[bank.frequencies][:, 1:], (*looks.shape, len(FREQUENCIES) - 1))
    shapes = form.form_terms(bank, forms_of(memory.objects, memory.up, memory.floor))
    terms = np.concatenate([looks[..., None] / _LOOK_UNIT, shapes,
                            (evidence.colour_fit(bank, colours) / evidence.COLOUR_WEIGHT)[..., None], frequency], axis=-1)
    return [Choice(terms[row][~bank.structure], np.isin([c.name for c in bank.concepts], names)[~bank.structure])
            for row, names in called(scene, classes).items()]


def scene_choices(scene: Labelled) -> list[Choice]:
    """Of each question: fit, cosine, closeness and volume of all things but structure."""
    memory, found = scene.memory, []
    objects = np.array([o.kind == "object" for o in memory.objects])
    for question in scene.questions:
        asked = memory.asked(Question(question.text))
        assert asked.fit is not None and asked.similarity is not None and asked.closeness is not None and asked.volume is not None
        terms = np.stack([asked.fit, asked.similarity / _COSINE_UNIT, asked.closeness / _COSINE_UNIT, asked.volume], 1)
        right = np.array([bool(scene.names[o.id] & question.right) for o in memory.objects], bool)
        found.append(Choice(terms[objects], right[objects]))
    return found


def choices_without_examples(scene: Labelled, classes: Mapping[str, Sequence[str]], known: Sequence[Choice]) -> list[Choice]:
    """The same as `scene_choices`, each question as if there were no example of what it asks for. known: what that one gave,
    which stands for questions to which no example belongs."""
    choices, seen = list(known), dict[frozenset[str], Labelled]()
    for number, question in enumerate(scene.questions):
        asked = frozenset(classes[name][0] for name in question.right if name in classes)
        if not asked:
            continue
        if asked not in seen:
            knowledge = scene.memory.knowledge.without_examples_of(asked)
            seen[asked] = replace(scene, memory=replace(scene.memory, knowledge=knowledge))
        choices[number], = scene_choices(replace(seen[asked], questions=(question,)))
    return choices


def automatic(present: frozenset[str], phrases: Mapping[str, Mapping[str, Sequence[str]] | Sequence[str]]
              ) -> tuple[KnownQuestion, ...]:
    """Questions to a random room: all phrases (bench/query_phrases.yaml) for what stands there, some for what does not."""
    asked = {text: (kind, frozenset(right)) for kind, of in phrases.items() if isinstance(of, Mapping)
             for text, right in of.items()}
    here = [KnownQuestion(text, kind, right, TUNE) for text, (kind, right) in asked.items() if right & present]
    rng, count = np.random.default_rng(0), round(ABSENT_SHARE * len(here))
    elsewhere = rng.permutation([text for text, (_, right) in asked.items() if not right & present])[:count]
    nowhere = rng.permutation(list(phrases[ABSENT]))[:count]
    return (*here, *(KnownQuestion(str(text), ABSENT, frozenset(), TUNE) for text in (*elsewhere, *nowhere)))


if __name__ == "__main__":
    raise SystemExit(main())
