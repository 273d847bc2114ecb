"""Gathers what the report shows and writes the page."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from magic3d_ros import __version__
from magic3d_ros.config import Settings, describe
from magic3d_ros.instances.views import crop
from magic3d_ros.language.answer import Answer, Question, Status
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.report import picture
from magic3d_ros.report.view import SurfaceView, best_azimuth, doll_house, through_camera
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject
from magic3d_ros.storage.records import answer_record

QUESTIONS = ("where can I sit", "something to drink from", "something to read", "a plant", "where is the floor",
             "something to put things on", "a bicycle")
"""Asked of every map for its report; the last is hardly ever there, so the page also shows how a refusal looks."""

_ELEVATION = 42.0
_WIDE, _NARROW, _CROP, _PHOTO = 1100, 540, 200, 560
_BOXED = 0.6
"""Share of the best match's probability from which another match is drawn too."""
_NAMED = 0.25
"""Probability below which a name is shown as a guess, and not at all on the picture."""
_CARDS, _PHOTOS, _TAGS = 24, 6, 30


def write_report(path: Path, pipeline: ScenePipeline, statistics: Mapping[str, Any], questions: Sequence[str] = QUESTIONS,
                 answers: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write one HTML file that needs no other: pictures are inside, nothing is fetched.

    statistics: as map.json has them. answers: records that a running mapper gave to (some of) the questions; shown instead of
    asking again. Raises OSError; a report that was there stays until the new one is whole.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("magic3d_ros.report", "."), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    page = environment.get_template("report.html.j2").render(**_content(pipeline, statistics, questions, answers or {}))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def _content(pipeline: ScenePipeline, statistics: Mapping[str, Any], questions: Sequence[str],
             answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    scene = pipeline.scene
    structure = frozenset(thing.id for thing in scene.objects if thing.kind == "structure")
    colors = picture.palette((thing.id for thing in scene.objects), structure)
    azimuth = best_azimuth(scene.surface, scene.up, _ELEVATION)
    oblique = doll_house(scene.surface, scene.up, azimuth, _ELEVATION, _WIDE * picture.OVERSAMPLING, 1800)
    above = doll_house(scene.surface, scene.up, azimuth, 89.9, _NARROW * picture.OVERSAMPLING, 1200)
    small = doll_house(scene.surface, scene.up, azimuth, _ELEVATION, _NARROW * picture.OVERSAMPLING, 900)
    return {
        "title": f"Map of {Path(str(statistics.get('source', 'a scene'))).name}",
        "made": time.strftime("%Y-%m-%d %H:%M"), "version": __version__,
        "tiles": _tiles(scene, statistics, len(structure)),
        "oblique": _uri(picture.natural(scene, oblique), _WIDE),
        "above": _uri(picture.natural(scene, above), _NARROW),
        "above_instances": _uri(picture.instances(scene, above, colors), _NARROW),
        "instances": _uri(picture.instances(scene, oblique, colors), _WIDE),
        "tags": _tags(scene, oblique, colors),
        "answers": [_answer(scene, small, text, answers.get(text)) for text in questions],
        "photos": _photos(pipeline, colors),
        "cards": _cards(pipeline, colors),
        "structure": [{"id": t.id, "label": t.label or t.kind, "color": _css(colors[t.id]),
                       "size": _lengths(t.box.size), "points": t.n_points} for t in scene.objects if t.id in structure],
        "frames": statistics.get("frames", {}), "hold_out": _hold_out(statistics), "stages": _stages(statistics),
        "settings": _settings(pipeline.settings),
    }


def _tiles(scene: Scene, statistics: Mapping[str, Any], structure: int) -> list[tuple[str, str]]:
    frames = statistics.get("frames", {})
    tiles = [("frames used", f"{frames['used']:,}")] if "used" in frames else []
    if statistics.get("frames_per_second"):
        tiles.append(("frames a second", f"{statistics['frames_per_second']:.1f}"))
    tiles += [("objects", str(len(scene.objects) - structure)), ("pieces of structure", str(structure)),
              ("surface points", f"{len(scene.surface):,}"), ("surface", f"{_area(scene):.1f} m²")]
    return tiles


def _area(scene: Scene) -> float:
    a, b, c = (scene.surface.vertices[scene.surface.faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def _tags(scene: Scene, view: SurfaceView, colors: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    """Names on the picture of instances, at the middle of what is seen of each object, in percent of the picture."""
    if view.affine is None:
        return []
    labels = np.full(view.seen.shape, -1, np.int32)
    labels[view.seen] = view.nearest(scene.labels)
    height, width = view.seen.shape
    tags = []
    for thing in _by_confidence(scene)[:_TAGS]:
        rows, columns = np.nonzero(labels == thing.id)
        if len(rows) >= 150 * picture.OVERSAMPLING**2:
            tags.append({"left": 100 * float(np.median(columns)) / width, "top": 100 * float(np.median(rows)) / height,
                         "text": thing.label if thing.label and thing.probability >= _NAMED else f"#{thing.id}",
                         "color": _css(colors[thing.id])})
    return tags


def _answer(scene: Scene, view: SurfaceView, text: str, record: Mapping[str, Any] | None) -> dict[str, Any]:
    answer: Answer = scene.query(Question(text, max_results=5))
    shown = dict(record) if record is not None else answer_record(answer, scene)
    best = max((match["probability"] for match in shown["objects"]), default=0.0)
    boxed = [thing.box for match in shown["objects"] if shown["status"] in ("found", "ambiguous")
             and match["probability"] >= _BOXED * best and (thing := scene.object(match["id"])) is not None]
    heated = None
    if answer.heat is not None and answer.status not in (Status.INVALID, Status.NOT_READY):
        heated = _uri(picture.heat(scene, view, answer.heat, boxed), _NARROW)
    return {"text": text, "status": shown["status"], "why": shown["why"], "objects": shown["objects"][:3], "picture": heated}


def _photos(pipeline: ScenePipeline, colors: Mapping[int, np.ndarray]) -> list[dict[str, str]]:
    keyframes = list(pipeline.mapper.keyframes)
    chosen = [keyframes[i] for i in np.unique(np.linspace(0, len(keyframes) - 1, _PHOTOS + 2).round().astype(int))[1:-1]]
    photos = []
    for keyframe in chosen or keyframes[:_PHOTOS]:
        view = through_camera(pipeline.scene.surface, keyframe.camera, keyframe.camera_to_world)
        painted = picture.overlay(keyframe.rgb(), pipeline.scene, view, dict(colors))
        photos.append({"picture": _uri(painted, _PHOTO), "text": f"frame {keyframe.index}"})
    return photos


def _cards(pipeline: ScenePipeline, colors: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    cards = []
    for thing in _by_confidence(pipeline.scene)[:_CARDS]:
        shots = (crop(pipeline.mapper.keyframes.get(view.stamp), view) for view in thing.views)
        shot = next((image for image in shots if image is not None), None)
        cards.append({"id": thing.id, "label": thing.label or "unnamed", "probability": thing.probability,
                      "guess": thing.probability < _NAMED,
                      "confidence": thing.confidence, "size": _lengths(thing.box.size), "views": thing.n_views,
                      "color": _css(colors[thing.id]), "picture": None if shot is None else _uri(shot, _CROP)})
    return cards


def _by_confidence(scene: Scene) -> list[SceneObject]:
    return sorted((t for t in scene.objects if t.kind == "object"), key=lambda t: -t.confidence)


def _hold_out(statistics: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, f"{value:.3f}") for name, value in statistics.get("hold_out", {}).items()
            if isinstance(value, (int, float)) and name != "frames"]


def _stages(statistics: Mapping[str, Any]) -> list[dict[str, Any]]:
    stages = statistics.get("stages", {})
    most = max((stage["seconds"] for stage in stages.values()), default=0) or 1.0
    return [{"name": name, "seconds": stage["seconds"], "calls": stage["calls"], "share": 100 * stage["seconds"] / most,
             "each": 1000 * stage["seconds"] / max(stage["calls"], 1)} for name, stage in stages.items()]


def _settings(settings: Settings) -> list[dict[str, Any]]:
    values, defaults = settings.flat(), Settings().flat()
    return [{"name": name, "value": values[name], "unit": known.unit, "doc": known.doc, "changed": values[name] != defaults[name]}
            for name, known in describe()]


def _uri(image: np.ndarray, width: int) -> str:
    return picture.data_uri(picture.reduced(image, width))


def _css(color: np.ndarray) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(int(v) for v in color))


def _lengths(size: np.ndarray) -> str:
    return " × ".join(f"{value:.2f}" for value in size) + " m"
