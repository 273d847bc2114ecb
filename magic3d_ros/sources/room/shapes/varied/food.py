"""Fruit, vegetables and bread. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import rod, soft, standing
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, dome, joined, sphere, tilt_matrix, yaw_matrix

SIDES = (-1, 1)


CRUST = plain(0.42, 0.21, 0.07)
GREEN = plain(0.05, 0.20, 0.03)


def _places(random: np.random.Generator, radius: float) -> list[tuple[float, float]]:
    """Of one or two round fruits that lie side by side."""
    return [(0.0, 0.0)] if random.random() < 0.6 else [(-radius, 0.0), (radius, 0.2 * radius)]


def apple(random: np.random.Generator) -> list[Part]:
    """One or two apples with stalks: pressed in at their ends, widest above their middle."""
    r = between(random, 0.029, 0.034)
    side = [
        (r * np.cos(a) ** 0.8, r * (0.9 + 0.9 * np.sin(a) + 0.1 * np.cos(a) - 0.2 * np.sin(a) ** 7))
        for a in np.linspace(-1.5, 1.5, 13)
    ]
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
        return standing(
            [
                Part(
                    joined([lemon.transformed(translation=(x * 1.3, y, 0)) for x, y in _places(random, 0.027)]),
                    Material("orange", (0.85, 1.5, 1.4)),
                )
            ]
        )
    r = between(random, 0.030, 0.034)
    return [
        Part(joined([sphere((x, y, r), r) for x, y in _places(random, r)]), Material("orange")),
        Part(cylinder((_places(random, 0.0)[0][0], 0, 2 * r - 0.002), 0.003, 0.0025, 8), GREEN),
    ]


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
        tips.append(
            joined([sphere(bend[-1], 0.008, 10), capsule(bend[0], bend[0] + [-0.006, 0, -0.02], 0.007, 0.006)])
            .transformed(translation=(0.085, 0, 0))
            .transformed(turn, move)
        )
    return standing(
        [Part(joined(flesh), plain(0.78, 0.55, between(random, 0.03, 0.1))), Part(joined(tips), plain(0.16, 0.10, 0.03))]
    )


def bread(random: np.random.Generator) -> list[Part]:
    """A tin loaf with slices cut off, a round loaf, a baguette, or rolls."""
    design, crust = int(random.integers(4)), CRUST.tinted((between(random, 0.7, 1.4),) * 3)
    if design == 0:
        loaf = joined([box((0.03, 0, 0.05), (0.18, 0.11, 0.09), 0.03), soft((0.03, 0, 0.085), (0.185, 0.125, 0.06), 0.5)])
        slices = [
            joined([box((0, 0, 0.05), (0.013, 0.1, 0.085)), box((0, 0, 0.09), (0.013, 0.11, 0.04), 0.006)]).transformed(
                np.array([[np.cos(t), 0, -np.sin(t)], [0, 1, 0], [np.sin(t), 0, np.cos(t)]]), (x, 0, 0.003)
            )
            for x, t in ((-0.08, 0.1), (-0.10, 0.35))
        ]
        return standing([Part(loaf, crust), Part(joined(slices), plain(0.62, 0.46, 0.26))])
    cut = plain(0.66, 0.48, 0.27)
    if design == 1:
        r = between(random, 0.09, 0.13)
        loaf = dome((0, 0, 0.012), (r, r * 0.85, r * 0.7))
        scars = [
            soft((x, 0, 0.012 + r * 0.68 * (1 - abs(x) / r * 0.2)), (0.014, r * 0.9, 0.014), 0.8, 12) for x in (-0.04, 0.0, 0.04)
        ]
        return standing([Part(joined([loaf, cylinder((0, 0, 0), r * 0.9, 0.02)]), crust), Part(joined(scars), cut)])
    if design == 2:
        length = between(random, 0.4, 0.55)
        scars = [
            box((0.0, y, 0.055), (0.012, 0.06, 0.008), 0.003).transformed(yaw_matrix(-25), (-0.42 * y, 0.09 * y, 0))
            for y in np.linspace(-length * 0.35, length * 0.35, 5)
        ]
        loaf = soft((0, 0, 0.03), (0.07, length, 0.06), 0.75)
        return standing(
            [Part(p.triangles.transformed(yaw_matrix(70)), p.material) for p in (Part(loaf, crust), Part(joined(scars), cut))]
        )
    rolls = [soft((x, y, 0.03), (0.085, 0.08, 0.06), 0.85) for x, y in ((-0.045, 0), (0.045, 0.01), (0.0, 0.08))]
    return standing([Part(joined(rolls), crust)])


def vegetables(random: np.random.Generator) -> list[Part]:
    """Tomatoes, peppers, carrots, a cucumber, a head of lettuce or of broccoli, lying together."""
    carrot = solid([(0.003, -0.09), (0.012, -0.02), (0.016, 0.06), (0.010, 0.075)], 14).transformed(
        tilt_matrix(90), (0, 0, 0.016)
    )
    tops = joined([capsule((0, -0.07, 0.016), (x, -0.13, 0.02), 0.004, 0.003, 8) for x in (-0.02, 0.0, 0.02)])
    carrots = [
        part.transformed(yaw_matrix(turn), (x, -0.07, 0))
        for turn, x in ((8, -0.02), (-6, 0.025), (14, -0.06))
        for part in (carrot,)
    ]
    crowns = [tops.transformed(yaw_matrix(turn), (x, -0.07, 0)) for turn, x in ((8, -0.02), (-6, 0.025), (14, -0.06))]
    tomatoes = [soft((x, 0.06, 0.032), (0.07, 0.07, 0.064), 0.95, 18) for x in (-0.08, -0.005)]
    pepper_angles = np.linspace(-1.5, 1.5, 11)
    pepper = solid([(0.04 * np.cos(a) ** 0.6, 0.05 * (1 + np.sin(a)) - (0.012 if a > 1.2 else 0)) for a in pepper_angles], 8)
    cucumber = soft((0.13, -0.03, 0.022), (0.044, 0.26, 0.044), 0.8)
    lettuce = [
        soft((0.06 + 0.02 * np.cos(a), 0.12 + 0.02 * np.sin(a), 0.05), (0.09, 0.035, 0.1), 1.1, 14).transformed()
        for a in (0.0, 2.0, 4.0)
    ]
    groups = [
        [Part(joined(carrots), plain(0.72, 0.22, 0.02)), Part(joined(crowns), GREEN)],
        [
            Part(joined(tomatoes), plain(0.5, 0.03, 0.02)),
            Part(joined([cylinder((x, 0.06, 0.062), 0.012, 0.003, 5) for x in (-0.08, -0.005)]), GREEN),
        ],
        [
            Part(
                pepper.transformed(translation=(0.07, 0.05, 0)),
                plain(*pick(random, (0.55, 0.03, 0.02), (0.75, 0.5, 0.03), (0.06, 0.25, 0.03))),
            ),
            Part(rod((0.07, 0.05, 0.085), (0.075, 0.05, 0.115), 0.006), GREEN),
        ],
        [Part(cucumber, plain(0.04, 0.14, 0.03))],
        [Part(joined([*lettuce, soft((0.06, 0.12, 0.05), (0.1, 0.1, 0.1), 1.0, 18)]), plain(0.2, 0.4, 0.06))],
    ]
    chosen = random.permutation(len(groups))[: int(random.integers(2, 5))]
    return standing([part for i in chosen for part in groups[int(i)]])


KINDS = {
    "apple": Kind(apple, "top"),
    "orange": Kind(orange, "top"),
    "banana": Kind(banana, "top"),
    "bread": Kind(bread, "top"),
    "vegetables": Kind(vegetables, "top"),
}
