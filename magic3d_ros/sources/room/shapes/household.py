"""Procedural lamps, plants, vessels and decoration. Sizes are those of ordinary things; fronts face -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import (
    Triangles,
    blade,
    box,
    capsule,
    cylinder,
    joined,
    rectangle,
    revolved,
    sphere,
    tilt_matrix,
    tube,
)

Colour = tuple[float, float, float]


def floor_lamp(height: float = 1.6, glow: float = 1.3, colour: Colour = (0.95, 0.82, 0.60)) -> list[Part]:
    """A pleated shade, lit from inside, on a thin pole."""
    foot = revolved([(0, 0), (0.15, 0), (0.15, 0.02), (0.03, 0.035), (0.014, 0.06), (0.014, height - 0.30), (0, height - 0.30)])
    return [Part(foot, Material("brushed", (0.30, 0.27, 0.22))), _shade(height - 0.36, 0.36, 0.24, 0.15, glow, colour)]


def table_lamp(glow: float = 1.3, colour: Colour = (0.95, 0.85, 0.66), base: Colour = (0.16, 0.30, 0.38)) -> list[Part]:
    """A shade on a vase-shaped ceramic base."""
    foot = revolved([(0, 0), (0.07, 0), (0.075, 0.012), (0.05, 0.03), (0.09, 0.09), (0.098, 0.14), (0.07, 0.20), (0.025, 0.25),
                     (0.012, 0.27), (0.012, 0.34), (0, 0.34)], rows=0.03)
    return [Part(foot, Material("", base)), _shade(0.30, 0.22, 0.17, 0.10, glow, colour)]


def _shade(bottom: float, height: float, low: float, high: float, glow: float, colour: Colour) -> Part:
    """A truncated cone, outside and inside."""
    profile = [(low, bottom), (high, bottom + height), (high - 0.004, bottom + height), (low - 0.004, bottom), (low, bottom)]
    return Part(revolved(profile, 40, 0.05), Material("linen", colour, glow, repeat=3.0))


def potted_plant(height: float = 1.2, leaves: int = 34, seed: int = 1) -> list[Part]:
    """Long arching leaves out of a clay pot."""
    random = np.random.default_rng(seed)
    pot_height, radius = 0.26 + 0.06 * height, 0.14 + 0.03 * height
    pot = revolved([(0, 0), (radius * 0.68, 0), (radius * 0.92, pot_height - 0.05), (radius, pot_height - 0.05),
                    (radius, pot_height), (radius - 0.02, pot_height), (radius - 0.03, pot_height - 0.03),
                    (0, pot_height - 0.03)], 32, 0.06)
    soil = cylinder((0, 0, pot_height - 0.035), radius - 0.03, 0.01)
    crown = height - pot_height
    stems, foliage = [], []
    for i in range(leaves):
        heading = float(i * 137.5 + random.uniform(-20, 20))  # the golden angle, at which plants set their leaves
        share = i / max(1, leaves - 1)
        foot_height = pot_height - 0.03 + crown * 0.45 * share
        length = crown * float(random.uniform(0.46, 0.62)) * (1.0 - 0.25 * share)
        rise = float(48 + 34 * share + random.uniform(-8, 8))
        foot = (0.02 * np.cos(np.radians(heading)), 0.02 * np.sin(np.radians(heading)), foot_height)
        width, droop = float(random.uniform(0.10, 0.14)) * (0.6 + 0.4 * height), float(random.uniform(55, 85))
        foliage.append(blade(foot, heading, length, width, rise, droop))
    stems.append(capsule((0, 0, pot_height - 0.04), (0, 0, pot_height + crown * 0.48), 0.022, 0.012))
    return [Part(pot, Material("terracotta", repeat=2.0)), Part(soil, Material("soil", repeat=4.0)),
            Part(joined(foliage), Material("leaf")), Part(joined(stems), Material("", (0.12, 0.16, 0.05)))]


def mug(colour: Colour = (0.75, 0.10, 0.08), inside: Colour = (0.85, 0.84, 0.80), coffee: int = 1) -> list[Part]:
    """A mug with a handle on its +x side, 9 cm high."""
    outside = revolved([(0, 0), (0.036, 0), (0.040, 0.006), (0.041, 0.092), (0.0395, 0.095)], 32, 0.02)
    inner = revolved([(0.0395, 0.095), (0.037, 0.092), (0.036, 0.010), (0, 0.010)], 32, 0.02)
    handle = tube([(0.038 + 0.030 * np.sin(a), 0, 0.050 + 0.028 * np.cos(a)) for a in np.linspace(0.15, np.pi - 0.15, 9)], 0.0055)
    parts = [Part(joined([outside, handle]), Material("", colour)), Part(inner, Material("", inside))]
    if coffee:
        parts.append(Part(cylinder((0, 0, 0.072), 0.0365, 0.004), Material("", (0.05, 0.025, 0.012))))
    return parts


def bowl(radius: float = 0.11, colour: Colour = (0.12, 0.28, 0.50)) -> list[Part]:
    """A round bowl on a foot ring, light inside."""
    r = radius
    curve = [(r * (0.42 + 0.58 * np.sin(a)), r * (0.05 + 0.60 * (1 - np.cos(a)))) for a in np.linspace(0.0, np.pi / 2, 9)]
    inner = [(x - 0.006, z + 0.006) for x, z in curve[:-1]][::-1]
    outside = revolved([(0, 0), (r * 0.40, 0), (r * 0.42, r * 0.05), *curve[1:]], 36, 0.02)
    inside = revolved([curve[-1], *inner, (0, curve[0][1] + 0.006)], 36, 0.02)
    return [Part(outside, Material("", colour)), Part(inside, Material("", (0.80, 0.79, 0.74)))]


def fruit_bowl(fruit: int = 6, seed: int = 0) -> list[Part]:
    """A bowl of oranges."""
    random = np.random.default_rng(seed)
    parts = bowl(0.14, (0.45, 0.42, 0.38))
    places = [(0.068 * np.cos(a), 0.068 * np.sin(a), 0.075) for a in np.linspace(0, 2 * np.pi, max(1, fruit - 1), endpoint=False)]
    balls = [sphere(place, float(random.uniform(0.036, 0.040)), 24) for place in places] + [sphere((0, 0, 0.120), 0.039, 24)]
    return [*parts, Part(joined(balls), Material("orange"))]


def vase(height: float = 0.32, colour: Colour = (0.10, 0.22, 0.42)) -> list[Part]:
    """A bellied vase with a narrow neck."""
    h = height
    outline = [(0, 0), (0.22, 0), (0.24, 0.02), (0.34, 0.25), (0.36, 0.42), (0.30, 0.60), (0.15, 0.78), (0.12, 0.86), (0.17, 1.0),
               (0.15, 1.0), (0.10, 0.86), (0.0, 0.80)]
    return [Part(revolved([(x * h, z * h) for x, z in outline], 36, 0.02), Material("", colour))]


def teapot(colour: Colour = (0.78, 0.76, 0.70)) -> list[Part]:
    """Belly, lid with a knob, spout towards +x, handle towards -x; 16 cm high."""
    belly = revolved([(0, 0), (0.055, 0), (0.060, 0.008), (0.085, 0.045), (0.088, 0.07), (0.070, 0.105), (0.048, 0.118),
                      (0.045, 0.124), (0.030, 0.134), (0.010, 0.138), (0.009, 0.144), (0.014, 0.152), (0.010, 0.160),
                      (0, 0.162)], 36, 0.015)
    spout = joined([capsule((0.070, 0, 0.050), (0.112, 0, 0.085), 0.022, 0.014),
                    capsule((0.112, 0, 0.085), (0.142, 0, 0.122), 0.014, 0.010)])
    handle = tube([(-0.070 - 0.052 * np.sin(a), 0, 0.070 + 0.042 * np.cos(a)) for a in np.linspace(0, np.pi, 10)], 0.008)
    return [Part(joined([belly, spout, handle]), Material("", colour))]


def bottle(height: float = 0.31, colour: Colour = (0.02, 0.06, 0.03)) -> list[Part]:
    """A wine bottle with a paper label and a capsule over the cork."""
    h = height
    body = revolved([(0, 0), (0.037, 0), (0.038, 0.01), (0.038, h * 0.58), (0.030, h * 0.68), (0.015, h * 0.76),
                     (0.014, h * 0.80)], 28, 0.02)
    top = revolved([(0.0145, h * 0.80), (0.0145, h - 0.012), (0.016, h - 0.012), (0.016, h), (0, h)], 28, 0.02)
    label = revolved([(0.0385, h * 0.22), (0.0385, h * 0.48)], 28, 0.02)
    return [Part(body, Material("", colour)), Part(top, Material("", (0.30, 0.03, 0.04))),
            Part(label, Material("newspaper", (0.95, 0.88, 0.7), repeat=4.0))]


def wicker_basket(radius: float = 0.17, height: float = 0.34) -> list[Part]:
    """A woven waste basket, open at the top."""
    profile = [(0, 0), (radius * 0.78, 0), (radius, height), (radius - 0.015, height), (radius * 0.78 - 0.012, 0.012), (0, 0.012)]
    return [Part(revolved(profile, 36, 0.04), Material("wicker", repeat=2.0))]


def pedal_bin(radius: float = 0.15, height: float = 0.62, colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A steel pedal bin with a black rim and a domed lid."""
    body = revolved([(0, 0), (radius, 0), (radius, height * 0.84), (0, height * 0.84)], 36, 0.08)
    rims = [revolved([(radius, z), (radius + 0.006, z), (radius + 0.006, z + 0.03), (radius, z + 0.03)], 36)
            for z in (0.0, height * 0.82)]
    dome = revolved([(radius * np.cos(a), height * (0.87 + 0.13 * np.sin(a))) for a in np.linspace(0, np.pi / 2, 8)], 36)
    pedal = box((0, -radius - 0.03, 0.02), (0.08, 0.07, 0.015), 0.004)
    return [Part(joined([body, dome]), Material("brushed", colour, repeat=2.0)),
            Part(joined([*rims, pedal]), Material("", (0.05, 0.05, 0.05)))]


