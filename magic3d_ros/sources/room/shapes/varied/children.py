"""Things of children and babies. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    cloth,
    grey,
    legs,
    open_box,
    ring,
    rod,
    soft,
    standing,
    turned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import solid
from magic3d_ros.sources.room.triangles import (
    Triangles,
    box,
    capsule,
    cylinder,
    dome,
    joined,
    sphere,
    tilt_matrix,
    tube,
    yaw_matrix,
)

SIDES = (-1, 1)


def _wheel(center: tuple[float, float, float], radius: float, width: float) -> Triangles:
    x, y, z = center
    return rod((x - width / 2, y, z), (x + width / 2, y, z), radius, segments=20)


def crib(random: np.random.Generator) -> list[Part]:
    """A cot with bars, a mattress, a blanket; or a cradle on runners."""
    w, d, h = between(random, 1.1, 1.35), between(random, 0.6, 0.72), between(random, 0.82, 0.98)
    low, body = between(random, 0.25, 0.4), pick(random, WHITE, WHITE, wood(random), wood(random))
    pieces = [box((x * w / 2, 0, (h + low) / 2), (0.03, d, h - low + 0.1)) for x in SIDES] if random.random() < 0.4 else []
    if not pieces:
        pieces = [
            rod((x * w / 2, y, low), (x * w / 2, y, h), 0.010, segments=10)
            for x in SIDES
            for y in np.linspace(-d / 2 + 0.08, d / 2 - 0.08, 6)
        ]
        pieces += [box((x * w / 2, 0, z), (0.03, d, 0.05), 0.01) for x in SIDES for z in (low, h)]
    pieces += [
        rod((x, y * d / 2, low), (x, y * d / 2, h - 0.02), 0.009, segments=10)
        for y in SIDES
        for x in np.linspace(-w / 2 + 0.08, w / 2 - 0.08, 12)
    ]
    pieces += [box((0, y * d / 2, z), (w, 0.025, 0.045), 0.008) for y in SIDES for z in (low, h - 0.02)]
    pieces += [box((x * w / 2, y * d / 2, h / 2), (0.045, 0.045, h)) for x in SIDES for y in SIDES]
    bedding = box((0, 0, low + 0.07), (w - 0.04, d - 0.04, 0.12), 0.03)
    cover = box((-w * 0.14, 0, low + 0.14), (w * 0.65, d - 0.06, 0.05), 0.02)
    rest = soft((w * 0.34, 0, low + 0.15), (0.2, 0.34, 0.07), 0.6)
    return [Part(joined(pieces), body), Part(joined([bedding, rest]), WHITE), Part(cover, cloth(random))]


def high_chair(random: np.random.Generator) -> list[Part]:
    """A child's chair on long splayed legs with a tray and a footrest."""
    h, body, pad = (
        between(random, 0.5, 0.58),
        pick(random, wood(random), WHITE, grey(random)),
        pick(random, bright(random), WHITE, grey(random)),
    )
    seat = [
        box((0, 0.02, h), (0.34, 0.3, 0.04), 0.015),
        box((0, 0.17, h + 0.2), (0.32, 0.04, 0.4), 0.018).transformed(tilt_matrix(-6), (0, 0.05, 0)),
    ]
    seat += [box((x * 0.17, 0.02, h + 0.1), (0.03, 0.28, 0.15), 0.012) for x in SIDES]
    tray = [open_box((0.44, 0.28, 0.03), 0.008, 1.05).transformed(translation=(0, -0.2, h + 0.18))]
    stand = legs(0.3, 0.3, h, 0.04, True, between(random, 0.04, 0.1))
    foot = [
        box((0, -0.16, h * 0.45), (0.3, 0.09, 0.02), 0.006),
        *(rod((x * 0.13, -0.1, h * 0.45), (x * 0.13, 0.0, h * 0.98), 0.010) for x in SIDES),
    ]
    return standing([Part(joined([stand, *foot]), body), Part(joined(seat), pad), Part(joined(tray), pick(random, WHITE, body))])


