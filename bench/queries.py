"""Questions in words on a real kitchen, against hand-made answers."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.language.answer import Question, Status
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.scene import Scene
from magic3d_ros.sources.open import open_source

LABELS = Path(__file__).with_name("queries_redkitchen.yaml")
KITCHEN = Path(__file__).resolve().parents[2] / "shared" / "data" / "redkitchen"
MARGIN = 0.03
"""m added to each labelled box: a voxel and a half of the map."""
LARGER = 2.5
"""A thing that only has its centre in a labelled box must not be larger than this many times the box."""


@dataclass(frozen=True)
class LabelledBox:
    """A named region, low and high corner in the labels' upright axes."""

    name: str
    low: np.ndarray
    high: np.ndarray

    def inside(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool."""
        return ((points >= self.low - MARGIN) & (points <= self.high + MARGIN)).all(1)

    @property
    def volume(self) -> float:
        """m^3."""
        return float(np.prod(self.high - self.low))


def name_of(points: np.ndarray, boxes: Sequence[LabelledBox]) -> str:
    """What a thing with these upright points (N, 3) is: the smallest box that holds half of them; if none does, the smallest that
    holds their mean and is not much smaller than the thing; else "?"."""
    if len(points) == 0:
        return "?"
    by_size = sorted(boxes, key=lambda b: b.volume)
    for box in by_size:
        if box.inside(points).mean() >= 0.5:
            return box.name
    size = np.linalg.norm(np.percentile(points, 98, 0) - np.percentile(points, 2, 0))
    for box in by_size:
        if box.inside(points.mean(0, keepdims=True))[0] and size <= LARGER * np.linalg.norm(box.high - box.low):
            return box.name
    return "?"


def truth(scene: Scene, labels: Mapping[str, Any]) -> dict[int, str]:
    """The hand-made name of every thing in the scene."""
    boxes = [LabelledBox(t["name"], np.array(t["low"]), np.array(t["high"])) for t in labels["things"]]
    upright = scene.surface.vertices.astype(np.float64) @ np.array(labels["axes"]).T - (0.0, 0.0, labels["floor"])
    return {o.id: name_of(upright[scene.points_of(o.id)], boxes) for o in scene.objects}


def ask(scene: Scene, names: Mapping[int, str], questions: Mapping[str, Sequence[str]], title: str, console: Console) -> None:
    """Ask all questions and print the table with its figures."""
    table = Table("question", "status", "first", "second", "third", "rank", "ms", title=title)
    ranks, found = [], 0
    for text, right in questions.items():
        start = time.perf_counter()
        answer = scene.query(Question(text, max_results=len(scene.objects)))
        milliseconds = (time.perf_counter() - start) * 1e3
        got = [names[m.id] for m in answer.matches]
        rank = next((r for r, name in enumerate(got, 1) if name in right), 0)
        ranks.append(rank)
        found += answer.status == Status.FOUND
        cells = [f"{m.id} {names[m.id]} {m.probability:.2f}" for m in answer.matches[:3]]
        table.add_row(text, answer.status.name, *(cells + [""] * (3 - len(cells))), str(rank or "-"), f"{milliseconds:.0f}")
    console.print(table)
    first, three = np.mean([r == 1 for r in ranks]), np.mean([0 < r <= 3 for r in ranks])
    reachable = np.mean([any(n in right for n in names.values()) for right in questions.values()])
    console.print(f"{title}: {len(ranks)} questions, P@1 {first:.2f}, hit@3 {three:.2f}, FOUND {found / len(ranks):.2f}; "
                  f"the map holds an answer to {reachable:.2f} of them")


def ask_absent(scene: Scene, absent: Sequence[str], names: Mapping[int, str], console: Console) -> None:
    """Ask for what is not there."""
    table = Table("not there", "status", "nearest", title="things that are not there")
    statuses = []
    for text in absent:
        answer = scene.query(Question(text, max_results=1))
        statuses.append(answer.status)
        nearest = [f"{m.id} {names[m.id]} {m.probability:.2f}" for m in answer.matches]
        table.add_row(text, answer.status.name, *nearest)
    console.print(table)
    console.print(f"absent: NOT_FOUND {statuses.count(Status.NOT_FOUND)}, AMBIGUOUS {statuses.count(Status.AMBIGUOUS)}, FOUND "
                  f"{statuses.count(Status.FOUND)} of {len(statuses)}")


def mapped(source: str, stride: int) -> Scene:
    """The scene that the whole pipeline makes of a recording."""
    settings = Settings()
    frames = open_source(source, settings)
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    for frame in track(itertools.islice(frames, 0, None, stride), "mapping"):
        pipeline.add(frame)
    return pipeline.understand(thorough=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Map the kitchen, ask, print."""
    parser = argparse.ArgumentParser(prog="magic3d bench queries", description=__doc__)
    parser.add_argument("--source", default=str(KITCHEN), help="folder of the recording")
    parser.add_argument("--stride", type=int, default=1, help="use every n-th frame")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    if not Path(options.source).exists():
        console.print(f"there is no recording at {options.source}: give --source")
        return 1
    labels = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    report(mapped(options.source, options.stride), labels, console)
    return 0


def report(scene: Scene, labels: Mapping[str, Any], console: Console) -> None:
    """All tables."""
    names = truth(scene, labels)
    ask(scene, names, labels["questions"], "questions", console)
    ask(scene, names, labels["paraphrases"], "paraphrases", console)
    ask_absent(scene, labels["absent"], names, console)


if __name__ == "__main__":
    raise SystemExit(main())
