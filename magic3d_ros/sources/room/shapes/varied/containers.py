"""Boxes, tins and bottles of store rooms and workshops."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    bright,
    front,
    grey,
    metal,
    open_box,
    plastic,
    ring,
    rod,
    standing,
    toned,
    vessel,
    wood,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, revolved, tilt_matrix, tube

CARDBOARD = (0.42, 0.27, 0.14)


def cardboard_box(random: np.random.Generator) -> list[Part]:
    """Closed with tape, or open with its flaps out; printed or plain."""
    width, depth, height = random.uniform(0.25, 0.5), random.uniform(0.2, 0.4), random.uniform(0.15, 0.4)
    card = toned(random, Material("plaster", repeat=3.0), *CARDBOARD, 0.12)
    print_on = (
        [
            Part(
                front((random.uniform(-0.1, 0.1) * width, -depth / 2 - 0.001, height * 0.5), width * 0.5, height * 0.5),
                Material(f"package:{int(random.integers(80))}"),
            )
        ]
        if random.random() < 0.5
        else []
    )
    if random.random() < 0.5:
        band = joined(
            [
                box((0, 0, height + 0.0005), (width, 0.05, 0.001)),
                *[box((s * (width / 2 + 0.0005), 0, height - 0.04), (0.001, 0.05, 0.08)) for s in (-1, 1)],
            ]
        )
        return standing(
            [Part(box((0, 0, height / 2), (width, depth, height)), card), Part(band, Material("", (0.55, 0.40, 0.22))), *print_on]
        )
    lean = random.uniform(15, 60)
    flaps = [
        box((0, 0, depth * 0.2), (width, 0.004, depth * 0.4)).transformed(tilt_matrix(90 - lean), (0, -depth / 2, height)),
        box((0, 0, depth * 0.2), (width, 0.004, depth * 0.4)).transformed(tilt_matrix(lean - 90), (0, depth / 2, height)),
    ]
    return standing([Part(joined([open_box((width, depth, height), 0.005), *flaps]), card), *print_on])


def plastic_box(random: np.random.Generator) -> list[Part]:
    """A storage tub with a rim, ribs, grips and a lid most often."""
    width, depth, height, paint = random.uniform(0.3, 0.6), random.uniform(0.2, 0.4), random.uniform(0.15, 0.34), plastic(random)
    bodies = [
        open_box((width * 0.9, depth * 0.9, height), 0.006, 1.1),
        *[box((0, s * depth / 2, height - 0.012), (width + 0.02, 0.02, 0.024)) for s in (-1, 1)],
        *[box((s * width / 2, 0, height - 0.012), (0.02, depth + 0.02, 0.024)) for s in (-1, 1)],
    ]
    bodies += [
        box((x * width, s * depth * 0.48, height * 0.5), (0.012, 0.012, height * 0.8))
        for x in (-0.3, -0.1, 0.1, 0.3)
        for s in (-1, 1)
    ]
    parts = [Part(joined(bodies), paint)]
    if random.random() < 0.65:
        clips = [box((s * (width / 2 + 0.015), 0, height - 0.01), (0.02, 0.12, 0.07), 0.006) for s in (-1, 1)]
        parts.append(
            Part(
                joined(
                    [
                        box((0, 0, height + 0.012), (width + 0.02, depth + 0.02, 0.024), 0.01),
                        box((0, 0, height + 0.025), (width * 0.8, depth * 0.75, 0.01)),
                        *clips,
                    ]
                ),
                plastic(random),
            )
        )
    return standing(parts)


def toolbox(random: np.random.Generator) -> list[Part]:
    """A box with a sloping lid, latches and a handle along it."""
    width, depth, height, paint = (
        random.uniform(0.38, 0.55),
        random.uniform(0.2, 0.26),
        random.uniform(0.15, 0.22),
        bright(random) if random.random() < 0.8 else BLACK,
    )
    lid = [
        box((0, 0, height + 0.025), (width, depth, 0.05), 0.012),
        box((0, 0, height + 0.06), (width * 0.9, depth * 0.6, 0.04), 0.012),
    ]
    handle = tube(
        [
            (-width * 0.3, 0, height + 0.07),
            (-width * 0.3, 0, height + 0.12),
            (width * 0.3, 0, height + 0.12),
            (width * 0.3, 0, height + 0.07),
        ],
        0.011,
    )
    latches = [box((s * width * 0.3, -depth / 2 - 0.006, height), (0.05, 0.014, 0.07), 0.004) for s in (-1, 1)]
    return standing(
        [
            Part(box((0, 0, height / 2), (width, depth, height), 0.006), paint),
            Part(joined(lid), paint if random.random() < 0.5 else BLACK),
            Part(joined([handle]), BLACK),
            Part(joined(latches), STEEL if random.random() < 0.6 else bright(random)),
        ]
    )


def paint_bucket(random: np.random.Generator) -> list[Part]:
    """A tin with a wire handle and a label, drips of paint over its rim, a brush on some."""
    r, h, paint = random.uniform(0.07, 0.11), random.uniform(0.14, 0.22), bright(random)
    drips = [
        capsule(
            (r * 1.01 * np.cos(a), r * 1.01 * np.sin(a), h - 0.005),
            (r * 1.01 * np.cos(a), r * 1.01 * np.sin(a), h - random.uniform(0.02, 0.09)),
            0.007,
            segments=8,
        )
        for a in random.uniform(0, 6.28, 7)
    ]
    wire = tube(
        [(r * np.cos(a) * 1.02, -0.05 * np.sin(a), h * 0.85 + 0.6 * r * np.sin(a)) for a in np.linspace(0, np.pi, 12)], 0.0025
    )
    label = revolved([(r + 0.0008, h * 0.15), (r + 0.0008, h * 0.72)], 32)
    parts = [
        Part(vessel([(r, 0), (r, h)], 0.003), STEEL if random.random() < 0.6 else WHITE),
        Part(joined([cylinder((0, 0, h * 0.8), r * 0.97, 0.01), *drips]), paint),
        Part(label, Material(f"package:{int(random.integers(60))}", repeat=2.0)),
        Part(wire, STEEL),
    ]
    if random.random() < 0.4:
        parts += [
            Part(box((0.02, 0.02, h + 0.05), (0.045, 0.014, 0.06)), paint),
            Part(capsule((0.02, 0.02, h + 0.09), (0.03, 0.02, h + 0.19), 0.011), wood(random)),
        ]
    return standing(parts)


def watering_can(random: np.random.Generator) -> list[Part]:
    """A can with a long spout that ends in a rose, two handles."""
    r, h, paint = (
        random.uniform(0.08, 0.12),
        random.uniform(0.15, 0.22),
        plastic(random) if random.random() < 0.7 else metal(random),
    )
    bodies = [
        vessel([(r, 0), (r, h * 0.9), (r * 0.9, h)], 0.004),
        rod((r * 0.9, 0, h * 0.2), (r * 2.3, 0, h * 1.1), 0.022, 0.012),
        rod((r * 2.3, 0, h * 1.1), (r * 2.55, 0, h * 1.25), 0.014, 0.038),
        tube([(-r * 0.8, 0, h), (-r * 0.2, 0, h * 1.35), (r * 0.5, 0, h * 1.3), (r * 0.85, 0, h)], 0.009),
        tube([(-r, 0, h * 0.85), (-r * 1.55, 0, h * 0.75), (-r * 1.5, 0, h * 0.35), (-r, 0, h * 0.25)], 0.009),
        box((r * 0.45, 0, h * 0.97), (r * 0.9, r * 1.5, 0.006)),
    ]
    return standing([Part(joined(bodies), paint)])


def gas_bottle(random: np.random.Generator) -> list[Part]:
    """A steel cylinder with a domed shoulder and a valve: slim and tall or fat with a collar."""
    paint = bright(random) if random.random() < 0.7 else grey(random)
    if random.random() < 0.5:
        r, h = random.uniform(0.1, 0.13), random.uniform(1.0, 1.4)
        body = revolved(
            [(0, 0), (r, 0), (r, h * 0.85), (r * 0.85, h * 0.91), (r * 0.5, h * 0.95), (r * 0.35, h * 0.97), (0, h * 0.97)],
            36,
            0.08,
        )
        valve = [
            cylinder((0, 0, h * 0.96), 0.022, 0.08),
            rod((-0.05, 0, h * 0.96 + 0.06), (0.0, 0, h * 0.96 + 0.06), 0.012),
            ring((0, 0, h * 0.96 + 0.085), 0.03, 0.01),
        ]
    else:
        r, h = random.uniform(0.14, 0.17), random.uniform(0.42, 0.55)
        body = joined(
            [
                revolved([(0, 0.02), (r * 0.8, 0.02), (r, 0.08), (r, h * 0.68), (r * 0.8, h * 0.78), (0, h * 0.82)], 36, 0.05),
                revolved([(r * 0.75, 0), (r * 0.8, 0), (r * 0.8, 0.05), (r * 0.75, 0.05)], 36),
            ]
        )
        valve = [
            cylinder((0, 0, h * 0.8), 0.02, 0.06),
            *[
                tube(
                    [(r * 0.62 * np.cos(a), r * 0.62 * np.sin(a), h * 0.78), (r * 0.62 * np.cos(a), r * 0.62 * np.sin(a), h)],
                    0.009,
                )
                for a in (0.5, 2.6, 3.7, 5.8)
            ],
            ring((0, 0, h), r * 0.62, 0.018),
        ]
    return standing([Part(body, paint), Part(joined(valve), metal(random))])


KINDS = {
    "cardboard box": Kind(cardboard_box, "floor"),
    "plastic box": Kind(plastic_box, "top"),
    "toolbox": Kind(toolbox, "top"),
    "paint bucket": Kind(paint_bucket, "floor"),
    "watering can": Kind(watering_can, "top"),
    "gas bottle": Kind(gas_bottle, "floor"),
}