def stroller(random: np.random.Generator) -> list[Part]:
    """A pushchair with a hood and a seat, or a pram with a carrycot; four wheels, a handle behind."""
    dye, metal_ = pick(random, cloth(random), bright(random), BLACK, grey(random)), pick(random, BLACK, STEEL)
    r = between(random, 0.09, 0.13)
    wheels = [_wheel((x * 0.24, y, r), r, 0.04) for x in SIDES for y in (-0.3, 0.28)]
    hubs = [_wheel((x * 0.24, y, r), r * 0.55, 0.046) for x in SIDES for y in (-0.3, 0.28)]
    frame = [tube([(x * 0.2, -0.3, r), (x * 0.2, 0.05, 0.5), (x * 0.2, 0.42, 0.98)], 0.012, 8) for x in SIDES]
    frame += [tube([(x * 0.2, 0.28, r), (x * 0.2, 0.05, 0.5)], 0.012, 8) for x in SIDES] + [
        rod((-0.2, 0.42, 0.98), (0.2, 0.42, 0.98), 0.016)
    ]
    frame += [rod((-0.24, y, r), (0.24, y, r), 0.008) for y in (-0.3, 0.28)]
    half = dome((0, 0, 0), (0.21, 0.21, 0.26))
    inside = Triangles(
        half.positions.reshape(-1, 3, 3)[:, ::-1].reshape(-1, 3) * np.float32(0.97),
        -half.normals.reshape(-1, 3, 3)[:, ::-1].reshape(-1, 3),
        half.uv,
    )
    hood = joined([half, inside])
    if random.random() < 0.5:
        cot = vessel([(0.15, 0.46), (0.2, 0.52), (0.21, 0.7)], 0.02).transformed(scale=(1, 1.9, 1), translation=(0, -0.08, 0))
        cover = dome((0, -0.17, 0.69), (0.2, 0.28, 0.08))
        parts = [
            Part(joined([cot, hood.transformed(translation=(0, 0.11, 0.68))]), dye),
            Part(cover, pick(random, cloth(random), dye)),
        ]
    else:
        seat = [
            box((0, -0.06, 0.44), (0.36, 0.32, 0.05), 0.02),
            box((0, 0, 0.25), (0.36, 0.05, 0.5), 0.02).transformed(tilt_matrix(-22), (0, 0.1, 0.43)),
            box((0, -0.22, 0.3), (0.32, 0.03, 0.28), 0.012),
        ]
        parts = [
            Part(joined([*seat, hood.transformed(tilt_matrix(22), (0, 0.15, 0.75))]), dye),
            Part(joined([rod((-0.2, -0.2, 0.62), (0.2, -0.2, 0.62), 0.02), box((0, 0.06, 0.2), (0.36, 0.36, 0.1), 0.03)]), BLACK),
        ]
    return standing([*parts, Part(joined(wheels), BLACK), Part(joined([*frame, *hubs]), metal_)])


def _car(random: np.random.Generator) -> list[Part]:
    """A toy car or lorry."""
    s, body = between(random, 0.8, 1.5), bright(random)
    wheels = [_wheel((x * 0.032, y, 0.016), 0.016, 0.014) for x in SIDES for y in (-0.042, 0.042)]
    if random.random() < 0.5:
        shape = [soft((0, 0, 0.03), (0.07, 0.15, 0.036), 0.5), soft((0, 0.008, 0.052), (0.058, 0.085, 0.036), 0.55)]
        dark = [box((0, 0.008, 0.054), (0.06, 0.06, 0.014), 0.004), box((0, 0.008, 0.054), (0.042, 0.084, 0.014), 0.004)]
        parts = [Part(joined(shape), body), Part(joined([*wheels, *dark]), BLACK)]
    else:
        bed_ = open_box((0.075, 0.09, 0.04), 0.004, 1.1).transformed(translation=(0, 0.03, 0.035))
        parts = [
            Part(joined([box((0, -0.05, 0.048), (0.066, 0.042, 0.058), 0.008), box((0, 0, 0.026), (0.06, 0.15, 0.014))]), body),
            Part(bed_, bright(random)),
            Part(joined([*wheels, box((0, -0.07, 0.06), (0.056, 0.006, 0.024))]), BLACK),
        ]
    return turned(
        [Part(p.triangles.transformed(scale=s), p.material) for p in parts], yaw_matrix(pick(random, 35.0, -50.0, 90.0))
    )


