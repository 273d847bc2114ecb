"""What belongs to a building or hangs on its walls. Fronts face -y; unless it says otherwise a thing's back is on y = 0 and its
lower edge on z = 0: hang it by setting z."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    joined,
    rectangle,
    revolved,
    sphere,
    surface,
    tube,
    unit,
)

Colour = tuple[float, float, float]
SIDES = (-1, 1)
STEEL = Material("brushed", (0.6, 0.6, 0.6))


def door(width: float = 0.86, height: float = 2.03, colour: Colour = (0.80, 0.78, 0.72), wood: str = "") -> list[Part]:
    """A closed door of two panels in its frame, handle on the right."""
    leaf = [box((0, -0.02, height / 2), (width, 0.04, height - 0.01))]
    leaf += [
        box((0, -0.044, (low + high) / 2), (width - 0.26, 0.012, high - low), 0.005, 0.15)
        for low, high in ((0.14, 0.88), (1.14, height - 0.14))
    ]
    frame = [box((side * (width / 2 + 0.04), -0.03, height / 2), (0.08, 0.06, height)) for side in SIDES]
    frame.append(box((0, -0.03, height + 0.04), (width + 0.16, 0.06, 0.08)))
    x, z = width / 2 - 0.07, 1.02
    handle = [
        box((x, -0.043, z - 0.04), (0.045, 0.006, 0.22)),
        capsule((x, -0.04, z), (x, -0.09, z), 0.010),
        capsule((x, -0.09, z), (x - 0.12, -0.09, z), 0.010),
    ]
    darker = (colour[0] * 0.85, colour[1] * 0.85, colour[2] * 0.85)
    return [
        Part(joined(leaf), Material(wood, colour, repeat=0.8)),
        Part(joined(frame), Material(wood, darker, repeat=0.8)),
        Part(joined(handle), STEEL),
    ]


def curtain(
    width: float = 0.6, height: float = 2.1, folds: int = 5, colour: Colour = (0.50, 0.22, 0.20), fabric: str = "linen"
) -> list[Part]:
    """A drawn curtain in folds on a rod; its hem at z = 0."""
    x, z = np.linspace(-width / 2, width / 2, folds * 10 + 1), np.linspace(0, height, int(height / 0.15) + 2)
    phase = 2 * np.pi * folds * x / width
    depth = 0.04 * np.cos(phase)
    slope = -0.04 * np.sin(phase) * 2 * np.pi * folds / width
    points = np.stack(np.broadcast_arrays(x[:, None], (-0.06 + depth)[:, None], z[None]), -1)
    normals = np.broadcast_to(unit(np.stack([slope, -np.ones_like(x), np.zeros_like(x)], 1))[:, None], points.shape)
    along = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(depth)))]
    uv = np.stack(np.broadcast_arrays(along[:, None], z[None]), -1)
    behind = surface(points + np.array([0, 0.003, 0]), -normals, uv)
    rod = joined(
        [
            capsule((-width / 2 - 0.06, -0.06, height + 0.015), (width / 2 + 0.06, -0.06, height + 0.015), 0.012),
            *(box((side * (width / 2 + 0.03), -0.03, height + 0.015), (0.02, 0.06, 0.02)) for side in SIDES),
        ]
    )
    return [Part(joined([surface(points, normals, uv), behind]), Material(fabric, colour, repeat=2.0)), Part(rod, STEEL)]


def radiator(width: float = 1.0, height: float = 0.55, colour: Colour = (0.80, 0.80, 0.78)) -> list[Part]:
    """A ribbed radiator with a valve and pipes into the floor; it stands on z = 0, its ribs 12 cm above."""
    low, count = 0.12, max(2, int(width / 0.07))
    ribs = [
        box((x, -0.09, low + height / 2), (0.05, 0.10, height), 0.02)
        for x in np.linspace(-width / 2 + 0.025, width / 2 - 0.025, count)
    ]
    ribs += [
        capsule((-width / 2 + 0.02, -0.09, z), (width / 2 - 0.02, -0.09, z), 0.02) for z in (low + 0.05, low + height - 0.05)
    ]
    pipes = [
        capsule((side * (width / 2 + 0.03), -0.09, 0.01), (side * (width / 2 + 0.03), -0.09, low + 0.05), 0.010) for side in SIDES
    ]
    ribs += [box((x, -0.02, low + height * 0.8), (0.03, 0.04, 0.03)) for x in (-width / 3, width / 3)]
    knob = capsule((width / 2 + 0.01, -0.09, low + 0.05), (width / 2 + 0.08, -0.09, low + 0.05), 0.022)
    return [Part(joined([*ribs, *pipes]), Material("", colour)), Part(knob, Material("", (0.9, 0.9, 0.9)))]


def mirror(width: float = 0.6, height: float = 1.0, frame: str = "oak") -> list[Part]:
    """A framed mirror. It shows a soft reflection of the room as a picture, and depth sensors see through it."""
    glass = rectangle((-width / 2, -0.015, 0.04), (width, 0, 0), (0, 0, height), 0.1, stretched=True)
    bars = [box((0, -0.0125, z), (width + 0.08, 0.025, 0.04), 0.006) for z in (0.02, height + 0.06)]
    bars += [box((side * (width / 2 + 0.02), -0.0125, height / 2 + 0.04), (0.04, 0.025, height), 0.006) for side in SIDES]
    return [Part(glass, Material("reflection", glass=True)), Part(joined(bars), Material(frame, repeat=2.0))]


def whiteboard(width: float = 1.6, height: float = 1.0, drawing: int = 0) -> list[Part]:
    """A whiteboard with writing on it, an aluminium frame, and a tray with pens."""
    return _board(width, height, Material(f"whiteboard:{drawing}"), STEEL, tray=True)


def notice_board(width: float = 0.9, height: float = 0.6, notes: int = 0) -> list[Part]:
    """A cork board with notes pinned to it."""
    return _board(width, height, Material(f"notices:{notes}"), Material("pine", repeat=2.0), tray=False)


def _board(width: float, height: float, face: Material, rim: Material, tray: bool) -> list[Part]:
    front = rectangle((-width / 2, -0.018, 0.02), (width, 0, 0), (0, 0, height), 0.1, stretched=True)
    bars = [box((0, -0.0125, z), (width + 0.04, 0.025, 0.02)) for z in (0.01, height + 0.03)]
    bars += [box((side * (width / 2 + 0.01), -0.0125, height / 2 + 0.02), (0.02, 0.025, height)) for side in SIDES]
    parts = [Part(front, face)]
    if tray:
        bars.append(box((0, -0.05, 0.005), (width * 0.5, 0.08, 0.01)))
        for i, colour in enumerate(((0.6, 0.05, 0.05), (0.05, 0.1, 0.5), (0.03, 0.03, 0.03))):
            x = (i - 1) * 0.17
            parts.append(Part(capsule((x - 0.06, -0.05, 0.019), (x + 0.06, -0.05, 0.019), 0.009), Material("", colour)))
    return [*parts, Part(joined(bars), rim)]


def wall_shelf(width: float = 0.8, depth: float = 0.22, wood: str = "oak") -> list[Part]:
    """A board on two brackets; its top 20 cm above z = 0."""
    board = box((0, -depth / 2, 0.187), (width, depth, 0.026), 0.004, 0.1)
    brackets = [box((side * width * 0.36, -0.01, 0.085), (0.025, 0.02, 0.17)) for side in SIDES]
    brackets += [box((side * width * 0.36, -depth * 0.4, 0.168), (0.025, depth * 0.8, 0.012)) for side in SIDES]
    return [Part(board, Material(wood, repeat=0.8)), Part(joined(brackets), Material("", (0.08, 0.08, 0.08)))]


def coat_hooks(width: float = 0.7, wood: str = "walnut") -> list[Part]:
    """A board with four hooks."""
    board = box((0, -0.011, 0.05), (width, 0.022, 0.10), 0.004)
    hooks: list[Triangles] = []
    for x in np.linspace(-width * 0.4, width * 0.4, 4):
        hooks += [tube([(x, -0.02, 0.07), (x, -0.07, 0.065), (x, -0.085, 0.09)], 0.006), sphere((x, -0.085, 0.093), 0.011, 12)]
    return [Part(board, Material(wood, (1.4, 1.4, 1.4), repeat=0.8)), Part(joined(hooks), STEEL)]


def coat(colour: Colour = (0.10, 0.12, 0.20), height: float = 1.0) -> list[Part]:
    """A coat that hangs from a hook by its collar; its hem on z = 0."""
    outline = [
        (0, 0.02),
        (0.23, 0.0),
        (0.24, 0.02),
        (0.20, 0.45),
        (0.185, 0.62),
        (0.19, 0.82),
        (0.15, 0.92),
        (0.06, 0.965),
        (0.055, 1.0),
        (0, 1.0),
    ]
    flat = (1.0, 0.34, 1.0)
    body = revolved([(r, z * height) for r, z in outline], 28, 0.06).transformed(scale=flat, translation=(0, -0.10, 0))
    sleeves = [capsule((side * 0.175, -0.11, height * 0.86), (side * 0.245, -0.13, height * 0.32), 0.062, 0.05) for side in SIDES]
    buttons = [sphere((0.03, -0.185 + 0.008 * abs(i - 2), height * (0.28 + 0.13 * i)), 0.012, 10) for i in range(4)]
    seam = box((0.0, -0.176, height * 0.42), (0.006, 0.012, height * 0.75))
    return [
        Part(joined([body, *sleeves]), Material("denim", (colour[0] * 6, colour[1] * 5, colour[2] * 4), repeat=3.0)),
        Part(joined([*buttons, seam]), Material("", (0.03, 0.03, 0.03))),
    ]


def fire_extinguisher(height: float = 0.5) -> list[Part]:
    """A red cylinder with a hose and a label; it stands on z = 0, 18 cm thick around the origin."""
    h = height
    body = revolved(
        [(0, 0), (0.075, 0), (0.08, 0.02), (0.08, h * 0.68), (0.06, h * 0.78), (0.025, h * 0.83), (0, h * 0.83)], 32, 0.03
    )
    label = revolved([(0.0808, h * 0.30), (0.0808, h * 0.55)], 32)
    black = [
        cylinder((0, 0, h * 0.83), 0.024, 0.04),
        capsule((0, -0.09, h * 0.92), (0, 0.05, h * 0.93), 0.012),
        capsule((0, -0.09, h * 0.99), (0, 0.04, h * 0.95), 0.010),
        tube([(0.02, 0, h * 0.86), (0.09, 0, h * 0.84), (0.105, 0, h * 0.6), (0.10, 0, h * 0.2)], 0.011),
    ]
    return [
        Part(body, Material("", (0.62, 0.03, 0.03))),
        Part(label, Material("newspaper", repeat=3.0)),
        Part(joined(black), Material("", (0.03, 0.03, 0.03))),
    ]


def pendant_lamp(cable: float = 0.7, radius: float = 0.2, glow: float = 1.2, colour: Colour = (0.85, 0.80, 0.68)) -> list[Part]:
    """A dome on a cable of `cable` metres that ends at the ceiling; the dome's rim on z = 0, centred on the origin."""
    r = radius
    dome = [(r, 0), (r * 0.92, r * 0.35), (r * 0.6, r * 0.75), (r * 0.18, r * 0.95), (0, r * 0.97)]
    inside = [(x - 0.004, z) for x, z in dome[:-1]][::-1]
    shade = revolved([(0, r * 0.93), *inside, *dome], 36, 0.04)
    wire = capsule((0, 0, r * 0.95), (0, 0, r * 0.95 + cable - 0.006), 0.006)
    rose = cylinder((0, 0, r * 0.95 + cable - 0.03), 0.05, 0.03)
    return [
        Part(shade, Material("", colour, glow)),
        Part(sphere((0, 0, r * 0.5), 0.045, 16), Material("", (1.0, 0.9, 0.7), 2.0)),
        Part(joined([wire, rose]), Material("", (0.05, 0.05, 0.05))),
    ]


