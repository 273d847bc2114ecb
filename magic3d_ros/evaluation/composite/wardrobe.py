"""The things that are put into frames: people, boxes and balls, with textures for tuning and others for scoring.

Shapes and textures are those of the simulated room. No texture and no colour is in both sets: what was tuned on one set has not
seen the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from magic3d_ros.sources.room.body import Body, compile_body
from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.person import GAIT_PHASES, STRIDE, person
from magic3d_ros.sources.room.textures.patterns import paint
from magic3d_ros.sources.room.triangles import box, sphere

SETS = ("tuning", "scoring")
KINDS = ("person", "box", "ball")


@dataclass(frozen=True)
class Thing:
    """A body that stands on z = 0 around its origin and moves towards its +x.

    poses: one body a phase of its gait; cycle: metres of one gait cycle. radius: of a sphere around its middle at height / 2.
    hop: metres it jumps while it moves; rolls: whether it turns as it moves.
    """

    kind: str
    poses: tuple[Body, ...]
    cycle: float
    radius: float
    height: float
    hop: float = 0.0
    rolls: bool = False


class _Outfit(NamedTuple):
    trousers: Material
    shirt: Material
    skin: Material
    hair_and_shoes: Material


_CLOTHES = {
    "tuning": (
        _Outfit(Material("denim", repeat=3.0), Material("checked", repeat=3.0), Material("", (0.62, 0.38, 0.28)),
                Material("", (0.05, 0.035, 0.03))),
        _Outfit(Material("linen:3", (0.22, 0.20, 0.18), repeat=4.0), Material("linen:1", (0.20, 0.38, 0.24), repeat=4.0),
                Material("", (0.36, 0.21, 0.14)), Material("", (0.02, 0.02, 0.02))),
        _Outfit(Material("leather", (0.35, 0.32, 0.30), repeat=3.0), Material("canvas:2", (0.75, 0.18, 0.14), repeat=4.0),
                Material("", (0.72, 0.50, 0.40)), Material("", (0.38, 0.25, 0.10))),
    ),
    "scoring": (
        _Outfit(Material("terracotta", (0.30, 0.42, 0.55), repeat=3.0), Material("rug", repeat=1.5),
                Material("", (0.50, 0.31, 0.22)), Material("", (0.12, 0.06, 0.03))),
        _Outfit(Material("brushed", (0.10, 0.10, 0.13), repeat=3.0), Material("tiles", (0.95, 0.90, 0.55), repeat=5.0),
                Material("", (0.27, 0.16, 0.11)), Material("", (0.30, 0.30, 0.31))),
        _Outfit(Material("soil", (0.9, 1.0, 0.7), repeat=3.0), Material("marble", (0.42, 0.50, 0.75), repeat=2.0),
                Material("", (0.68, 0.44, 0.34)), Material("", (0.60, 0.44, 0.20))),
    ),
}
_BOX_MATERIALS = {
    "tuning": (Material("wicker", repeat=2.0), Material("painting:1", repeat=2.0), Material("pine", repeat=1.5)),
    "scoring": (Material("newspaper", repeat=2.5), Material("book:4", repeat=3.0), Material("walnut", repeat=1.5)),
}
_BOX_SIZES = {"tuning": ((0.50, 0.36, 0.40), (0.32, 0.28, 0.55), (0.60, 0.40, 0.25)),
              "scoring": ((0.42, 0.42, 0.36), (0.30, 0.45, 0.50), (0.55, 0.30, 0.30))}
"""Metres: parcels and crates that one person carries."""
_BALLS = {"tuning": ((0.11, Material("football", repeat=1.0)), (0.28, Material("canvas:4", (0.15, 0.35, 0.80), repeat=3.0))),
          "scoring": ((0.12, Material("orange", repeat=4.0)), (0.30, Material("window_view", repeat=2.0)))}
"""Radius in metres: a football and a gymnastics ball."""
_HOP = 0.12  # metres: a ball that was thrown over the floor


def wardrobe(chosen: str, kinds: Sequence[str] = KINDS) -> dict[str, tuple[Thing, ...]]:
    """The things of a set, by kind. Raises ValueError for a set or a kind that there is not."""
    if chosen not in SETS:
        raise ValueError(f"there is no set of things '{chosen}': there are {', '.join(SETS)}")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"there are no things of kind '{', '.join(unknown)}': there are {', '.join(KINDS)}")
    makers: dict[str, Callable[[str], tuple[Thing, ...]]] = {"person": _people, "box": _boxes, "ball": _balls}
    return {kind: makers[kind](chosen) for kind in kinds}


@cache
def _people(chosen: str) -> tuple[Thing, ...]:
    return tuple(_thing("person", [_dressed(person(phase / GAIT_PHASES), outfit) for phase in range(GAIT_PHASES)], STRIDE)
                 for outfit in _CLOTHES[chosen])


def _dressed(parts: list[Part], outfit: _Outfit) -> list[Part]:
    return [Part(part.triangles, material) for part, material in zip(parts, outfit, strict=True)]


@cache
def _boxes(chosen: str) -> tuple[Thing, ...]:
    return tuple(_thing("box", [[Part(box((0, 0, size[2] / 2), size, 0.01), material)]], 1.0)
                 for size, material in zip(_BOX_SIZES[chosen], _BOX_MATERIALS[chosen], strict=True))


@cache
def _balls(chosen: str) -> tuple[Thing, ...]:
    return tuple(_thing("ball", [[Part(sphere((0, 0, radius), radius, 32), material)]], 1.0, _HOP, True)
                 for radius, material in _BALLS[chosen])


def _thing(kind: str, gait: list[list[Part]], cycle: float, hop: float = 0.0, rolls: bool = False) -> Thing:
    corners = np.concatenate([part.triangles.positions for parts in gait for part in parts])
    height = float(corners[:, 2].max())
    radius = float(np.linalg.norm(corners - np.array([0, 0, height / 2]), axis=1).max())
    whole = compile_body([(1, parts) for parts in gait], paint)  # one atlas for all poses
    ends = np.cumsum([0] + [sum(len(part.triangles) for part in parts) for parts in gait])
    poses = tuple(whole.only(int(first), int(last)) for first, last in pairwise(ends))
    return Thing(kind, poses, cycle, radius, height, hop, rolls)
