"""The things of a map with their embeddings in one SQLite file, which answers questions without the map's geometry.

Layout and the measurements that chose it: docs/map_format.md. Vectors are float32, as they are compared: answers are the same as
those of the loaded map.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from magic3d_ros.config import QuerySettings
from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.language.concepts.colours import COLOURS
from magic3d_ros.language.concepts.knowledge import Knowledge
from magic3d_ros.language.places import Levels
from magic3d_ros.language.semantic_memory import SemanticMemory
from magic3d_ros.storage.map_error import MapError

if TYPE_CHECKING:
    from magic3d_ros.scene_object import SceneObject

APPLICATION = 0x4D33444F
"""SQLite's application_id of such a file: M3DO."""
TABLE_VERSION = 1
"""SQLite's user_version; counts up whenever a file of the last version can no longer be read as it stands."""

_SCHEMA = """
CREATE TABLE objects (position INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT NOT NULL,
    probability REAL NOT NULL, confidence REAL NOT NULL, n_points INTEGER NOT NULL, n_views INTEGER NOT NULL,
    first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, box BLOB NOT NULL, centroid BLOB NOT NULL,
    table_level REAL, floor_level REAL);
CREATE TABLE embeddings (position INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, vector BLOB NOT NULL);
CREATE TABLE scene (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_TABLES = {"objects", "embeddings", "scene"}
_BOX, _POINT = 15 * 8, 3 * 8  # bytes: centre, size, rotation row by row; three numbers; float64


_EVEN = np.full(len(COLOURS), 1 / len(COLOURS))


def write_semantic_table(path: Path, memory: SemanticMemory[SceneObject]) -> None:
    """Write the file, which must not be there yet. Raises OSError for what the file system refuses."""
    try:
        with closing(sqlite3.connect(path)) as file, file:
            # The folder around it is written whole or not at all (storage/atomic.py): no journal is needed.
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.execute(f"PRAGMA application_id = {APPLICATION}")
            file.execute(f"PRAGMA user_version = {TABLE_VERSION}")
            file.executescript(_SCHEMA)
            flat = memory.levels
            file.executemany(f"INSERT INTO objects VALUES ({', '.join('?' * 14)})", (
                (position, int(o.id), o.kind, o.label, float(o.probability), float(o.confidence), int(o.n_points), int(o.n_views),
                 int(o.first_seen), int(o.last_seen), _bytes(o.box.center, o.box.size, o.box.rotation), _bytes(o.centroid),
                 *((flat[o.id].table, flat[o.id].floor) if o.id in flat else (None, None)))
                for position, o in enumerate(memory.objects)))
            file.executemany("INSERT INTO embeddings VALUES (?, ?, ?)", (
                (position, int(i), vector.astype("<f4").tobytes())
                for position, (i, vector) in enumerate(zip(memory.ids, memory.vectors, strict=True))))
            file.executemany("INSERT INTO scene VALUES (?, ?)", [
                ("up_and_floor", _bytes(memory.up, [memory.floor])), ("center", memory.center.astype("<f4").tobytes()),
                ("background", memory.background.astype("<f4").tobytes()), ("seen_from", _bytes(memory.seen_from)),
                ("supports", np.array([o.support for o in memory.objects], "<i4").tobytes()),
                ("colours", np.array([memory.colours.get(o.id, _EVEN) for o in memory.objects], "<f4").tobytes())])
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error


def read_semantic_table(path: Path, knowledge: Knowledge, query: QuerySettings) -> SemanticMemory[SceneObject]:
    """What `write_semantic_table` wrote, ready for questions. knowledge: of the model whose embeddings it holds.

    Every size is checked against the file's before an array is made, and nothing that the file defines is run.
    Raises MapError for a missing, damaged or foreign file, one of another version, or of another model.
    """
    if not path.is_file():
        raise MapError(f"{path} is not there: the map is half-written; save or copy it again")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            file.execute("PRAGMA trusted_schema = OFF")
            _check_format(file, path)
            return _read(file, path, knowledge, query)
    except MapError:
        raise
    except (sqlite3.Error, OSError, ValueError, TypeError, OverflowError) as error:
        raise MapError(f"{path} cannot be read ({error}): the file is cut off or damaged; save or copy the map again") from error


def _check_format(file: sqlite3.Connection, path: Path) -> None:
    application, version = (file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if application != APPLICATION:
        raise MapError(f"{path} is a database of another program: save or copy the map again")
    if version != TABLE_VERSION:
        raise MapError(f"{path} is of table version {version}, this program reads {TABLE_VERSION}: "
                       "use the program that wrote it, or map anew")
    tables = {name for name, kind, sql in file.execute("SELECT name, type, sql FROM sqlite_master")
              if kind == "table" and str(sql).startswith("CREATE TABLE")}  # neither views nor virtual tables
    if tables != _TABLES:
        raise ValueError(f"it has the tables {sorted(tables)}")


def _read(file: sqlite3.Connection, path: Path, knowledge: Knowledge, query: QuerySettings) -> SemanticMemory[SceneObject]:
    from magic3d_ros.scene_object import SceneObject

    model = knowledge.model
    dimension, size = model.dimension, path.stat().st_size
    count, shortest, longest = file.execute(
        "SELECT COUNT(*), MIN(LENGTH(vector)), MAX(LENGTH(vector)) FROM embeddings").fetchone()
    if count and (shortest, longest) != (4 * dimension, 4 * dimension):
        raise MapError(f"{path} has embeddings of {(shortest or 0) // 4} to {(longest or 0) // 4} numbers, the language model "
                       f"{model.name} makes {dimension}: ask with the model that the map was made with, or map anew")
    things, shortest, longest = file.execute(
        "SELECT COUNT(*), MIN(LENGTH(box) + LENGTH(centroid)), MAX(LENGTH(box) + LENGTH(centroid)) FROM objects").fetchone()
    if things and (shortest, longest) != (_BOX + _POINT, _BOX + _POINT):
        raise ValueError("boxes have the wrong size")
    if count * 4 * dimension + things * (_BOX + _POINT) > size:
        raise ValueError(f"it claims more than its {size} bytes hold")
    scene = dict(file.execute("SELECT name, value FROM scene WHERE LENGTH(value) <= ?", (size,)))
    if not {"up_and_floor", "center", "background"} <= scene.keys():
        raise ValueError("what describes the scene is missing")
    *up, floor = _numbers(scene["up_and_floor"], "<f8", 4)
    # Files written before relations and concepts were known have none of the three.
    even = np.tile(_EVEN, (things, 1)).astype("<f4").tobytes()
    colours = _numbers(scene.get("colours", even), "<f4", things * len(COLOURS)).reshape(things, len(COLOURS))
    supports = _numbers(scene.get("supports", np.full(things, -1, "<i4").tobytes()), "<i4", things)
    seen_from = _numbers(scene.get("seen_from", b""), "<f8", len(scene.get("seen_from", b"")) // _POINT * 3)
    objects: list[SceneObject] = []
    levels = {}
    for i, kind, label, chance, confidence, box, centroid, points, views, first, last, table_level, floor_level in file.execute(
            "SELECT id, kind, label, probability, confidence, box, centroid, n_points, n_views, first_seen, last_seen, "
            "table_level, floor_level FROM objects ORDER BY position"):
        sides = _numbers(box, "<f8", 15)
        objects.append(SceneObject(i, kind, label, chance, confidence,
                                   OrientedBox(sides[:3], sides[3:6], sides[6:].reshape(3, 3)), _numbers(centroid, "<f8", 3),
                                   points, views, first, last, support=int(supports[len(objects)])))
        if table_level is not None:
            levels[i] = Levels(_share(table_level), _share(floor_level))
    rows = file.execute("SELECT id, vector FROM embeddings ORDER BY position").fetchall()
    ids = np.array([row[0] for row in rows], np.int64)
    vectors = _numbers(b"".join(row[1] for row in rows), "<f4", count * dimension).reshape(count, dimension)
    background = _numbers(scene["background"], "<f4", len(scene["background"]) // (4 * dimension) * dimension)
    return SemanticMemory(model, query, tuple(objects), levels, np.array(up), float(floor), ids, vectors,
                          background.reshape(-1, dimension), _numbers(scene["center"], "<f4", dimension), knowledge,
                          seen_from.reshape(-1, 3), {o.id: row for o, row in zip(objects, colours, strict=True)})


def _bytes(*arrays: object) -> bytes:
    return np.concatenate([np.asarray(a, "<f8").ravel() for a in arrays]).tobytes()


def _numbers(data: bytes, kind: str, count: int) -> np.ndarray:
    """Finite numbers, exactly so many. Raises ValueError."""
    numbers = np.frombuffer(data, kind)
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ValueError(f"{count} finite numbers were expected, not {len(numbers)}")
    return numbers


def _share(value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(f"{value} is no share of a surface")
    return float(value)