def towel(width: float = 0.40, height: float = 0.55, cloth: str = "checked", colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A towel hung over a hook: folds that open downwards; its top at z = height, where a peg holds it."""
    x, z = np.linspace(-0.5, 0.5, 41), np.linspace(0, 1, 14)
    spread = 0.35 + 0.65 * (1 - z) ** 0.7
    depth = -0.045 + 0.022 * np.sin(2 * np.pi * 3 * x)[:, None] * np.ones_like(z)[None]
    points = np.stack([x[:, None] * width * spread[None], depth, np.broadcast_to(z * height, (41, 14))], -1)
    slope = 0.022 * 6 * np.pi * np.cos(2 * np.pi * 3 * x) / width
    normals = np.broadcast_to(unit(np.stack([slope, -np.ones_like(x), np.zeros_like(x)], 1))[:, None], points.shape)
    uv = np.stack(np.broadcast_arrays((x * width)[:, None], (z * height)[None]), -1)
    sheet = joined([surface(points, normals, uv), surface(points + np.array([0, 0.004, 0]), -normals, uv)])
    peg = joined([capsule((0, -0.01, height), (0, -0.06, height), 0.010), sphere((0, -0.065, height), 0.016, 12)])
    return [Part(sheet, Material(cloth, colour, repeat=2.5)), Part(peg, STEEL)]
