"""Save a map into a folder, load it and go on mapping, or export it for other programs."""

from __future__ import annotations

import copy
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magic3d_ros import __version__
from magic3d_ros.config import Settings, SettingsError
from magic3d_ros.storage.atomic import recover, replaced_directory
from magic3d_ros.storage.map_error import MapError
from magic3d_ros.storage.ply import write_mesh, write_points
from magic3d_ros.storage.records import object_record
from magic3d_ros.storage.semantic_table import write_semantic_table
from magic3d_ros.storage.state_file import read_state, write_state

if TYPE_CHECKING:
    from magic3d_ros.cues.extractor import CueExtractor
    from magic3d_ros.mapping.surface import Surface
    from magic3d_ros.pipeline import ScenePipeline
    from magic3d_ros.scene import Scene

FORMAT = "magic3d map"
FORMAT_VERSION = 2
"""Counts up whenever a folder of the last version can no longer be read as it stands."""

MANIFEST, MESH, POINTS, OBJECTS, STATE = "map.json", "mesh.ply", "points.ply", "objects.json", "state.safetensors"
WATERTIGHT_MESH = "mesh_watertight.ply"
FILLED_MESH = "mesh_filled.ply"
SEMANTICS = "semantics.sqlite"
OWN = frozenset({MANIFEST, MESH, FILLED_MESH, POINTS, OBJECTS, SEMANTICS, STATE, "masks", "report.html"})
"""What belongs to a map and is replaced with it; anything else in the folder is left alone."""

OF_THE_MAP = ("map.voxel_size", "map.truncation", "map.free_voxel_size", "language.voxel_size")
"""Settings that a saved map carries with it, because its arrays have no meaning under others."""
OF_THE_MODELS = ("cues.tier", "language.model", "language.feature_dimension")
"""Settings under which the features in a map were made; the models that go on must be the same."""

_MANIFEST_LIMIT = 16 * 2**20
_log = logging.getLogger(__name__)


def save_map(pipeline: ScenePipeline, directory: Path | str, statistics: Mapping[str, Any] | None = None) -> None:
    """Write the scene and the state behind it into a folder; docs/map_format.md has the layout.

    The scene is brought up to date first where frames came since the last `understand`. The folder is replaced whole or not at
    all: when anything fails, the map that was there is untouched. statistics: figures of the run, kept in map.json as they are.
    Raises MapError.
    """
    directory = Path(directory).absolute()
    check_replaceable(directory)
    try:
        with replaced_directory(directory, OWN) as fresh:
            if pipeline.scene.stamp != pipeline.last_stamp or pipeline.waiting_pictures:
                pipeline.understand(thorough=True)
            write_state(fresh / STATE, pipeline.state())
            export_files(pipeline.scene, fresh, pipeline.filled_surface())
            if pipeline.scene.memory is not None:
                write_semantic_table(fresh / SEMANTICS, pipeline.scene.memory)
            files = {path.name: path.stat().st_size for path in sorted(fresh.iterdir())}
            _write_json(fresh / MANIFEST, {
                "format": FORMAT, "version": FORMAT_VERSION, "program": f"magic3d_ros {__version__}", "files": files,
                "stamp": pipeline.last_stamp, "up": [float(v) for v in pipeline.scene.up],
                "settings": pipeline.settings.flat(), "statistics": {**(statistics or {}), **_self_check(pipeline)}})
    except OSError as error:
        raise MapError(f"the map was not saved to {directory}: {_cause(error)}; what was there before is untouched; "
                       "free space or name another folder") from error


def export_map(scene: Scene, directory: Path | str, filled: Surface | None = None) -> list[str]:
    """Write mesh.ply, points.ply and objects.json into a folder (made if need be), each whole or not at all; other files there
    stay. filled: the surface with what networks guessed, which becomes mesh_filled.ply. Returns the names written. Raises
    MapError."""
    directory = Path(directory).absolute()
    names = [MESH, POINTS, OBJECTS] + ([] if filled is None else [FILLED_MESH])
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=directory) as fresh:
            export_files(scene, Path(fresh), filled)
            for name in names:
                (Path(fresh) / name).replace(directory / name)
    except OSError as error:
        raise MapError(f"nothing was exported to {directory}: {_cause(error)}; free space or name another folder") from error
    return names


