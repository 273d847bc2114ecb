"""What people own and leave about: bags, shoes, cushions, toys. Sizes are those of ordinary things; fronts face -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    dome,
    joined,
    revolved,
    sphere,
    surface,
    tilt_matrix,
    tube,
    yaw_matrix,
)

Colour = tuple[float, float, float]
SIDES = (-1, 1)
BLACK = Material("", (0.035, 0.035, 0.04))


def backpack(colour: Colour = (0.10, 0.25, 0.45)) -> list[Part]:
    """A school backpack, upright: a front pocket with a zip, a loop on top, straps behind."""
    body = box((0, 0.02, 0.22), (0.31, 0.19, 0.44), 0.085)
    pocket = box((0, -0.085, 0.145), (0.25, 0.09, 0.22), 0.042)
    zips = [
        tube([(-0.115, -0.115, 0.20), (-0.09, -0.125, 0.235), (0.09, -0.125, 0.235), (0.115, -0.115, 0.20)], 0.005, 8),
        tube([(-0.14, -0.05, 0.30), (-0.10, -0.06, 0.385), (0.10, -0.06, 0.385), (0.14, -0.05, 0.30)], 0.005, 8),
    ]
    loop = tube([(-0.035, 0.06, 0.43), (-0.025, 0.06, 0.475), (0.025, 0.06, 0.475), (0.035, 0.06, 0.43)], 0.009)
    straps = [
        tube(
            [(side * 0.08, 0.105, 0.40), (side * 0.10, 0.15, 0.30), (side * 0.11, 0.14, 0.14), (side * 0.10, 0.105, 0.05)], 0.018
        )
        for side in SIDES
    ]
    return [Part(joined([body, pocket]), Material("canvas", colour, repeat=2.0)), Part(joined([*zips, loop, *straps]), BLACK)]


def suitcase(width: float = 0.42, height: float = 0.62, colour: Colour = (0.45, 0.06, 0.08)) -> list[Part]:
    """A ribbed case on wheels with its handle out."""
    shell = [box((0, 0, height / 2 + 0.03), (width, 0.23, height - 0.06), 0.045)]
    shell += [
        box((x, -0.112, height / 2 + 0.03), (0.022, 0.016, height - 0.18), 0.007)
        for x in np.linspace(-width * 0.36, width * 0.36, 6)
    ]
    dark = [sphere((x, y, 0.03), 0.03, 14) for x in (-width * 0.4, width * 0.4) for y in (-0.07, 0.07)]
    dark += [
        tube(
            [
                (-0.09, 0.09, height - 0.03),
                (-0.09, 0.09, height + 0.30),
                (0.09, 0.09, height + 0.30),
                (0.09, 0.09, height - 0.03),
            ],
            0.010,
        ),
        box((0, 0, height / 2 + 0.03), (width + 0.004, 0.012, height - 0.055), 0.005),
    ]
    return [Part(joined(shell), Material("", colour)), Part(joined(dark), BLACK)]


def shoes(colour: Colour = (0.35, 0.16, 0.06), sole: Colour = (0.70, 0.68, 0.62)) -> list[Part]:
    """A pair of laced shoes side by side, toes to the front; 27 cm long."""
    uppers, soles, holes, laces = [], [], [], []
    for side in SIDES:
        x = side * 0.062
        soles.append(box((x, 0, 0.013), (0.082, 0.266, 0.026), 0.012))
        uppers.append(dome((x, -0.045, 0.024), (0.040, 0.088, 0.058)))
        uppers.append(
            revolved([(0, 0), (0.042, 0.0), (0.044, 0.03), (0.038, 0.075), (0.034, 0.085), (0, 0.08)], 24, 0.02).transformed(
                scale=(1.0, 1.75, 1.0), translation=(x, 0.055, 0.022)
            )
        )
        holes.append(cylinder((0, 0, 0), 0.030, 0.002).transformed(scale=(1.0, 1.7, 1.0), translation=(x, 0.058, 0.105)))
        laces += [
            capsule((x - 0.02, y, z), (x + 0.02, y, z), 0.004, segments=8)
            for y, z in ((-0.05, 0.083), (-0.03, 0.087), (-0.012, 0.092))
        ]
    return [
        Part(joined(uppers), Material("leather", (colour[0] * 2, colour[1] * 2, colour[2] * 2), repeat=3.0)),
        Part(joined(soles), Material("", sole)),
        Part(joined(holes), BLACK),
        Part(joined(laces), Material("", (0.8, 0.78, 0.72))),
    ]


def slippers(colour: Colour = (0.60, 0.45, 0.50)) -> list[Part]:
    """A pair of open slippers side by side, toes to the front."""
    soft, soles = [], []
    for side in SIDES:
        x = side * 0.065
        soles.append(box((x, 0, 0.011), (0.09, 0.26, 0.022), 0.010))
        arch = dome((x, -0.05, 0.020), (0.046, 0.078, 0.052), 20)
        soft.append(arch)
    return [
        Part(joined(soft), Material("linen", colour, repeat=4.0)),
        Part(joined(soles), Material("canvas", (0.55, 0.5, 0.45), repeat=4.0)),
    ]


def cushion(size: float = 0.42, colour: Colour = (0.75, 0.50, 0.12), fabric: str = "linen") -> list[Part]:
    """A square cushion lying flat, thick in its middle."""
    n = 17
    grid = np.linspace(-1, 1, n)
    x, y = np.meshgrid(grid, grid, indexing="ij")
    bulge = ((1 - x**4) * (1 - y**4)) ** 0.5
    half = size / 2
    sheets = []
    for sign in (1, -1):
        points = np.stack([x * half * (1 - 0.06 * y**2), y * half * (1 - 0.06 * x**2), 0.07 + sign * (0.004 + 0.064 * bulge)], -1)
        along, across = np.gradient(points, axis=0), np.gradient(points, axis=1)
        normals = np.cross(along, across) * sign
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        sheets.append(surface(points, normals, np.stack([x * half, y * half], -1)))
    return [Part(joined(sheets), Material(fabric, colour, repeat=3.0))]


def hat(colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A straw hat with a ribbon."""
    crown = revolved([(0, 0), (0.17, 0), (0.17, 0.006), (0.095, 0.012), (0.088, 0.09), (0.06, 0.115), (0, 0.12)], 36, 0.03)
    ribbon = revolved([(0.0965, 0.014), (0.0945, 0.042)], 36)
    return [Part(crown, Material("wicker", colour, repeat=4.0)), Part(ribbon, Material("", (0.05, 0.08, 0.20)))]


