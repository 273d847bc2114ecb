"""How long a question takes in a large map, after its text was encoded, and what the map costs in memory.

    ./run bench query_latency [--points 1000000] [--scene procedural_room] [--maps FOLDER]

A mapped scene is repeated side by side, surface, things and language voxels together, until it has so many surface points. The
text encoder's answers are remembered, so that its time does not count. Processor time of all threads and wall clock, median of
20 questions after a first one that fills the caches.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.questions import load_questions
from magic3d_ros.evaluation.questions_scenes import mapped
from magic3d_ros.language.answer import Question
from magic3d_ros.language.fusion import LanguageMap
from magic3d_ros.language.voxel_features import VoxelFeatures
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject

BENCH = Path(__file__).parent
DATA = BENCH.resolve().parents[1] / "shared" / "data"
GOAL = 60.0
"""ms on two cores. What a question costs in processor time it takes at most on cores that nobody else uses."""
QUESTIONS = 20


class RememberedText:
    """A language model that encodes each text once: what is left of a question's time is the map's."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._known: dict[tuple[Any, ...], np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode_text(self, texts: Sequence[str], kept: bool = False) -> np.ndarray:
        """As the model's."""
        return self._remember(("text", *texts), lambda: self._model.encode_text(texts, kept))

    def text_similarity(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """As the model's."""
        return self._remember(("closeness", *texts, len(others), hash(tuple(others))),
                              lambda: self._model.text_similarity(texts, others))

    def _remember(self, key: tuple[Any, ...], encode: Callable[[], np.ndarray]) -> np.ndarray:
        if key not in self._known:
            self._known[key] = encode()
        return self._known[key]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="magic3d bench query_latency", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000, help="surface points")
    parser.add_argument("--scene", default="procedural_room", help="of bench/queries_*.yaml")
    parser.add_argument("--frames", type=int, default=72)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--maps", type=Path, help="folder where maps are kept, and taken from the next time")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    settings = load_settings(None, {})
    extractor = CueExtractor(settings)
    file = BENCH / f"queries_{options.scene}.yaml"
    if not file.is_file():
        console.print(f"there is no {file.name}")
        return 1
    known = load_questions(file)
    pipeline = mapped(known, options.data, settings, extractor, options.frames, options.width, options.maps).pipeline
    language = LanguageMap(settings.language, settings.query, RememberedText(extractor.language))  # type: ignore[arg-type]
    language.load_state(pipeline.language.state())
    small = replace(pipeline.scene, language=language.snapshot())
    large = repeated(small, -(-options.points // len(small.surface)))
    assert large.language is not None and large.memory is not None
    texts = [q.text for q in known.questions][:QUESTIONS]
    table = Table("", "points", "voxels", "things", "wall clock, ms", "processor time, ms", title="a question, its text encoded")
    worst = 0.0
    for scene in (small, large):
        for what, ask in (("things", _memory_answer(scene)), ("things and heat map", scene.query)):
            wall, processor = timed(ask, texts)
            worst = max(worst, processor)
            table.add_row(what, f"{len(scene.surface):,}", f"{len(scene.language.keys):,}", str(len(scene.objects)),  # type: ignore[union-attr]
                          f"{wall:.1f}", f"{processor:.1f}")
    console.print(table)
    held, per_voxel = array_bytes(large), array_bytes(large.language) / len(large.language.keys)
    console.print(f"arrays of the large scene: {held / 1e6:.0f} MB; language {per_voxel:.0f} bytes a voxel, "
                  f"{per_voxel:.0f} MB a million voxels (of {settings.language.voxel_size} m)")
    console.print(f"goal {GOAL:.0f} ms: {'reached' if worst <= GOAL else 'missed'} ({worst:.1f} ms of processor time)")
    return 0 if worst <= GOAL else 1


def _memory_answer(scene: Scene) -> Callable[[Question], Any]:
    assert scene.memory is not None
    return scene.memory.answer


def timed(ask: Callable[[Question], Any], texts: Sequence[str]) -> tuple[float, float]:
    """Median ms of wall clock and of processor time; each question was asked once before."""
    wall, processor = [], []
    for text in texts:
        ask(Question(text))
        start, busy = time.perf_counter(), time.process_time()
        ask(Question(text))
        wall.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - busy))
    return float(np.median(wall)), float(np.median(processor))


def repeated(scene: Scene, times: int) -> Scene:
    """The scene so many times side by side along x, a whole number of language voxels apart."""
    language = scene.language
    assert language is not None
    layer = VoxelFeatures(language.voxel_size, 1)
    wide = float(np.ptp(scene.surface.vertices[:, 0])) + 0.5
    step = np.array([np.ceil(wide / language.voxel_size) * language.voxel_size, 0.0, 0.0])
    ids = 1 + max(o.id for o in scene.objects)
    surface, count = scene.surface, len(scene.surface)
    shifts = range(times)
    large = Surface(np.concatenate([surface.vertices + (i * step).astype(np.float32) for i in shifts]),
                    np.concatenate([surface.faces + i * count for i in shifts]), np.tile(surface.normals, (times, 1)),
                    np.tile(surface.colors, (times, 1)), np.tile(surface.weights, times))
    labels = np.concatenate([np.where(scene.labels >= 0, scene.labels + i * ids, -1) for i in shifts]).astype(np.int32)
    objects = tuple(_moved(o, o.id + i * ids, i * step) for i in shifts for o in scene.objects)
    centers = layer.centers_of(language.keys)
    keys = np.concatenate([layer.keys_of(centers + i * step) for i in shifts])
    order = np.argsort(keys, kind="stable")
    meaning = replace(language, keys=keys[order], features=np.tile(language.features, (times, 1))[order],
                      weights=np.tile(language.weights, times)[order], vectors=np.tile(language.vectors, (times, 1)),
                      ids=np.concatenate([language.ids + i * ids for i in shifts]))
    return replace(scene, surface=large, labels=labels, objects=objects, language=meaning)


def _moved(thing: SceneObject, number: int, step: np.ndarray) -> SceneObject:
    return replace(thing, id=number, centroid=thing.centroid + step, box=replace(thing.box, center=thing.box.center + step))


def array_bytes(holder: Any) -> int:
    """Bytes of all arrays in a dataclass and in the dataclasses it holds."""
    total = 0
    for field in fields(holder):
        value = getattr(holder, field.name)
        if isinstance(value, np.ndarray):
            total += value.nbytes
        elif hasattr(value, "__dataclass_fields__"):
            total += array_bytes(value)
    return total


if __name__ == "__main__":
    raise SystemExit(main())