def load_map(directory: Path | str, settings: Settings, extractor: CueExtractor) -> ScenePipeline:
    """The pipeline as it was when it was saved; mapping and asking go on from there.

    The settings named in OF_THE_MAP are taken from the map, all others from `settings`, which are not changed.
    Raises MapError for a folder that is no map, of another version, half-written or damaged, or made with other models.
    """
    from magic3d_ros.pipeline import ScenePipeline

    directory = Path(directory).absolute()
    manifest = read_manifest(directory)
    saved = saved_settings(directory, manifest)
    settings = copy.deepcopy(settings)
    check_models(directory, saved, settings)
    for name in OF_THE_MAP:
        if saved.flat()[name] != settings.flat()[name]:
            _log.warning("%s is %s here: the loaded map was made with it", name, saved.flat()[name])
            settings.set(name, saved.flat()[name])
    pipeline = ScenePipeline(settings, extractor)
    try:
        pipeline.load_state(read_state(directory / STATE))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, MapError):
            raise
        raise MapError(f"the state of {directory} does not fit together ({error}): save or copy the map again") from error
    return pipeline


def read_manifest(directory: Path | str) -> dict[str, Any]:
    """map.json, checked: format, version, and that every file it names has the size it had when it was saved. Raises MapError."""
    directory = Path(directory).absolute()
    path = directory / MANIFEST
    try:
        recover(directory, OWN)
        if not directory.is_dir():
            raise MapError(f"{directory} is not there: `magic3d map SOURCE --out {directory.name}` makes a map")
        if not path.is_file():
            raise MapError(f"{directory} is not a map: it has no {MANIFEST} (half-written, or another folder); name the folder "
                           "that `magic3d map --out` or SaveMap wrote")
        if path.stat().st_size > _MANIFEST_LIMIT:
            raise MapError(f"{path} is larger than any map description: it is not one of ours")
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MapError(f"{directory} cannot be read: {_cause(error)}") from error
    except ValueError as error:
        if isinstance(error, MapError):
            raise
        raise MapError(f"{path} is not readable JSON ({error}): the map is half-written; save or copy it again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise MapError(f"{path} does not describe a map of this program")
    if manifest.get("version") != FORMAT_VERSION:
        raise MapError(f"{directory} is a map of format version {manifest.get('version')}, this program reads {FORMAT_VERSION}: "
                       f"use the program that wrote it ({manifest.get('program', 'unknown')}), or map anew")
    files = manifest.get("files")
    if not isinstance(files, dict) or STATE not in files:
        raise MapError(f"{path} does not name its files: it was changed by hand; save or copy the map again")
    for name, size in files.items():
        file = directory / Path(str(name)).name
        actual = file.stat().st_size if file.is_file() else 0
        if actual != size:
            raise MapError(f"{file} has {actual} of {size} bytes: the map is half-written or half-copied; save or copy it again")
    return manifest


def saved_settings(directory: Path | str, manifest: Mapping[str, Any] | None = None) -> Settings:
    """The settings a map was made with. Raises MapError."""
    manifest = read_manifest(directory) if manifest is None else manifest
    settings = Settings()
    try:
        settings.update(manifest["settings"])
    except (SettingsError, KeyError, TypeError, AttributeError) as error:
        raise MapError(f"the settings in {directory}/{MANIFEST} cannot be used ({error}): map anew") from error
    return settings


def check_models(directory: Path | str, saved: Settings, settings: Settings) -> None:
    """Raise MapError when a map was made with other models than those in `settings`."""
    for name in OF_THE_MODELS:
        if saved.flat()[name] != settings.flat()[name]:
            raise MapError(f"{directory} was mapped with {name} = {saved.flat()[name]}, not {settings.flat()[name]}: "
                           f"set {name} to {saved.flat()[name]}, or map anew")


def check_replaceable(directory: Path | str) -> None:
    """Raise MapError when a folder holds something that is not a map: saving must never replace somebody's data."""
    directory = Path(directory).absolute()
    try:
        if not directory.exists():
            return
        if not directory.is_dir():
            raise MapError(f"{directory} is a file: name a folder for the map")
        entries = {entry.name for entry in directory.iterdir()}
    except OSError as error:
        raise MapError(f"{directory} cannot be used: {_cause(error)}") from error
    if MANIFEST not in entries and entries - OWN - {"logs"}:
        raise MapError(f"{directory} holds other files and is not a map: name a new folder for the map")


def export_files(scene: Scene, directory: Path, filled: Surface | None = None) -> None:
    """mesh.ply, points.ply and objects.json of a scene, and mesh_filled.ply where there are guesses. Raises OSError."""
    if filled is not None:
        write_mesh(directory / FILLED_MESH, filled, with_guesses=True)
    write_mesh(directory / MESH, scene.surface)
    write_points(directory / POINTS, scene.surface, scene.labels)
    _write_json(directory / OBJECTS, [object_record(thing) for thing in scene.objects])


def _self_check(pipeline: ScenePipeline) -> dict[str, dict[str, float]]:
    figures = pipeline.mapper.self_check.figures()
    return {"self_check": figures} if figures["checked"] else {}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cause(error: OSError) -> str:
    return error.strerror.lower() if error.strerror else str(error)