def alarm_clock(colour: Colour = (0.55, 0.05, 0.05)) -> list[Part]:
    """A round alarm clock with two bells and a hammer, on two feet; 16 cm high."""
    upright = tilt_matrix(90)
    case = revolved([(0, -0.025), (0.055, -0.025), (0.06, -0.015), (0.06, 0.02), (0.056, 0.026), (0.052, 0.02)], 36).transformed(
        upright, (0, 0, 0.075)
    )
    face = revolved([(0.052, 0.018), (0, 0.018)], 36, 0.02)
    uv = 0.5 + face.positions[:, :2] * np.array([1, -1], np.float32) / (2 * 0.052 * 1.08)
    dial = Triangles(face.positions, face.normals, uv).transformed(upright, (0, 0, 0.075))
    metal: list[Triangles] = [capsule((side * 0.035, 0, 0.028), (side * 0.05, 0, 0.006), 0.006) for side in SIDES]
    metal += [
        revolved([(0.028, 0), (0.022, 0.014), (0, 0.02)], 20).transformed(tilted(side * 35), (side * 0.038, 0, 0.125))
        for side in SIDES
    ]
    metal += [capsule((0, 0, 0.13), (0, 0, 0.15), 0.004), sphere((0, 0, 0.152), 0.008, 12)]
    return [
        Part(case, Material("", colour)),
        Part(dial, Material("clock:2")),
        Part(joined(metal), Material("brushed", (0.8, 0.7, 0.4))),
    ]


