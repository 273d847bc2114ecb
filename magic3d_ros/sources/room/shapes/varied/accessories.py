"""Shoes, hats and what else is worn with clothes. Lengths in metres, fronts towards -y."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.bags import leather
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    WHITE,
    bright,
    cloth,
    grey,
    metal,
    ring,
    rod,
    soft,
    standing,
    turned,
    vessel,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import GLASS
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    dome,
    joined,
    revolved,
    sphere,
    tilt_matrix,
    tube,
    yaw_matrix,
)

SIDES = (-1, 1)


def _warped(body: Triangles, toe: float, rise: float) -> Triangles:
    """A shoe's last from a soft body along y: lower and narrower towards its toe at -y."""
    points = body.positions.astype(np.float64)
    share = np.clip((points[:, 1] - points[:, 1].min()) / np.ptp(points[:, 1]), 0, 1)
    points[:, 2] *= toe + (1 - toe) * share**rise
    points[:, 0] *= 0.82 + 0.18 * np.sin(np.pi * np.clip(share * 1.1, 0, 1))
    return Triangles(points.astype(np.float32), body.normals, body.uv)


def _shoe(random: np.random.Generator, design: int, size: float, upper: Material, sole: Material, trim: Material) -> list[Part]:
    """0 a sneaker, 1 a leather shoe, 2 a boot, 3 a slipper; toe towards -y."""
    tread = _warped(soft((0, 0, 0.013), (0.1, size, 0.026), 0.45), 1.0, 1.0)
    height = (0.095, 0.085, 0.10, 0.07)[design]
    last = _warped(soft((0, 0, height / 2 + 0.012), (0.092, size * 0.97, height), 0.5), 0.5, 1.0)
    parts = [Part(tread, sole), Part(last, upper)]
    opening = soft((0, size * 0.27, height * 0.93), (0.055, size * 0.32, 0.03), 0.9).transformed(tilt_matrix(9), (0, 0, -0.014))
    if design == 2:
        shaft = vessel([(0.045, 0.06), (0.042, 0.12), (0.05, 0.24)], 0.004, 20).transformed(
            scale=(0.9, 1.2, 1), translation=(0, size * 0.25, 0)
        )
        return [
            Part(tread, sole),
            Part(joined([last, shaft]), upper),
            Part(ring((0, 0, 0), 0.048, 0.01).transformed(scale=(0.9, 1.2, 1), translation=(0, size * 0.25, 0.24)), trim),
        ]
    parts.append(Part(opening, BLACK if design != 3 else trim))
    if design == 0:
        laces = [
            rod((-0.022, size * y, z), (0.022, size * y, z), 0.004, segments=6)
            for y in (-0.2, -0.13, -0.06, 0.01)
            for z in [0.018 + height * (0.5 + 0.5 * (y / 0.97 + 0.5))]
        ]
        stripe = [box((side * 0.0455, 0.03, height * 0.45), (0.006, 0.03, height * 0.4), 0.0025) for side in SIDES]
        parts.append(Part(joined([*laces, *stripe]), trim))
    return parts


def shoes(random: np.random.Generator) -> list[Part]:
    """A pair of sneakers, leather shoes, boots or slippers, one of them turned a little."""
    design, size = int(random.integers(4)), between(random, 0.24, 0.3)
    upper = (pick(random, bright(random), WHITE, BLACK, grey(random)), leather(random), leather(random), cloth(random))[design]
    sole = pick(random, WHITE, BLACK) if design == 0 else plain(0.06, 0.035, 0.02)
    trim = pick(random, WHITE, bright(random), BLACK)
    one = _shoe(random, design, size, upper, sole, trim)
    return standing(
        [
            *turned(one, yaw_matrix(between(random, -4, 10)), (-0.07, 0, 0)),
            *turned(one, yaw_matrix(between(random, -25, 4)), (0.07, 0.02, 0)),
        ]
    )


def hat(random: np.random.Generator) -> list[Part]:
    """A brimmed hat with a ribbon, a baseball cap, a knitted cap, or a helmet."""
    design, dye = int(random.integers(4)), cloth(random)
    if design == 0:
        r = between(random, 0.09, 0.1)
        brim = [(r * 1.85, 0.012), (r * 1.4, 0.004), (r, 0.01), (r * 0.97, 0.07), (r * 0.8, 0.115), (r * 0.4, 0.11), (0, 0.1)]
        straw = pick(random, Material("wicker", (1.1, 1.05, 0.9), repeat=8.0), dye, leather(random))
        under = revolved([(0, 0.002), (r * 1.4, 0.0), (r * 1.85, 0.008)])
        return standing(
            [
                Part(joined([revolved(brim), under]).transformed(scale=(1, 1.15, 1)), straw),
                Part(
                    revolved([(r * 1.005, 0.012), (r * 0.985, 0.045)]).transformed(scale=(1, 1.15, 1)),
                    pick(random, BLACK, bright(random)),
                ),
            ]
        )
    crown = dome((0, 0, 0.0), (0.09, 0.1, 0.12))
    inside = cylinder((0, 0, 0), 0.085, 0.004)
    if design == 1:
        peak = soft((0, -0.125, 0.014), (0.15, 0.13, 0.014), 0.7)
        badge = box((0, -0.092, 0.06), (0.06, 0.012, 0.04), 0.005)
        return standing(
            [
                Part(crown, dye),
                Part(joined([peak, sphere((0, 0, 0.12), 0.008, 10)]), pick(random, dye, BLACK, bright(random))),
                Part(badge, WHITE),
                Part(inside, BLACK),
            ]
        )
    if design == 2:
        fold = ring((0, 0, 0.03), 0.092, 0.05)
        parts = [Part(joined([crown.transformed(scale=(1, 1, 1.35)), fold]), dye), Part(inside, BLACK)]
        return standing(
            [*parts, Part(sphere((0, 0, 0.18), 0.035, 14), pick(random, WHITE, dye, bright(random)))]
            if random.random() < 0.6
            else parts
        )
    vents = [
        soft((x, y, 0.135 * np.sqrt(1 - (y / 0.135) ** 2 - (x / 0.105) ** 2) - 0.003), (0.016, 0.05, 0.016), 0.8, 10)
        for x in (-0.045, 0.0, 0.045)
        for y in (-0.055, 0.03)
    ]
    helmet = dome((0, 0, 0), (0.105, 0.135, 0.135))
    return standing(
        [
            Part(helmet, bright(random)),
            Part(joined([*vents, ring((0, 0, 0.004), 0.1, 0.012).transformed(scale=(1, 1.3, 1))]), BLACK),
        ]
    )


