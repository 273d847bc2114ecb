"""A scene as its YAML file describes it, checked and typed. docs/simulated_room.md explains every key."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from magic3d_ros.sources.room.assets import ASSETS
from magic3d_ros.sources.room.fields import Fields, SceneError
from magic3d_ros.sources.room.material import Material
from magic3d_ros.sources.room.sensor import SensorModel
from magic3d_ros.sources.room.shapes.catalogue import MOVING_SHAPES, SHAPES
from magic3d_ros.sources.room.textures.patterns import TEXTURES

WALLS = ("north", "east", "south", "west")
"""The walls at +y, +x, -y and -x; the room's middle is the origin of the world, its floor z = 0."""

MAX_FILE_BYTES = 1_000_000
"""A scene file is a few kilobytes; a larger one is not one."""

MAX_ITEMS = 2000
"""Things in a room: instance ids are written as 16-bit images, and memory stays below a few gigabytes."""


@dataclass(frozen=True)
class Furniture:
    """One thing. source: "shape" or "asset" with its `key`; at: (3,) where its foot stands; yaw in degrees; scale (3,)."""

    source: str
    key: str
    label: str
    name: str
    at: np.ndarray
    yaw: float
    scale: np.ndarray
    tint: tuple[float, float, float]
    options: dict[str, Any]


@dataclass(frozen=True)
class Window:
    """A window in a wall: `center` metres along it from its middle (to +x or +y), `sill` above the floor."""

    wall: str
    center: float
    width: float
    sill: float
    height: float
    light: np.ndarray
    texture: str


@dataclass(frozen=True)
class CeilingLight:
    """A rectangle shining down: middle (3,), size (2,), radiance (3,)."""

    at: np.ndarray
    size: np.ndarray
    light: np.ndarray


@dataclass(frozen=True)
class Walker:
    """Something that moves through: rows of moment (0..1 of the sequence), x, y."""

    shape: str
    label: str
    path: np.ndarray


@dataclass(frozen=True)
class CameraPlan:
    """Image size and focal length in pixels, frames, frames a second, way points (k, 5): x y z yaw pitch."""

    width: int
    height: int
    focal: float
    frames: int
    rate: float
    way_points: np.ndarray


@dataclass(frozen=True)
class SceneDescription:
    """The whole room. size: (3,) metres along x, y, z. light_spacing: metres between light vertices of walls and floor."""

    name: str
    size: np.ndarray
    floor: Material
    ceiling: Material
    walls: dict[str, Material]
    light_spacing: float
    ambient: np.ndarray
    windows: tuple[Window, ...]
    lights: tuple[CeilingLight, ...]
    furniture: tuple[Furniture, ...]
    walkers: tuple[Walker, ...]
    camera: CameraPlan
    sensor: SensorModel

    @property
    def needs_assets(self) -> bool:
        """Whether the room shows anything of the optional asset wheels."""
        materials = [self.floor, self.ceiling, *self.walls.values()]
        return any(f.source == "asset" for f in self.furniture) or any(m.texture.startswith("photo:") for m in materials)


