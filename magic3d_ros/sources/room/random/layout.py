"""Rooms that nobody furnished: a random scene description a seed, in the format of the simulated room's YAML files.

Sizes are those of homes and offices; textures, colours and light are drawn wider than life, so that a network cannot rely on
them (domain randomisation, Tobin et al. 2017). Light is baked on a coarser grid than in the shipped rooms: pictures are small.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from magic3d_ros.sources.room.random.things import FLOOR_THINGS, SMALL_THINGS, WALL_THINGS, colour, one_of

LIGHT_SPACING = 0.3
"""Metres between light vertices of walls and floor: a shadow's edge is as soft as in a room with large lights."""

WALL_CLEARANCE = 0.01
TEXTURES = ("plaster", "oak", "walnut", "pine", "planks", "leather", "marble", "linen", "canvas", "tiles", "checked", "denim",
            "brushed", "terracotta", "wicker", "newspaper", "rug", "painting")
PHOTOS = tuple(f"photo:textures/{name}.png" for name in (
    "dark_floor_texture", "dark_green_plaster_wall", "gray_ceramic_tile", "gray_floor", "gray_wall", "light-gray-floor-tile",
    "light_gray_plaster", "stucco_wall", "tile_grigia_caldera_porcelain_floor", "yellow_linen_wall_texture"))
ASSETS = {"plant": (0.8, 0.9), "refrigerator": (0.9, 0.5), "bookshelf": (1.25, 0.35), "desk": (1.4, 2.8),
          "microwave": (0.5, 0.35), "white_mug": (0.14, 0.14), "black_book": (0.05, 0.2), "moka_pot": (0.15, 0.15),
          "wooden_tray": (0.3, 0.2)}
"""Things of the asset wheels with few triangles: (width, depth) in metres."""


@dataclass
class Floor:
    """What of a room's floor is taken, as rectangles (x, y, half width, half depth), and what one can put things on."""

    size: np.ndarray
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    tops: list[tuple[float, float, float, float, float]] = field(default_factory=list)

    def fits(self, x: float, y: float, half_x: float, half_y: float) -> bool:
        """Whether the rectangle is inside the room and free."""
        if abs(x) + half_x > self.size[0] / 2 or abs(y) + half_y > self.size[1] / 2:
            return False
        return all(abs(x - a) >= half_x + c or abs(y - b) >= half_y + d for a, b, c, d in self.taken)


def random_room(seed: Sequence[int], with_assets: bool) -> dict[str, Any]:
    """A scene description as its YAML file would hold it; the same seed gives the same room.

    with_assets: also things and textures of the optional asset wheels. Its `camera` is a placeholder: see viewpoints.py.
    """
    random = np.random.default_rng(seed)
    size = np.round([random.uniform(2.6, 7.5), random.uniform(2.4, 6.0), random.uniform(2.3, 3.1)], 2)
    palette = some_textures(random)
    photos = [str(name) for name in random.choice(PHOTOS, 2, replace=False)] if with_assets else []
    floor = Floor(size)
    furniture: list[dict[str, Any]] = []
    for _ in range(int(random.integers(4, 6 + round(2 * (size[0] + size[1]))))):
        furniture += _against_a_wall(random, floor, palette, with_assets)
    for _ in range(int(random.integers(1, 5 + round(size[0] * size[1] / 4)))):
        furniture += _in_the_middle(random, floor, palette)
    for _ in range(int(random.integers(5, 35)) if floor.tops else 0):
        furniture.append(_on_top(random, floor, palette, with_assets))
    for _ in range(int(random.integers(2, 12))):
        furniture.append(_on_a_wall(random, size, palette))
    return {"room": shell(random, size, [*palette, *photos]), "furniture": furniture,
            "camera": {"way_points": [[0.0, 0.0, 1.2, 0.0, 0.0]]}}


def some_textures(random: np.random.Generator) -> list[str]:
    """The few textures of this room, plain colour among them: painting and reducing a texture costs a tenth of a second."""
    return ["", "", *(f"{name}:{int(random.integers(4))}" for name in random.choice(TEXTURES, 5, replace=False))]


def _surface(random: np.random.Generator, palette: Sequence[str], brightest: float = 0.9) -> dict[str, Any]:
    return {"texture": one_of(random, palette), "tint": colour(random, 0.15, brightest),
            "repeat": round(float(np.exp(random.uniform(-1.2, 1.0))), 2)}


def shell(random: np.random.Generator, size: np.ndarray, palette: Sequence[str]) -> dict[str, Any]:
    """Walls, floor, windows and lights: the `room` of a scene file. size: (3,) metres. palette: names of textures."""
    shared = _surface(random, ["", *palette]) | {"tint": colour(random, 0.4, 1.0, 0.3)}
    walls = {"all": shared}
    for wall in ("north", "east", "south", "west"):
        if random.random() < 0.25:
            walls[wall] = _surface(random, palette)
    windows = []
    for wall in ("north", "east", "south", "west"):
        if random.random() < 0.35:
            length = size[0] if wall in ("north", "south") else size[1]
            width = random.uniform(0.5, min(2.5, length - 0.6))
            sill = random.uniform(0.3, 1.1)
            windows.append({"wall": wall, "center": _near_middle(random, (length - width) / 2 - 0.2), "width": float(width),
                            "sill": float(sill), "height": float(min(size[2] - 0.15 - sill, random.uniform(0.6, 1.6))),
                            "light": _glow(random, random.uniform(2, 12)), "texture": f"window_view:{int(random.integers(4))}"})
    lights = []
    for _ in range(int(random.integers(1, 4))):
        extent = random.uniform(0.2, 1.4, 2)
        at = [_near_middle(random, size[axis] / 2 - extent[axis] / 2 - 0.1) for axis in (0, 1)]
        strength = random.uniform(1.5, 6.0) * size[0] * size[1] / 20 / (extent[0] * extent[1])
        lights.append({"at": [*at, float(size[2] - 0.03)], "size": extent.tolist(), "light": _glow(random, strength)})
    return {"size": size.tolist(), "light_spacing": LIGHT_SPACING, "ambient": _glow(random, random.uniform(0.1, 0.45)),
            "floor": _surface(random, palette), "ceiling": {"tint": colour(random, 0.5, 0.95, 0.15)}, "walls": walls,
            "windows": windows, "lights": lights}