def toy(random: np.random.Generator) -> list[Part]:
    """A car, building blocks, a ring tower, or a train of wood."""
    design = int(random.integers(4))
    if design == 0:
        return standing(_car(random))
    if design == 1:
        parts, size = [], between(random, 0.035, 0.05)
        for x, y, z in ((0, 0, 0), (1.3, 0.2, 0), (0.6, 0.1, 1), (-1.2, 0.5, 0), (0.5, 1.3, 0), (-0.4, -1.4, 0)):
            place = (x * size, y * size, (z + 0.5) * size)
            block = pick(
                random,
                box(place, (size, size, size), 0.003),
                box(place, (size * 1.6, size * 0.8, size), 0.003),
                cylinder((place[0], place[1], place[2] - size / 2), size / 2, size, 20),
            )
            parts.append(Part(block, pick(random, bright(random), bright(random), wood(random))))
        return standing(parts)
    if design == 2:
        radii = np.linspace(0.062, 0.032, 5)
        hues = random.permutation(6)
        rings = [
            Part(
                ring((0, 0, 0.03 + 0.026 * i), float(r) - 0.013, 0.026),
                bright(random, (hues[i] / 6, hues[i] / 6 + 0.08), (0.7, 0.95), (0.4, 0.75)),
            )
            for i, r in enumerate(radii)
        ]
        stand = joined([cylinder((0, 0, 0), 0.065, 0.018), rod((0, 0, 0), (0, 0, 0.17), 0.012), sphere((0, 0, 0.175), 0.02, 14)])
        return [Part(stand, wood(random)), *rings]
    parts = []
    for i in range(3):
        y, colour = 0.11 * (i - 1), bright(random)
        parts += [
            Part(joined([box((0, y, 0.024), (0.042, 0.095, 0.014), 0.003)]), wood(random)),
            Part(joined([_wheel((x * 0.024, y + k * 0.028, 0.013), 0.013, 0.008) for x in SIDES for k in SIDES]), BLACK),
        ]
        engine = [
            rod((0, y - 0.04, 0.047), (0, y + 0.025, 0.047), 0.018),
            box((0, y + 0.03, 0.055), (0.04, 0.03, 0.05), 0.004),
            rod((0, y - 0.028, 0.06), (0, y - 0.028, 0.085), 0.007, 0.01),
        ]
        load = [open_box((0.042, 0.085, 0.03), 0.004).transformed(translation=(0, y, 0.03))] if i else engine
        parts.append(Part(joined(load), colour))
    return standing(turned(parts, yaw_matrix(between(random, 30, 100))))


def doll(random: np.random.Generator) -> list[Part]:
    """A doll with hair and a dress, or a small robot figure, sitting or standing."""
    skin = plain(*pick(random, (0.72, 0.45, 0.32), (0.35, 0.18, 0.10), (0.6, 0.36, 0.22)))
    if random.random() < 0.3:
        body, joint = bright(random), pick(random, STEEL, BLACK)
        pieces = [box((0, 0, 0.15), (0.09, 0.06, 0.1), 0.008), box((0, 0, 0.235), (0.065, 0.055, 0.055), 0.008)]
        pieces += [box((x * 0.028, 0, 0.035), (0.036, 0.05, 0.07), 0.006) for x in SIDES] + [
            capsule((x * 0.06, 0, 0.185), (x * 0.075, -0.03, 0.11), 0.014) for x in SIDES
        ]
        eyes = [rod((x * 0.015, -0.027, 0.24), (x * 0.015, -0.031, 0.24), 0.008) for x in SIDES]
        return standing(
            [
                Part(joined(pieces), body),
                Part(joined([rod((0, 0, 0.2), (0, 0, 0.21), 0.02), *eyes, rod((0, 0, 0.26), (0, 0, 0.29), 0.004)]), joint),
            ]
        )
    sits, head = random.random() < 0.5, (0.0, 0.0, 0.285)
    face = [sphere(head, 0.047, 20), capsule((0, 0, 0.2), (0, 0, 0.25), 0.016)]
    face += [capsule((x * 0.04, 0, 0.215), (x * 0.085, -0.03, 0.13), 0.013, 0.011) for x in SIDES]
    face += [
        capsule((x * 0.028, 0, 0.09), (x * 0.04, -0.14, 0.075) if sits else (x * 0.03, 0, -0.04), 0.018, 0.014) for x in SIDES
    ]
    skirt = solid([(0.085, 0.055), (0.08, 0.065), (0.038, 0.16), (0.042, 0.215), (0.022, 0.228)], 24)
    hair = [dome((0, 0.004, 0.285), (0.052, 0.052, 0.052)), soft((0, 0.026, 0.265), (0.1, 0.06, 0.11), 0.9, 18)]
    if random.random() < 0.5:
        hair += [soft((x * 0.058, 0.01, 0.26), (0.03, 0.03, 0.07), 1.0, 14) for x in SIDES]
    eyes = [sphere((x * 0.017, -0.043, 0.29), 0.0055, 8) for x in SIDES]
    feet = [soft((x * 0.04, -0.15, 0.08) if sits else (x * 0.03, -0.012, -0.05), (0.032, 0.05, 0.028), 0.8, 12) for x in SIDES]
    return standing(
        [
            Part(joined(face), skin),
            Part(skirt, pick(random, bright(random), cloth(random))),
            Part(joined(hair), plain(*pick(random, (0.5, 0.3, 0.08), (0.06, 0.03, 0.015), (0.35, 0.08, 0.02)))),
            Part(joined([*eyes, *feet]), BLACK),
        ]
    )


