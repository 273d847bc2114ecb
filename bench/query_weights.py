"""Fits the weights with which pictures, form, colours and words speak for answers (language/concepts, language/calibration.py).

    ./run bench query_weights [--scenes living_room,...,random:1000,...] [--maps FOLDER]

First what a thing is, by all things of the scenes whose class bench/query_classes.yaml knows; then, with the weights that the
package has, which thing a question means, and how probable that is: by the `tune` questions of bench/queries_*.yaml and, of
random rooms, by the names of what stands there, phrases of the lexicon that it serves, and as many names of what does not.
Nothing is written: the numbers are printed beside those in use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from magic3d_ros.language import calibration, space
from magic3d_ros.language.answer import Question
from magic3d_ros.language.concepts import evidence, form
from magic3d_ros.language.concepts.bank import FREQUENCIES
from magic3d_ros.language.concepts.colours import COLOURS
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.recognition import forms_of
from magic3d_ros.language.semantic_memory import SemanticMemory

BENCH = Path(__file__).parent
DATA = BENCH.resolve().parents[1] / "shared" / "data"
RANDOM = "random:"
SCENES = "living_room,procedural_room,redkitchen,random:1000,random:1001,random:1002,random:1003,random:1004"
PENALTY_THINGS, PENALTY_QUESTIONS = 0.003, 0.002
"""Of the squared weights: hundreds of examples need little."""
AUTOMATIC_SHARE = 0.4
"""How much a question made of names counts beside one that a person wrote, for the probability."""
UNLIKE = 0.6
"""Closeness in meaning to anything that stands in the room, below which a concept is absent."""
_LOOK_UNIT, _COSINE_UNIT = 0.1, 0.1
"""Terms are about as large as each other."""


@dataclass(frozen=True)
class Labelled:
    """A mapped scene. names: by thing, what it really is."""

    name: str
    memory: SemanticMemory
    names: Mapping[int, frozenset[str]]
    questions: tuple[KnownQuestion, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="magic3d bench query_weights", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=SCENES, help="of bench/queries_*.yaml, or random:N, separated by commas")
    parser.add_argument("--frames", type=int, default=72, help="of a room; of a recording about as many")
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    settings = load_settings(None, {})
    extractor = CueExtractor(settings)
    classes = yaml.safe_load((BENCH / "query_classes.yaml").read_text(encoding="utf-8"))
    scenes = []
    for name in options.scenes.split(","):
        known = (QuestionSet(name.replace(":", ""), ROOM + name, ()) if name.startswith(RANDOM)
                 else load_questions(BENCH / f"queries_{name}.yaml"))
        scene = mapped(known, DATA, settings, extractor, options.frames, None, options.maps)
        found, memory = scene.pipeline.scene, scene.pipeline.scene.memory
        assert memory is not None
        names = {o.id: scene.truth.names(found.surface.vertices[found.points_of(o.id)]) for o in found.objects}
        asked = tuple(q for q in known.questions if q.split == TUNE) or automatic(memory.knowledge, names, classes)
        scenes.append(Labelled(name, memory, names, asked))
        console.print(f"{name}: {len(found.objects)} things, {len(asked)} questions")
    things = [choice for scene in scenes for choice in named_things(scene, classes)]
    weights = choice_weights(things, PENALTY_THINGS)
    table = Table(f"what a thing is: {len(things)} things", "fitted", "in use")
    used = (space.LOOK_WEIGHT, *form.WEIGHTS, evidence.COLOUR_WEIGHT, *(-r for r in evidence.RARITY[1:]))
    fitted = (weights[0] / _LOOK_UNIT, *weights[1:])
    for name, new, now in zip(("looks", "too long", "too short", "height", "shape", "colour", *FREQUENCIES[1:]), fitted, used,
                              strict=True):
        table.add_row(name, f"{new:.2f}", f"{now:.2f}")
    console.print(table)
    asked_for = [choice for scene in scenes for choice in scene_choices(scene)]
    weights = choice_weights(asked_for, PENALTY_QUESTIONS)
    shares = np.concatenate([np.full(len(s.questions), AUTOMATIC_SHARE if s.name.startswith(RANDOM) else 1.0) for s in scenes])
    scores = [choice.terms @ weights for choice in asked_for]
    slope, offset = slope_and_offset(np.array([s.max() for s in scores]),
                                     np.array([c.right[s.argmax()] for c, s in zip(asked_for, scores, strict=True)]), shares)
    table = Table(f"what a question means: {len(asked_for)} questions", "fitted", "in use")
    for name, new, now in zip(("fit", "cosine", "closeness", "offset"),
                              (slope * weights[0], slope * weights[1] / _COSINE_UNIT, slope * weights[2] / _COSINE_UNIT, offset),
                              (calibration.FIT, calibration.SIMILARITY, calibration.CLOSENESS, calibration.BIAS), strict=True):
        table.add_row(name, f"{new:.2f}", f"{now:.2f}")
    console.print(table)
    return 0


def named_things(scene: Labelled, classes: Mapping[str, Sequence[str]]) -> list[Choice]:
    """Of each thing that has a known class: terms of all concepts but structure, in the order of the first table."""
    memory, bank = scene.memory, scene.memory.knowledge.bank
    even = np.full(len(COLOURS), 1 / len(COLOURS))
    colours = np.array([memory.colours.get(o.id, even) for o in memory.objects]).reshape(-1, len(COLOURS))
    looks = memory.pictures @ memory.knowledge.vectors.T
    frequency = np.broadcast_to(-np.eye(len(FREQUENCIES))[bank.frequencies][:, 1:], (*looks.shape, len(FREQUENCIES) - 1))
    shapes = form.form_terms(bank, forms_of(memory.objects, memory.up, memory.floor))
    terms = np.concatenate([looks[..., None] / _LOOK_UNIT, shapes,
                            (evidence.colour_fit(bank, colours) / evidence.COLOUR_WEIGHT)[..., None], frequency], axis=-1)
    found = []
    for row, thing in enumerate(memory.objects):
        called = next((classes[name] for name in sorted(scene.names[thing.id]) if name in classes), ())
        if thing.kind == "object" and called:
            right = np.isin([c.name for c in bank.concepts], called)
            found.append(Choice(terms[row][~bank.structure], right[~bank.structure]))
    return found


def scene_choices(scene: Labelled) -> list[Choice]:
    """Of each question: fit, cosine and closeness of all things but structure."""
    memory, found = scene.memory, []
    objects = np.array([o.kind == "object" for o in memory.objects])
    for question in scene.questions:
        asked = memory.asked(Question(question.text))
        assert asked.fit is not None and asked.words is not None and asked.closeness is not None
        terms = np.stack([asked.fit, memory.pictures @ asked.words / _COSINE_UNIT, asked.closeness / _COSINE_UNIT], 1)
        right = np.array([bool(scene.names[o.id] & question.right) for o in memory.objects], bool)
        found.append(Choice(terms[objects], right[objects]))
    return found


def automatic(knowledge: Knowledge, names: Mapping[int, frozenset[str]], classes: Mapping[str, Sequence[str]]
              ) -> tuple[KnownQuestion, ...]:
    """Questions to a random room: up to three names of each class there, a phrase of each group of the lexicon that it serves,
    and as many names of what is not there, common things first."""
    rng, bank = np.random.default_rng(0), knowledge.bank
    present = sorted(frozenset().union(*names.values()) & set(classes))
    asked = [(name, frozenset(c for c in present if classes[of][0] in classes[c]))
             for of in present for name in bank.concepts[bank.row_of[classes[of][0]]].names[:3]]
    for phrases, concepts in knowledge.lexicon.groups:
        if right := frozenset(c for c in present if set(classes[c]) & set(concepts[:6])):
            asked.append((phrases[rng.integers(len(phrases))], right))
    here = sorted({bank.row_of[name] for c in present for name in classes[c]})
    near = bank.best_phrase(knowledge.model.text_similarity([c.name for c in bank.concepts], bank.phrases))[:, here].max(1)
    away = [row for row in rng.permutation(len(bank)) if near[row] < UNLIKE and not bank.structure[row]
            and FREQUENCIES[bank.frequencies[row]] in ("common", "occasional")]
    away.sort(key=lambda row: int(bank.frequencies[row]))
    asked += [(bank.concepts[row].name, frozenset()) for row in away[:len(asked)]]
    return tuple(KnownQuestion(text, "names" if right else ABSENT, right, TUNE) for text, right in asked)


if __name__ == "__main__":
    raise SystemExit(main())
