"""Every point named by the room's classes: what images said, what geometry says, the better of both, and the product's labels.

    ./run bench labels [--scenes replica_office0,living_room,...] [--weights FILE] [--steps 150] [--pictures FOLDER]
                       [--oracle-scene replica_office0] [--set NAME=VALUE]

Mean IoU and mean accuracy over the classes that the room's ground truth names, of its surface within 5 cm of the mapped one, a
point every 2 cm; "things" leaves floor, wall and ceiling out of the means. Rows:
  2D                language features fused from images, nearest class by cosine
  3D, per scene     a network that learned this scene's 2D features from its geometry in --steps of .3 s on a core
  3D, across scenes the network of --weights (`magic3d train distill`) on rooms that it never saw
  ensemble          by point the one of 2D and 3D whose best class fits better (OpenScene)
  product           SegmentByLabels: things by their best views, structure by geometry
Beside it an oracle: a teacher that knows the truth and sees it badly in a few frames, to show what fusion, distillation and
ensemble do when the 2D model is not the limit. Rendered rooms are FRAMES pictures of WIDTH pixels, without anyone in them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.evaluation.label_metrics import LabelScores, label_scores
from magic3d_ros.evaluation.oracle_features import OracleFeatures
from magic3d_ros.language.dense_view import DenseView
from magic3d_ros.language.distillation import Distiller, falling, input_names
from magic3d_ros.language.distillation_network import DistillationNetwork, DistillationPlan, load_network
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.language.ensemble import LEAST_SEEN, ensembled
from magic3d_ros.language.fusion import add
from magic3d_ros.language.label_set import painted
from magic3d_ros.language.space import space_of
from magic3d_ros.language.vectors import unit
from magic3d_ros.language.voxel_features import VoxelFeatures, look_up
from magic3d_ros.offline import map_source
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.open import open_source
from magic3d_ros.sources.room import open_room, scene_names, write_folder

REPLICA = Path(__file__).resolve().parents[2] / "shared" / "data" / "replica_office0"
SCENES = "replica_office0,living_room,procedural_room,office,bedroom,kitchen"
FRAMES, WIDTH = 48, 320
STRUCTURE = ("wall", "floor", "ceiling")
APART = 0.02
"""m: one vertex of the truth a cube of that edge counts, so that finely modelled things do not count more."""
NEAR = 0.05
"""m between a vertex of the truth and the surface that is to name it (as `bench instances` carries labels)."""
ORACLE_EVERY, ORACLE_NOISE, ORACLE_CONFUSED = 6, 2.5, 0.3
"""The oracle sees every sixth keyframe, with noise 2.5 times the signal, and takes 30 % of the cells for something else: a single
view is right in about half of its cells."""


@dataclass(frozen=True)
class Measured:
    """A mapped scene beside its truth. classes: names. vertices (M, 3) of the truth, truth (M,) their class, near (M,) the
    surface vertex that names each. scene: voxels of the surface; rows (N,): that of each surface vertex."""

    pipeline: ScenePipeline
    folder: Path
    classes: list[str]
    truth: np.ndarray
    vertices: np.ndarray
    near: np.ndarray
    scene: DistillationScene
    rows: np.ndarray

    @property
    def things(self) -> np.ndarray:
        """Classes that are not structure."""
        return np.array([i for i, name in enumerate(self.classes) if name not in STRUCTURE])

    def scores(self, names: np.ndarray, of: np.ndarray | None = None) -> tuple[LabelScores, LabelScores]:
        """Of all classes and of things, for (N,) classes of surface vertices. of: (N,) bool, vertices that count; None = all."""
        truth = self.truth if of is None else np.where(of[self.near], self.truth, -1)
        return label_scores(truth, names[self.near]), label_scores(truth, names[self.near], self.things)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench labels", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=SCENES, help="rooms that ship, folders with ground truth; by commas")
    parser.add_argument("--weights", default="", help="network of `magic3d train distill`")
    parser.add_argument("--steps", type=int, default=150, help="of learning a scene; 0 leaves it out")
    parser.add_argument("--inputs", default="normals,height,colors", help="of the network that learns a scene")
    parser.add_argument("--oracle-scene", default="replica_office0", help="scene of the oracle; empty leaves it out")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the labels")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console, extractor = Console(highlight=False), CueExtractor(settings)
    means: dict[str, list[tuple[LabelScores, LabelScores]]] = {}
    for name in options.scenes.split(","):
        if name == "replica_office0" and not REPLICA.is_dir():
            console.print(f"{name} is left out: there is no {REPLICA}")
            continue
        with tempfile.TemporaryDirectory() as rendered:
            measured = mapped(folder_of(name, settings, Path(rendered)), settings, extractor)
            named = opinions(measured, options)
            rows = {row: measured.scores(names) for row, names in named.items()}
            console.print(table(f"{name}: {len(measured.classes)} classes, {len(measured.truth)} vertices", rows))
            for row, scores in rows.items():
                means.setdefault(row, []).append(scores)
            if options.pictures is not None:
                draw(measured, named, options.pictures, name)
            if name == options.oracle_scene:
                console.print(oracle(measured, settings, options.steps or 150, input_names(options.inputs)))
    scenes = max((len(scores) for scores in means.values()), default=0)
    if scenes == 0:
        return 1
    console.print(table(f"mean of {scenes} scenes", {row: (mean(s[0] for s in scores), mean(s[1] for s in scores))
                                                     for row, scores in means.items() if len(scores) == scenes}))
    return 0


def folder_of(name: str, settings: Settings, rendered: Path) -> Path:
    """The recording of a scene; a room that ships is rendered into the folder given."""
    if name in scene_names():
        write_folder(open_room(name, settings, frames=FRAMES, width=WIDTH, distractors=False), rendered / name)
        return rendered / name
    return REPLICA if name == "replica_office0" else Path(name)


def mapped(folder: Path, settings: Settings, extractor: CueExtractor) -> Measured:
    """Map a recording with its meaning, and set it beside its truth."""
    pipeline = ScenePipeline(settings, extractor)
    map_source(pipeline, open_source(str(folder), settings))
    classes, of_instance = named_instances(folder)
    with np.load(folder / "gt_mesh_labels.npz", allow_pickle=False) as stored:
        vertices, instance = stored["vertices"], stored["instance"].astype(int)
    truth = of_instance[np.where((instance >= 0) & (instance < len(of_instance)), instance, -1)]
    surface = pipeline.scene.surface
    chosen = np.unique(np.floor(vertices / APART).astype(int), axis=0, return_index=True)[1]
    vertices, truth = vertices[chosen], truth[chosen]
    apart, near = cKDTree(surface.vertices).query(vertices, distance_upper_bound=NEAR)
    covered = np.isfinite(apart) & (truth >= 0)
    scene, keys = pipeline.language.distillation_scene(surface, pipeline.scene.up)
    layer = VoxelFeatures(settings.language.voxel_size, 1)
    rows = look_up(keys, np.arange(len(keys)), layer.keys_of(surface.vertices))
    return Measured(pipeline, folder, classes, truth[covered], vertices[covered], near[covered], scene, rows)


def named_instances(folder: Path) -> tuple[list[str], np.ndarray]:
    """The classes that the mesh shows, and the class of each instance id by index, -1 = none; the last is of ids that are not."""
    with np.load(folder / "gt_mesh_labels.npz", allow_pickle=False) as stored:
        there = set(np.unique(stored["instance"]).tolist())
    items = json.loads((folder / "instances.json").read_text(encoding="utf-8"))["instances"]
    name_of = {item["id"]: item["class"] for item in items if item["id"] in there}
    classes = sorted(set(name_of.values()))
    of_instance = np.full(max(name_of) + 2, -1)
    for i, name in name_of.items():
        of_instance[i] = classes.index(name)
    return classes, of_instance


def opinions(measured: Measured, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """By row of the table, (N,) class of each surface vertex, -1 = none."""
    pipeline, scene, classes = measured.pipeline, measured.scene, measured.classes
    language = pipeline.language.snapshot()
    text = space_of(language.model).compressed(language.model.compress(language.model.encode_text(classes)))
    product = pipeline.scene.segment(list(classes))[0]
    structure = np.isin(pipeline.scene.labels, [o.id for o in pipeline.scene.objects if o.kind == "structure"]) & (product >= 0)
    usual = int(np.bincount(measured.truth).argmax())
    found = {"chance": np.random.default_rng(0).integers(0, len(classes), len(product)),
             f"all {classes[usual] if options.scenes.count(',') == 0 else 'the most frequent'}": np.full(len(product), usual)}

    def named(row: str, cosines: np.ndarray, known: np.ndarray | None = None) -> None:
        best = cosines.argmax(1) if known is None else np.where(known, cosines.argmax(1), -1)
        found[row] = best[measured.rows]
        found[f"{row} + structure"] = np.where(structure, product, found[row])

    seen = scene.targets.astype(np.float32) @ text.T
    named("2D", seen, scene.weights > 0)
    plan = DistillationPlan(language.model.name, scene.dimension, pipeline.settings.language.voxel_size,
                            input_names(options.inputs))
    networks = {}
    if options.steps > 0:
        networks["per scene"] = learned(plan, scene, options.steps)
    if options.weights:
        networks["across scenes"] = load_network(Path(options.weights), plan.encoder, plan.dimension, plan.voxel_size)
    for kind, network in networks.items():
        predicted = network.predict(scene) @ text.T
        named(f"3D, {kind}", predicted)
        named(f"ensemble, {kind}", ensembled(seen, predicted, scene.weights))
    return found | {"product": product}


def learned(plan: DistillationPlan, scene: DistillationScene, steps: int) -> DistillationNetwork:
    """A network that learned one scene."""
    torch.manual_seed(0)
    distiller = Distiller(DistillationNetwork(plan), [scene])
    for number in range(steps):
        distiller.step(number, falling(number / steps))
    return distiller.network


def oracle(measured: Measured, settings: Settings, steps: int, inputs: tuple[str, ...]) -> Table:
    """2D, 3D and ensemble of a teacher that knows the truth, by how well the few frames that it sees show the points."""
    teacher = OracleFeatures(len(measured.classes), settings.language.feature_dimension, ORACLE_NOISE, ORACLE_CONFUSED)
    layer = VoxelFeatures(settings.language.voxel_size, settings.language.feature_dimension)
    for view in oracle_views(measured, teacher, settings):
        add(layer, view)
    keys, features, weights = layer.arrays()
    scene, _ = DistillationScene.of(measured.pipeline.scene.surface, measured.pipeline.scene.up, layer,
                                    unit(features.astype(np.float32)), weights, keys)
    seen = scene.targets.astype(np.float32) @ teacher.texts.T
    plan = DistillationPlan("oracle", scene.dimension, settings.language.voxel_size, inputs)
    predicted = learned(plan, scene, steps).predict(scene) @ teacher.texts.T
    both = ensembled(seen, predicted, scene.weights)
    parts = {"all": np.ones(len(scene), bool), "seen well": scene.weights >= LEAST_SEEN,
             "seen badly": (scene.weights > 0) & (scene.weights < LEAST_SEEN), "not seen": scene.weights == 0}
    made = Table("points", "share", *(f"{kind} {what}" for kind in ("2D", "3D", "both") for what in ("mIoU", "right")),
                 title="oracle, all classes: mIoU and points right")
    for part, chosen in parts.items():
        of = chosen[measured.rows]
        if not of[measured.near].any():
            continue
        cells = [f"{of[measured.near].mean():.2f}"]
        for cosines in (seen, predicted, both):
            best = np.where((cosines == 0).all(1), -1, cosines.argmax(1))[measured.rows]
            score = measured.scores(best, of)[0]
            cells += [f"{score.miou:.3f}", f"{score.accuracy:.3f}"]
        made.add_row(part, *cells)
    return made


def oracle_views(measured: Measured, teacher: OracleFeatures, settings: Settings) -> Iterator[DenseView]:
    """What the teacher sees in some of the keyframes."""
    _, of_instance = named_instances(measured.folder)
    files = sorted((measured.folder / "instance").glob("*.png"))
    numbered = {int(file.stem): file for file in files}
    for keyframe in list(measured.pipeline.mapper.keyframes)[::ORACLE_EVERY]:
        image = cv2.imread(str(numbered.get(keyframe.index, files[0])), cv2.IMREAD_UNCHANGED).astype(int)
        classes = of_instance[np.where(image < len(of_instance), image, -1)]
        yield DenseView.of(keyframe.frame(), teacher.features(classes), settings.language.voxel_size)


def mean(scores: Iterator[LabelScores]) -> LabelScores:
    """Of several scenes."""
    return LabelScores(*np.mean(list(scores), axis=0).tolist())


def table(title: str, rows: dict[str, tuple[LabelScores, LabelScores]]) -> Table:
    """One row an opinion."""
    made = Table("", "mIoU", "mAcc", "points right", "things: mIoU", "mAcc", title=title)
    for name, (everything, things) in rows.items():
        made.add_row(name, f"{everything.miou:.3f}", f"{everything.macc:.3f}", f"{everything.accuracy:.3f}", f"{things.miou:.3f}",
                     f"{things.macc:.3f}")
    return made


def draw(measured: Measured, named: dict[str, np.ndarray], folder: Path, name: str) -> None:
    """The truth and each opinion from above, ceiling cut off, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    up = measured.pipeline.scene.up
    height = measured.vertices @ up
    kept = np.flatnonzero(height < np.percentile(height, 99) - 0.4)
    kept = kept[np.argsort(height[kept], kind="stable")]
    flat = measured.vertices[kept] @ np.linalg.svd(np.asarray(up)[None])[2][1:].T
    place = ((flat - flat.min(0)) / 0.015).astype(int)
    shown = []
    rows = ["2D", "3D, per scene", "ensemble, per scene", "3D, across scenes", "ensemble, across scenes", "product"]
    for title, index in {"truth": measured.truth, **{r: named[r][measured.near] for r in rows if r in named}}.items():
        image = np.full((*(place.max(0) + 3), 3), 255, np.uint8)
        colors = painted(measured.classes, index[kept])
        for step in np.ndindex(2, 2):
            image[tuple((place + step).T)] = colors
        shown.append(cv2.putText(np.pad(image, ((30, 4), (4, 4), (0, 0)), constant_values=255), title, (6, 20),
                                 cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA))
    cv2.imwrite(str(folder / f"labels_{Path(name).name}.png"), np.concatenate(shown, 1)[:, :, ::-1])


if __name__ == "__main__":
    raise SystemExit(main())
