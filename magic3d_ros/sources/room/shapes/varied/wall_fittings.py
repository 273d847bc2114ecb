"""Fittings of buildings on walls and ceilings; what hangs on walls has its back on y = 0."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    from_above,
    front,
    grey,
    hanging,
    metal,
    plastic,
    ring,
    rod,
    soft,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.pictures_and_boards import bars_around, plate
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, revolved, sphere, tilt_matrix, tube


def exit_sign(random: np.random.Generator) -> list[Part]:
    """A lit green plate with a running figure, a door and an arrow."""
    width = random.uniform(0.26, 0.42)
    h = width * 0.45
    s = h / 0.18
    marks = [
        sphere((-0.03 * s, 0, 0.05 * s), 0.014 * s, 12),
        capsule((-0.035 * s, 0, 0.03 * s), (-0.045 * s, 0, -0.012 * s), 0.012 * s),
        capsule((-0.045 * s, 0, -0.012 * s), (-0.015 * s, 0, -0.055 * s), 0.008 * s),
        capsule((-0.045 * s, 0, -0.012 * s), (-0.085 * s, 0, -0.045 * s), 0.008 * s),
        capsule((-0.035 * s, 0, 0.028 * s), (0.005 * s, 0, 0.005 * s), 0.006 * s),
        capsule((-0.035 * s, 0, 0.028 * s), (-0.075 * s, 0, 0.0), 0.006 * s),
        box((0.045 * s, 0, 0), (0.06 * s, 0.004, 0.13 * s)),
        box((0.13 * s, 0, 0), (0.07 * s, 0.004, 0.016 * s)),
        *[capsule((0.165 * s, 0, 0), (0.14 * s, 0, k * 0.028 * s), 0.008 * s) for k in (-1, 1)],
    ]
    flat = [m.transformed(scale=(1, 0.15, 1), translation=(0, -0.0415, 0)) for m in marks]
    return hanging(
        [
            Part(box((0, -0.02, 0), (width, 0.04, h), 0.004), WHITE),
            Part(box((0, -0.0405, 0), (width - 0.014, 0.001, h - 0.014)), Material("", (0.0, 0.42, 0.16), 0.7)),
            Part(joined(flat), Material("", (0.9, 0.95, 0.9), 0.7)),
        ]
    )


def light_switch(random: np.random.Generator) -> list[Part]:
    """One to three rockers in a frame."""
    count, case = int(random.integers(1, 4)), WHITE if random.random() < 0.75 else grey(random)
    rockers = [
        box((0, 0, 0), (0.05, 0.006, 0.05), 0.002).transformed(
            tilt_matrix(float(random.choice([-7, 7]))), (0, -0.012, 0.071 * (i - (count - 1) / 2))
        )
        for i in range(count)
    ]
    return hanging(
        [
            Part(box((0, -0.005, 0), (0.082, 0.01, 0.011 + 0.071 * count), 0.004), case),
            Part(joined(rockers), case if random.random() < 0.6 else grey(random, 0.5)),
        ]
    )


def wall_socket(random: np.random.Generator) -> list[Part]:
    """One to three round wells with two holes each in a frame, a plug in some."""
    count, case = int(random.integers(1, 4)), WHITE if random.random() < 0.8 else grey(random)
    wells, holes, plugs = [], [], []
    for i in range(count):
        x = 0.071 * (i - (count - 1) / 2)
        wells.append(ring((x, -0.011, 0), 0.021, 0.006, True, 24))
        holes += [rod((x + s * 0.009, -0.0112, 0), (x + s * 0.009, -0.0102, 0), 0.0035, segments=10) for s in (-1, 1)]
        if random.random() < 0.3:
            plugs += [
                soft((x, -0.032, 0), (0.036, 0.045, 0.036), 0.7),
                tube([(x, -0.05, 0), (x, -0.065, -0.03), (x, -0.05, -0.12)], 0.004),
            ]
    parts = [
        Part(joined([box((0, -0.005, 0), (0.011 + 0.071 * count, 0.01, 0.082), 0.004), *wells]), case),
        Part(joined(holes), BLACK),
    ]
    return hanging([*parts, Part(joined(plugs), plastic(random))] if plugs else parts)


def thermostat(random: np.random.Generator) -> list[Part]:
    """A round or square box with a number on its display and a ring or keys."""
    size, digits = random.uniform(0.085, 0.13), Material("buttons:2")
    if random.random() < 0.5:
        return hanging(
            [
                Part(rod((0, 0, 0), (0, -0.025, 0), size / 2, segments=36), metal(random)),
                Part(rod((0, -0.025, 0), (0, -0.0265, 0), size * 0.42, segments=36), BLACK),
                Part(
                    joined(
                        [ring((0, -0.027, 0), size * 0.3, 0.004, True), box((0, -0.027, 0), (size * 0.2, 0.001, size * 0.12))]
                    ),
                    Material("", (1.0, 0.5, 0.15), 1.0),
                ),
            ]
        )
    return hanging(
        [
            Part(box((0, -0.0125, 0), (size * 1.2, 0.025, size), 0.006), WHITE),
            Part(front((0, -0.0255, size * 0.1), size * 0.9, size * 0.5), digits),
        ]
    )


def electrical_panel(random: np.random.Generator) -> list[Part]:
    """A steel door with a lock and a warning sign, or open with rows of breakers."""
    width, height, case = random.uniform(0.3, 0.5), random.uniform(0.4, 0.7), grey(random, 0.3)
    parts = [Part(box((0, -0.06, 0), (width, 0.12, height), 0.004), case)]
    if random.random() < 0.5:
        sign = Triangles(*_triangle_sign(0.07))
        return hanging(
            [
                *parts,
                Part(box((0, -0.123, 0), (width * 0.94, 0.008, height * 0.95)), case),
                Part(sign.transformed(translation=(0, -0.1285, height * 0.15)), Material("", (0.85, 0.62, 0.02))),
                Part(
                    joined(
                        [
                            box((0, -0.1295, height * 0.15 - 0.005), (0.008, 0.001, 0.05)),
                            rod((width * 0.38, -0.125, 0), (width * 0.38, -0.14, 0), 0.014),
                        ]
                    ),
                    BLACK,
                ),
            ]
        )
    rows = [box((0, -0.121, height * z), (width * 0.86, 0.006, 0.09)) for z in (-0.25, 0.05, 0.33)]
    breakers = [
        box((width * x, -0.128, height * z), (0.014, 0.01, 0.05))
        for x in np.linspace(-0.38, 0.38, 12)
        for z in (-0.25, 0.05, 0.33)
    ]
    return hanging([*parts, Part(joined(rows), WHITE), Part(joined(breakers), BLACK)])


def _triangle_sign(size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corners = np.array([[-size, 0, -size * 0.8], [size, 0, -size * 0.8], [0, 0, size]], np.float32)
    return corners, np.tile(np.array([0, -1, 0], np.float32), (3, 1)), corners[:, ::2].copy()


def air_vent(random: np.random.Generator) -> list[Part]:
    """Slats in a frame before a dark duct."""
    width, height, paint = (
        random.uniform(0.25, 0.7),
        random.uniform(0.15, 0.35),
        WHITE if random.random() < 0.6 else metal(random),
    )
    slats = [
        box((0, 0, 0), (width, 0.022, 0.003)).transformed(tilt_matrix(40), (0, -0.014, z))
        for z in np.linspace(-0.45, 0.45, max(4, int(height / 0.025))) * height
    ]
    return hanging(
        [
            Part(plate(width, height, 0.004), Material("", (0.01, 0.01, 0.01))),
            Part(joined([bars_around(width, height, 0.02), *slats]), paint),
        ]
    )


def mailbox(random: np.random.Generator) -> list[Part]:
    """One box with a flap and a name, or a block of them."""
    rows, columns, paint = (
        (1, 1, plastic(random))
        if random.random() < 0.5
        else (int(random.integers(2, 4)), int(random.integers(2, 4)), metal(random))
    )
    width, height, boxes, dark = 0.34, 0.30 if rows > 1 else 0.42, [], []
    labels = []
    for i in range(rows):
        for j in range(columns):
            x, z = (j - (columns - 1) / 2) * width, (i - (rows - 1) / 2) * height
            boxes += [
                box((x, -0.06, z), (width - 0.008, 0.12, height - 0.008), 0.004),
                box((x, -0.125, z + height * 0.32), (width * 0.8, 0.012, height * 0.16), 0.004),
            ]
            dark += [
                box((x, -0.121, z + height * 0.22), (width * 0.76, 0.003, 0.012)),
                rod((x + width * 0.35, -0.12, z - height * 0.1), (x + width * 0.35, -0.127, z - height * 0.1), 0.009),
            ]
            labels.append(box((x, -0.1215, z), (width * 0.3, 0.003, 0.03)))
    return hanging([Part(joined(boxes), paint), Part(joined(dark), BLACK), Part(joined(labels), WHITE)])


def air_conditioner(random: np.random.Generator) -> list[Part]:
    """A long white box with an open flap and slots."""
    width, height = random.uniform(0.75, 1.0), random.uniform(0.26, 0.32)
    flap = box((0, 0, 0), (width * 0.9, 0.09, 0.008)).transformed(tilt_matrix(25), (0, -0.19, -height * 0.42))
    dark = [
        box((0, -0.17, -height * 0.46), (width * 0.9, 0.09, 0.03)),
        box((0, -0.1, height / 2 + 0.001), (width * 0.85, 0.012, 0.003)),
    ]
    return hanging(
        [
            Part(joined([box((0, -0.105, 0), (width, 0.21, height), 0.03), flap]), Material("", (0.8, 0.8, 0.78))),
            Part(joined(dark), Material("", (0.04, 0.04, 0.045))),
            Part(box((width * 0.38, -0.211, -height * 0.25), (0.05, 0.002, 0.015)), Material("", (0.2, 0.9, 0.4), 1.0)),
        ]
    )


def fire_extinguisher(random: np.random.Generator) -> list[Part]:
    """A red cylinder with a lever, a hose with a horn, a label."""
    r, h = random.uniform(0.055, 0.08), random.uniform(0.34, 0.48)
    body = revolved(
        [(0, 0), (r * 0.95, 0), (r, 0.02), (r, h * 0.8), (r * 0.75, h * 0.92), (r * 0.25, h * 0.98), (r * 0.25, h), (0, h)], 32
    ).transformed(translation=(0, -r - 0.02, 0))
    y = -r - 0.02
    dark = [
        capsule((0, y, h), (0, y - 0.09, h + 0.05), 0.009),
        capsule((0, y, h), (0, y - 0.10, h + 0.012), 0.008),
        cylinder((0, y, h - 0.01), 0.02, 0.05),
        rod((r * 1.05, y - 0.02, h * 0.35), (r * 1.05, y - 0.02, h * 0.1), 0.012, 0.026),
        tube(
            [(0.02, y, h + 0.01), (r * 0.9, y - 0.01, h * 0.95), (r * 1.1, y - 0.02, h * 0.6), (r * 1.05, y - 0.02, h * 0.35)],
            0.009,
        ),
    ]
    label = revolved([(r + 0.001, h * 0.3), (r + 0.001, h * 0.62)], 32).transformed(translation=(0, y, 0))
    return hanging(
        [
            Part(body, Material("", (0.55, 0.02, 0.02))),
            Part(joined(dark), BLACK),
            Part(label, Material("newspaper", (0.9, 0.85, 0.75), repeat=5.0)),
            Part(box((0, -0.01, h * 0.7), (0.05, 0.02, 0.1)), STEEL),
        ]
    )


def smoke_detector(random: np.random.Generator) -> list[Part]:
    """A white disc with slots and a red light."""
    r = random.uniform(0.05, 0.065)
    return from_above(
        [
            Part(
                revolved(
                    [(0, -0.045), (r * 0.5, -0.045), (r * 0.75, -0.035), (r * 0.8, -0.022), (r, -0.015), (r, 0), (0, 0)], 36, 0.02
                ),
                WHITE,
            ),
            Part(joined([ring((0, 0, -0.030), r * 0.77, 0.006)]), Material("", (0.1, 0.1, 0.1))),
            Part(sphere((r * 0.3, 0, -0.044), 0.005, 10), Material("", (1.0, 0.05, 0.03), 1.5)),
        ]
    )


KINDS = {
    "emergency exit sign": Kind(exit_sign, "wall", low=(1.8, 2.0)),
    "light switch": Kind(light_switch, "wall", low=(1.0, 1.2)),
    "wall socket": Kind(wall_socket, "wall", low=(0.2, 1.1)),
    "thermostat": Kind(thermostat, "wall", low=(1.3, 1.5)),
    "electrical panel": Kind(electrical_panel, "wall", low=(0.9, 1.3)),
    "air vent": Kind(air_vent, "wall", low=(0.2, 1.9)),
    "mailbox": Kind(mailbox, "wall", low=(0.8, 1.2)),
    "air conditioner": Kind(air_conditioner, "wall", low=(1.8, 2.0)),
    "fire extinguisher": Kind(fire_extinguisher, "wall", low=(0.1, 0.9)),
    "smoke detector": Kind(smoke_detector, "ceiling"),
}
