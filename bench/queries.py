"""Questions in words to seven scenes whose right answers are known.

    ./run bench queries [--scenes office,kitchen] [--split tune|report] [--each] [--pictures FOLDER] [--set NAME=VALUE]

A thing of the map is the true instance that most of its points lie on. What the map does not hold counts as missed. Beside the
product: the same without its lexicon, things by the mean of their voxels alone (with `--set distillation.use=ensemble` also by
the 2D-3D ensemble), ConSE (Norouzi et al. 2014) on the same things, single frames without a map, and chance.
`tune` questions are those with which constants may be chosen, `report` ones only report (bench/queries_*.yaml).
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.cues.tiers import load_language
from magic3d_ros.evaluation.questions import ABSENT, PARAPHRASES, REPORT, KnownQuestion, QuestionSet, load_questions
from magic3d_ros.evaluation.questions_baselines import ConSE, frame_pictures
from magic3d_ros.evaluation.questions_pictures import heat_maps, reliability_curve
from magic3d_ros.evaluation.questions_scenes import MappedScene, mapped
from magic3d_ros.evaluation.questions_scores import Outcome, ranking, rejection, reliability
from magic3d_ros.language.answer import Question
from magic3d_ros.language.fusion import LanguageMap
from magic3d_ros.language.snapshot import LanguageSnapshot
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.scene import Scene
from magic3d_ros.sources.source import SourceError

FILES = sorted(Path(__file__).parent.glob("queries_*.yaml"))
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FRAMES = 72
"""Of a room, 640 pixels wide, as robots' cameras are; of a recording about as many, as wide as it is."""
PICTURED_FRAMES = 16
"""Keyframes that the baseline without a map looks at."""
NO_LEXICON = "none"
"""language.lexicon of the embedded tier without one."""
OURS, PLAIN, CONSE, SINGLE = "with lexicon", "without lexicon", "ConSE", "single frames"
VOXELS, ENSEMBLE = "voxels alone", "voxels, ensemble"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="magic3d bench queries", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=",".join(f.stem.removeprefix("queries_") for f in FILES), help="separated by commas")
    parser.add_argument("--split", choices=("tune", "report", "all"), default="all")
    parser.add_argument("--each", action="store_true", help="print every question with its first three answers")
    parser.add_argument("--no-baselines", action="store_true", help="the product alone: half the time")
    parser.add_argument("--pictures", type=Path, help="folder for heat maps and the reliability curve")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of a room; of a recording about as many")
    parser.add_argument("--width", type=int, help="pixels of the frames")
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the recordings redkitchen and replica_office0")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    known_files = {f.stem.removeprefix("queries_"): f for f in FILES}
    unknown = [name for name in options.scenes.split(",") if name not in known_files]
    if unknown:
        console.print(f"there are no questions to {', '.join(unknown)}: there are some to {', '.join(known_files)}")
        return 1
    sets = [load_questions(known_files[name]) for name in options.scenes.split(",")]
    extractor = CueExtractor(settings)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in (OURS, PLAIN, VOXELS, ENSEMBLE, CONSE, SINGLE)}
    for known in sets:
        known = replace(known, questions=tuple(q for q in known.questions if options.split in ("all", q.split)))
        if not known.questions:
            continue
        start = time.process_time()
        try:
            scene = mapped(known, options.data, settings, extractor, options.frames, options.width, options.maps)
        except SourceError as error:
            console.print(f"{known.name} is left out: {error}")
            continue
        _ask_all(scene, known, settings, outcomes, console, options)
        seconds = time.process_time() - start
        console.print(f"{known.name}: {len(scene.pipeline.scene.objects)} things, {seconds:.0f} s of processor time")
    if outcomes[OURS]:
        _report(outcomes, console, options.pictures)
    return 0


