"""What random rooms are furnished with: each maker draws one thing with random measures, colours and textures.

A thing is what a scene file's `furniture` lists, without its place. Measures in metres, from catalogues of furniture.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Thing = dict[str, Any]


class FloorThing(NamedTuple):
    """What stands on the floor. height: of its top, on which things can stand; 0 = none."""

    item: Thing
    width: float
    depth: float
    height: float


class WallThing(NamedTuple):
    """What hangs on a wall. low: metres of its lower edge above the floor."""

    item: Thing
    width: float
    low: float


def one_of(random: np.random.Generator, names: Sequence[str]) -> str:
    """One of the names."""
    return str(names[int(random.integers(len(names)))])


def colour(random: np.random.Generator, darkest: float = 0.03, brightest: float = 0.9, saturation: float = 0.8) -> list[float]:
    """A linear RGB colour, most often a pale one."""
    return [float(c) for c in colorsys.hsv_to_rgb(random.random(), saturation * random.beta(1, 2.5),
                                                  random.uniform(darkest, brightest))]


def _between(random: np.random.Generator, low: float, high: float) -> float:
    return round(float(random.uniform(low, high)), 3)


def _wood(random: np.random.Generator, palette: Sequence[str]) -> Thing:
    return {"wood": one_of(random, palette), "colour": colour(random, 0.1, 1.2)}


def _shape(key: str, options: Thing) -> Thing:
    return {"shape": key, "options": options}


def _block(random: np.random.Generator, palette: Sequence[str], size: Sequence[float], rounding: float = 0.0) -> Thing:
    return _shape("block", {"size": list(size), "texture": one_of(random, palette), "colour": colour(random),
                            "repeat": round(float(np.exp(random.uniform(-0.5, 1.5))), 2), "rounding": rounding})


def _sofa(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width = _between(random, 1.3, 2.4)
    options = {"width": width, "seats": int(random.integers(2, 4)), "fabric": one_of(random, palette), "colour": colour(random),
               "pillow": colour(random)}
    return FloorThing(_shape("sofa", options), width, 0.95, 0.0)


def _armchair(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    return FloorThing(_shape("armchair", {"fabric": one_of(random, palette), "colour": colour(random)}), 0.95, 0.95, 0.0)


def _chair(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    return FloorThing(_shape(one_of(random, ("chair", "chair", "rocking_chair")), _wood(random, palette)), 0.5, 0.55, 0.0)


def _stool(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    height = _between(random, 0.35, 0.8)
    return FloorThing(_shape("stool", _wood(random, palette) | {"height": height}), 0.42, 0.42, height)


def _table(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth = _between(random, 0.6, 2.0), _between(random, 0.5, 1.0)
    height = _between(random, 0.35, 1.05)
    options = _wood(random, palette) | {"width": width, "depth": depth, "height": height, "leg": _between(random, 0.03, 0.1)}
    return FloorThing(_shape("table", options), width, depth, height)


def _round_table(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    radius, height = _between(random, 0.3, 0.65), _between(random, 0.4, 1.0)
    options = _wood(random, palette) | {"radius": radius, "height": height}
    return FloorThing(_shape("round_table", options), 2 * radius, 2 * radius, height)


def _bed(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width = _between(random, 0.9, 1.8)
    return FloorThing(_shape("bed", _wood(random, palette) | {"width": width}), width + 0.1, 2.05, 0.0)


def _bookshelf(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, height = _between(random, 0.6, 1.8), _between(random, 0.7, 2.2)
    options = _wood(random, palette) | {"width": width, "height": height, "shelves": max(2, round(height / 0.36))}
    return FloorThing(_shape("bookshelf", options), width, 0.32, height)


def _chest(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth, height = _between(random, 0.4, 1.8), _between(random, 0.35, 0.65), _between(random, 0.4, 1.1)
    options = _wood(random, palette) | {"width": width, "depth": depth, "height": height, "rows": int(random.integers(1, 5)),
                                        "columns": int(random.integers(1, 4))}
    return FloorThing(_shape("chest", options), width + 0.02, depth + 0.05, height)


def _wardrobe(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, height = _between(random, 0.8, 2.0), _between(random, 1.7, 2.25)
    return FloorThing(_shape("wardrobe", _wood(random, palette) | {"width": width, "height": height}), width + 0.06, 0.66, 0.0)


def _refrigerator(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    height = _between(random, 0.85, 2.0)
    return FloorThing(_shape("refrigerator", {"height": height, "colour": colour(random, 0.1)}), 0.72, 0.76, height)


def _counter(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth, height = _between(random, 0.8, 3.2), _between(random, 0.5, 0.9), _between(random, 0.7, 1.1)
    return FloorThing(_block(random, palette, (width, depth, height)), width, depth, height)


def _box(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth, height = _between(random, 0.15, 0.9), _between(random, 0.15, 0.9), _between(random, 0.1, 1.2)
    return FloorThing(_block(random, palette, (width, depth, height)), width, depth, height)


def _pillar(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth = _between(random, 0.2, 1.5), _between(random, 0.1, 0.6)
    return FloorThing(_block(random, palette, (width, depth, 2.25)), width, depth, 0.0)


def _standing(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    key = one_of(random, ("floor_lamp", "potted_plant", "bin", "wicker_basket", "crate", "ball"))
    options: Thing = {"seed": int(random.integers(100)), "leaves": 16} if key == "potted_plant" else {}
    return FloorThing(_shape(key, options), 0.5, 0.5, 0.0)


def _rug(random: np.random.Generator, palette: Sequence[str]) -> FloorThing:
    width, depth = _between(random, 0.8, 2.6), _between(random, 0.6, 1.8)
    return FloorThing(_shape("rug", {"width": width, "depth": depth}), 0.0, 0.0, 0.0)  # things stand on it


def _small_block(random: np.random.Generator, palette: Sequence[str]) -> Thing:
    size = [_between(random, 0.04, 0.4), _between(random, 0.04, 0.3), _between(random, 0.02, 0.4)]
    return _block(random, palette, size)


def _small(random: np.random.Generator, palette: Sequence[str]) -> Thing:
    key = one_of(random, ("mug", "bowl", "vase", "teapot", "bottle", "laptop", "monitor", "monitor", "keyboard", "table_lamp",
                          "microwave", "television", "book_pile", "books", "binders", "magazine", "crate"))
    options: Thing = {}
    if key in ("book_pile", "books", "binders", "magazine"):
        options = {"seed": int(random.integers(100))}
    elif key in ("mug", "bowl", "vase", "teapot", "bottle", "microwave"):
        options = {"colour": colour(random)}
    elif key in ("television", "monitor", "laptop"):
        options = {"glow": _between(random, 0.0, 0.9), "picture": int(random.integers(4))}
    return _shape(key, options)


def _picture(random: np.random.Generator, palette: Sequence[str]) -> WallThing:
    width, height = _between(random, 0.3, 1.4), _between(random, 0.3, 0.9)
    options = {"width": width, "height": height, "picture": int(random.integers(6)), "frame": one_of(random, palette)}
    return WallThing(_shape("painting", options), width + 0.1, _between(random, 0.9, 1.5))


def _board(random: np.random.Generator, palette: Sequence[str]) -> WallThing:
    """A whiteboard, a dark screen, a notice board."""
    width = _between(random, 0.4, 2.2)
    return WallThing(_block(random, palette, (width, 0.04, _between(random, 0.3, 1.2))), width, _between(random, 0.6, 1.3))


def _cupboard(random: np.random.Generator, palette: Sequence[str]) -> WallThing:
    width = _between(random, 0.4, 1.8)
    return WallThing(_block(random, palette, (width, _between(random, 0.2, 0.4), _between(random, 0.25, 0.8))), width,
                     _between(random, 1.3, 1.5))


def _door(random: np.random.Generator, palette: Sequence[str]) -> WallThing:
    width = _between(random, 0.75, 1.0)
    return WallThing(_block(random, palette, (width, 0.06, 2.03)), width, 0.0)


def _clock(random: np.random.Generator, palette: Sequence[str]) -> WallThing:
    return WallThing(_shape("wall_clock", {}), 0.4, _between(random, 1.5, 2.0))


FLOOR_THINGS: tuple[Callable[[np.random.Generator, Sequence[str]], FloorThing], ...] = (
    _sofa, _armchair, _chair, _chair, _chair, _stool, _table, _table, _table, _round_table, _bed, _bookshelf, _bookshelf, _chest,
    _chest, _wardrobe, _refrigerator, _counter, _counter, _box, _box, _pillar, _standing, _standing, _rug)
SMALL_THINGS: tuple[Callable[[np.random.Generator, Sequence[str]], Thing], ...] = (
    _small_block, _small_block, _small, _small, _small)
WALL_THINGS: tuple[Callable[[np.random.Generator, Sequence[str]], WallThing], ...] = (
    _picture, _picture, _board, _board, _cupboard, _door, _clock)
FURNITURE_WITH_TOPS: tuple[Callable[[np.random.Generator, Sequence[str]], FloorThing], ...] = (
    _counter, _table, _table, _counter, _table, _chest)
"""On which a room's small things stand."""
