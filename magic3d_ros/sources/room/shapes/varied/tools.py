"""Tools of workshops and gardens."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    bright,
    metal,
    plastic,
    ring,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, joined, revolved, tilt_matrix, tube, yaw_matrix


def hammer(random: np.random.Generator) -> list[Part]:
    """Lying: a shaft, a head with a round face and a claw."""
    length = random.uniform(0.28, 0.36)
    head = [
        rod((-0.045, length / 2, 0.018), (-0.015, length / 2, 0.018), 0.015),
        box((0.005, length / 2, 0.018), (0.045, 0.026, 0.026), 0.004),
        rod((-0.06, length / 2, 0.018), (-0.045, length / 2, 0.018), 0.018),
    ]
    head += [
        tube(
            [(0.02, length / 2 + s * 0.008, 0.02), (0.05, length / 2 + s * 0.012, 0.018), (0.075, length / 2 + s * 0.014, 0.006)],
            0.006,
        )
        for s in (-1, 1)
    ]
    grip = capsule((0, -length * 0.45, 0.018), (0, -length * 0.05, 0.018), 0.017, 0.013)
    return standing(
        turned(
            [
                Part(joined(head), STEEL),
                Part(capsule((0, -length * 0.1, 0.018), (0, length / 2, 0.018), 0.011), wood(random)),
                Part(grip, bright(random) if random.random() < 0.6 else wood(random)),
            ],
            yaw_matrix(50),
        )
    )


def screwdriver(random: np.random.Generator) -> list[Part]:
    """Lying, one to three of them: a fat handle and a thin blade."""
    parts = []
    for i in range(int(random.integers(1, 4))):
        length, x, paint = random.uniform(0.16, 0.26), 0.045 * i, bright(random)
        grip = revolved(
            [
                (0, 0),
                (0.012, 0.004),
                (0.016, 0.03),
                (0.015, length * 0.3),
                (0.009, length * 0.36),
                (0.011, length * 0.4),
                (0, length * 0.4),
            ],
            8,
            0.02,
        ).transformed(tilt_matrix(-90), (x, -length / 2, 0.016))
        parts += [
            Part(grip, paint),
            Part(
                joined(
                    [
                        rod((x, -length * 0.1, 0.016), (x, length / 2, 0.016), 0.0035),
                        box((x, length / 2, 0.016), (0.008, 0.014, 0.002)),
                    ]
                ),
                STEEL,
            ),
        ]
    return standing(turned(parts, yaw_matrix(random.uniform(40, 80))))


def power_drill(random: np.random.Generator) -> list[Part]:
    """Standing on its battery: handle, barrel, chuck, bit."""
    paint, dark = bright(random), BLACK
    barrel = [
        rod((0.09, 0, 0.195), (-0.06, 0, 0.195), 0.036, 0.03),
        soft((0.08, 0, 0.195), (0.05, 0.07, 0.072), 0.7),
        soft((0.035, 0, 0.11), (0.05, 0.042, 0.16), 0.6).transformed(translation=(0.0, 0, 0)),
    ]
    black = [
        box((0.03, 0, 0.025), (0.11, 0.075, 0.05), 0.01),
        rod((-0.06, 0, 0.195), (-0.10, 0, 0.195), 0.024, 0.014),
        box((0.0, 0, 0.15), (0.014, 0.018, 0.035), 0.006),
    ]
    return standing(
        [
            Part(joined(barrel), paint),
            Part(joined(black), dark),
            Part(rod((-0.10, 0, 0.195), (-0.10 - random.uniform(0.05, 0.1), 0, 0.195), 0.0035), STEEL),
        ]
    )


def saw(random: np.random.Generator) -> list[Part]:
    """Lying: a long blade with teeth and a closed handle."""
    length = random.uniform(0.38, 0.5)
    blade = [box((0, 0, 0.006), (length, 0.07, 0.002))] + [
        box((x, -0.036, 0.006), (0.008, 0.008, 0.002)).transformed(yaw_matrix(0))
        for x in np.arange(-length / 2, length / 2, 0.014)
    ]
    handle = [
        tube(
            [
                (length / 2, -0.03, 0.012),
                (length / 2 + 0.1, -0.05, 0.012),
                (length / 2 + 0.12, 0.03, 0.012),
                (length / 2 + 0.03, 0.05, 0.012),
                (length / 2, 0.02, 0.012),
            ],
            0.013,
        )
    ]
    return standing([Part(joined(blade), STEEL), Part(joined(handle), wood(random) if random.random() < 0.5 else bright(random))])


def rope(random: np.random.Generator) -> list[Part]:
    """A coil lying, its end around it."""
    r, thick, count = random.uniform(0.1, 0.16), random.uniform(0.008, 0.014), int(random.integers(5, 9))
    loops = [
        ring(
            (random.normal(0, 0.006), random.normal(0, 0.006), thick * (0.6 + 0.75 * (i // 2))),
            r * (1 - 0.11 * (i % 2)),
            thick * 1.7,
            segments=40,
        )
        for i in range(count)
    ]
    end = tube(
        [(r, 0, thick), (r * 1.25, r * 0.3, thick * 0.8), (r * 1.2, r * 0.9, thick * 0.8), (r * 0.8, r * 1.3, thick * 0.8)],
        thick * 0.8,
    )
    return standing(
        [
            Part(
                joined([*loops, end]),
                Material("wicker", (1.0, 0.9, 0.7), repeat=12.0) if random.random() < 0.6 else bright(random),
            )
        ]
    )


def flashlight(random: np.random.Generator) -> list[Part]:
    """Lying or on its face: a tube, a wider head, a switch."""
    length, r, paint = random.uniform(0.15, 0.24), random.uniform(0.014, 0.02), plastic(random)
    bodies = [
        rod((0, 0, 0), (0, length * 0.7, 0), r),
        rod((0, 0, 0), (0, -length * 0.12, 0), r, r * 1.7),
        rod((0, -length * 0.12, 0), (0, -length * 0.3, 0), r * 1.7),
    ] + [ring((0, length * k, 0), r, 0.003, True) for k in (0.3, 0.36, 0.42, 0.48, 0.54)]
    parts = [
        Part(joined(bodies), paint),
        Part(rod((0, -length * 0.3, 0), (0, -length * 0.302, 0), r * 1.5), Material("", (1.0, 0.95, 0.8), 1.0)),
        Part(box((0, length * 0.12, r), (0.012, 0.03, 0.006)), bright(random)),
    ]
    return standing(turned(parts, yaw_matrix(60)))


def shovel(random: np.random.Generator) -> list[Part]:
    """Leaning as if against a wall: a blade, a shaft, a T or D handle."""
    length = random.uniform(0.95, 1.25)
    blade = soft((0, 0, 0.14), (0.22, 0.03, 0.30), 0.6)
    grip = (
        [rod((-0.07, 0, length), (0.07, 0, length), 0.016)]
        if random.random() < 0.5
        else [
            tube(
                [
                    (0, 0, length - 0.1),
                    (-0.06, 0, length - 0.04),
                    (-0.06, 0, length),
                    (0.06, 0, length),
                    (0.06, 0, length - 0.04),
                    (0, 0, length - 0.1),
                ],
                0.013,
            )
        ]
    )
    parts = [
        Part(blade, metal(random)),
        Part(rod((0, 0, 0.26), (0, 0, length), 0.016), wood(random)),
        Part(joined(grip), wood(random) if random.random() < 0.5 else BLACK),
    ]
    return standing(turned(parts, tilt_matrix(-12)))


def ladder(random: np.random.Generator) -> list[Part]:
    """A stepladder, open, with treads and a platform."""
    height, steps, width = random.uniform(0.9, 1.7), int(random.integers(3, 7)), random.uniform(0.4, 0.5)
    rails = [
        capsule((s * (width / 2 + 0.05), -height * 0.28, 0.015), (s * width / 2 * 0.8, 0, height), 0.018) for s in (-1, 1)
    ] + [capsule((s * (width / 2 + 0.05), height * 0.28, 0.015), (s * width / 2 * 0.8, 0.02, height), 0.016) for s in (-1, 1)]
    treads = [
        box((0, -height * 0.28 * (1 - k), height * k), (width * (1.1 - 0.25 * k), 0.08, 0.025))
        for k in np.linspace(0.15, 0.85, steps)
    ] + [box((0, 0.0, height), (width * 0.85, 0.2, 0.03))]
    bars = [
        rod((-width * 0.5, height * 0.28 * (1 - k), height * k), (width * 0.5, height * 0.28 * (1 - k), height * k), 0.01)
        for k in (0.25, 0.6)
    ]
    return standing(
        [
            Part(joined([*rails, *bars]), STEEL if random.random() < 0.6 else wood(random)),
            Part(joined(treads), bright(random) if random.random() < 0.5 else STEEL),
        ]
    )


KINDS = {
    "hammer": Kind(hammer, "top"),
    "screwdriver": Kind(screwdriver, "top"),
    "power drill": Kind(power_drill, "top"),
    "saw": Kind(saw, "top"),
    "rope": Kind(rope, "top"),
    "flashlight": Kind(flashlight, "top"),
    "shovel": Kind(shovel, "floor"),
    "ladder": Kind(ladder, "middle"),
}