def _ask_all(mapped_scene: MappedScene, known: QuestionSet, settings: Settings, outcomes: dict[str, list[Outcome]],
             console: Console, options: argparse.Namespace) -> None:
    """Ask one scene everything, in all ways."""
    pipeline, truth = mapped_scene.pipeline, mapped_scene.truth
    scene = pipeline.scene
    vertices = scene.surface.vertices
    names = {o.id: truth.names(vertices[scene.points_of(o.id)]) for o in scene.objects}
    ours = [answered(scene, names, known.name, q) for q in known.questions]
    outcomes[OURS] += ours
    if options.each:
        _print_each(scene, names, known.name, ours, console)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(options.pictures / f"{known.name}.png"), heat_maps(scene, pictured(known.questions))[..., ::-1])
    if options.no_baselines:
        return
    present = [q for q in known.questions if q.kind != ABSENT]
    plain = without_lexicon(pipeline, settings)
    if plain is not None:
        outcomes[PLAIN] += [answered(plain, names, known.name, q) for q in known.questions]
    model = pipeline.extractor.language
    language = scene.language
    assert language is not None
    systems = {VOXELS: replace(language, prediction=None)} | ({} if language.prediction is None else {ENSEMBLE: language})
    for system, snapshot in systems.items():
        asked = snapshot.knowledge.text_vectors([q.text for q in present])
        outcomes[system] += [ranked(order, names.__getitem__, known.name, q)
                             for order, q in zip(by_voxels(scene, snapshot, asked), present, strict=True)]
    if model.contrast is None:
        conse = ConSE(model, described_views(pipeline))
        outcomes[CONSE] += [ranked(conse.ranked(q.text), lambda i: names.get(i, frozenset()), known.name, q) for q in present]
    keyframes = list(pipeline.mapper.keyframes)
    chosen = [keyframes[i] for i in np.unique(np.linspace(0, len(keyframes) - 1, PICTURED_FRAMES).astype(int))]
    pictures = frame_pictures(chosen, scene.up, model, truth)
    outcomes[SINGLE] += [ranked(pictures.ranked(model.encode_text([q.text])[0]), lambda i: pictures.names[i], known.name, q)
                         for q in present]


def answered(scene: Scene, names: dict[int, frozenset[str]], where: str, asked: KnownQuestion) -> Outcome:
    """Ask the scene. names: what each of its things really is."""
    assert scene.memory is not None
    answer = scene.memory.answer(Question(asked.text, max_results=len(scene.objects)))
    relevant = np.array([bool(names[m.id] & asked.right) for m in answer.matches], bool)
    return Outcome(where, asked, relevant, answer.status, answer.matches[0].probability if answer.matches else 0.0)


def ranked(order: Sequence[int], names_of: Callable[[int], frozenset[str]], where: str, asked: KnownQuestion) -> Outcome:
    """A baseline's order of things, best first."""
    return Outcome(where, asked, np.array([bool(names_of(i) & asked.right) for i in order], bool), None, 0.0)


def by_voxels(scene: Scene, language: LanguageSnapshot, asked: np.ndarray) -> list[list[int]]:
    """Ids of things by the mean similarity of their voxels with each of (n, D) embeddings, best first: no crops, no concepts."""
    similarity = language.dense_similarity(asked, scene.surface)
    ids, means = [], []
    for thing in scene.objects:
        rows = similarity[scene.points_of(thing.id)]
        rows = rows[np.isfinite(rows[:, 0])]
        if thing.kind == "object" and len(rows):
            ids.append(thing.id)
            means.append(rows.mean(0))
    order = np.argsort(-np.array(means).reshape(len(ids), len(asked)), axis=0, kind="stable")
    return [[ids[row] for row in column] for column in order.T]


def without_lexicon(pipeline: ScenePipeline, settings: Settings) -> Scene | None:
    """The same views of the same things, understood without a lexicon; None for a model that never has one."""
    if pipeline.extractor.language.contrast is not None:
        return None
    plain = copy.deepcopy(settings)
    plain.language.lexicon = NO_LEXICON
    language = LanguageMap(plain.language, plain.query, load_language(plain))
    language.load_state(pipeline.language.state())
    return replace(pipeline.scene, language=language.snapshot())


def described_views(pipeline: ScenePipeline) -> dict[int, np.ndarray]:
    """By thing, the raw embeddings (n, D) of its views."""
    state = pipeline.language.state()
    ids, vectors = state["view_ids"], state["view_vectors"].astype(np.float32)
    return {int(i): vectors[ids == i] for i in np.unique(ids)}


