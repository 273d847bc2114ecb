"""What is cooked and baked, on its plate. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    ceramic,
    open_box,
    ring,
    soft,
    standing,
    turned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import sheet
from magic3d_ros.sources.room.shapes.varied.food import CRUST, GREEN
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    cylinder,
    dome,
    joined,
    rectangle,
    revolved,
    sphere,
    tilt_matrix,
    tube,
    yaw_matrix,
)

SIDES = (-1, 1)


def cake(random: np.random.Generator) -> list[Part]:
    """A round cake with layers, cherries on top and a wedge cut out, on its plate; or cupcakes."""
    icing = plain(*pick(random, (0.75, 0.72, 0.65), (0.75, 0.35, 0.42), (0.12, 0.05, 0.02)))
    sponge = plain(*pick(random, (0.6, 0.38, 0.14), (0.1, 0.04, 0.02)))
    if random.random() < 0.3:
        cups = [vessel([(0.024, 0), (0.034, 0.04)], 0.002).transformed(translation=(0.08 * i - 0.08, 0, 0)) for i in range(3)]
        swirls = [
            solid([(0.036, 0.04), (0.036, 0.05), (0.02, 0.065), (0.022, 0.068), (0.004, 0.085)], 20).transformed(
                translation=(0.08 * i - 0.08, 0, 0)
            )
            for i in range(3)
        ]
        cherries = [sphere((0.08 * i - 0.08, 0, 0.088), 0.01, 12) for i in range(3)]
        return [Part(joined(cups), sponge), Part(joined(swirls), icing), Part(joined(cherries), plain(0.4, 0.01, 0.02))]
    r, h = between(random, 0.09, 0.13), between(random, 0.06, 0.1)
    angles = np.linspace(0.0 if random.random() < 0.3 else -0.9, 2 * np.pi - 1.6, 40)

    def cut(low: float, high: float, radius: float) -> Triangles:
        rim = np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
        wall = np.stack([np.column_stack([rim, np.full(len(rim), z)]) for z in (low, high)], 1)
        top = np.stack([np.column_stack([0.02 * rim, np.full(len(rim), high)]), wall[:, 1]], 1)[:, ::-1]
        ends = [
            rectangle((0, 0, low), (*rim[0], 0), (0, 0, high - low)),
            rectangle((*rim[-1], low), (-rim[-1][0], -rim[-1][1], 0), (0, 0, high - low)),
        ]
        return joined([sheet(wall, 0.001), sheet(top, 0.001), *ends])

    bands = [
        Part(cut(0.012 + h * i / 5, 0.012 + h * (i + 1) / 5, r - 0.002), pick(random, icing, icing) if i % 2 else sponge)
        for i in range(5)
    ]
    berries = [sphere((r * 0.8 * np.cos(a), r * 0.8 * np.sin(a), h + 0.022), 0.011, 12) for a in angles[2:-2:4]]
    plate = vessel([(r * 0.9, 0), (r * 1.2, 0.012)], 0.005, 40)
    return [Part(plate, WHITE), *bands, Part(cut(h + 0.01, h + 0.016, r), icing), Part(joined(berries), plain(0.4, 0.01, 0.02))]


def pizza(random: np.random.Generator) -> list[Part]:
    """A pizza with its rim, cheese and topping, on a board or in its box."""
    r = between(random, 0.13, 0.165)
    rim, cheese = ring((0, 0, 0.016), r - 0.008, 0.022), cylinder((0, 0, 0.006), r - 0.008, 0.012, 36)
    slices: list[Triangles] = []
    leaves: list[Triangles] = []
    for i in range(16):
        a, reach = 2.4 * i, (r - 0.03) * np.sqrt((i + 0.5) / 16)
        place = (reach * np.cos(a), reach * np.sin(a), 0.017)
        (slices if i % 3 else leaves).append(cylinder(place, 0.018 if i % 3 else 0.011, 0.004, 14))
    parts = [
        Part(rim, CRUST),
        Part(cheese, plain(0.72, 0.42, 0.10)),
        Part(joined(slices), plain(0.36, 0.04, 0.02)),
        Part(joined(leaves), pick(random, GREEN, BLACK)),
    ]
    if random.random() < 0.5:
        board = cylinder((0, 0, 0), r + 0.015, 0.012, 36)
        return [Part(board, wood(random)), *turned(parts, np.eye(3), (0, 0, 0.008))]
    w = 2 * r + 0.02
    lid = box((0, 0, w / 2), (w, 0.004, w)).transformed(tilt_matrix(-18), (0, w / 2, 0.03))
    return standing([Part(joined([open_box((w, w, 0.035), 0.004), lid]), plain(0.62, 0.55, 0.45)), *parts])


def sandwich(random: np.random.Generator) -> list[Part]:
    """A burger, or two triangles of toast with a filling."""
    patty, salad, cheese = plain(0.12, 0.05, 0.02), plain(0.15, 0.35, 0.05), plain(0.8, 0.45, 0.04)
    if random.random() < 0.55:
        r = between(random, 0.05, 0.062)
        bun = [solid([(r * 0.9, 0), (r, 0.008), (r * 0.98, 0.02)]), dome((0, 0, 0.048), (r, r, 0.038))]
        slab = box((0, 0, 0.0), (r * 1.75, r * 1.75, 0.003)).transformed(yaw_matrix(40), (0, 0, 0.043))
        leaf = [
            soft((0.85 * r * np.cos(a), 0.85 * r * np.sin(a), 0.024), (0.04, 0.04, 0.01), 1.0, 10) for a in np.arange(8) * 0.785
        ]
        return [
            Part(joined(bun), plain(0.5, 0.24, 0.07)),
            Part(cylinder((0, 0, 0.026), r * 1.03, 0.017), patty),
            Part(slab, cheese),
            Part(joined(leaf), salad),
        ]
    layers = [
        (0.0, plain(0.6, 0.42, 0.2)),
        (0.014, salad),
        (0.019, plain(0.6, 0.18, 0.15)),
        (0.025, cheese),
        (0.029, plain(0.6, 0.42, 0.2)),
    ]
    thick = [0.014, 0.005, 0.006, 0.004, 0.014]
    wedge = revolved([(0, 0), (0.07, 0), (0.07, 1), (0, 1)], 3, 2.0)
    parts = [
        Part(wedge.transformed(scale=(1, 1, t), translation=(x, 0, z)), m)
        for (z, m), t in zip(layers, thick, strict=True)
        for x in (0.0, 0.115)
    ]
    return standing(parts)


def soup(random: np.random.Generator) -> list[Part]:
    """A bowl of soup, noodles or stew, with a spoon."""
    r = between(random, 0.075, 0.105)
    bowl = vessel([(r * 0.5, 0), (r * 0.75, r * 0.15), (r, r * 0.55)], 0.004)
    liquid = cylinder((0, 0, r * 0.36), r * 0.87, 0.003, 32)
    broth = plain(*pick(random, (0.6, 0.2, 0.02), (0.5, 0.05, 0.02), (0.35, 0.4, 0.08), (0.55, 0.42, 0.18)))
    bits = [
        soft(
            (0.8 * r * np.sqrt(i / 14) * np.cos(2.4 * i), 0.8 * r * np.sqrt(i / 14) * np.sin(2.4 * i), r * 0.38 + 0.003),
            (0.022, 0.016, 0.01),
            0.8,
            8,
        )
        for i in range(14)
    ]
    spoon = tube([(0.2 * r, 0.3 * r, r * 0.4), (1.1 * r, 0.5 * r, r * 0.75), (1.35 * r, 0.55 * r, r * 0.85)], 0.004, 8)
    return [
        Part(bowl, ceramic(random)),
        Part(liquid, broth),
        Part(joined(bits), pick(random, GREEN, plain(0.75, 0.6, 0.3), plain(0.6, 0.15, 0.02))),
        Part(spoon, STEEL),
    ]


KINDS = {"cake": Kind(cake, "top"), "pizza": Kind(pizza, "top"), "sandwich": Kind(sandwich, "top"), "soup": Kind(soup, "top")}
