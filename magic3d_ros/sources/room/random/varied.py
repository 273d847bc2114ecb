"""Rooms that hold many kinds of things (shapes/varied): a scene description a number, in the format of the scenes' YAML files.

Room after room takes the next kinds of a shuffled pack of all of them, so that some rooms in a row show every kind equally often.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from magic3d_ros.sources.room.random.layout import WALL_CLEARANCE, Floor, placed, shell, some_textures
from magic3d_ros.sources.room.random.things import FURNITURE_WITH_TOPS
from magic3d_ros.sources.room.shapes.catalogue import VARIED
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.kinds import KINDS

KINDS_A_ROOM = 46
"""So many stand on 30 to 50 m2 and leave a robot its way; what finds no place is left out."""

TRIES = 100
"""Places that are looked at for a thing before it is left out."""

SEEDS = 1000
"""Different things of a kind: the largest whole number that a shape's option may be (shapes/catalogue.py)."""

BRIGHTER = 2.2
"""Times the light of random rooms, many of which are in twilight: with it the mean of pictures of rooms 2000, 2002 and 2006 is
.60, .24 and .23 of white."""

BETWEEN_SMALL = 0.03
"""Metres between things on a table."""


@dataclass
class _Room:
    """What is in the room so far.

    height: of the ceiling, metres. walls: by quarter (see _beside_wall) what of it is taken, as rectangles (side, half width,
    low, high). tops: what one can put things on, (x, y, height, half width, half depth), its yaw, and what of it is taken, as
    rectangles (x, y, half width, half depth) in its own frame.
    """

    floor: Floor
    height: float
    walls: tuple[list[tuple[float, float, float, float]], ...] = field(default_factory=lambda: ([], [], [], []))
    furniture: list[dict[str, Any]] = field(default_factory=list)
    tops: list[tuple[tuple[float, ...], float, list[tuple[float, float, float, float]]]] = field(default_factory=list)


def varied_room(number: int) -> dict[str, Any]:
    """A scene description as its YAML file would hold it; the same number gives the same room. Its `camera` is a placeholder."""
    random = np.random.default_rng((7, number))  # apart from the seeds of random_room
    size = np.round([random.uniform(6.0, 7.8), random.uniform(5.0, 6.4), random.uniform(2.4, 2.9)], 2)
    palette = some_textures(random)
    walls = shell(random, size, palette)
    room = _Room(Floor(size), float(size[2]))
    for light in (*walls["windows"], *walls["lights"]):
        light["light"] = [BRIGHTER * channel for channel in light["light"]]
    for window in walls["windows"]:
        _take_window(room, window)
    for make in FURNITURE_WITH_TOPS:
        item, width, depth, height = make(random, palette)
        _against_a_wall(random, room, item, width, depth, height, height)
    drawn = [(name, KINDS[name], int(random.integers(SEEDS))) for name in kinds_of(number)]
    sizes = {name: _extent(kind, seed) for name, kind, seed in drawn}
    for name, kind, seed in sorted(drawn, key=lambda thing: -float(np.prod(sizes[thing[0]][1] - sizes[thing[0]][0]))):
        _put(random, room, {"shape": VARIED + name, "class": name, "options": {"seed": seed}}, kind, *sizes[name])
    return {"room": walls, "furniture": room.furniture, "camera": {"way_points": [[0.0, 0.0, 1.2, 0.0, 0.0]]}}


def kinds_of(number: int) -> list[str]:
    """The kinds that room `number` is to hold, from the pack."""
    names = sorted(KINDS)
    first, drawn = number * KINDS_A_ROOM, []
    for index in range(first, first + KINDS_A_ROOM):
        pack, place = divmod(index, len(names))
        drawn.append(names[int(np.random.default_rng((8, pack)).permutation(len(names))[place])])
    return sorted(set(drawn))