def pictured(questions: Sequence[KnownQuestion]) -> list[str]:
    """Ten questions, two of each kind where there are so many: the first and the last."""
    kinds = dict.fromkeys(q.kind for q in questions if q.kind != ABSENT)
    of_kind = [[q.text for q in questions if q.kind == kind] for kind in kinds]
    return [text for texts in of_kind for text in dict.fromkeys((texts[0], texts[-1]))][:10]


def _print_each(scene: Scene, names: dict[int, frozenset[str]], where: str, outcomes: Sequence[Outcome],
                console: Console) -> None:
    table = Table("question", "kind", "status", "first", "second", "third", "rank", title=where)
    assert scene.memory is not None
    for outcome in outcomes:
        answer = scene.memory.answer(Question(outcome.question.text, max_results=3))
        cells = [f"{'/'.join(sorted(names[m.id])) or '?'} {m.probability:.2f}" for m in answer.matches[:3]]
        rank = int(outcome.relevant.argmax()) + 1 if outcome.held else 0
        table.add_row(outcome.question.text, outcome.question.kind, answer.status.name, *(cells + [""] * (3 - len(cells))),
                      str(rank or "-"))
    console.print(table)


def _report(outcomes: dict[str, list[Outcome]], console: Console, pictures: Path | None) -> None:
    """All tables."""
    ours = outcomes[OURS]
    groups = {
        "scene": (lambda o: f"{o.scene} ({_splits(ours, o.scene)})", ours), "kind": (lambda o: o.question.kind, ours),
        "split": (lambda o: o.question.split, ours)}
    for title, (key, rows) in groups.items():
        table = _ranking_table(title)
        for name in dict.fromkeys(key(o) for o in rows if o.question.right):
            _add_ranking(table, name, [o for o in rows if key(o) == name])
        console.print(table)
    table = _ranking_table("system and split")
    for system, rows in outcomes.items():
        for split in dict.fromkeys(o.question.split for o in rows):
            _add_ranking(table, f"{system}, {split}", [o for o in rows if o.question.split == split])
    console.print(table)
    table = Table("system and split", "absent", "precision", "recall", "F1", "F1 of always NOT_FOUND", "calibration error",
                  "present, not in the map", "of these NOT_FOUND", title="what is not there")
    curves = []
    for system in (OURS, PLAIN):
        for split in dict.fromkeys(o.question.split for o in outcomes[system]):
            rows = [o for o in outcomes[system] if o.question.split == split]
            refused, (error, curve) = rejection(rows), reliability(rows)
            figures = (refused.precision, refused.recall, refused.f1, refused.always)
            table.add_row(f"{system}, {split}", str(refused.absent), *(f"{v:.2f}" if refused.absent else "-" for v in figures),
                          f"{error:.3f}", str(refused.missing), str(refused.rejected))
            if system == OURS:
                curves.append((split, error, curve))
    console.print(table)
    table = Table("probability", *(f"{split}: answers, mean probability, right" for split, _, _ in curves), title="reliability")
    for place in range(len(curves[0][2])):
        cells = [f"{row[0]:.0f}   {row[1]:.2f}   {row[2]:.2f}" for row in (curve[place] for _, _, curve in curves)]
        table.add_row(f"{place / 10:.1f} to {(place + 1) / 10:.1f}", *cells)
    console.print(table)
    if pictures is not None:
        cv2.imwrite(str(pictures / "reliability.png"), reliability_curve(curves)[..., ::-1])
        console.print(f"pictures: {pictures}")


def _splits(outcomes: Sequence[Outcome], scene: str) -> str:
    """How the scene's own questions count; paraphrases always report."""
    return next((o.question.split for o in outcomes if o.scene == scene and o.question.kind != PARAPHRASES), REPORT)


def _ranking_table(title: str) -> Table:
    return Table(title, "questions", "in the map", "P@1", "hit@3", "mAP", "chance: P@1", "hit@3", "mAP")


def _add_ranking(table: Table, name: str, outcomes: Sequence[Outcome]) -> None:
    found = ranking(outcomes)
    if found.count:
        figures = (found.held, found.first, found.three, found.average_precision, *found.chance)
        table.add_row(name, str(found.count), *(f"{v:.2f}" for v in figures))


if __name__ == "__main__":
    raise SystemExit(main())
