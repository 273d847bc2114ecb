"""Kitchen furniture and appliances under, in and over a worktop. Sizes are those of ordinary kitchens; fronts face -y."""

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
    tilt_matrix,
    tube,
)

Colour = tuple[float, float, float]
SIDES = (-1, 1)
BLACK = Material("", (0.03, 0.03, 0.03))
STEEL = Material("brushed", (0.75, 0.75, 0.76))


def cupboard(
    width: float = 0.6,
    depth: float = 0.58,
    height: float = 0.86,
    doors: int = 1,
    drawer: int = 1,
    recess: float = 0.0,
    colour: Colour = (0.72, 0.74, 0.70),
    wood: str = "",
) -> list[Part]:
    """A base unit for a worktop: doors, a row of drawers above them if `drawer`, a plinth.

    recess: metres that the inside stays below the top, so that a basin fits in.
    """
    floor, top = 0.10, height - recess
    case = [box((0, 0.01, (floor + top) / 2), (width - 0.004, depth - 0.02, top - floor))]
    if recess:
        case += [box((side * (width / 2 - 0.011), 0.01, top + recess / 2), (0.018, depth - 0.02, recess)) for side in SIDES]
    split = height - 0.18 if drawer else height - 0.01
    fronts, handles = _fronts(width, -depth / 2, floor + 0.01, split, doors)
    if drawer:
        more, bars = _fronts(width, -depth / 2, split, height - 0.01, doors)
        fronts, handles = fronts + more, handles + bars
    plinth = box((0, 0.03, floor / 2), (width - 0.004, depth - 0.08, floor))
    return [
        Part(joined(fronts), Material(wood, colour, repeat=0.8)),
        Part(joined(case), Material(wood, (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8), repeat=0.8)),
        Part(joined(handles), STEEL),
        Part(plinth, Material("", (0.10, 0.10, 0.10))),
    ]


def wall_cupboard(
    width: float = 0.8,
    depth: float = 0.34,
    height: float = 0.68,
    doors: int = 2,
    colour: Colour = (0.72, 0.74, 0.70),
    wood: str = "",
) -> list[Part]:
    """A cupboard that hangs: its back on y = 0, its bottom on z = 0."""
    case = box((0, -depth / 2 + 0.01, height / 2), (width - 0.004, depth - 0.02, height))
    fronts, handles = _fronts(width, -depth, 0.003, height - 0.003, doors, low_handle=True)
    return [
        Part(joined(fronts), Material(wood, colour, repeat=0.8)),
        Part(case, Material(wood, (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8), repeat=0.8)),
        Part(joined(handles), STEEL),
    ]


def _fronts(
    width: float, y: float, low: float, high: float, doors: int, low_handle: bool = False
) -> tuple[list[Triangles], list[Triangles]]:
    step, fronts, handles = width / doors, [], []
    for i in range(doors):
        x, z = -width / 2 + step * (i + 0.5), (low + 0.04 if low_handle else high - 0.045)
        fronts.append(box((x, y + 0.009, (low + high) / 2), (step - 0.008, 0.02, high - low - 0.006), 0.003, 0.12))
        handles.append(capsule((x - 0.06, y - 0.028, z), (x + 0.06, y - 0.028, z), 0.006, segments=10))
        handles += [capsule((x + side * 0.05, y, z), (x + side * 0.05, y - 0.028, z), 0.005, segments=8) for side in SIDES]
    return fronts, handles


def worktop(
    width: float = 2.0,
    depth: float = 0.62,
    basin: float = 0.0,
    left: float = 0.0,
    basin_depth: float = 0.40,
    texture: str = "marble",
    colour: Colour = (0.55, 0.55, 0.56),
) -> list[Part]:
    """A counter's slab, 4 cm thick. basin: width of the hole in it, its middle `left` metres from the left end; 0 = none."""
    thick = 0.04
    if not basin:
        return [Part(box((0, 0, thick / 2), (width, depth, thick), 0.004, 0.08), Material(texture, colour, repeat=0.8))]
    first, second = -width / 2 + left - basin / 2, -width / 2 + left + basin / 2
    slabs = [
        box(((a + b) / 2, 0, thick / 2), (b - a, depth, thick), 0.0, 0.08)
        for a, b in ((-width / 2, first), (second, width / 2))
        if b - a > 0.01
    ]
    strip = (depth - basin_depth) / 2
    slabs += [
        box(((first + second) / 2, side * (depth - strip) / 2, thick / 2), (basin, strip, thick), 0.0, 0.08) for side in SIDES
    ]
    return [Part(joined(slabs), Material(texture, colour, repeat=0.8))]


def sink(width: float = 0.52, depth: float = 0.40, basin: float = 0.17) -> list[Part]:
    """A steel basin with a tap, let into a worktop: its rim on z = 0, its bottom `basin` metres below."""
    w, d = width / 2, depth / 2
    walls = [rectangle((-w, -d, -basin), (width, 0, 0), (0, depth, 0), 0.05)]
    walls += [
        rectangle((-w, d, -basin), (width, 0, 0), (0, 0, basin), 0.05),
        rectangle((w, -d, -basin), (-width, 0, 0), (0, 0, basin), 0.05),
        rectangle((w, d, -basin), (0, -depth, 0), (0, 0, basin), 0.05),
        rectangle((-w, -d, -basin), (0, depth, 0), (0, 0, basin), 0.05),
    ]
    rim = [box((0, side * (d + 0.012), 0.003), (width + 0.05, 0.026, 0.006)) for side in SIDES]
    rim += [box((side * (w + 0.012), 0, 0.003), (0.026, depth, 0.006)) for side in SIDES]
    drain = revolved([(0.035, 0.001), (0.030, 0.004), (0, 0.002)], 20).transformed(translation=(0, 0, -basin))
    y = d + 0.045
    arc = [(0, y - 0.09 + 0.09 * np.cos(a), 0.24 + 0.09 * np.sin(a)) for a in np.linspace(0, np.pi * 0.95, 9)]
    tap = [
        cylinder((0, y, 0), 0.024, 0.05),
        tube([(0, y, 0.03), (0, y, 0.24), *arc[1:], (0, y - 0.18, 0.20)], 0.012),
        capsule((0.02, y, 0.045), (0.085, y, 0.07), 0.008),
    ]
    return [
        Part(joined([*walls, *rim]), Material("brushed", (0.62, 0.63, 0.64), repeat=3.0)),
        Part(joined(tap), Material("brushed", (0.95, 0.95, 0.97))),
        Part(drain, Material("", (0.08, 0.08, 0.08))),
    ]


