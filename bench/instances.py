"""Class-agnostic instances of replica_office0 against its ground truth, beside graph segmentation of the ground-truth mesh.

    ./run bench instances [FOLDER] [--things] [--set NAME=VALUE]

ScanNet protocol: IoU .50 to .90, things of at least 100 points, one class; all predictions equally sure ("confidence 1", as
papers on class-agnostic segmentation evaluate) and ranked by confidence. Ours are labels of the surface that the package maps
from the frames, carried to the ground truth's vertices within 5 cm; Felzenszwalb's segments sit on the exact mesh itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.evaluation.instance_metrics import AveragePrecision, average_precision, best_overlaps, transfer_labels
from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.instance import InstanceMap
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.sources.open import open_source

GOAL = (0.17, 0.34, 0.50)
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "replica_office0"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench instances", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=str(DEFAULT), help="recording with gt_mesh_labels.npz")
    parser.add_argument("--things", action="store_true", help="also list the best overlap of every true thing")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    folder = Path(options.folder)
    truth_file = folder / "gt_mesh_labels.npz"
    if not truth_file.is_file():
        console.print(f"{truth_file} is missing: this bench needs a recording with a labelled ground-truth mesh")
        return 1
    with np.load(truth_file, allow_pickle=False) as stored:
        vertices, faces, colors, truth = (stored[name] for name in ("vertices", "faces", "colors", "instance"))

    surface, found, seconds = mapped(str(folder), settings)
    console.print(f"mapped {len(surface)} vertices; {len(found.instances)} things; a run of the instances took {seconds:.2f} s")
    ours = transfer_labels(surface.vertices, found.labels, vertices)
    confidence = {i: thing.confidence for i, thing in found.instances.items()}
    begin = time.perf_counter()
    edges, weights = mesh_weights(vertices, faces, colors)
    segments = segment_mesh(edges, weights, len(vertices), k=1.0)
    peer_seconds = time.perf_counter() - begin
    size = np.bincount(segments)

    table = Table("", "AP", "AP50", "AP25", "things", title=f"{len(np.unique(truth[truth >= 0]))} true things, "
                  f"{average_precision(truth, ours).truth} of at least 100 points")
    score = average_precision(truth, ours)
    for name, result in (("ours, from the frames, confidence 1", score),
                         ("ours, from the frames, ranked", average_precision(truth, ours, confidence)),
                         ("Felzenszwalb, exact mesh, confidence 1", average_precision(truth, segments)),
                         ("Felzenszwalb, exact mesh, ranked by size",
                          average_precision(truth, segments, {i: float(n) for i, n in enumerate(size)}))):
        table.add_row(name, *_cells(result))
    console.print(table)
    console.print(f"Felzenszwalb took {peer_seconds:.1f} s on {len(vertices)} vertices")
    if options.things:
        console.print(_things(truth, ours, folder / "instances.json"))
    reached = all(value >= goal for value, goal in zip((score.ap, score.ap50, score.ap25), GOAL, strict=True))
    console.print(f"goal at confidence 1: AP {GOAL[0]}, AP50 {GOAL[1]}, AP25 {GOAL[2]}: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def mapped(source_name: str, settings: Settings) -> tuple[Surface, InstanceMap, float]:
    """Map a source without its meaning: the surface, the things, and the seconds of a run of the instances with warm caches."""
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    for frame in open_source(source_name, settings):
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        if is_keyframe:
            keyframes.add(frame)
            up.observe(frame.camera_to_world)
    surface = mapper.surface()
    instances = InstanceMapper(settings.instances)
    instances.update(surface, list(keyframes), up.estimate(surface))
    begin = time.perf_counter()
    found = instances.update(surface, list(keyframes), up.estimate(surface))
    return surface, found, time.perf_counter() - begin


def _cells(result: AveragePrecision) -> tuple[str, ...]:
    return f"{result.ap:.3f}", f"{result.ap50:.3f}", f"{result.ap25:.3f}", str(result.predicted)


def _things(truth: np.ndarray, predicted: np.ndarray, names_file: Path) -> Table:
    names = {}
    if names_file.is_file():
        names = {item["id"]: item["class"] for item in json.loads(names_file.read_text(encoding="utf-8"))["instances"]}
    table = Table("thing", "points", "best IoU")
    for i, (points, overlap) in sorted(best_overlaps(truth, predicted).items(), key=lambda item: -item[1][1]):
        table.add_row(f"{i} {names.get(i, '')}", str(points), f"{overlap:.2f}")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
