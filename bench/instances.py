"""Class-agnostic 3D instances: ours beside graph segmentation, merged 2D masks and the segmenter network, on exact ground truth.

    ./run bench instances [FOLDER] [--rooms living_room,...|none] [--stage1 FILE] [--stage2 FILE] [--ids] [--pictures DIR]
                          [--set edges.model=FILE]

ScanNet protocol: IoU .50 to .90, things of at least 100 points, one class; all predictions equally sure ("confidence 1", as
papers on class-agnostic segmentation evaluate) and ranked by confidence. Labels of the surface that the package maps are carried
to the ground truth's vertices within 5 cm (merged masks: 10 cm). split: true things of which two predictions hold a fifth each;
joined: predictions that hold two true things; missed: true things of which no prediction holds half. Seconds are of processor
time, without mapping and without making 2D masks, which the rows share. Rooms are rendered once, 320 pixels wide, into the
user's cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.tiers import has_model, load_edges
from magic3d_ros.cues.weights import ModelError
from magic3d_ros.evaluation.edges import edges_of
from magic3d_ros.evaluation.id_stability import Box, IdWatch
from magic3d_ros.evaluation.instance_metrics import average_precision, best_overlaps, segmentation_errors
from magic3d_ros.evaluation.instance_pictures import colors_of, matching_labels, seen_from_above, write_beside
from magic3d_ros.evaluation.instance_rows import Row, rows
from magic3d_ros.evaluation.labelled_scene import LabelledScene, labelled_scene, mapped
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.instances.segmenter.whole_things import STAGE_1, STAGE_2
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.room_cache import rendered_room
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.source import SourceError

GOAL = (0.35, 0.60, 0.75)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT, KITCHEN = SHARED / "replica_office0", SHARED / "redkitchen"
BOXES = Path(__file__).with_name("queries_redkitchen.yaml")
ROOMS = "living_room,procedural_room,office,bedroom,kitchen"
"""Not one of them was used to train anything."""
ROOM_FRAMES, ROOM_WIDTH = 96, 320
OURS = "3D regions (ours)"
LEARNED_EDGES = "3D regions with learned edges"
UPDATE_EVERY = 4
"""Keyframes from one look at the ids to the next: about once a second of the recording."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench instances", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=str(DEFAULT), help="recording with gt_mesh_labels.npz; none = rooms alone")
    parser.add_argument("--rooms", default=ROOMS, help="simulated rooms beside, separated by commas; none = the folder alone")
    parser.add_argument("--stage1", type=Path, default=STAGE_1, help="weights of the segmenter network after stage 1")
    parser.add_argument("--stage2", type=Path, default=STAGE_2, help="weights of the segmenter network after stage 2")
    parser.add_argument("--things", action="store_true", help="also list the best overlap of every true thing with ours")
    parser.add_argument("--ids", action="store_true", help="only: do the things of redkitchen's labelled boxes keep their ids?")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the clouds beside ground truth")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=130)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    weights = {"network, stage 1": options.stage1, "network, stage 2": options.stage2}
    sums: dict[str, list[list[float]]] = {}
    reached = True
    try:
        if options.ids:
            return _ids(console, settings)
        for name in [options.folder, *options.rooms.split(",")]:
            if name != "none":
                folder = _room(console, name, settings) if name != options.folder else Path(name)
                found = _measured(console, folder.name if name == options.folder else name, labelled_scene(folder, settings),
                                  settings, weights, options)
                for row, of_scene in found.items():
                    sums.setdefault(row, []).append(of_scene)
                if name == options.folder:
                    reached = all(value >= goal for value, goal in zip(found[OURS][:3], GOAL, strict=True))
                    console.print(f"goal of {OURS} at confidence 1: AP {GOAL[0]}, AP50 {GOAL[1]}, AP25 {GOAL[2]}: "
                                  f"{'reached' if reached else 'missed'}")
        if options.pictures and KITCHEN.is_dir():
            _kitchen_picture(options.pictures, settings)
    except (SourceError, ModelError) as error:
        console.print(str(error))
        return 1
    if any(len(figures) > 1 for figures in sums.values()):
        table = _table(f"mean of {max(len(figures) for figures in sums.values())} scenes")
        for row, figures in sums.items():
            table.add_row(row, *_cells(np.mean(figures, 0).tolist()))
        console.print(table)
    return 0 if reached else 1


def _room(console: Console, name: str, settings: Settings) -> Path:
    with console.status(f"rendering {name}") as status:
        return rendered_room(name, settings, ROOM_FRAMES, lambda done, of: status.update(f"rendering {name}: {done} of {of}"),
                             ROOM_WIDTH, distractors=False)


