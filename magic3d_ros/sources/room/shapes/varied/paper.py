"""Paper: sheets, books, binders, calendars. Sheets are A4 and A5."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    cloth,
    front,
    grey,
    lying,
    metal,
    plastic,
    ring,
    rod,
    standing,
    turned,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, joined, rectangle, tilt_matrix, yaw_matrix


def _sheet(random: np.random.Generator) -> Material:
    return Material(f"document:{int(random.integers(12))}")


def paper(random: np.random.Generator) -> list[Part]:
    """Printed sheets, a few of them, not quite on top of each other."""
    parts = []
    for i in range(int(random.integers(1, 6))):
        turn = yaw_matrix(random.uniform(-14, 14))
        parts.append(Part(box((0, 0, 0.002 + 0.002 * i), (0.21, 0.297, 0.0018)).transformed(turn), WHITE))
        parts.append(Part(lying((0, 0, 0.0031 + 0.002 * i), 0.21, 0.297).transformed(turn), _sheet(random)))
    return standing(parts)


def leaflet(random: np.random.Generator) -> list[Part]:
    """A folded print standing like a tent, or a fan of them lying."""
    print_on = Material(f"package:{int(random.integers(40))}")
    width, height = random.uniform(0.10, 0.15), random.uniform(0.2, 0.22)
    if random.random() < 0.5:
        parts = []
        for angle, x in ((28, -width * 0.44), (-28, width * 0.44)):
            page = [
                Part(box((0, 0, height / 2), (width, 0.002, height)), WHITE),
                Part(front((0, -0.0015, height / 2), width, height), print_on),
            ]
            parts += turned(page, yaw_matrix(angle), (x, 0, 0))
        return standing(parts)
    fan = [box((0.03 * i, 0.0, 0.003 + 0.003 * i), (width, height, 0.002)).transformed(yaw_matrix(-9 * i)) for i in range(3)]
    top = lying((0.06, 0.0, 0.0105), width, height).transformed(yaw_matrix(-18))
    return standing([Part(joined(fan), WHITE), Part(top, print_on)])


def notebook(random: np.random.Generator) -> list[Part]:
    """Spiral bound or with an elastic strap, a pen on some."""
    width, depth, height, cover = (
        random.uniform(0.14, 0.21),
        random.uniform(0.2, 0.29),
        random.uniform(0.01, 0.02),
        plastic(random),
    )
    parts = [
        Part(box((0, 0, height / 2), (width - 0.006, depth - 0.006, height - 0.003)), WHITE),
        Part(joined([box((0, 0, z), (width, depth, 0.002)) for z in (0.001, height)]), cover),
    ]
    if random.random() < 0.5:
        coils = [
            ring((-width / 2, y, height / 2 + 0.001), height * 0.7, 0.0025, True, 12)
            for y in np.linspace(-depth * 0.44, depth * 0.44, 20)
        ]
        parts.append(Part(joined(coils), STEEL))
    else:
        parts.append(Part(box((width * 0.38, 0, height + 0.0015), (0.007, depth, 0.002)), BLACK))
    if random.random() < 0.5:
        parts.append(Part(capsule((-0.03, -0.07, height + 0.006), (0.04, 0.06, height + 0.006), 0.0045), bright(random)))
    return standing(parts)


def ring_binder(random: np.random.Generator) -> list[Part]:
    """Upright, a label and a finger hole on its spine: one to four side by side."""
    parts, x = [], 0.0
    for _ in range(int(random.integers(1, 5))):
        width, cover = float(random.choice([0.05, 0.08])), plastic(random)
        middle = x + width / 2
        covers = [box((middle + s * (width / 2 - 0.002), 0, 0.16), (0.004, 0.285, 0.32)) for s in (-1, 1)]
        covers.append(box((middle, -0.1405, 0.16), (width, 0.004, 0.32)))
        parts += [
            Part(joined(covers), cover),
            Part(box((middle, 0.0, 0.15), (width * 0.6, 0.27, 0.29)), WHITE),
            Part(front((middle, -0.143, 0.20), width * 0.7, 0.14), _sheet(random)),
            Part(rod((middle, -0.1432, 0.06), (middle, -0.142, 0.06), 0.014), BLACK),
        ]
        x += width + 0.003
    return standing(parts)


def document_tray(random: np.random.Generator) -> list[Part]:
    """Two to four trays above each other, papers in some."""
    frame, count, parts = plastic(random) if random.random() < 0.6 else metal(random), int(random.integers(2, 5)), []
    bodies = []
    for i in range(count):
        z = 0.065 * i
        bodies += [box((0, 0, z + 0.003), (0.255, 0.33, 0.005)), box((0, 0.163, z + 0.025), (0.255, 0.004, 0.045))]
        bodies += [box((s * 0.126, 0.0, z + 0.022), (0.004, 0.33, 0.04)) for s in (-1, 1)]
        if random.random() < 0.75:
            parts += [
                Part(box((0, -0.005, z + 0.012), (0.21, 0.297, 0.014)), WHITE),
                Part(lying((0, -0.005, z + 0.0195), 0.21, 0.297), _sheet(random)),
            ]
    posts = [box((i * 0.122, j * 0.15, 0.0325 * count), (0.008, 0.008, 0.065 * count)) for i in (-1, 1) for j in (-1, 1)]
    return standing([Part(joined(bodies + posts), frame), *parts])


def envelope(random: np.random.Generator) -> list[Part]:
    """A letter with its flap, a stamp and lines of an address."""
    width, depth = random.uniform(0.2, 0.26), random.uniform(0.11, 0.17)
    body = WHITE if random.random() < 0.5 else Material("plaster", (0.62, 0.44, 0.26))
    if random.random() < 0.5:
        flap = [capsule((s * width / 2, depth / 2, 0.0045), (0, -0.01, 0.0045), 0.0012, segments=6) for s in (-1, 1)]
        return standing([Part(box((0, 0, 0.002), (width, depth, 0.004)), body), Part(joined(flap), grey(random, 0.2, 0.4))])
    lines = [box((0.02, -0.012 * i, 0.0045), (width * 0.4, 0.003, 0.001)) for i in range(4)]
    return standing(
        [
            Part(box((0, 0, 0.002), (width, depth, 0.004)), body),
            Part(joined(lines), BLACK),
            Part(lying((width * 0.39, depth * 0.33, 0.0043), 0.026, 0.032), Material("painting:2")),
        ]
    )


def calendar(random: np.random.Generator) -> list[Part]:
    """A desk calendar: a tent of card with a grid of days under a picture and rings along its top."""
    width, height = random.uniform(0.2, 0.26), random.uniform(0.15, 0.2)
    sheet = [
        Part(box((0, 0, 0), (width, 0.003, height)), WHITE),
        Part(front((0, -0.002, height * 0.25), width - 0.02, height * 0.42), Material(f"painting:{int(random.integers(6))}")),
    ]
    days = [
        box((width * (i - 3) * 0.125, -0.0022, -height * (0.08 + 0.085 * j)), (0.012, 0.001, 0.007))
        for i in range(7)
        for j in range(5)
    ]
    rings = [ring((x, 0.01, height * 0.47), 0.009, 0.002, segments=10) for x in np.linspace(-0.4, 0.4, 12) * width]
    face = [*sheet, Part(joined(days), BLACK), Part(joined(rings), STEEL)]
    back = Part(box((0, 0, 0), (width, 0.003, height)).transformed(tilt_matrix(18), (0, 0.062, 0)), grey(random))
    return standing([*turned(face, tilt_matrix(-18)), back])


def sticky_notes(random: np.random.Generator) -> list[Part]:
    """Pads of coloured squares side by side, a line of writing on one."""
    parts = []
    for i in range(int(random.integers(2, 4))):
        hue = float(random.choice([0.15, 0.9, 0.33, 0.55]))
        turn = yaw_matrix(random.uniform(-10, 10))
        parts.append(
            Part(
                box((0.085 * i, 0, 0.008), (0.076, 0.076, 0.016)).transformed(turn),
                bright(random, (hue, hue + 0.03), (0.55, 0.8), (0.75, 0.95)),
            )
        )
    return standing(parts)


def book(random: np.random.Generator) -> list[Part]:
    """Lying, closed with a printed cover or open at the middle."""
    width, depth, height = random.uniform(0.12, 0.2), random.uniform(0.18, 0.27), random.uniform(0.015, 0.045)
    cover = bright(random) if random.random() < 0.5 else cloth(random)
    if random.random() < 0.4:
        pages = [
            rectangle(
                (s * width / 2 - width / 2, -depth / 2, height * 0.6 - (s > 0) * 0.0), (width, 0, 0), (0, depth, 0), 0.05, True
            )
            for s in (-1, 1)
        ]
        blocks = [box((s * width / 2, 0, height * 0.3), (width - 0.002, depth, height * 0.58)) for s in (-1, 1)]
        return standing(
            [
                Part(joined(blocks), WHITE),
                Part(joined(pages), Material("document:1")),
                Part(box((0, 0, 0.001), (2 * width + 0.01, depth + 0.01, 0.003)), cover),
            ]
        )
    parts = [
        Part(box((0.003, 0, height / 2), (width - 0.004, depth - 0.008, height - 0.004)), WHITE),
        Part(
            joined(
                [box((0, 0, z), (width + 0.004, depth, 0.003)) for z in (0.0015, height)]
                + [box((-width / 2, 0, height / 2), (0.004, depth, height))]
            ),
            cover,
        ),
    ]
    if random.random() < 0.7:
        parts.append(Part(lying((0, 0, height + 0.0018), width, depth), Material(f"package:{int(random.integers(40))}")))
    return standing(parts)


KINDS = {
    "paper": Kind(paper, "top"),
    "leaflet": Kind(leaflet, "top"),
    "notebook": Kind(notebook, "top"),
    "ring binder": Kind(ring_binder, "top"),
    "document tray": Kind(document_tray, "top"),
    "envelope": Kind(envelope, "top"),
    "calendar": Kind(calendar, "top"),
    "sticky notes": Kind(sticky_notes, "top"),
    "book": Kind(book, "top"),
}
