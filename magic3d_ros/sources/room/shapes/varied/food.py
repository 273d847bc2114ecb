"""Food, fresh, baked and cooked. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    ceramic,
    open_box,
    ring,
    rod,
    soft,
    standing,
    turned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import sheet
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
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


CRUST = plain(0.42, 0.21, 0.07)
GREEN = plain(0.05, 0.20, 0.03)


def _places(random: np.random.Generator, radius: float) -> list[tuple[float, float]]:
    """Of one or two round fruits that lie side by side."""
    return [(0.0, 0.0)] if random.random() < 0.6 else [(-radius, 0.0), (radius, 0.2 * radius)]


def apple(random: np.random.Generator) -> list[Part]:
    """One or two apples with stalks: pressed in at their ends, widest above their middle."""
    r = between(random, 0.029, 0.034)
    side = [(r * np.cos(a) ** 0.8, r * (0.9 + 0.9 * np.sin(a) + 0.1 * np.cos(a) - 0.2 * np.sin(a) ** 7))
            for a in np.linspace(-1.5, 1.5, 13)]
    places = _places(random, r * 1.02)
    bodies = [solid(side, 20).transformed(translation=(x, y, 0)) for x, y in places]
    stalks = [rod((x, y, 1.4 * r), (x + 0.005, y, 2.1 * r), 0.0016, segments=6) for x, y in places]
    peel = plain(*pick(random, (0.42, 0.03, 0.02), (0.28, 0.42, 0.05), (0.72, 0.52, 0.05)))
    return standing([Part(joined(bodies), peel), Part(joined(stalks), plain(0.1, 0.05, 0.02))])


def orange(random: np.random.Generator) -> list[Part]:
    """One or two oranges, or lemons with their tips."""
    if random.random() < 0.3:
        side = [(0.004, -0.042), (0.012, -0.036), (0.024, -0.02), (0.027, 0), (0.024, 0.02), (0.012, 0.036), (0.005, 0.043)]
        lemon = solid(side, 20).transformed(tilt_matrix(80))
        return standing([Part(joined([lemon.transformed(translation=(x * 1.3, y, 0)) for x, y in _places(random, 0.027)]),
                              Material("orange", (0.85, 1.5, 1.4)))])
    r = between(random, 0.030, 0.034)
    return [Part(joined([sphere((x, y, r), r) for x, y in _places(random, r)]), Material("orange")),
            Part(cylinder((_places(random, 0.0)[0][0], 0, 2 * r - 0.002), 0.003, 0.0025, 8), GREEN)]


def banana(random: np.random.Generator) -> list[Part]:
    """A hand of two to five bananas, joined at their stalks."""
    count, flesh, tips = int(random.integers(2, 6)), [], []
    for i in range(count):
        bend = [np.array([0.085 * np.cos(a), 0, 0.075 * np.sin(a)]) for a in np.linspace(2.9, 0.5, 9)]
        thick = np.interp(np.arange(9), [0, 2, 6, 8], [0.008, 0.017, 0.017, 0.008])
        turn = yaw_matrix(14.0 * (i - (count - 1) / 2))
        move = (-0.085, 0.028 * (i - (count - 1) / 2) * 0.4, 0.0)
        fruit = joined([capsule(p, q, float(t), float(u)) for p, q, t, u in zip(bend, bend[1:], thick, thick[1:], strict=False)])
        flesh.append(fruit.transformed(translation=(0.085, 0, 0)).transformed(turn, move))
        tips.append(joined([sphere(bend[-1], 0.008, 10), capsule(bend[0], bend[0] + [-0.006, 0, -0.02], 0.007,
                                                                 0.006)]).transformed(
            translation=(0.085, 0, 0)).transformed(turn, move))
    return standing([Part(joined(flesh), plain(0.78, 0.55, between(random, 0.03, 0.1))),
                     Part(joined(tips), plain(0.16, 0.10, 0.03))])


def bread(random: np.random.Generator) -> list[Part]:
    """A tin loaf with slices cut off, a round loaf, a baguette, or rolls."""
    design, crust = int(random.integers(4)), CRUST.tinted((between(random, 0.7, 1.4),) * 3)
    if design == 0:
        loaf = joined([box((0.03, 0, 0.05), (0.18, 0.11, 0.09), 0.03), soft((0.03, 0, 0.085), (0.185, 0.125, 0.06), 0.5)])
        slices = [joined([box((0, 0, 0.05), (0.013, 0.1, 0.085)), box((0, 0, 0.09), (0.013, 0.11, 0.04), 0.006)]).transformed(
            np.array([[np.cos(t), 0, -np.sin(t)], [0, 1, 0], [np.sin(t), 0, np.cos(t)]]), (x, 0, 0.003)) for x,
                  t in ((-0.08, 0.1), (-0.10, 0.35))]
        return standing([Part(loaf, crust), Part(joined(slices), plain(0.62, 0.46, 0.26))])
    cut = plain(0.66, 0.48, 0.27)
    if design == 1:
        r = between(random, 0.09, 0.13)
        loaf = dome((0, 0, 0.012), (r, r * 0.85, r * 0.7))
        scars = [soft((x, 0, 0.012 + r * 0.68 * (1 - abs(x) / r * 0.2)), (0.014, r * 0.9, 0.014), 0.8, 12) for x in (-0.04, 0.0,
                                                                                                                     0.04)]
        return standing([Part(joined([loaf, cylinder((0, 0, 0), r * 0.9, 0.02)]), crust), Part(joined(scars), cut)])
    if design == 2:
        length = between(random, 0.4, 0.55)
        scars = [box((0.0, y, 0.055), (0.012, 0.06, 0.008), 0.003).transformed(yaw_matrix(-25), (-0.42 * y, 0.09 * y, 0))
                 for y in np.linspace(-length * 0.35, length * 0.35, 5)]
        loaf = soft((0, 0, 0.03), (0.07, length, 0.06), 0.75)
        return standing([Part(p.triangles.transformed(yaw_matrix(70)), p.material) for p in (Part(loaf, crust),
                                                                                             Part(joined(scars), cut))])
    rolls = [soft((x, y, 0.03), (0.085, 0.08, 0.06), 0.85) for x, y in ((-0.045, 0), (0.045, 0.01), (0.0, 0.08))]
    return standing([Part(joined(rolls), crust)])


def cake(random: np.random.Generator) -> list[Part]:
    """A round cake with layers, cherries on top and a wedge cut out, on its plate; or cupcakes."""
    icing = plain(*pick(random, (0.75, 0.72, 0.65), (0.75, 0.35, 0.42), (0.12, 0.05, 0.02)))
    sponge = plain(*pick(random, (0.6, 0.38, 0.14), (0.1, 0.04, 0.02)))
    if random.random() < 0.3:
        cups = [vessel([(0.024, 0), (0.034, 0.04)], 0.002).transformed(translation=(0.08 * i - 0.08, 0, 0)) for i in range(3)]
        swirls = [solid([(0.036, 0.04), (0.036, 0.05), (0.02, 0.065), (0.022, 0.068), (0.004, 0.085)],
                        20).transformed(translation=(0.08 * i - 0.08, 0, 0))
                  for i in range(3)]
        cherries = [sphere((0.08 * i - 0.08, 0, 0.088), 0.01, 12) for i in range(3)]
        return [Part(joined(cups), sponge), Part(joined(swirls), icing), Part(joined(cherries), plain(0.4, 0.01, 0.02))]
    r, h = between(random, 0.09, 0.13), between(random, 0.06, 0.1)
    angles = np.linspace(0.0 if random.random() < 0.3 else -0.9, 2 * np.pi - 1.6, 40)

    def cut(low: float, high: float, radius: float) -> Triangles:
        rim = np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
        wall = np.stack([np.column_stack([rim, np.full(len(rim), z)]) for z in (low, high)], 1)
        top = np.stack([np.column_stack([0 * rim, np.full(len(rim), high)]), wall[:, 1]], 1)[:, ::-1]
        ends = [rectangle((0, 0, low), (*rim[0], 0), (0, 0, high - low)),
                rectangle((*rim[-1], low), (-rim[-1][0], -rim[-1][1], 0), (0, 0, high - low))]
        return joined([sheet(wall, 0.001), sheet(top, 0.001), *ends])

    bands = [Part(cut(0.012 + h * i / 5, 0.012 + h * (i + 1) / 5, r - 0.002),
                  pick(random, icing, icing) if i % 2 else sponge) for i in range(5)]
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
    parts = [Part(rim, CRUST), Part(cheese, plain(0.72, 0.42, 0.10)), Part(joined(slices), plain(0.36, 0.04, 0.02)),
             Part(joined(leaves), pick(random, GREEN, BLACK))]
    if random.random() < 0.5:
        board = cylinder((0, 0, 0), r + 0.015, 0.012, 36)
        return [Part(board, wood(random)), *turned(parts, np.eye(3), (0, 0, 0.008))]
    w = 2 * r + 0.02
    lid = box((0, 0, w / 2), (w, 0.004, w)).transformed(tilt_matrix(-18), (0, w / 2, 0.03))
    return standing([Part(joined([open_box((w, w, 0.035), 0.004), lid]), plain(0.62, 0.55, 0.45)), *parts])


def vegetables(random: np.random.Generator) -> list[Part]:
    """Tomatoes, peppers, carrots, a cucumber, a head of lettuce or of broccoli, lying together."""
    carrot = solid([(0.003, -0.09), (0.012, -0.02), (0.016, 0.06), (0.010, 0.075)], 14).transformed(tilt_matrix(90),
                                                                                                    (0, 0, 0.016))
    tops = joined([capsule((0, -0.07, 0.016), (x, -0.13, 0.02), 0.004, 0.003, 8) for x in (-0.02, 0.0, 0.02)])
    carrots = [part.transformed(yaw_matrix(turn), (x, -0.07, 0)) for turn,
               x in ((8, -0.02), (-6, 0.025), (14, -0.06)) for part in (carrot,)]
    crowns = [tops.transformed(yaw_matrix(turn), (x, -0.07, 0)) for turn, x in ((8, -0.02), (-6, 0.025), (14, -0.06))]
    tomatoes = [soft((x, 0.06, 0.032), (0.07, 0.07, 0.064), 0.95, 18) for x in (-0.08, -0.005)]
    pepper_angles = np.linspace(-1.5, 1.5, 11)
    pepper = solid([(0.04 * np.cos(a) ** 0.6, 0.05 * (1 + np.sin(a)) - (0.012 if a > 1.2 else 0)) for a in pepper_angles], 8)
    cucumber = soft((0.13, -0.03, 0.022), (0.044, 0.26, 0.044), 0.8)
    lettuce = [soft((0.06 + 0.02 * np.cos(a), 0.12 + 0.02 * np.sin(a), 0.05), (0.09, 0.035, 0.1), 1.1,
                    14).transformed() for a in (0.0, 2.0, 4.0)]
    groups = [
        [Part(joined(carrots), plain(0.72, 0.22, 0.02)), Part(joined(crowns), GREEN)],
        [Part(joined(tomatoes), plain(0.5, 0.03, 0.02)), Part(joined([cylinder((x, 0.06, 0.062), 0.012, 0.003,
                                                                               5) for x in (-0.08, -0.005)]), GREEN)],
        [Part(pepper.transformed(translation=(0.07, 0.05, 0)),
              plain(*pick(random, (0.55, 0.03, 0.02), (0.75, 0.5, 0.03), (0.06, 0.25, 0.03)))),
         Part(rod((0.07, 0.05, 0.085), (0.075, 0.05, 0.115), 0.006), GREEN)],
        [Part(cucumber, plain(0.04, 0.14, 0.03))],
        [Part(joined([*lettuce, soft((0.06, 0.12, 0.05), (0.1, 0.1, 0.1), 1.0, 18)]), plain(0.2, 0.4, 0.06))],
    ]
    chosen = random.permutation(len(groups))[:int(random.integers(2, 5))]
    return standing([part for i in chosen for part in groups[int(i)]])


def sandwich(random: np.random.Generator) -> list[Part]:
    """A burger, or two triangles of toast with a filling."""
    patty, salad, cheese = plain(0.12, 0.05, 0.02), plain(0.15, 0.35, 0.05), plain(0.8, 0.45, 0.04)
    if random.random() < 0.55:
        r = between(random, 0.05, 0.062)
        bun = [solid([(r * 0.9, 0), (r, 0.008), (r * 0.98, 0.02)]), dome((0, 0, 0.048), (r, r, 0.038))]
        slab = box((0, 0, 0.0), (r * 1.75, r * 1.75, 0.003)).transformed(yaw_matrix(40), (0, 0, 0.043))
        leaf = [soft((0.85 * r * np.cos(a), 0.85 * r * np.sin(a), 0.024), (0.04, 0.04, 0.01), 1.0,
                     10) for a in np.arange(8) * 0.785]
        return [Part(joined(bun), plain(0.5, 0.24, 0.07)), Part(cylinder((0, 0, 0.026), r * 1.03, 0.017), patty),
                Part(slab, cheese),
                Part(joined(leaf), salad)]
    layers = [(0.0, plain(0.6, 0.42, 0.2)), (0.014, salad), (0.019, plain(0.6, 0.18, 0.15)), (0.025, cheese),
              (0.029, plain(0.6, 0.42, 0.2))]
    thick = [0.014, 0.005, 0.006, 0.004, 0.014]
    wedge = revolved([(0, 0), (0.07, 0), (0.07, 1), (0, 1)], 3, 2.0)
    parts = [Part(wedge.transformed(scale=(1, 1, t), translation=(x, 0, z)), m) for (z, m),
             t in zip(layers, thick, strict=True) for x in (0.0, 0.115)]
    return standing(parts)


def soup(random: np.random.Generator) -> list[Part]:
    """A bowl of soup, noodles or stew, with a spoon."""
    r = between(random, 0.075, 0.105)
    bowl = vessel([(r * 0.5, 0), (r * 0.75, r * 0.15), (r, r * 0.55)], 0.004)
    liquid = cylinder((0, 0, r * 0.36), r * 0.87, 0.003, 32)
    broth = plain(*pick(random, (0.6, 0.2, 0.02), (0.5, 0.05, 0.02), (0.35, 0.4, 0.08), (0.55, 0.42, 0.18)))
    bits = [soft((0.8 * r * np.sqrt(i / 14) * np.cos(2.4 * i), 0.8 * r * np.sqrt(i / 14) * np.sin(2.4 * i), r * 0.38 + 0.003),
                 (0.022, 0.016, 0.01), 0.8, 8)
            for i in range(14)]
    spoon = tube([(0.2 * r, 0.3 * r, r * 0.4), (1.1 * r, 0.5 * r, r * 0.75), (1.35 * r, 0.55 * r, r * 0.85)], 0.004, 8)
    return [Part(bowl, ceramic(random)), Part(liquid, broth),
            Part(joined(bits), pick(random, GREEN, plain(0.75, 0.6, 0.3), plain(0.6, 0.15, 0.02))), Part(spoon, STEEL)]


KINDS = {
    "apple": Kind(apple, "top"), "orange": Kind(orange, "top"), "banana": Kind(banana, "top"), "bread": Kind(bread, "top"),
    "cake": Kind(cake, "top"), "pizza": Kind(pizza, "top"), "vegetables": Kind(vegetables, "top"),
    "sandwich": Kind(sandwich, "top"), "soup": Kind(soup, "top"),
}