def cooker(width: float = 0.6, depth: float = 0.60, height: float = 0.90, colour: Colour = (0.85, 0.85, 0.86)) -> list[Part]:
    """An oven with a window and knobs under a black hob with four rings."""
    front = -depth / 2
    case = box((0, 0.01, (height + 0.02) / 2), (width - 0.006, depth - 0.04, height - 0.06))
    panel = box((0, front + 0.015, height - 0.09), (width - 0.006, 0.03, 0.11), 0.004)
    leaf = box((0, front + 0.015, 0.485), (width - 0.012, 0.03, 0.60), 0.006, 0.1)
    drawer = box((0, front + 0.015, 0.11), (width - 0.012, 0.03, 0.13), 0.004)
    plinth = box((0, 0.03, 0.025), (width - 0.02, depth - 0.10, 0.05))
    window = box((0, front - 0.002, 0.47), (width - 0.17, 0.006, 0.34), 0.002)
    top = box((0, 0, height - 0.02), (width, depth, 0.035), 0.004)
    handle = [capsule((-width * 0.4, front - 0.045, 0.73), (width * 0.4, front - 0.045, 0.73), 0.011)]
    handle += [capsule((side * width * 0.37, front, 0.73), (side * width * 0.37, front - 0.045, 0.73), 0.008) for side in SIDES]
    knobs = [
        capsule((x, front + 0.01, height - 0.09), (x, front - 0.022, height - 0.09), 0.018)
        for x in np.linspace(-width * 0.4, width * 0.4, 6)
    ]
    rings = [
        _ring((x, y, height - 0.0015), r)
        for x, y, r in ((-0.14, -0.13, 0.09), (0.14, -0.13, 0.075), (-0.14, 0.13, 0.075), (0.14, 0.13, 0.09))
    ]
    return [
        Part(joined([case, panel, leaf, drawer]), Material("brushed", colour)),
        Part(joined([window, top, plinth, *knobs]), BLACK),
        Part(joined(rings), Material("", (0.28, 0.26, 0.25))),
        Part(joined(handle), STEEL),
    ]


def _ring(center: tuple[float, float, float], radius: float) -> Triangles:
    return revolved([(radius, 0), (radius, 0.001), (radius - 0.012, 0.001), (radius - 0.012, 0)], 32).transformed(
        translation=center
    )


def extractor_hood(width: float = 0.6, depth: float = 0.46, chimney: float = 0.6) -> list[Part]:
    """A steel hood with a chimney; its back on y = 0, its lower face on z = 0."""
    pieces = [
        box((0, -depth / 2, 0.03), (width, depth, 0.06), 0.004, 0.1),
        box((0, -0.16, 0.085), (width * 0.7, 0.32, 0.05), 0.01),
        box((0, -0.13, 0.10 + chimney / 2), (0.26, 0.26, chimney)),
    ]
    grid = box((0, -depth / 2, -0.001), (width - 0.06, depth - 0.06, 0.004))
    return [Part(joined(pieces), STEEL), Part(grid, Material("", (0.15, 0.15, 0.15)))]


def washing_machine(size: float = 0.6, height: float = 0.85, colour: Colour = (0.82, 0.82, 0.82)) -> list[Part]:
    """A front loader: a round glass door, a drawer and a dial."""
    front = -size / 2
    case = box((0, 0, height / 2 + 0.01), (size, size, height - 0.02), 0.01, 0.1)
    upright = tilt_matrix(90)
    ring = revolved([(0.13, 0), (0.20, 0), (0.205, 0.02), (0.17, 0.045), (0.13, 0.03)], 40).transformed(upright, (0, front, 0.42))
    glass = revolved([(0.135, 0.03), (0.08, 0.045), (0, 0.05)], 36).transformed(upright, (0, front, 0.42))
    panel = box((0, front - 0.002, height - 0.075), (size - 0.02, 0.012, 0.10), 0.003)
    dial = capsule((0.02, front, height - 0.075), (0.02, front - 0.03, height - 0.075), 0.030)
    drawer = box((-size * 0.32, front - 0.008, height - 0.075), (0.16, 0.012, 0.075), 0.003)
    display = box((size * 0.27, front - 0.008, height - 0.075), (0.14, 0.008, 0.05))
    kick = box((0, front - 0.001, 0.05), (size - 0.03, 0.006, 0.06))
    foot = box((0, 0.02, 0.015), (size - 0.06, size - 0.08, 0.03))
    return [
        Part(joined([case, drawer]), Material("", colour)),
        Part(joined([glass, display, foot]), Material("", (0.04, 0.05, 0.06))),
        Part(joined([ring, dial]), STEEL),
        Part(joined([panel, kick]), Material("", (colour[0] * 0.85, colour[1] * 0.85, colour[2] * 0.87))),
    ]