def _measured(console: Console, name: str, scene: LabelledScene, settings: Settings, weights: dict[str, Path],
              options: argparse.Namespace) -> dict[str, list[float]]:
    """Figures of all rows of one scene; prints its table."""
    truth = scene.truth.instance
    counted = average_precision(truth, truth).truth
    table = _table(f"{name}: {counted} true things of at least 100 points, {len(scene.surface)} vertices, "
                   f"{len(scene.keyframes)} keyframes")
    found: dict[str, list[float]] = {}
    for row in rows(scene, settings, weights):
        found[row.name] = _figures(truth, row)
        table.add_row(row.name, *_cells(found[row.name]))
        console.print(f"{name}: {row.name}: {average_precision(truth, row.labels)}, {row.seconds:.1f} s")
        if row.name == OURS and options.things:
            console.print(_things(truth, row.labels))
        if options.pictures and (row.name in (OURS, LEARNED_EDGES) or row.name in weights):
            _picture(options.pictures / f"{name}_{row.name.split(' (')[0].replace(' ', '_').replace(',', '')}.png", scene, row)
    console.print(table)
    return found


def _figures(truth: np.ndarray, row: Row) -> list[float]:
    plain, ranked = average_precision(truth, row.labels), average_precision(truth, row.labels, row.confidence)
    errors = segmentation_errors(truth, row.labels)
    return [plain.ap, plain.ap50, plain.ap25, ranked.ap, ranked.ap50, ranked.ap25, plain.predicted, errors.split, errors.joined,
            errors.missed, row.seconds]


def _table(title: str) -> Table:
    return Table("", "AP", "AP50", "AP25", "ranked AP", "AP50", "AP25", "things", "split", "joined", "missed", "s", title=title)


def _cells(figures: list[float]) -> list[str]:
    return [*(f"{value:.3f}" for value in figures[:6]), *(f"{value:.0f}" for value in figures[6:10]), f"{figures[10]:.2f}"]


def _things(truth: np.ndarray, predicted: np.ndarray) -> Table:
    table = Table("thing", "points", "best IoU")
    for i, (points, overlap) in sorted(best_overlaps(truth, predicted).items(), key=lambda item: -item[1][1]):
        table.add_row(str(i), str(points), f"{overlap:.2f}")
    return table


def _picture(path: Path, scene: LabelledScene, row: Row) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = scene.truth
    shown = (mesh.colors, colors_of(mesh.instance), colors_of(matching_labels(mesh.instance, row.labels)))
    write_beside(path, [seen_from_above(mesh.vertices, colors, scene.up) for colors in shown],
                 ["colours", "ground truth", row.name])


def _kitchen_picture(folder: Path, settings: Settings) -> None:
    surface, keyframes, up = mapped(str(KITCHEN), settings)
    instances = InstanceMapper(settings.instances, spacing=settings.map.voxel_size)
    shown = [surface.colors, colors_of(instances.update(surface, keyframes, up).labels)]
    if has_model("edges", settings):
        for stamp, edges in edges_of(keyframes, settings).items():
            instances.observe_edges(stamp, edges)
        shown.append(colors_of(instances.update(surface, keyframes, up, whole=True).labels))
    folder.mkdir(parents=True, exist_ok=True)
    write_beside(folder / "redkitchen.png", [seen_from_above(surface.vertices, colors, up, 0.45) for colors in shown],
                 ["colours", OURS, LEARNED_EDGES][:len(shown)])


def _ids(console: Console, settings: Settings) -> int:
    """Map redkitchen and look every few keyframes whether the things of its labelled boxes have the ids that they had."""
    described = yaml.safe_load(BOXES.read_text(encoding="utf-8"))
    axes, floor = np.array(described["axes"], np.float64), float(described["floor"])
    watch = IdWatch([Box(f"{box['name']} {k}", np.array(box["low"]), np.array(box["high"]))
                     for k, box in enumerate(described["things"])])
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    instances = InstanceMapper(settings.instances, spacing=settings.map.voxel_size)
    network = load_edges(settings) if has_model("edges", settings) else None
    for frame in open_source(str(KITCHEN), settings):
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        if is_keyframe:
            keyframes.add(frame)
            up.observe(frame.camera_to_world)
            if network is not None:
                instances.observe_edges(frame.stamp, network.edges([frame.rgb])[0])
            if len(keyframes) % UPDATE_EVERY == 0:
                surface = mapper.surface()
                found = instances.update(surface, list(keyframes), up.estimate(surface))
                watch.look(surface.vertices @ axes.T - (0.0, 0.0, floor), found.labels)
    result = watch.result()
    console.print(f"redkitchen, {len(keyframes)} keyframes, the map looked at every {UPDATE_EVERY}: {result.kept} of "
                  f"{result.boxes} labelled things keep one id from first sight to the end; {result.same_views} of "
                  f"{result.views} sights ({result.same_views / max(result.views, 1):.1%}) have the thing's usual id, in "
                  f"{result.beside} more it is there beside a larger one")
    console.print("changed: " + (", ".join(result.changed) or "none"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
