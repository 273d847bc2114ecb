"""Procedural things with a plug: refrigerator, microwave, screens. Fronts face -y."""

from __future__ import annotations

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import Triangles, box, capsule, cylinder, joined, rectangle, tilt_matrix

Colour = tuple[float, float, float]


def refrigerator(width: float = 0.70, depth: float = 0.66, height: float = 1.75, colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """Freezer above, refrigerator below, bar handles, a dark gap between the doors."""
    case = box((0, 0.03, height / 2 + 0.01), (width - 0.01, depth - 0.06, height - 0.04))
    split = height * 0.68
    doors = [box((0, -depth / 2 + 0.03, (low + high) / 2), (width, 0.06, high - low), 0.012, 0.12)
             for low, high in ((0.08, split - 0.006), (split + 0.006, height))]
    plinth = box((0, 0.02, 0.04), (width - 0.04, depth - 0.10, 0.08))
    x, front = -width / 2 + 0.06, -depth / 2 - 0.035
    handles = [capsule((x, front, low), (x, front, high), 0.012)
               for low, high in ((split - 0.50, split - 0.06), (split + 0.06, split + 0.30))]
    handles += [box((x, front + 0.018, z), (0.02, 0.036, 0.02)) for z in (split - 0.47, split - 0.09, split + 0.09, split + 0.27)]
    gap = box((0, -depth / 2 + 0.045, split), (width - 0.02, 0.05, 0.014))
    return [Part(joined([case, *doors]), Material("", (0.74 * colour[0], 0.75 * colour[1], 0.76 * colour[2]))),
            Part(joined([plinth, gap]), Material("", (0.04, 0.04, 0.04))),
            Part(joined(handles), Material("", (0.16, 0.17, 0.18)))]


def microwave(colour: Colour = (0.75, 0.75, 0.77)) -> list[Part]:
    """A door with a dark window and a bar handle on the left, a panel of buttons on the right; 48 x 36 x 28 cm."""
    case = box((0, 0.01, 0.145), (0.48, 0.34, 0.265), 0.01)
    door = box((-0.06, -0.172, 0.145), (0.355, 0.02, 0.25), 0.006)
    window = box((-0.075, -0.184, 0.145), (0.25, 0.004, 0.16), 0.001)
    panel = rectangle((0.122, -0.1835, 0.03), (0.106, 0, 0), (0, 0, 0.235), 0.1, stretched=True)
    backing = box((0.175, -0.172, 0.145), (0.115, 0.02, 0.25))
    handle = capsule((0.088, -0.205, 0.05), (0.088, -0.205, 0.24), 0.009)
    feet = [cylinder((x, y, 0), 0.015, 0.015) for x in (-0.2, 0.2) for y in (-0.12, 0.12)]
    return [Part(joined([case, door]), Material("brushed", colour)), Part(window, Material("", (0.025, 0.025, 0.03))),
            Part(panel, Material("microwave_panel")), Part(joined([backing, *feet]), Material("", (0.06, 0.06, 0.06))),
            Part(handle, Material("brushed", (0.5, 0.5, 0.5)))]


def television(width: float = 1.05, glow: float = 0.9, picture: int = 0) -> list[Part]:
    """A flat screen that shows a picture, on two feet."""
    height = width * 9 / 16
    frame = box((0, 0, height / 2 + 0.07), (width + 0.03, 0.05, height + 0.03), 0.006, 0.15)
    screen = rectangle((-width / 2, -0.0265, 0.07), (width, 0, 0), (0, 0, height), 0.15, stretched=True)
    feet = [box((side * width * 0.35, 0, z), size) for side in (-1, 1)
            for z, size in ((0.008, (0.03, 0.24, 0.016)), (0.035, (0.03, 0.03, 0.07)))]
    return [Part(joined([frame, *feet]), Material("", (0.035, 0.035, 0.04))), _lit_screen(screen, picture, glow)]


def monitor(width: float = 0.54, glow: float = 0.8, picture: int = 1) -> list[Part]:
    """A desktop monitor on a stand."""
    height = width * 0.60
    frame = box((0, 0, 0.14 + height / 2), (width + 0.02, 0.035, height + 0.02), 0.004)
    screen = rectangle((-width / 2, -0.0185, 0.14), (width, 0, 0), (0, 0, height), 0.1, stretched=True)
    stand = [box((0, 0.02, 0.01), (0.24, 0.18, 0.02), 0.006), box((0, 0.035, 0.12), (0.06, 0.02, 0.24))]
    return [Part(joined([frame, *stand]), Material("", (0.05, 0.05, 0.055))), _lit_screen(screen, picture, glow)]


def keyboard(colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A computer keyboard."""
    keys = rectangle((-0.22, -0.07, 0.022), (0.44, 0, 0), (0, 0.14, 0.006), 0.1, stretched=True)
    base = box((0, 0, 0.011), (0.45, 0.15, 0.022), 0.004)
    return [Part(base, Material("", (0.05, 0.05, 0.05))), Part(keys, Material("keyboard", colour))]


def laptop(glow: float = 0.8, picture: int = 2) -> list[Part]:
    """An open laptop, keys to the front."""
    base = box((0, 0, 0.009), (0.34, 0.24, 0.018), 0.004)
    keys = rectangle((-0.15, -0.01, 0.0185), (0.30, 0, 0), (0, 0.115, 0), 0.1, stretched=True)
    pad = box((0, -0.065, 0.0182), (0.10, 0.065, 0.001))
    opened, hinge = tilt_matrix(-14), (0.0, 0.118, 0.018)
    lid = box((0, 0, 0.11), (0.34, 0.008, 0.22), 0.003).transformed(opened, hinge)
    screen = rectangle((-0.16, -0.0045, 0.012), (0.32, 0, 0), (0, 0, 0.198), 0.1, stretched=True).transformed(opened, hinge)
    return [Part(joined([base, lid]), Material("brushed", (0.7, 0.7, 0.72))), Part(keys, Material("keyboard")),
            Part(pad, Material("", (0.35, 0.35, 0.36))), _lit_screen(screen, picture, glow)]


def _lit_screen(face: Triangles, picture: int, glow: float) -> Part:
    return Part(face, Material(f"screen:{picture}", (0.6, 0.6, 0.6), glow))