def load_description(path: Path, name: str) -> SceneDescription:
    """Read a scene file. Raises SceneError naming the file and the key."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SceneError(f"{path} is larger than a scene description ({MAX_FILE_BYTES} bytes)")
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SceneError(f"cannot read the scene {path}: {error}") from error
    return parse_description(values, name, path.name)


def parse_description(values: Any, name: str, where: str) -> SceneDescription:
    """A description from what YAML gave; `where` begins the error messages."""
    fields = Fields(values, where)
    room = fields.inner("room")
    plain = room.inner("walls")
    shared = _material(plain.inner("all")) if plain.has("all") else Material("plaster")
    walls = {wall: _material(plain.inner(wall)) if plain.has(wall) else shared for wall in WALLS}
    plain.value("all")
    plain.finish()
    furniture = tuple(_furniture(item) for item in fields.list("furniture"))
    if len(furniture) > MAX_ITEMS:
        raise SceneError(f"{where}: 'furniture' has {len(furniture)} things, more than {MAX_ITEMS}")
    description = SceneDescription(
        name=name, size=room.vector("size", 3, low=0.5, high=50.0),
        floor=_material(room.inner("floor")), ceiling=_material(room.inner("ceiling")), walls=walls,
        light_spacing=room.number("light_spacing", 0.08, 0.03, 2.0), ambient=room.vector("ambient", 3, (0.28, 0.28, 0.30), 0, 10),
        windows=tuple(_window(item) for item in room.list("windows")), lights=tuple(_light(item) for item in room.list("lights")),
        furniture=furniture, walkers=tuple(_walker(item) for item in fields.list("distractors")),
        camera=_camera(fields.inner("camera")), sensor=_sensor(fields.inner("sensor")))
    room.finish()
    fields.finish()
    return description


def _material(fields: Fields) -> Material:
    texture = fields.text("texture", "")
    if texture and not texture.startswith("photo:") and texture.partition(":")[0] not in TEXTURES:
        raise SceneError(f"{fields.where}: 'texture' is '{texture}', unknown: there are {', '.join(sorted(TEXTURES))}")
    red, green, blue = fields.vector("tint", 3, (1, 1, 1), 0, 20)
    material = Material(texture, (red, green, blue), repeat=fields.number("repeat", 1.0, 0.01, 100))
    fields.finish()
    return material


def _furniture(fields: Fields) -> Furniture:
    if fields.has("shape") == fields.has("asset"):
        raise SceneError(f"{fields.where}: give either 'shape' or 'asset'")
    source = "shape" if fields.has("shape") else "asset"
    key = fields.text(source, choices=tuple(SHAPES if source == "shape" else ASSETS))
    label = fields.text("class", key.replace("_", " "))
    scale = fields.value("scale", 1.0)
    factors = fields.vector("scale", 3, low=0.01, high=100) if isinstance(scale, list) else (
        np.full(3, fields.number("scale", 1.0, 0.01, 100)))
    red, green, blue = fields.vector("tint", 3, (1, 1, 1), 0, 20)
    options = fields.inner("options").mapping()
    if source == "asset" and options:
        raise SceneError(f"{fields.where}: 'options' belong to shapes, an asset has none")
    item = Furniture(source, key, label, fields.text("name", label), fields.vector("at", 3), fields.number("yaw", 0.0),
                     factors, (red, green, blue), options)
    fields.finish()
    return item


def _window(fields: Fields) -> Window:
    window = Window(fields.text("wall", choices=WALLS), fields.number("center", 0.0), fields.number("width", low=0.2, high=20),
                    fields.number("sill", 0.9, 0, 10), fields.number("height", low=0.2, high=10),
                    fields.vector("light", 3, (5.2, 5.6, 6.2), 0, 1000), fields.text("texture", "window_view"))
    fields.finish()
    return window


def _light(fields: Fields) -> CeilingLight:
    light = CeilingLight(fields.vector("at", 3), fields.vector("size", 2, low=0.02, high=20),
                         fields.vector("light", 3, low=0, high=1000))
    fields.finish()
    return light


def _walker(fields: Fields) -> Walker:
    shape = fields.text("shape", "person", choices=tuple(MOVING_SHAPES))
    path = fields.rows("path", 3, least=2)
    if (np.diff(path[:, 0]) <= 0).any() or path[0, 0] < 0 or path[-1, 0] > 1:
        raise SceneError(f"{fields.where}: 'path' moments must rise within 0..1")
    walker = Walker(shape, fields.text("class", shape), path)
    fields.finish()
    return walker


def _camera(fields: Fields) -> CameraPlan:
    plan = CameraPlan(fields.whole("width", 640, 16, 4096), fields.whole("height", 480, 16, 4096),
                      fields.number("focal", 525.0, 8, 20000), fields.whole("frames", 180, 1, 100000),
                      fields.number("rate", 10.0, 0.1, 1000), fields.rows("way_points", 5))
    fields.finish()
    return plan


def _sensor(fields: Fields) -> SensorModel:
    known = {item.name: float(item.default) for item in dataclasses.fields(SensorModel)}  # type: ignore[arg-type]
    positive = {"noise_patch", "disparity_step", "baseline", "shadow_width"}
    values = {key: fields.number(key, default, 1e-6 if key in positive else 0.0, 1e6) for key, default in known.items()}
    fields.finish()
    return SensorModel(**values)