def painting(width: float = 0.9, height: float = 0.65, picture: int = 0, frame: str = "walnut") -> list[Part]:
    """A framed landscape, its back on y = 0 and its lower edge on z = 0: hang it by setting z."""
    image = rectangle((-width / 2, -0.02, 0), (width, 0, 0), (0, 0, height), 0.1, stretched=True)
    rim = 0.045
    bars = [box((0, -0.02, z), (width + 2 * rim, 0.04, rim), 0.008) for z in (-rim / 2, height + rim / 2)]
    bars += [box((side * (width / 2 + rim / 2), -0.02, height / 2), (rim, 0.04, height), 0.008) for side in (-1, 1)]
    return [Part(image, Material(f"painting:{picture}")), Part(joined(bars), Material(frame, repeat=2.0))]


def wall_clock(radius: float = 0.17) -> list[Part]:
    """A round clock, its back on y = 0, its middle on z = 0."""
    rim = revolved([(radius, 0), (radius + 0.022, 0), (radius + 0.022, 0.03), (radius + 0.012, 0.045), (radius, 0.03)], 48)
    face = revolved([(radius, 0.025), (0, 0.025)], 48, 0.05)
    # the print runs once over the square around the face: seen from the front, +x is right and, after the tilt, +y is up
    uv = 0.5 + face.positions[:, :2] * np.array([1, -1], np.float32) / (2 * radius * 1.08)
    upright = tilt_matrix(90)
    return [Part(Triangles(face.positions, face.normals, uv).transformed(upright), Material("clock")),
            Part(rim.transformed(upright), Material("", (0.04, 0.04, 0.05)))]


def rug(width: float = 2.0, depth: float = 1.4) -> list[Part]:
    """A woven rug, 1 cm thick."""
    pile = rectangle((-width / 2, -depth / 2, 0.010), (width, 0, 0), (0, depth, 0), 0.08, stretched=True)
    fringe = box((0, 0, 0.0045), (width + 0.08, depth, 0.009))
    return [Part(pile, Material("rug")), Part(fringe, Material("linen", (0.9, 0.85, 0.7), repeat=3.0))]


def ball(radius: float = 0.11, colour: Colour = (1.0, 1.0, 1.0)) -> list[Part]:
    """A football with dark pentagons."""
    return [Part(sphere((0, 0, radius), radius, 36), Material("football", colour))]


def magazine(seed: int = 0) -> list[Part]:
    """A magazine lying flat, its cover up."""
    page = rectangle((-0.105, -0.14, 0.006), (0.21, 0, 0), (0, 0.28, 0), 0.1, stretched=True)
    sheets = box((0, 0, 0.0028), (0.21, 0.28, 0.0056))
    return [Part(page, Material(f"newspaper:{seed}")), Part(sheets, Material("", (0.75, 0.74, 0.7)))]