def teddy_bear(random: np.random.Generator) -> list[Part]:
    """A sitting bear, rabbit, or elephant of plush, often with a bow."""
    design, s = pick(random, 0, 0, 0, 1, 2), between(random, 0.7, 1.5)
    fur = replace(
        (
            plain(*pick(random, (0.42, 0.24, 0.10), (0.62, 0.48, 0.30), (0.16, 0.08, 0.04))),
            plain(*pick(random, (0.7, 0.62, 0.58), (0.7, 0.42, 0.45))),
            plain(0.28, 0.30, 0.36),
        )[design],
        texture="canvas",
        repeat=8.0,
    )
    light = plain(0.68, 0.55, 0.40)
    body = [soft((0, 0, 0.09), (0.16, 0.14, 0.19), 0.95), soft((0, -0.012, 0.225), (0.13, 0.12, 0.115), 1.0)]
    body += [capsule((x * 0.075, -0.01, 0.15), (x * 0.115, -0.05, 0.075), 0.028, 0.026) for x in SIDES]
    body += [capsule((x * 0.055, -0.03, 0.035), (x * 0.085, -0.13, 0.035), 0.034, 0.032) for x in SIDES]
    soles = [soft((x * 0.088, -0.158, 0.036), (0.045, 0.02, 0.048), 1.0, 12) for x in SIDES]
    nose: list[Triangles] = []
    if design == 0:
        body += [soft((x * 0.052, 0.0, 0.28), (0.055, 0.03, 0.055), 1.0, 14) for x in SIDES]
        muzzle = [soft((0, -0.07, 0.208), (0.06, 0.05, 0.048), 1.0, 14)]
        nose = [soft((0, -0.094, 0.216), (0.022, 0.012, 0.016), 1.0, 10)]
    elif design == 1:
        body += [capsule((x * 0.026, 0.005, 0.27), (x * 0.048, 0.01, 0.37), 0.02, 0.017) for x in SIDES]
        muzzle = [soft((x * 0.014, -0.072, 0.207), (0.034, 0.03, 0.034), 1.0, 12) for x in SIDES]
        nose = [soft((0, -0.085, 0.222), (0.014, 0.01, 0.011), 1.0, 10)]
    else:
        body += [soft((x * 0.088, 0.0, 0.235), (0.1, 0.022, 0.105), 0.9, 16) for x in SIDES]
        body.append(tube([(0, -0.06, 0.215), (0, -0.098, 0.185), (0, -0.105, 0.14), (0, -0.13, 0.115)], 0.02))
        muzzle = [soft((x * 0.088, -0.012, 0.235), (0.07, 0.01, 0.075), 0.9, 14) for x in SIDES]
    eyes = [sphere((x * 0.027, -0.066, 0.25), 0.0085, 10) for x in SIDES]
    parts = [Part(joined(body), fur), Part(joined([*soles, *muzzle]), light), Part(joined([*eyes, *nose]), BLACK)]
    if random.random() < 0.5:
        parts.append(
            Part(joined([soft((x * 0.03, -0.075, 0.165), (0.05, 0.018, 0.035), 0.8, 12) for x in SIDES]), bright(random))
        )
    return standing([Part(p.triangles.transformed(scale=s), p.material) for p in parts])


KINDS = {
    "crib": Kind(crib, "floor"),
    "high chair": Kind(high_chair, "middle"),
    "stroller": Kind(stroller, "middle"),
    "toy": Kind(toy, "top"),
    "doll": Kind(doll, "top"),
    "teddy bear": Kind(teddy_bear, "top"),
}
