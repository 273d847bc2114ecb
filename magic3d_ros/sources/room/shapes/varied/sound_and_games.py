"""Devices for music, pictures and games. Measures of what is sold."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    casing,
    front,
    grey,
    metal,
    plastic,
    ring,
    rod,
    soft,
    standing,
    turned,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, cylinder, joined, revolved, sphere, tilt_matrix, tube, yaw_matrix


def remote_control(random: np.random.Generator) -> list[Part]:
    """A bar with rows of keys, one of them red."""
    length = random.uniform(0.15, 0.21)
    keys = [
        box((0.012 * i, length * (0.36 - 0.09 * j), 0.0195), (0.008, 0.009, 0.004))
        for i in (-1, 0, 1)
        for j in range(8)
        if j != 3
    ]
    pad = ring((0, length * 0.09, 0.0195), 0.012, 0.004)
    power = cylinder((0.012, length * 0.44, 0.0185), 0.005, 0.003, 12)
    return [
        Part(box((0, 0, 0.0095), (0.046, length, 0.019), 0.007), casing(random)),
        Part(joined([*keys, pad]), grey(random, 0.2)),
        Part(power, Material("", (0.7, 0.05, 0.05))),
    ]


def game_controller(random: np.random.Generator) -> list[Part]:
    """Two grips, two sticks, a cross and four coloured keys."""
    body = joined(
        [soft((0, 0, 0.03), (0.13, 0.075, 0.035), 0.6)]
        + [soft((0, 0, 0), (0.045, 0.10, 0.038), 0.8).transformed(yaw_matrix(s * -18), (s * 0.06, -0.03, 0.026)) for s in (-1, 1)]
    )
    sticks = [cylinder((s * 0.028, -0.018, 0.042), 0.010, 0.016, 16) for s in (-1, 1)]
    cross = [box((-0.045, 0.014, 0.047), size) for size in ((0.026, 0.008, 0.008), (0.008, 0.026, 0.008))]
    keys = [
        Part(cylinder((0.045 + 0.012 * np.cos(a), 0.014 + 0.012 * np.sin(a), 0.044), 0.005, 0.007, 12), Material("", colour))
        for a, colour in zip(
            np.arange(4) * np.pi / 2, ((0.7, 0.1, 0.1), (0.7, 0.6, 0.1), (0.1, 0.2, 0.7), (0.1, 0.6, 0.2)), strict=True
        )
    ]
    return standing([Part(body, casing(random)), Part(joined(sticks + cross), BLACK), *keys])


def game_console(random: np.random.Generator) -> list[Part]:
    """A flat box with a slot and a light, lying or on its edge; a controller leans on some."""
    width, depth, height, case = (
        random.uniform(0.28, 0.36),
        random.uniform(0.24, 0.30),
        random.uniform(0.05, 0.08),
        casing(random),
    )
    parts = [
        Part(box((0, 0, 0), (width, depth, height), 0.01), case),
        Part(box((-width * 0.15, -depth / 2, height * 0.1), (width * 0.5, 0.006, 0.006)), STEEL),
        Part(box((0, 0, height * 0.02), (width + 0.002, depth + 0.002, 0.006)), grey(random)),
        Part(
            rod((width * 0.38, -depth / 2 - 0.003, 0), (width * 0.38, -depth / 2 + 0.003, 0), 0.006),
            Material("", (0.2, 0.5, 1.0), 1.0),
        ),
    ]
    return standing(turned(parts, np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])) if random.random() < 0.4 else parts)


def loudspeaker(random: np.random.Generator) -> list[Part]:
    """A wooden or black box with two or three cones; some stand on the floor, some on a shelf: here the latter."""
    width, depth, height = random.uniform(0.17, 0.26), random.uniform(0.2, 0.3), random.uniform(0.3, 0.48)
    y, low, cones = -depth / 2, width * 0.38, []
    for z, r in ((height * 0.3, low), (height * 0.78, low * 0.5)):
        cones.append(
            revolved(
                [(r * 0.32, 0.012), (r * 0.9, -0.012), (r, -0.004), (r, 0), (r * 1.08, 0), (r * 1.08, 0.01)][::-1], 36, 0.02
            ).transformed(tilt_matrix(90), (0, y - 0.002, z))
        )
        cones.append(sphere((0, y + 0.008, z), r * 0.34, 16))
    body = wood(random) if random.random() < 0.5 else casing(random)
    return [
        Part(box((0, 0, height / 2), (width, depth, height), 0.004), body),
        Part(joined(cones), Material("", (0.05, 0.05, 0.055))),
    ]


def radio(random: np.random.Generator) -> list[Part]:
    """A portable set: grille, dial, knobs, a carrying handle and an aerial."""
    width, depth, height = random.uniform(0.22, 0.36), random.uniform(0.08, 0.12), random.uniform(0.14, 0.22)
    y = -depth / 2
    grille = rod((-width * 0.25, y - 0.006, height * 0.5), (-width * 0.25, y + 0.01, height * 0.5), height * 0.36, segments=32)
    knobs = [rod((width * x, y - 0.016, height * 0.25), (width * x, y, height * 0.25), 0.016) for x in (0.15, 0.35)]
    handle = tube(
        [
            (-width * 0.42, 0, height - 0.01),
            (-width * 0.42, 0, height + 0.05),
            (width * 0.42, 0, height + 0.05),
            (width * 0.42, 0, height - 0.01),
        ],
        0.007,
    )
    aerial = rod((width * 0.45, depth * 0.4, height), (width * 0.62, depth * 0.4, height + 0.18), 0.003)
    return [
        Part(box((0, 0, height / 2), (width, depth, height), 0.012), wood(random) if random.random() < 0.4 else plastic(random)),
        Part(grille, Material("carpet", (0.4, 0.4, 0.4), repeat=6.0)),
        Part(joined([*knobs, handle, aerial]), metal(random)),
        Part(
            front((width * 0.25, y - 0.002, height * 0.68), width * 0.38, height * 0.3), Material("document", (0.95, 0.85, 0.6))
        ),
    ]


def record_player(random: np.random.Generator) -> list[Part]:
    """A plinth, a black record with a label, a tone arm; a lid is open behind most."""
    disc = revolved([(0, 0.085), (0.15, 0.085), (0.15, 0.089), (0, 0.089)], 48, 0.03)
    grooves = joined([ring((0, 0, 0.0885), r, 0.0016, segments=40) for r in (0.07, 0.09, 0.11, 0.13)])
    arm = [
        cylinder((0.17, 0.11, 0.075), 0.022, 0.035),
        tube([(0.17, 0.11, 0.105), (0.168, -0.03, 0.100), (0.12, -0.08, 0.094)], 0.005),
    ]
    parts = [
        Part(box((0, 0, 0.045), (0.44, 0.35, 0.065), 0.006), wood(random) if random.random() < 0.6 else BLACK),
        Part(joined([cylinder((-0.04, 0, 0.076), 0.152, 0.008, 40)]), STEEL),
        Part(joined([disc, grooves]).transformed(translation=(-0.04, 0, 0)), BLACK),
        Part(cylinder((-0.04, 0, 0.0885), 0.05, 0.002), plastic(random)),
        Part(joined(arm), STEEL),
        Part(joined([cylinder((i * 0.18, j * 0.14, 0), 0.02, 0.02) for i in (-1, 1) for j in (-1, 1)]), BLACK),
    ]
    if random.random() < 0.5:
        parts.append(
            Part(
                box((0, 0, 0), (0.44, 0.01, 0.33)).transformed(tilt_matrix(-12), (0, 0.21, 0.24)),
                Material("reflection", (0.55, 0.55, 0.58)),
            )
        )
    return standing(parts)


def headphones(random: np.random.Generator) -> list[Part]:
    """Two cups on a band, on a stand or lying on their side."""
    colour = plastic(random)
    angles = np.linspace(0, np.pi, 15)
    band = tube([(0.082 * np.cos(a), 0, 0.09 + 0.095 * np.sin(a)) for a in angles], 0.009)
    cups = joined(rod((s * 0.062, 0, 0.055), (s * 0.098, 0, 0.055), 0.042, 0.036) for s in (-1, 1))
    pads = joined(soft((s * 0.056, 0, 0.055), (0.028, 0.085, 0.088), 0.8) for s in (-1, 1))
    parts = [Part(joined([band, cups]), colour), Part(pads, BLACK)]
    if random.random() < 0.5:
        stand = joined([cylinder((0, 0, -0.08), 0.06, 0.012), cylinder((0, 0, -0.07), 0.010, 0.24)])
        return standing([*parts, Part(stand, wood(random))])
    return standing(turned(parts, tilt_matrix(105)))


def camera(random: np.random.Generator) -> list[Part]:
    """A reflex camera: grip, finder hump, a lens in rings with glass in front."""
    width, length = random.uniform(0.12, 0.15), random.uniform(0.05, 0.12)
    body = [
        box((0, 0, 0.045), (width, 0.055, 0.085), 0.012),
        box((0, 0, 0.098), (0.055, 0.05, 0.035), 0.010),
        box((-width / 2 + 0.014, -0.03, 0.045), (0.034, 0.035, 0.08), 0.012),
    ]
    lens = [
        rod((0.012, -0.025, 0.048), (0.012, -0.028 - length, 0.048), 0.034),
        rod((0.012, -0.028 - length * 0.5, 0.048), (0.012, -0.028 - length * 0.8, 0.048), 0.037),
    ]
    glass = rod((0.012, -0.028 - length, 0.048), (0.012, -0.0295 - length, 0.048), 0.028)
    case = BLACK if random.random() < 0.6 else grey(random, 0.3)
    return standing(
        [
            Part(joined(body), case),
            Part(joined([*lens, cylinder((-width * 0.35, 0.0, 0.086), 0.011, 0.008)]), BLACK),
            Part(ring((0.012, -0.03 - length * 0.4, 0.048), 0.035, 0.005, True), STEEL),
            Part(glass, Material("reflection", (0.25, 0.22, 0.5))),
        ]
    )


def smart_speaker(random: np.random.Generator) -> list[Part]:
    """A drum or a ball in cloth with a lit ring on top."""
    radius, height = random.uniform(0.045, 0.07), random.uniform(0.09, 0.2)
    body = (
        cylinder((0, 0, 0), radius, height, 32)
        if random.random() < 0.6
        else soft((0, 0, height / 2), (2 * radius, 2 * radius, height), 0.8)
    )
    return standing(
        [
            Part(body, Material("carpet", grey(random).tint, repeat=5.0)),
            Part(ring((0, 0, height), radius * 0.7, 0.006), Material("", (0.2, 0.6, 1.0), 0.8)),
        ]
    )


def microphone(random: np.random.Generator) -> list[Part]:
    """A wire ball on a shaft, on a small tripod or a tall stand."""
    tall = 0.22 if random.random() < 0.5 else 0.32
    head = [sphere((0, -0.05, tall + 0.03), 0.028), rod((0, 0.03, tall - 0.06), (0, -0.04, tall + 0.02), 0.012, 0.022)]
    stand = [cylinder((0, 0.01, 0), 0.07, 0.016, 32), cylinder((0, 0.01, 0.01), 0.008, tall - 0.07)]
    return standing([Part(head[0], Material("brushed", (0.5, 0.5, 0.5))), Part(joined([head[1], *stand]), BLACK)])


KINDS = {
    "remote control": Kind(remote_control, "top"),
    "game controller": Kind(game_controller, "top"),
    "game console": Kind(game_console, "top"),
    "loudspeaker": Kind(loudspeaker, "top"),
    "radio": Kind(radio, "top"),
    "record player": Kind(record_player, "top"),
    "headphones": Kind(headphones, "top"),
    "camera": Kind(camera, "top"),
    "smart speaker": Kind(smart_speaker, "top"),
    "microphone": Kind(microphone, "top"),
}
