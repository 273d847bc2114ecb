"""The procedural things a scene can name, and how their options are checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from magic3d_ros.sources.room.fields import SceneError
from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes import (
    appliances,
    belongings,
    fittings,
    household,
    kitchen_units,
    kitchenware,
    office,
    seating,
    storage,
)
from magic3d_ros.sources.room.shapes.person import GAIT_PHASES, STRIDE, person
from magic3d_ros.sources.room.shapes.varied.kind import Maker
from magic3d_ros.sources.room.shapes.varied.kinds import KINDS
from magic3d_ros.sources.room.textures.patterns import TEXTURES
from magic3d_ros.sources.room.triangles import box

Shape = Callable[..., list[Part]]


def block(size: list[float] | tuple[float, ...] = (0.3, 0.3, 0.3), texture: str = "", repeat: float = 2.0,
          colour: tuple[float, float, float] = (0.6, 0.6, 0.6), rounding: float = 0.0) -> list[Part]:
    """A box of any size standing on its place."""
    return [Part(box((0, 0, size[2] / 2), size, rounding), Material(texture, colour, repeat=repeat))]


def _from_seed(make: Maker) -> Shape:
    def shape(seed: int = 0) -> list[Part]:
        return make(np.random.default_rng(seed))
    return shape


VARIED = "varied "
"""What begins the key of a shape that is drawn anew from its seed; its kind follows."""

SHAPES: dict[str, Shape] = {
    "block": block, "sofa": seating.sofa, "armchair": seating.armchair, "chair": seating.chair, "stool": seating.stool,
    "rocking_chair": seating.rocking_chair, "table": seating.table, "round_table": seating.round_table, "bed": seating.bed,
    "bookshelf": storage.bookshelf, "books": storage.books, "book_pile": storage.book_pile, "chest": storage.chest,
    "wardrobe": storage.wardrobe, "crate": storage.crate, "binders": storage.binders,
    "floor_lamp": household.floor_lamp, "table_lamp": household.table_lamp, "potted_plant": household.potted_plant,
    "mug": household.mug, "bowl": household.bowl, "fruit_bowl": household.fruit_bowl, "vase": household.vase,
    "teapot": household.teapot, "bottle": household.bottle, "wicker_basket": household.wicker_basket, "bin": household.pedal_bin,
    "painting": household.painting, "wall_clock": household.wall_clock, "rug": household.rug, "ball": household.ball,
    "magazine": household.magazine,
    "refrigerator": appliances.refrigerator, "microwave": appliances.microwave, "television": appliances.television,
    "monitor": appliances.monitor, "keyboard": appliances.keyboard, "laptop": appliances.laptop,
    "door": fittings.door, "curtain": fittings.curtain, "radiator": fittings.radiator, "mirror": fittings.mirror,
    "whiteboard": fittings.whiteboard, "notice_board": fittings.notice_board, "wall_shelf": fittings.wall_shelf,
    "coat_hooks": fittings.coat_hooks, "coat": fittings.coat, "fire_extinguisher": fittings.fire_extinguisher,
    "pendant_lamp": fittings.pendant_lamp, "towel": fittings.towel, "cupboard": kitchen_units.cupboard,
    "wall_cupboard": kitchen_units.wall_cupboard, "worktop": kitchen_units.worktop, "sink": kitchen_units.sink,
    "cooker": kitchen_units.cooker, "extractor_hood": kitchen_units.extractor_hood,
    "washing_machine": kitchen_units.washing_machine,
    "kettle": kitchenware.kettle, "toaster": kitchenware.toaster, "coffee_machine": kitchenware.coffee_machine,
    "frying_pan": kitchenware.frying_pan, "cooking_pot": kitchenware.cooking_pot, "cutting_board": kitchenware.cutting_board,
    "loaf": kitchenware.loaf, "knife_block": kitchenware.knife_block, "plate": kitchenware.plate,
    "drinking_glass": kitchenware.drinking_glass, "dish_rack": kitchenware.dish_rack, "jar": kitchenware.jar,
    "paper_roll": kitchenware.paper_roll, "office_chair": office.office_chair, "desk_lamp": office.desk_lamp,
    "printer": office.printer, "mouse": office.mouse, "telephone": office.telephone, "pen_cup": office.pen_cup,
    "papers": office.papers, "waste_bin": office.waste_bin, "cardboard_box": office.cardboard_box, "globe": office.globe,
    "headphones": office.headphones, "water_cooler": office.water_cooler, "backpack": belongings.backpack,
    "suitcase": belongings.suitcase, "shoes": belongings.shoes, "slippers": belongings.slippers, "cushion": belongings.cushion,
    "hat": belongings.hat, "alarm_clock": belongings.alarm_clock, "teddy_bear": belongings.teddy_bear,
    "towels": belongings.towels, "laundry_basket": belongings.laundry_basket, "tissue_box": belongings.tissue_box,
    "jewellery_box": belongings.jewellery_box, "hair_dryer": belongings.hair_dryer, "guitar": belongings.guitar,
    **{VARIED + name: _from_seed(kind.make) for name, kind in KINDS.items()},
}

MOVING_SHAPES: dict[str, tuple[Shape, int, float]] = {
    "person": (person, GAIT_PHASES, STRIDE),
    "cart": (lambda: block((0.5, 0.35, 0.6), "wicker", 2.0, (1.0, 1.0, 1.0), 0.03), 1, 1.0),
}
"""Things that walk through: shape, poses a cycle, metres a cycle."""

LARGEST = 20.0
"""Metres: no measure of a shape is larger."""

MOST = 1000
"""No count or variation of a shape is larger."""


def make_shape(key: str, options: Mapping[str, Any], where: str) -> list[Part]:
    """The parts of shape `key`. Raises SceneError for options that it does not have or that have the wrong type."""
    maker = SHAPES[key]
    known = inspect.signature(maker).parameters
    checked: dict[str, Any] = {}
    for option, value in options.items():
        if option not in known:
            raise SceneError(f"{where}: shape '{key}' has no option '{option}': there are {', '.join(known) or 'none'}")
        checked[option] = _converted(value, known[option].default, f"{where}: option '{option}'")
    try:
        parts = maker(**checked)
    except (ValueError, ZeroDivisionError) as error:
        raise SceneError(f"{where}: shape '{key}' cannot be made with {dict(options)}: {error}") from error
    if not all(len(part.triangles) and np.isfinite(part.triangles.positions).all() for part in parts):
        raise SceneError(f"{where}: shape '{key}' cannot be made with {dict(options)}: nothing is left of it")
    return parts


def _converted(value: Any, default: Any, where: str) -> Any:
    if isinstance(default, str):
        if not isinstance(value, str) or (value and value.partition(":")[0] not in TEXTURES):
            raise SceneError(f"{where} must be a texture ({', '.join(sorted(TEXTURES))}), not {value!r}")
        return value
    if isinstance(default, tuple):
        fits = isinstance(value, (list, tuple)) and len(value) == len(default)
        if not fits or not all(_is_number(v) for v in value):
            raise SceneError(f"{where} must be {len(default)} numbers between 0 and {LARGEST:g}, not {value!r}")
        return tuple(float(v) for v in value)
    if isinstance(default, int):
        if not _is_number(value, MOST) or value != int(value):
            raise SceneError(f"{where} must be a whole number between 0 and {MOST}, not {value!r}")
        return int(value)
    if not _is_number(value):
        raise SceneError(f"{where} must be a number between 0 and {LARGEST:g}, not {value!r}")
    return float(value)


def _is_number(value: Any, most: float = LARGEST) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most
