"""Cups, glasses, bottles and pots to drink from and to pour from. Lengths in metres; handles towards +x, spouts towards -x."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import BLACK, STEEL, WHITE, bright, ceramic, vessel
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import COFFEE, GLASS, band, lining, loop, printed, shell
from magic3d_ros.sources.room.triangles import capsule, cylinder, joined, revolved, sphere, tube


def mug(random: np.random.Generator) -> list[Part]:
    """Straight, bellied or tapered, often with a band of another colour or white inside."""
    h, r = between(random, 0.085, 0.115), between(random, 0.038, 0.046)
    foot, belly = pick(random, (1.0, 1.0), (0.78, 1.08), (0.72, 0.86))
    outline = [(r * foot * 0.92, 0), (r * foot, 0.006), (r * belly, h * 0.45), (r, h)]
    colour = pick(random, bright, ceramic)(random)
    parts = [
        Part(joined([shell(outline), loop(r * 0.93, h * 0.18, h * 0.82, 0.032, 0.0055)]), colour),
        Part(lining(outline, 0.004), pick(random, colour, WHITE)),
    ]
    if random.random() < 0.5:
        parts.append(band(outline, h * 0.5, h * 0.75, bright(random)))
    return [*parts, Part(cylinder((0, 0, h * 0.76), r * 0.9, 0.002), COFFEE)] if random.random() < 0.5 else parts


def cup(random: np.random.Generator) -> list[Part]:
    """A tea cup on its saucer, an espresso cup, or a paper cup with a lid and a sleeve."""
    if random.random() < 0.35:
        h = between(random, 0.10, 0.15)
        side = [(h * 0.26, 0), (h * 0.37, h)]
        lid = revolved([(h * 0.39, h), (h * 0.39, h + 0.006), (h * 0.35, h + 0.008), (h * 0.34, h + 0.014), (0, h + 0.014)])
        return [
            Part(shell(side), plain(0.8, 0.78, 0.74)),
            band(side, h * 0.25, h * 0.72, plain(0.30, 0.17, 0.08)),
            Part(lid, pick(random, BLACK, WHITE)),
        ]
    s, colour = between(random, 0.75, 1.1), pick(random, bright, ceramic)(random)
    side = [(0.022 * s, 0.012), (0.024 * s, 0.018), (0.038 * s, 0.035 * s + 0.012), (0.044 * s, 0.062 * s + 0.012)]
    saucer = vessel([(0.034 * s, 0), (0.040 * s, 0.005), (0.072 * s, 0.016)], 0.004)
    ring = loop(0.038 * s, 0.026, 0.066 * s, 0.024 * s, 0.0035)
    return [
        Part(joined([shell(side), saucer, ring]), colour),
        Part(lining(side, 0.003), plain(0.8, 0.79, 0.76)),
        Part(cylinder((0, 0, 0.050 * s), 0.036 * s, 0.002), COFFEE),
    ]


def drinking_glass(random: np.random.Generator) -> list[Part]:
    """A tumbler, half full or empty."""
    h, r = between(random, 0.09, 0.16), between(random, 0.032, 0.042)
    side = [(r * pick(random, 0.72, 0.95), 0), (r, h)]
    drink = pick(random, plain(0.75, 0.78, 0.8), plain(0.75, 0.42, 0.06), plain(0.35, 0.10, 0.03))
    return [Part(vessel(side, 0.003), GLASS), band(side, 0.01, h * between(random, 0.4, 0.75), drink)]


def wine_glass(random: np.random.Generator) -> list[Part]:
    """A bowl on a stem: round for red wine, slim for sparkling wine."""
    h, r, share = between(random, 0.17, 0.24), *pick(random, (0.042, 0.45), (0.038, 0.5), (0.027, 0.6))
    foot = h * (1 - share)
    stem = [(0.034, 0), (0.034, 0.002), (0.006, 0.008), (0.004, foot * 0.5), (0.005, foot)]
    side = [(r * 0.6, foot + 0.012), (r, foot + share * h * 0.4), (r * 0.95, foot + share * h * 0.7), (r * 0.75, h)]
    wine = pick(random, plain(0.22, 0.01, 0.02), plain(0.7, 0.6, 0.2))
    return [Part(joined([revolved(stem), vessel(side, 0.002)]), GLASS), band(side, foot + 0.012, foot + share * h * 0.42, wine)]


def bottle(random: np.random.Generator) -> list[Part]:
    """A beer, oil, sauce or juice bottle of glass, with a label and a cap."""
    h, r, shoulder = between(random, 0.19, 0.32), between(random, 0.028, 0.04), between(random, 0.45, 0.66)
    side = [
        (r * 0.95, 0),
        (r, 0.006),
        (r, h * shoulder),
        (r * 0.75, h * (shoulder + 0.09)),
        (r * 0.38, h * (shoulder + 0.2)),
        (r * 0.36, h - 0.02),
    ]
    colour = pick(
        random, plain(0.07, 0.022, 0.006), plain(0.02, 0.09, 0.03), plain(0.5, 0.33, 0.05), plain(0.35, 0.02, 0.01), GLASS
    )
    cap = revolved([(r * 0.36, h - 0.02), (r * 0.42, h - 0.02), (r * 0.42, h), (0, h)])
    return [Part(shell(side), colour), Part(cap, bright(random)), band(side, h * 0.12, h * shoulder * 0.85, printed(random, 5.0))]


def water_bottle(random: np.random.Generator) -> list[Part]:
    """A clear plastic bottle with a paper band, or a sports bottle with a spout cap."""
    h, r = between(random, 0.2, 0.32), between(random, 0.031, 0.042)
    if random.random() < 0.5:
        waist = [(r * (1 - 0.05 * (i % 2)), h * (0.06 + 0.62 * i / 10)) for i in range(11)]
        side = [(r * 0.85, 0), *waist, (r * 0.7, h * 0.8), (0.013, h * 0.91), (0.013, h - 0.018)]
        band = Part(revolved([(r * 1.01, h * 0.33), (r * 1.01, h * 0.58)]), pick(random, plain(0.05, 0.2, 0.65), bright(random)))
        cap = pick(random, plain(0.05, 0.2, 0.65), WHITE, plain(0.7, 0.05, 0.03))
        return [Part(shell(side), GLASS), band, Part(cylinder((0, 0, h - 0.02), 0.0155, 0.02), cap)]
    side = [(r * 0.95, 0), (r, 0.008), (r, h * 0.4), (r * 0.86, h * 0.5), (r, h * 0.6), (r, h * 0.78)]
    top = revolved([(r, h * 0.78), (r * 1.04, h * 0.79), (r * 1.04, h * 0.86), (r * 0.35, h * 0.92), (r * 0.3, h), (0, h)])
    return [Part(shell(side), pick(random, STEEL, bright(random))), Part(top, pick(random, BLACK, bright(random)))]


def wine_bottle(random: np.random.Generator) -> list[Part]:
    """Bordeaux with shoulders, Burgundy sloping, or Champagne with foil."""
    h, r, shoulder, neck = between(random, 0.29, 0.33), *pick(random, (0.038, 0.62, 0.74), (0.041, 0.5, 0.76), (0.044, 0.5, 0.78))
    side = [
        (r * 0.96, 0),
        (r, 0.008),
        (r, h * shoulder),
        (r * 0.78, h * (shoulder * 0.5 + neck * 0.5)),
        (0.0145, h * neck),
        (0.0140, h * 0.86),
    ]
    top = revolved([(0.0150, h * 0.80), (0.0150, h - 0.01), (0.0165, h - 0.01), (0.0165, h), (0, h)])
    foil = pick(random, plain(0.30, 0.02, 0.03), plain(0.55, 0.38, 0.08), BLACK)
    colour = pick(random, plain(0.015, 0.05, 0.02), plain(0.012, 0.014, 0.012), plain(0.20, 0.03, 0.04), plain(0.12, 0.20, 0.06))
    return [
        Part(shell(side), colour),
        Part(top, foil),
        band(side, h * 0.14, h * 0.42, Material("newspaper", (0.95, 0.9, 0.74), repeat=6.0)),
    ]


def soda_can(random: np.random.Generator) -> list[Part]:
    """A drink can, a slim can or a wide tin of food."""
    r, h, bevel = pick(random, (0.033, 0.122, 0.006), (0.029, 0.145, 0.005), (0.037, 0.168, 0.006), (0.042, 0.11, 0.0005))
    side = [(r - bevel, 0), (r, bevel + 0.002), (r, h - bevel - 0.004), (r - bevel, h - 0.002)]
    lid = revolved(
        [(r - bevel, h - 0.002), (r - bevel, h), (r - bevel - 0.002, h), (r - bevel - 0.003, h - 0.004), (0, h - 0.004)]
    )
    tab = cylinder((0.006, 0, h - 0.004), 0.009, 0.003, 12)
    return [
        Part(shell(side), bright(random)),
        Part(joined([lid, tab]), STEEL),
        band(side, h * 0.3, h * 0.68, printed(random, 6.0)),
    ]


def thermos(random: np.random.Generator) -> list[Part]:
    """A vacuum flask whose lid is its cup, or a pump-top jug with a handle."""
    h, r = between(random, 0.25, 0.34), between(random, 0.036, 0.05)
    shell = pick(random, STEEL, bright(random))
    body = revolved([(r, 0), (r, h * 0.7), (r * 0.82, h * 0.77), (0, h * 0.77)])
    lid = revolved([(r * 0.8, h * 0.75), (r * 0.86, h * 0.77), (r * 0.8, h), (0, h)])
    rims = joined([revolved([(r, z), (r + 0.002, z), (r + 0.002, z + 0.015), (r, z + 0.015)]) for z in (0.0, h * 0.69)])
    if random.random() < 0.4:
        rims = joined([rims, loop(r, h * 0.2, h * 0.7, 0.045, 0.009)])
    return [Part(body, shell), Part(lid, pick(random, STEEL, BLACK)), Part(rims, BLACK)]


def jug(random: np.random.Generator) -> list[Part]:
    """A ceramic or glass pitcher: a belly, a neck, a beak and a big handle."""
    h, r = between(random, 0.17, 0.28), between(random, 0.055, 0.08)
    side = pick(
        random,
        [(r * 0.7, 0), (r, h * 0.3), (r * 0.95, h * 0.5), (r * 0.62, h * 0.8), (r * 0.75, h)],
        [(r * 0.95, 0), (r, 0.01), (r * 0.72, h)],
    )
    rim = side[-1][0]
    beak = capsule((-rim * 0.7, 0, h - 0.02), (-rim * 1.25, 0, h - 0.006), 0.018, 0.007)
    body = joined([vessel(side, 0.005), beak, loop(rim * 0.95, h * 0.3, h * 0.92, 0.06, 0.009)])
    return [Part(body, pick(random, GLASS, ceramic(random), bright(random)))]


def teapot(random: np.random.Generator) -> list[Part]:
    """Round of ceramic, or flat of cast iron with its handle above."""
    s, iron = between(random, 0.85, 1.15), random.random() < 0.4
    flat = 0.75 if iron else 1.0
    outline = [
        (0.05, 0),
        (0.075, 0.02),
        (0.09, 0.055),
        (0.082, 0.09),
        (0.05, 0.118),
        (0.046, 0.122),
        (0.03, 0.132),
        (0.008, 0.136),
        (0.013, 0.148),
        (0.008, 0.155),
        (0, 0.156),
    ]
    belly = revolved([(x * s, z * s * flat) for x, z in outline], rows=0.02)
    spout = tube(
        [(x * s, 0, z * s * flat) for x, z in ((-0.075, 0.05), (-0.105, 0.07), (-0.12, 0.105), (-0.14, 0.122))], 0.011 * s
    )
    arch = tube([(0.075 * s * np.cos(a), 0, (0.09 * flat + 0.09 * np.sin(a)) * s) for a in np.linspace(0, np.pi, 11)], 0.004)
    handle = arch if iron else loop(0.075 * s, 0.03 * s, 0.11 * s, 0.05 * s, 0.007 * s)
    colour = BLACK if iron else pick(random, bright, ceramic)(random)
    return [Part(joined([belly, spout, handle]), colour)]


def coffee_pot(random: np.random.Generator) -> list[Part]:
    """A moka pot with facets, or a French press of glass in a steel cage."""
    s = between(random, 0.85, 1.15)
    if random.random() < 0.5:
        body = revolved(
            [
                (0.052 * s, 0),
                (0.042 * s, 0.09 * s),
                (0.036 * s, 0.095 * s),
                (0.050 * s, 0.19 * s),
                (0.048 * s, 0.195 * s),
                (0.01, 0.208 * s),
                (0, 0.208 * s),
            ],
            8,
            0.2,
        )
        beak = capsule((-0.04 * s, 0, 0.175 * s), (-0.062 * s, 0, 0.188 * s), 0.012, 0.006)
        grip = tube([(x * s, 0, z * s) for x, z in ((0.045, 0.185), (0.085, 0.18), (0.08, 0.11))], 0.008)
        return [Part(joined([body, beak]), STEEL), Part(joined([grip, sphere((0, 0, 0.214 * s), 0.009, 12)]), BLACK)]
    h, r = 0.19 * s, 0.047 * s
    side = [(r, 0.01), (r, h)]
    cage = [
        capsule(
            (r * 1.03 * np.cos(a), r * 1.03 * np.sin(a), 0.004),
            (r * 1.03 * np.cos(a), r * 1.03 * np.sin(a), h * 0.9),
            0.003,
            segments=8,
        )
        for a in np.arange(4) * np.pi / 2 + 0.8
    ]
    lid = revolved(
        [(r * 1.06, h), (r * 1.06, h + 0.008), (r * 0.6, h + 0.02), (0.003, h + 0.024), (0.003, h + 0.05), (0, h + 0.05)]
    )
    knob = sphere((0, 0, h + 0.054), 0.011, 12)
    return [
        Part(vessel(side, 0.002), GLASS),
        band(side, 0.014, h * 0.7, COFFEE),
        Part(joined([*cage, lid]), STEEL),
        Part(joined([knob, loop(r, h * 0.2, h * 0.85, 0.045, 0.008)]), BLACK),
    ]


KINDS = {
    "mug": Kind(mug, "top"),
    "cup": Kind(cup, "top"),
    "drinking glass": Kind(drinking_glass, "top"),
    "wine glass": Kind(wine_glass, "top"),
    "bottle": Kind(bottle, "top"),
    "water bottle": Kind(water_bottle, "top"),
    "wine bottle": Kind(wine_bottle, "top"),
    "soda can": Kind(soda_can, "top"),
    "thermos": Kind(thermos, "top"),
    "jug": Kind(jug, "top"),
    "teapot": Kind(teapot, "top"),
    "coffee pot": Kind(coffee_pot, "top"),
}
