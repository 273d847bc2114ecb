"""From a scene's description to triangles: the room's shell, its windows and lights, and everything that stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.sources.room.assets import load_asset, load_photo
from magic3d_ros.sources.room.body import Body, compile_body
from magic3d_ros.sources.room.description import WALLS, Furniture, SceneDescription, Walker, Window
from magic3d_ros.sources.room.light import AreaLight
from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.catalogue import MOVING_SHAPES, make_shape
from magic3d_ros.sources.room.textures.patterns import paint
from magic3d_ros.sources.room.triangles import Triangles, box, joined, rectangle, yaw_matrix

MAX_TRIANGLES = 5_000_000
"""About 1 GB with light and search tree; the shipped rooms have a tenth of it."""


@dataclass(frozen=True)
class RoomInstance:
    """One thing of the room, as ground truth. id: its value in instance images, from 1. kind: object or structure (the shell).
    box: None for what moves. moving: a distractor."""

    id: int
    label: str
    name: str
    kind: str
    box: OrientedBox | None
    moving: bool = False


@dataclass(frozen=True)
class Mover:
    """A walker ready for rendering: one body a pose of its gait. radius, height: of the sphere around it."""

    poses: tuple[Body, ...]
    cycle: float
    path: np.ndarray
    radius: float
    height: float


@dataclass(frozen=True)
class Assembly:
    """A room without its baked light."""

    body: Body
    instances: tuple[RoomInstance, ...]
    lights: tuple[AreaLight, ...]
    ambient: np.ndarray
    movers: tuple[Mover, ...]


class _Thing(NamedTuple):
    label: str
    name: str
    kind: str
    parts: list[Part]
    yaw: float


def assemble(description: SceneDescription, distractors: bool) -> Assembly:
    """Make every thing of the scene. Raises SourceError for missing assets and options that do not fit."""
    things = _shell(description)
    lights = []
    for window in description.windows:
        parts, light = _window(window, description.size)
        things.append(_Thing("window", f"window_{window.wall}", "structure", parts, 0.0))
        lights.append(light)
    for lamp in description.lights:
        lights.append(_shining_down(lamp.at, lamp.size, lamp.light))
    things += [_Thing(item.label, item.name, "object", _furniture(item, f"{description.name}: furniture[{i}]"), item.yaw)
               for i, item in enumerate(description.furniture)]
    count = sum(len(part.triangles) for thing in things for part in thing.parts)
    if count > MAX_TRIANGLES:
        raise ValueError(f"{description.name} has {count} triangles, more than {MAX_TRIANGLES}: use fewer or simpler things")
    instances = [RoomInstance(i, thing.label, thing.name, thing.kind, _box_around(thing)) for i, thing in enumerate(things, 1)]
    body = compile_body([(i, thing.parts) for i, thing in enumerate(things, 1)], load_texture)
    movers = []
    for walker in description.walkers if distractors else ():
        identity = len(instances) + 1
        instances.append(RoomInstance(identity, walker.label, walker.label, "object", None, moving=True))
        movers.append(_mover(walker, identity))
    return Assembly(body, tuple(instances), tuple(lights), description.ambient, tuple(movers))


def load_texture(name: str) -> np.ndarray:
    """A texture by its name in a material: procedural, or an image of the asset wheels."""
    return load_photo(name.removeprefix("photo:")) if name.startswith("photo:") else paint(name)


def _shell(description: SceneDescription) -> list[_Thing]:
    """Floor, ceiling and walls with their normals inwards."""
    x, y, z = description.size / np.array([2, 2, 1])
    step = description.light_spacing
    floor = rectangle((-x, -y, 0), (2 * x, 0, 0), (0, 2 * y, 0), step)
    ceiling = rectangle((-x, -y, z), (0, 2 * y, 0), (2 * x, 0, 0), step)
    up = (0, 0, z)
    walls = {"north": rectangle((-x, y, 0), (2 * x, 0, 0), up, step), "east": rectangle((x, y, 0), (0, -2 * y, 0), up, step),
             "south": rectangle((x, -y, 0), (-2 * x, 0, 0), up, step), "west": rectangle((-x, -y, 0), (0, 2 * y, 0), up, step)}
    shell = [_Thing("floor", "floor", "structure", [Part(floor, description.floor)], 0.0),
             _Thing("ceiling", "ceiling", "structure", [Part(ceiling, description.ceiling)], 0.0)]
    shell += [_Thing("wall", f"wall_{wall}", "structure", [Part(walls[wall], description.walls[wall])], 0.0) for wall in WALLS]
    return shell


def _window(window: Window, room: np.ndarray) -> tuple[list[Part], AreaLight]:
    """The pane 1 cm before its wall, a frame around it, and the light that comes in. Built for the south wall, then turned."""
    quarter = {"south": 0, "east": 1, "north": 2, "west": 3}[window.wall]
    away = room[1] / 2 if quarter % 2 == 0 else room[0] / 2
    half, low, high = window.width / 2, window.sill, window.sill + window.height
    turn = yaw_matrix(90.0 * quarter)
    # seen from inside the south wall, +x of the pane points to the viewer's left
    along = window.center if window.wall in ("south", "east") else -window.center

    def placed(triangles: Triangles) -> Triangles:
        return triangles.transformed(turn, turn @ np.array([along, -away, 0.0]))

    pane = rectangle((half, 0.01, low), (-window.width, 0, 0), (0, 0, window.height), 0.25, stretched=True)
    bars = [box((0, 0.03, z), (window.width + 0.1, 0.05, 0.06)) for z in (low, high)]
    bars += [box((x, 0.03, (low + high) / 2), (0.06, 0.05, window.height)) for x in (-half, 0.0, half)]
    bars.append(box((0, 0.07, low - 0.04), (window.width + 0.2, 0.14, 0.03)))
    parts = [Part(placed(pane), Material(window.texture, emission=1.6, glass=True)),
             Part(placed(joined(bars)), Material("", (0.8, 0.8, 0.8)))]
    corner = turn @ np.array([along + half, 0.04 - away, low])
    light = AreaLight(corner, turn @ np.array([-window.width, 0.0, 0.0]), np.array([0.0, 0.0, window.height]), window.light)
    return parts, light


def _shining_down(at: np.ndarray, size: np.ndarray, colour: np.ndarray) -> AreaLight:
    corner = at - np.array([size[0] / 2, size[1] / 2, 0.0])
    return AreaLight(corner, np.array([0.0, size[1], 0.0]), np.array([size[0], 0.0, 0.0]), colour)


def _furniture(item: Furniture, where: str) -> list[Part]:
    parts = make_shape(item.key, item.options, where) if item.source == "shape" else load_asset(item.key)
    turn = yaw_matrix(item.yaw)
    return [Part(part.triangles.transformed(scale=item.scale).transformed(turn, item.at), part.material.tinted(item.tint))
            for part in parts]


def _mover(walker: Walker, identity: int) -> Mover:
    maker, poses, cycle = MOVING_SHAPES[walker.shape]
    gait = [maker(phase / poses) if poses > 1 else maker() for phase in range(poses)]
    points = np.concatenate([_points(parts) for parts in gait])
    height = float(points[:, 2].max())
    radius = float(np.linalg.norm(points - np.array([0, 0, height / 2]), axis=1).max()) + 0.01
    ends = np.cumsum([0] + [sum(len(part.triangles) for part in parts) for parts in gait])
    body = compile_body([(identity, parts) for parts in gait], load_texture)  # one atlas for all poses
    bodies = tuple(body.only(int(first), int(last)) for first, last in pairwise(ends))
    return Mover(bodies, cycle, walker.path, radius, height)


def _box_around(thing: _Thing) -> OrientedBox:
    """The exact box along the thing's own axes."""
    turn = yaw_matrix(thing.yaw)
    local = _points(thing.parts) @ turn
    low, high = local.min(0), local.max(0)
    return OrientedBox(turn @ ((low + high) / 2), high - low, turn)


def _points(parts: Sequence[Part]) -> np.ndarray:
    return np.concatenate([part.triangles.positions for part in parts])