def tilted(degrees: float) -> np.ndarray:
    """(3, 3) rotation about y: positive tilts the top (+z) towards +x."""
    return yaw_matrix(90) @ tilt_matrix(degrees) @ yaw_matrix(-90)


def teddy_bear(colour: Colour = (0.42, 0.24, 0.10)) -> list[Part]:
    """A sitting teddy bear; 34 cm high."""
    fur = [
        sphere((0, 0, 0), 1.0, 24).transformed(scale=(0.085, 0.075, 0.10), translation=(0, 0, 0.10)),
        sphere((0, -0.01, 0.245), 0.078, 24),
    ]
    fur += [sphere((side * 0.062, 0.0, 0.310), 0.028, 16) for side in SIDES]
    fur += [capsule((side * 0.075, -0.01, 0.16), (side * 0.125, -0.075, 0.09), 0.033, 0.030) for side in SIDES]
    fur += [capsule((side * 0.055, -0.03, 0.042), (side * 0.085, -0.15, 0.045), 0.042, 0.040) for side in SIDES]
    light = [sphere((0, -0.075, 0.228), 0.034, 16), *(sphere((side * 0.086, -0.180, 0.048), 0.026, 14) for side in SIDES)]
    dark = [sphere((0, -0.108, 0.240), 0.011, 10), *(sphere((side * 0.028, -0.076, 0.268), 0.009, 10) for side in SIDES)]
    return [
        Part(joined(fur), Material("linen", (colour[0] * 1.3, colour[1] * 1.3, colour[2] * 1.3), repeat=6.0)),
        Part(joined(light), Material("linen", (0.75, 0.58, 0.38), repeat=6.0)),
        Part(joined(dark), BLACK),
    ]


def towels(count: int = 3) -> list[Part]:
    """Folded towels in a stack."""
    colours = ((0.75, 0.75, 0.72), (0.20, 0.40, 0.45), (0.70, 0.45, 0.40))
    return [
        Part(
            box((0.004 * (i % 2), 0, 0.03 + 0.058 * i), (0.34, 0.24, 0.056), 0.026),
            Material("canvas", colours[i % len(colours)], repeat=3.0),
        )
        for i in range(max(1, count))
    ]


def laundry_basket(radius: float = 0.22, height: float = 0.52) -> list[Part]:
    """A tall wicker basket with clothes showing at its rim."""
    r, h = radius, height
    shell = revolved(
        [(0, 0), (r * 0.85, 0), (r, h), (r + 0.012, h + 0.008), (r - 0.02, h), (r * 0.95, h - 0.06), (0, h - 0.06)], 36, 0.05
    )
    clothes = [
        (sphere((0, 0, 0), 1.0, 18).transformed(scale=(0.13, 0.11, 0.07), translation=(x, y, h - 0.02)), colour)
        for x, y, colour in (
            (-0.06, 0.03, (0.65, 0.65, 0.68)),
            (0.08, 0.05, (0.12, 0.20, 0.42)),
            (0.02, -0.08, (0.55, 0.12, 0.12)),
        )
    ]
    return [
        Part(shell, Material("wicker", repeat=2.0)),
        *(Part(body, Material("linen", colour, repeat=4.0)) for body, colour in clothes),
    ]


def tissue_box(colour: Colour = (0.20, 0.45, 0.60)) -> list[Part]:
    """A box of tissues, one of them standing out."""
    case = box((0, 0, 0.045), (0.23, 0.12, 0.09), 0.004)
    slot = box((0, 0, 0.0903), (0.12, 0.03, 0.001))
    sheet = revolved([(0.012, 0), (0.035, 0.035), (0.055, 0.075), (0.053, 0.076), (0.032, 0.037), (0.0, 0.012)], 12, 0.02)
    return [
        Part(case, Material("checked", (colour[0] * 2, colour[1] * 2, colour[2] * 2), repeat=4.0)),
        Part(slot, BLACK),
        Part(sheet.transformed(scale=(1.0, 0.45, 1.0), translation=(0, 0, 0.085)), Material("", (0.85, 0.85, 0.85))),
    ]