def _against_a_wall(random: np.random.Generator, floor: Floor, palette: Sequence[str], with_assets: bool) -> list[dict[str, Any]]:
    if with_assets and random.random() < 0.15:
        key = one_of(random, ("plant", "refrigerator", "bookshelf", "desk"))
        item, (width, depth), height = {"asset": key}, ASSETS[key], 0.0
    else:
        item, width, depth, height = FLOOR_THINGS[int(random.integers(len(FLOOR_THINGS)))](random, palette)
    quarter = int(random.integers(4))  # 0 north, 1 west, 2 south, 3 east: yaw turns the front away from the wall
    along, across = (floor.size[0], floor.size[1]) if quarter % 2 == 0 else (floor.size[1], floor.size[0])
    if width > along - 0.1 or depth > across - 0.8:
        return []
    side = _near_middle(random, (along - width) / 2)
    away = across / 2 - depth / 2 - WALL_CLEARANCE
    x, y = ((side, away), (-away, side), (-side, -away), (away, -side))[quarter]
    return placed(floor, item, x, y, (width, depth) if quarter % 2 == 0 else (depth, width), height, 90.0 * quarter)


def _in_the_middle(random: np.random.Generator, floor: Floor, palette: Sequence[str]) -> list[dict[str, Any]]:
    item, width, depth, height = FLOOR_THINGS[int(random.integers(len(FLOOR_THINGS)))](random, palette)
    yaw = float(random.uniform(-180, 180)) if random.random() < 0.6 else 90.0 * int(random.integers(4))
    c, s = abs(np.cos(np.radians(yaw))), abs(np.sin(np.radians(yaw)))
    extent = (width * c + depth * s, width * s + depth * c)
    if extent[0] > floor.size[0] - 0.5 or extent[1] > floor.size[1] - 0.5:
        return []
    x, y = (float(random.uniform(-1, 1) * (floor.size[axis] - extent[axis]) / 2) for axis in (0, 1))
    return placed(floor, item, x, y, extent, height, yaw)


def placed(floor: Floor, item: Mapping[str, Any], x: float, y: float, extent: tuple[float, float], height: float,
           yaw: float) -> list[dict[str, Any]]:
    """The thing at its place, or nothing where the place is taken. height: of a top that carries things, 0 = none."""
    if not floor.fits(x, y, extent[0] / 2, extent[1] / 2):
        return []
    floor.taken.append((x, y, extent[0] / 2, extent[1] / 2))
    if height > 0:
        floor.tops.append((x, y, height, extent[0] / 2, extent[1] / 2))
    return [dict(item) | {"at": [float(x), float(y), 0.0], "yaw": yaw}]


def _on_top(random: np.random.Generator, floor: Floor, palette: Sequence[str], with_assets: bool) -> dict[str, Any]:
    x, y, height, half_x, half_y = floor.tops[int(random.integers(len(floor.tops)))]
    if with_assets and random.random() < 0.2:
        item: dict[str, Any] = {"asset": one_of(random, ("white_mug", "black_book", "moka_pot", "wooden_tray", "microwave"))}
    else:
        item = SMALL_THINGS[int(random.integers(len(SMALL_THINGS)))](random, palette)
    at = [float(x + random.uniform(-0.75, 0.75) * half_x), float(y + random.uniform(-0.75, 0.75) * half_y), height]
    return item | {"at": at, "yaw": float(random.uniform(-180, 180))}


def _on_a_wall(random: np.random.Generator, size: np.ndarray, palette: Sequence[str]) -> dict[str, Any]:
    """A picture, a cupboard, a board, a door: flat things and boxes that hang or lean there."""
    item, width, low = WALL_THINGS[int(random.integers(len(WALL_THINGS)))](random, palette)
    depth = item.get("options", {}).get("size", (0, 0.0))[1] / 2
    quarter = int(random.integers(4))
    along, across = (size[0], size[1]) if quarter % 2 == 0 else (size[1], size[0])
    side = _near_middle(random, max(0.0, (along - width) / 2 - 0.05))
    away = across / 2 - depth - 0.005
    x, y = ((side, away), (-away, side), (-side, -away), (away, -side))[quarter]
    return item | {"at": [float(x), float(y), low], "yaw": 90.0 * quarter}


def _near_middle(random: np.random.Generator, half: float) -> float:
    return float(random.uniform(-1, 1) * max(0.0, half))


def _glow(random: np.random.Generator, strength: float) -> list[float]:
    """Light between candle and sky."""
    warmth = random.uniform(-0.18, 0.18)
    red, green, blue = colorsys.hsv_to_rgb(0.08 if warmth > 0 else 0.6, abs(warmth), 1.0)
    return [float(strength * channel) for channel in (red, green, blue)]