def _extent(kind: Kind, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner of the thing, metres."""
    points = np.concatenate([part.triangles.positions for part in kind.make(np.random.default_rng(seed))])
    return points.min(0), points.max(0)


def _put(random: np.random.Generator, room: _Room, item: dict[str, Any], kind: Kind, low: np.ndarray, high: np.ndarray) -> None:
    """The thing at a place for its kind, where there is one."""
    width, depth = (2 * float(max(-low[axis], high[axis])) for axis in (0, 1))
    top = float(high[2]) if kind.carries else 0.0
    if kind.place == "floor":
        _against_a_wall(random, room, item, width, depth, float(high[2]), top)
    elif kind.place == "middle":
        _free_standing(random, room, item, width, depth, top)
    elif kind.place == "wall":
        _on_a_wall(random, room, item, width, float(high[2]), kind.low)
    elif kind.place == "ceiling":
        at = [float(random.uniform(-0.35, 0.35) * room.floor.size[axis]) for axis in (0, 1)]
        room.furniture.append(item | {"at": [*at, room.height], "yaw": float(random.uniform(-180, 180))})
    else:
        _on_a_top(random, room, item, width, depth)


def _add(room: _Room, things: list[dict[str, Any]], height: float, extent: tuple[float, float]) -> bool:
    """Whether the thing found its place; its upper face, where it carries, is noted as free. extent: its own width and depth."""
    room.furniture += things
    if things and height > 0:
        x, y, _ = things[0]["at"]
        room.tops.append(((x, y, height, extent[0] / 2, extent[1] / 2), things[0]["yaw"], []))
    return bool(things)


def _free_on_wall(room: _Room, quarter: int, side: float, half: float, low: float, high: float) -> bool:
    return all(abs(side - s) >= half + h or low >= top or high <= bottom for s, h, bottom, top in room.walls[quarter])


def _beside_wall(size: np.ndarray, quarter: int, side: float, away: float) -> tuple[float, float]:
    """A place `side` metres along a wall from its middle and `away` before it. quarter: 0 north, 1 west, 2 south, 3 east; seen
    from inside, side grows to the right."""
    out = float(size[1] if quarter % 2 == 0 else size[0]) / 2 - away
    return ((side, out), (-out, side), (-side, -out), (out, -side))[quarter]


def _against_a_wall(random: np.random.Generator, room: _Room, item: dict[str, Any], width: float, depth: float, tall: float,
                    top: float) -> None:
    for _ in range(TRIES):
        quarter = int(random.integers(4))
        along = float(room.floor.size[quarter % 2])
        side = float(random.uniform(-1, 1)) * max(0.0, (along - width) / 2)
        x, y = _beside_wall(room.floor.size, quarter, side, depth / 2 + WALL_CLEARANCE)
        extent = (width, depth) if quarter % 2 == 0 else (depth, width)
        if _free_on_wall(room, quarter, side, width / 2, 0.0, tall) and _add(
                room, placed(room.floor, item, x, y, extent, 0.0, 90.0 * quarter), top, (width, depth)):
            room.walls[quarter].append((side, width / 2, 0.0, tall))
            return


def _free_standing(random: np.random.Generator, room: _Room, item: dict[str, Any], width: float, depth: float,
                   top: float) -> None:
    for _ in range(TRIES):
        yaw = float(random.uniform(-180, 180))
        c, s = abs(np.cos(np.radians(yaw))), abs(np.sin(np.radians(yaw)))
        extent = (float(width * c + depth * s), float(width * s + depth * c))
        x, y = (float(random.uniform(-1, 1)) * max(0.0, (room.floor.size[axis] - extent[axis]) / 2 - 0.3) for axis in (0, 1))
        if _add(room, placed(room.floor, item, x, y, extent, 0.0, yaw), top, (width, depth)):
            return


def _on_a_wall(random: np.random.Generator, room: _Room, item: dict[str, Any], width: float, tall: float,
               lows: tuple[float, float]) -> None:
    for _ in range(TRIES):
        quarter, low = int(random.integers(4)), float(random.uniform(*lows))
        low = min(low, room.height - tall - 0.02)
        side = float(random.uniform(-1, 1)) * max(0.0, (float(room.floor.size[quarter % 2]) - width) / 2 - 0.05)
        if low >= 0 and _free_on_wall(room, quarter, side, width / 2 + 0.04, low, low + tall):
            x, y = _beside_wall(room.floor.size, quarter, side, 0.003)
            room.walls[quarter].append((side, width / 2, low, low + tall))
            room.furniture.append(item | {"at": [x, y, low], "yaw": 90.0 * quarter})
            return


def _on_a_top(random: np.random.Generator, room: _Room, item: dict[str, Any], width: float, depth: float) -> None:
    """Somewhere on a table where nothing stands, its front roughly the way the table's is."""
    for _ in range(TRIES):
        (x, y, height, half_x, half_y), yaw, taken = room.tops[int(random.integers(len(room.tops)))]
        turn = float(random.uniform(-50, 50))
        c, s = abs(np.cos(np.radians(turn))), abs(np.sin(np.radians(turn)))
        half = ((width * c + depth * s) / 2 + BETWEEN_SMALL / 2, (width * s + depth * c) / 2 + BETWEEN_SMALL / 2)
        if half[0] > half_x or half[1] > half_y:
            continue
        u, v = (float(random.uniform(-1, 1) * (there - own)) for there, own in ((half_x, half[0]), (half_y, half[1])))
        if any(abs(u - a) < half[0] + e and abs(v - b) < half[1] + f for a, b, e, f in taken):
            continue
        taken.append((u, v, *half))
        c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
        room.furniture.append(item | {"at": [float(x + c * u - s * v), float(y + s * u + c * v), height], "yaw": yaw + turn})
        return


def _take_window(room: _Room, window: dict[str, Any]) -> None:
    quarter = ("north", "west", "south", "east").index(window["wall"])
    side = window["center"] * (1 if quarter in (0, 1) else -1)
    room.walls[quarter].append((side, window["width"] / 2 + 0.1, window["sill"] - 0.1, window["sill"] + window["height"] + 0.1))
