"""Questions that place one thing by another ("the mug on the coffee table"), to five rooms whose right answers are known.

    ./run bench relations [--scenes office,kitchen] [--each] [--maps FOLDER] [--set NAME=VALUE]

Rows: the product as it ships, which takes the words as one; with relations; with relations on the same boxes when what each thing
of the map is called is told by the truth, which leaves the reading of the words and the geometry; and that without relations, a
random one of what is called so. Right is a thing of the map of which most points lie on the true thing.
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
from magic3d_ros.evaluation.questions import KnownQuestion, load_questions
from magic3d_ros.evaluation.questions_scenes import mapped
from magic3d_ros.evaluation.questions_scores import Outcome, ranking
from magic3d_ros.language.answer import Question
from magic3d_ros.language.relation_words import parse
from magic3d_ros.language.relations import Layout, Placed
from magic3d_ros.scene import Scene
from magic3d_ros.sources.source import SourceError

BENCH = Path(__file__).parent
FRAMES = 72
"""As bench queries, so that both can use the same kept maps."""
WORDS, RELATED, TOLD, RANDOM = "words as one", "with relations", "relations, names told", "names told, no relations"


@dataclass(frozen=True)
class PlacedQuestion:
    """known: text and true names that answer. viewpoint: (3,) m, from where sides are meant; None = from where it was seen."""

    known: KnownQuestion
    viewpoint: np.ndarray | None


def main(arguments: Sequence[str] | None = None) -> int:
    asked = load(BENCH / "relations.yaml")
    parser = argparse.ArgumentParser(prog="magic3d bench relations", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=",".join(asked), help="separated by commas")
    parser.add_argument("--each", action="store_true", help="print every question with its first answers")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of each scene, at most")
    parser.add_argument("--width", type=int, help="pixels of the frames")
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    names = options.scenes.split(",")
    if unknown := [name for name in names if name not in asked]:
        console.print(f"there are no questions to {', '.join(unknown)}: there are some to {', '.join(asked)}")
        return 1
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    extractor = CueExtractor(settings)
    outcomes: dict[str, list[Outcome]] = {WORDS: [], RELATED: [], TOLD: [], RANDOM: []}
    for name in names:
        try:
            scene = mapped(load_questions(BENCH / f"queries_{name}.yaml"), BENCH, settings, extractor, options.frames,
                           options.width, options.maps)
        except SourceError as error:
            console.print(f"{name} is left out: {error}")
            continue
        surface = scene.pipeline.scene.surface.vertices
        truth = {o.id: scene.truth.names(surface[scene.pipeline.scene.points_of(o.id)]) for o in scene.pipeline.scene.objects}
        for question in asked[name]:
            rows = answers(scene.pipeline.scene, truth, name, question)
            for row, outcome in rows.items():
                outcomes[row].append(outcome)
            if options.each:
                ranks = ", ".join(f"{row} {int(o.relevant.argmax()) + 1 if o.held else '-'}" for row, o in rows.items())
                console.print(f"{name}: {question.known.text}: rank {ranks}")
    table = Table("way", "questions", "in the map", "P@1", "hit@3", "mAP", title="placed by other things")
    for row, scores in outcomes.items():
        found = ranking(scores)
        first, three, precision = found.chance if row == RANDOM else (found.first, found.three, found.average_precision)
        table.add_row(row, str(found.count), *(f"{value:.2f}" for value in (found.held, first, three, precision)))
    console.print(table)
    return 0 if outcomes[WORDS] else 1


def answers(scene: Scene, truth: Mapping[int, frozenset[str]], where: str, question: PlacedQuestion) -> dict[str, Outcome]:
    """By row of the table, what comes of a question. truth: by thing of the map, what it really is."""
    assert scene.memory is not None
    found = {}
    for row, relations in ((WORDS, False), (RELATED, True)):
        answer = scene.memory.answer(Question(question.known.text, max_results=len(scene.objects), relations=relations,
                                              viewpoint=question.viewpoint))
        right = np.array([bool(truth[m.id] & question.known.right) for m in answer.matches], bool)
        found[row] = Outcome(where, question.known, right, answer.status, answer.matches[0].probability if answer.matches else 0)
    relevant = np.array([bool(truth[o.id] & question.known.right) for o in scene.objects], bool)
    phrase = parse(question.known.text)
    called = {o.id: {name.replace("_", " ") for name in truth[o.id]} for o in scene.objects}

    def told(words: str) -> np.ndarray:
        return np.array([float(words in called[o.id]) for o in scene.objects])

    layout = Layout([Placed(o.id, o.box, o.support, o.kind == "structure") for o in scene.objects], scene.memory.seen_from)
    chances = layout.related(phrase, told, scene.memory.query.found_probability, question.viewpoint).chances
    order = np.argsort(-chances, kind="stable")
    found[TOLD] = Outcome(where, question.known, relevant[order][chances[order] > 0], None, 0.0)
    found[RANDOM] = Outcome(where, question.known, relevant[told(phrase.thing) > 0], None, 0.0)
    return found


def load(path: Path) -> dict[str, list[PlacedQuestion]]:
    """By room, its questions. Raises ValueError for one without answers."""
    questions: dict[str, list[PlacedQuestion]] = {}
    for room, asked in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for text, answer in asked.items():
            right, viewpoint = (answer["right"], np.array(answer["from"], float)) if isinstance(answer, dict) else (answer, None)
            if not right:
                raise ValueError(f"{path.name}: '{text}' has no answers")
            questions.setdefault(room, []).append(PlacedQuestion(KnownQuestion(text, "relations", frozenset(right), "report"),
                                                                 viewpoint))
    return questions