def scarf(random: np.random.Generator) -> list[Part]:
    """A scarf rolled up, its fringed end lying out; or a pair of gloves."""
    dye = pick(random, cloth(random), cloth(random), bright(random))
    if random.random() < 0.3:
        parts = []
        for side in SIDES:
            palm = soft((0, 0, 0.014), (0.085, 0.11, 0.028), 0.6, 16)
            fingers = [
                capsule((x, -0.04, 0.013), (x * 1.25, -0.11 + 0.25 * abs(x), 0.012), 0.011, 0.009, 10)
                for x in (-0.032, -0.011, 0.011, 0.032)
            ]
            thumb = capsule((side * 0.035, 0.01, 0.013), (side * 0.075, -0.035, 0.012), 0.012, 0.010, 10)
            cuff = soft((0, 0.065, 0.015), (0.08, 0.05, 0.03), 0.5, 14)
            parts.append(joined([palm, *fingers, thumb, cuff]).transformed(yaw_matrix(side * 18), (side * 0.075, 0, 0)))
        return standing([Part(joined(parts), dye)])
    width = between(random, 0.16, 0.24)
    roll = [
        capsule((-0.03, 0.07, 0.035), (width, 0.07, 0.035), 0.035),
        capsule((-0.05, 0.0, 0.03), (width - 0.02, -0.01, 0.03), 0.033),
        capsule((-0.03, 0.035, 0.085), (width - 0.03, 0.03, 0.085), 0.032),
    ]
    end = box((width * 0.5, -0.15, 0.008), (0.15, 0.28, 0.014), 0.006)
    fringe = [
        rod((width * 0.5 + x, -0.285, 0.006), (width * 0.5 + x * 1.1, -0.34, 0.003), 0.003, segments=5)
        for x in np.linspace(-0.07, 0.07, 11)
    ]
    return standing([Part(joined([*roll, end, *fringe]), dye)])


def socks(random: np.random.Generator) -> list[Part]:
    """A pair lying flat, the one on the other."""
    dye, trim = pick(random, cloth(random), WHITE, bright(random), BLACK), pick(random, WHITE, bright(random))
    parts = []
    for i in range(2):
        foot = joined(
            [
                capsule((0, 0.14, 0.012 + 0.012 * i), (0, 0, 0.012 + 0.012 * i), 0.038),
                capsule((0, 0, 0.012 + 0.012 * i), (0.13, -0.045, 0.012 + 0.012 * i), 0.038, 0.033),
            ]
        )
        cuff = box((0, 0.165, 0.3 * (0.012 + 0.012 * i)), (0.08, 0.03, 0.02), 0.006)
        parts += [
            Part(foot.transformed(yaw_matrix(16 * i), (0.02 * i, 0, 0.01 * i), (1, 1, 0.3)), dye),
            Part(cuff.transformed(yaw_matrix(16 * i), (0.02 * i, 0, 0.01 * i)), trim),
        ]
    return standing(parts)


def glasses(random: np.random.Generator) -> list[Part]:
    """Spectacles or sunglasses standing on their open temples."""
    dark, round_ = random.random() < 0.5, random.random() < 0.5
    frame = pick(random, BLACK, BLACK, bright(random), plain(0.15, 0.06, 0.02), metal(random))
    lens, rims = [], []
    for side in SIDES:
        if round_:
            rims.append(ring((side * 0.034, -0.06, 0.026), 0.024, 0.005, upright=True))
            lens.append(rod((side * 0.034, -0.0605, 0.026), (side * 0.034, -0.0595, 0.026), 0.0235))
        else:
            lens.append(box((side * 0.034, -0.06, 0.024), (0.052, 0.002, 0.036), 0.0005))
            rims += [box((side * 0.034, -0.06, 0.024 + z * 0.019), (0.058, 0.006, 0.005)) for z in SIDES]
            rims += [box((side * 0.034 + x * 0.027, -0.06, 0.024), (0.005, 0.006, 0.042)) for x in SIDES]
    arms = [tube([(s * 0.064, -0.06, 0.034), (s * 0.068, 0.04, 0.034), (s * 0.066, 0.075, 0.003)], 0.0026, 8) for s in SIDES]
    return standing(
        [
            Part(joined([*rims, *arms, rod((-0.01, -0.06, 0.032), (0.01, -0.06, 0.032), 0.0025)]), frame),
            Part(joined(lens), BLACK if dark else GLASS),
        ]
    )


KINDS = {
    "shoes": Kind(shoes, "floor"),
    "hat": Kind(hat, "top"),
    "scarf": Kind(scarf, "top"),
    "socks": Kind(socks, "top"),
    "glasses": Kind(glasses, "top"),
}