def jewellery_box() -> list[Part]:
    """A small wooden chest with a brass lock."""
    body = [box((0, 0, 0.045), (0.20, 0.14, 0.09), 0.004), box((0, 0, 0.1075), (0.21, 0.15, 0.03), 0.012)]
    brass = [
        box((0, -0.0725, 0.088), (0.022, 0.008, 0.03), 0.002),
        *(box((side * 0.095, -0.068, 0.045), (0.012, 0.008, 0.085)) for side in SIDES),
    ]
    return [
        Part(joined(body), Material("walnut", (1.2, 1.0, 1.0), repeat=2.0)),
        Part(joined(brass), Material("brushed", (0.8, 0.6, 0.2))),
    ]


def hair_dryer(colour: Colour = (0.45, 0.10, 0.35)) -> list[Part]:
    """A hair dryer lying on its side, its nozzle towards +x."""
    barrel = capsule((-0.05, 0, 0.045), (0.07, 0, 0.045), 0.044, 0.034)
    handle = capsule((-0.035, -0.03, 0.035), (-0.055, -0.155, 0.022), 0.021, 0.019)
    nozzle = capsule((0.08, 0, 0.045), (0.125, 0, 0.045), 0.030, 0.024)
    ring = capsule((-0.085, 0, 0.045), (-0.093, 0, 0.045), 0.036)
    cord = tube(
        [(-0.055, -0.16, 0.012), (-0.03, -0.19, 0.006), (0.04, -0.18, 0.006), (0.07, -0.14, 0.006), (0.03, -0.12, 0.006)],
        0.004,
        8,
    )
    return [Part(joined([barrel, handle]), Material("", colour)), Part(joined([nozzle, ring, cord]), BLACK)]


def guitar(wood: str = "pine") -> list[Part]:
    """An acoustic guitar standing in a low stand, leaning back; 1.05 m high."""
    upright, lean = tilt_matrix(90), tilt_matrix(-10)
    outline = [(0.19, 0.20), (0.135, 0.42)]
    discs = [revolved([(0, 0), (r, 0), (r, 0.09), (0, 0.09)], 36, 0.06).transformed(upright, (0, 0.045, z)) for r, z in outline]
    waist = box((0, 0, 0.32), (0.22, 0.09, 0.16))
    hole = revolved([(0.05, 0), (0, 0)], 28).transformed(upright, (0, -0.0462, 0.36))
    neck = [box((0, -0.03, 0.70), (0.055, 0.028, 0.36)), box((0, -0.015, 0.94), (0.075, 0.018, 0.16))]
    dark = [hole, box((0, -0.05, 0.17), (0.14, 0.012, 0.025)), box((0, -0.0475, 0.66), (0.048, 0.008, 0.42))]
    dark += [
        capsule((side * 0.04, -0.012, z), (side * 0.062, -0.012, z), 0.008, segments=8)
        for side in SIDES
        for z in (0.89, 0.93, 0.97)
    ]
    raised = (0, 0.0, 0.04)
    stand = [capsule((side * 0.16, -0.12, 0.012), (side * 0.10, 0.16, 0.30), 0.011) for side in SIDES]
    stand += [
        capsule((0, 0.28, 0.012), (0, 0.14, 0.34), 0.011),
        capsule((-0.10, 0.16, 0.30), (0.10, 0.16, 0.30), 0.011),
        capsule((-0.15, -0.09, 0.035), (0.15, -0.09, 0.035), 0.011),
    ]
    return [
        Part(joined([*discs, waist]).transformed(lean, raised), Material(wood, (0.95, 0.75, 0.50), repeat=2.0)),
        Part(joined(neck).transformed(lean, raised), Material("walnut", repeat=2.0)),
        Part(joined([*(d.transformed(lean, raised) for d in dark), *stand]), BLACK),
    ]
