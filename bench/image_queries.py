"""Pictures as questions: does a crop of a thing, seen from where the map was not made, find that thing?

    ./run bench image_queries [--scenes office,kitchen,bedroom] [--maps FOLDER] [--set NAME=VALUE]

One frame in eight stays out of the map. Of every true thing that such a frame shows (floor, walls and ceiling left out), the
largest crop is asked for, once from the camera's frame and once from the map's own rendered view at that pose. Right is the
thing of the map that lies on the same true instance; beside it, any thing of the same class. Chance: a random order of things.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.questions import KnownQuestion, load_questions
from magic3d_ros.evaluation.questions_crops import Sight, cut, sights
from magic3d_ros.evaluation.questions_scenes import MappedScene, held_out, mapped
from magic3d_ros.evaluation.questions_scores import Outcome, ranking
from magic3d_ros.evaluation.questions_truth import InstanceTruth
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.language.answer import Question
from magic3d_ros.sources.source import SourceError

BENCH = Path(__file__).parent
DATA = BENCH.resolve().parents[1] / "shared" / "data"
SCENES = "procedural_room,office,bedroom,kitchen,replica_office0"
FRAMES = 72
"""As bench queries, so that both can use the same kept maps."""
STRUCTURE = frozenset(("floor", "wall", "ceiling", "window"))
FRAME, RENDERED = "held-out frame", "rendered view"


@dataclass(frozen=True)
class Asked:
    """A picture of a true instance: `sight` is its place in `frame`."""

    frame: RGBDFrame
    sight: Sight


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="magic3d bench image_queries", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=SCENES, help="of bench/queries_*.yaml, with true instances; separated by commas")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of a room; of a recording about as many")
    parser.add_argument("--width", type=int, help="pixels of the frames")
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the recording replica_office0")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    extractor = CueExtractor(settings)
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    for name in options.scenes.split(","):
        file = BENCH / f"queries_{name}.yaml"
        if not file.is_file():
            console.print(f"there is no {file.name}")
            return 1
        known = load_questions(file)
        try:
            scene = mapped(known, options.data, settings, extractor, options.frames, options.width, options.maps)
        except SourceError as error:
            console.print(f"{name} is left out: {error}")
            continue
        if not isinstance(scene.truth, InstanceTruth):
            console.print(f"{name} is left out: it has no true instances")
            continue
        for key, found in ask(scene, scene.truth).items():
            outcomes.setdefault(key, []).extend(found)
        console.print(f"{name} is done")
    if outcomes:
        console.print(_table(outcomes))
    return 0


def ask(scene: MappedScene, truth: InstanceTruth) -> dict[tuple[str, str], list[Outcome]]:
    """Outcomes by picture (held-out frame, rendered view) and by what counts as right (same thing, same class)."""
    pipeline = scene.pipeline
    known, memory = pipeline.scene, pipeline.scene.memory
    assert memory is not None
    instance_of = {o.id: truth.instance(known.surface.vertices[known.points_of(o.id)]) for o in known.objects}
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    for asked in largest_sights(held_out(scene), truth):
        view = pipeline.render(asked.frame.camera, asked.frame.camera_to_world)
        names = truth.names_of(asked.sight.instance)
        for picture, rgb in ((FRAME, asked.frame.rgb), (RENDERED, view.rgb)):
            answer = memory.answer(Question(image=cut(rgb, asked.sight), max_results=len(known.objects)))
            same = [instance_of[m.id] == asked.sight.instance for m in answer.matches]
            alike = [bool(truth.names_of(instance_of[m.id]) & names) for m in answer.matches]
            question = KnownQuestion("/".join(sorted(names)), picture, names, "report")
            for what, right in (("same thing", same), ("same class", alike)):
                outcomes.setdefault((picture, what), []).append(
                    Outcome(scene.name, question, np.array(right, bool), answer.status,
                            answer.matches[0].probability if answer.matches else 0.0))
    return outcomes


def largest_sights(frames: Sequence[RGBDFrame], truth: InstanceTruth) -> list[Asked]:
    """Of every true instance but structure, the largest sight in any of the frames."""
    best: dict[int, Asked] = {}
    for frame in frames:
        for sight in sights(frame, truth):
            names = truth.names_of(sight.instance)
            if names and not names & STRUCTURE and \
                    (sight.instance not in best or sight.share > best[sight.instance].sight.share):
                best[sight.instance] = Asked(frame, sight)
    return [best[instance] for instance in sorted(best)]


def _table(outcomes: dict[tuple[str, str], list[Outcome]]) -> Table:
    table = Table("picture", "right is the", "scene", "pictures", "in the map", "hit@1", "hit@3", "chance: hit@1", "hit@3",
                  title="pictures as questions")
    for (picture, what), rows in outcomes.items():
        for scene in (*dict.fromkeys(o.scene for o in rows), "all"):
            found = ranking(o for o in rows if scene in (o.scene, "all"))
            figures = (found.held, found.first, found.three, *found.chance[:2])
            table.add_row(picture, what, scene, str(found.count), *(f"{v:.2f}" for v in figures), end_section=scene == "all")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
