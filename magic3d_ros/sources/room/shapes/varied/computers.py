"""Computers and what is connected to them. Measures of what is sold."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    BLACK,
    STEEL,
    WHITE,
    about,
    casing,
    front,
    grey,
    lying,
    plastic,
    ring,
    rod,
    soft,
    standing,
    turned,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.triangles import box, capsule, cylinder, joined, sphere, tilt_matrix, tube, yaw_matrix


def _screen(random: np.random.Generator) -> Material:
    """On with something on it, or off."""
    return (
        Material(f"screen:{int(random.integers(4))}", (0.6, 0.6, 0.6), 0.8)
        if random.random() < 0.6
        else Material("", (0.012, 0.012, 0.015))
    )


def desktop_computer(random: np.random.Generator) -> list[Part]:
    """A tower: drive bays, a power button, a grille below."""
    width, depth, height = about(random, 0.19), about(random, 0.43), about(random, 0.40)
    face = -depth / 2 - 0.003
    bays = [box((0, face, height * z), (width * 0.8, 0.006, 0.04)) for z in (0.9, 0.77)]
    slots = [box((0, face, height * 0.1 + 0.018 * i), (width * 0.7, 0.006, 0.008)) for i in range(7)]
    button = rod((0, face - 0.004, height * 0.6), (0, face + 0.004, height * 0.6), 0.014)
    return [
        Part(box((0, 0, height / 2), (width, depth, height), 0.006), casing(random)),
        Part(joined(bays), grey(random)),
        Part(joined(slots), Material("", (0.06, 0.06, 0.06))),
        Part(button, Material("", (0.3, 0.5, 0.9), 0.6)),
    ]


def computer_monitor(random: np.random.Generator) -> list[Part]:
    """A screen in a thin frame on a round or square foot; wide or not, sometimes turned on its stand."""
    width, shape, base = random.uniform(0.48, 0.72), random.uniform(0.45, 0.62), random.uniform(0.10, 0.18)
    height, frame = width * shape, casing(random)
    head = [
        Part(box((0, 0, base + height / 2), (width, 0.03, height), 0.006), frame),
        Part(front((0, -0.0155, base + height / 2 + 0.004), width - 0.03, height - 0.035), _screen(random)),
    ]
    foot = [
        cylinder((0, 0.03, 0), 0.12, 0.014, 32) if random.random() < 0.4 else box((0, 0.03, 0.007), (0.24, 0.2, 0.014), 0.004),
        box((0, 0.04, (base + 0.1) / 2), (0.06, 0.02, base + 0.1)),
    ]
    return [*turned(head, yaw_matrix(random.uniform(-15, 15))), Part(joined(foot), frame if random.random() < 0.7 else STEEL)]


def computer_mouse(random: np.random.Generator) -> list[Part]:
    """A shell with a wheel, on a mat most often."""
    parts = [
        Part(soft((0, 0, 0.018), (0.062, 0.108, 0.036), 0.85), casing(random)),
        Part(rod((-0.004, -0.03, 0.034), (0.004, -0.03, 0.034), 0.009), STEEL),
    ]
    return standing([*parts, Part(box((0, 0, -0.001), (0.12, 0.14, 0.002)), plastic(random))])


def tablet_computer(random: np.random.Generator) -> list[Part]:
    """A glass face in a thin case, propped up or flat."""
    width, height = random.uniform(0.21, 0.28), random.uniform(0.15, 0.20)
    slab = [
        Part(box((0, 0, 0), (width, 0.008, height), 0.003), grey(random)),
        Part(front((0, -0.0045, 0), width - 0.014, height - 0.014), _screen(random)),
    ]
    if random.random() < 0.4:
        return standing(turned(slab, tilt_matrix(-90)))
    return standing([*turned(slab, tilt_matrix(-22)), Part(box((0, 0.06, -0.03), (width * 0.5, 0.006, height * 0.5)), BLACK)])


def mobile_phone(random: np.random.Generator) -> list[Part]:
    """A glass face with a lens block behind; lying, or upright in a dock."""
    slab = [
        Part(box((0, 0, 0), (0.073, 0.009, 0.152), 0.004), plastic(random)),
        Part(front((0, -0.005, 0), 0.067, 0.145), _screen(random)),
    ]
    if random.random() < 0.6:
        return standing(turned(slab, tilt_matrix(-90)))
    return standing([*turned(slab, tilt_matrix(-18)), Part(box((0, 0.01, -0.08), (0.09, 0.09, 0.02), 0.006), BLACK)])


def telephone(random: np.random.Generator) -> list[Part]:
    """A desk telephone: handset across one side, keys, a small display, a coiled cord."""
    case = casing(random)
    wedge = box((0, 0, 0.03), (0.20, 0.20, 0.05), 0.008).transformed(tilt_matrix(8))
    handset = [capsule((-0.065, -0.075, 0.085), (-0.065, 0.075, 0.100), 0.018)] + [
        soft((-0.065, y, z), (0.055, 0.055, 0.04), 0.6) for y, z in ((-0.08, 0.072), (0.08, 0.092))
    ]
    keys = [
        box((0.03 + 0.026 * i, -0.06 + 0.022 * j, 0.056 + 0.003 * j), (0.017, 0.014, 0.008)) for i in range(3) for j in range(4)
    ]
    cord = [ring((-0.105, -0.06 + 0.012 * i, 0.02), 0.008, 0.004, True, 10) for i in range(9)]
    return standing(
        [
            Part(joined([wedge, *handset, *cord]), case),
            Part(joined(keys), grey(random)),
            Part(lying((0.045, 0.065, 0.070), 0.08, 0.04), Material("", (0.35, 0.45, 0.36))),
        ]
    )


def printer(random: np.random.Generator) -> list[Part]:
    """A box with a sheet feeder behind, a panel in front and paper in the tray."""
    width, depth, height, case = (
        random.uniform(0.38, 0.46),
        random.uniform(0.30, 0.38),
        random.uniform(0.16, 0.28),
        casing(random),
    )
    lid = box((0, 0.01, height + 0.015), (width * 0.98, depth * 0.9, 0.03), 0.006)
    feeder = box((0, 0, 0), (0.24, 0.008, 0.20)).transformed(tilt_matrix(-25), (0, depth / 2 - 0.03, height + 0.1))
    sheets = box((0, 0, 0), (0.21, 0.004, 0.22)).transformed(tilt_matrix(-25), (0, depth / 2 - 0.045, height + 0.12))
    mouth = box((0, -depth / 2 - 0.001, height * 0.4), (0.26, 0.004, 0.07))
    tray = box((0, -depth / 2 - 0.06, height * 0.22), (0.24, 0.14, 0.008))
    panel = front((width * 0.28, -depth / 2 - 0.002, height * 0.82), width * 0.36, height * 0.2)
    return [
        Part(joined([box((0, 0, height / 2), (width, depth, height), 0.012), lid, feeder]), case),
        Part(joined([mouth]), BLACK),
        Part(tray, grey(random)),
        Part(joined([sheets, box((0, -depth / 2 - 0.06, height * 0.22 + 0.007), (0.21, 0.13, 0.006))]), WHITE),
        Part(panel, Material(f"buttons:{int(random.integers(6))}")),
    ]


def projector(random: np.random.Generator) -> list[Part]:
    """A low box with a lens on one side and slots on the other."""
    width, depth, height = random.uniform(0.28, 0.38), random.uniform(0.22, 0.30), random.uniform(0.08, 0.12)
    y, z = -depth / 2, height / 2 + 0.015
    lens = [
        rod((width * 0.25, y - 0.022, z), (width * 0.25, y + 0.01, z), height * 0.38),
        rod((width * 0.25, y - 0.026, z), (width * 0.25, y - 0.02, z), height * 0.44),
    ]
    slots = [box((-width * 0.25, y - 0.001, 0.03 + 0.011 * i), (width * 0.3, 0.004, 0.005)) for i in range(6)]
    feet = [cylinder((i * width * 0.4, j * depth * 0.4, 0), 0.012, 0.02) for i in (-1, 1) for j in (-1, 1)]
    return [
        Part(box((0, 0, z), (width, depth, height), 0.015), casing(random)),
        Part(joined([*lens, *slots, *feet]), BLACK),
        Part(
            rod((width * 0.25, y - 0.028, z), (width * 0.25, y - 0.0262, z), height * 0.33),
            Material("reflection", (0.3, 0.35, 0.6)),
        ),
    ]


def webcam(random: np.random.Generator) -> list[Part]:
    """A ball or a bar with an eye on a clip or a small foot."""
    if random.random() < 0.5:
        head, eye = sphere((0, 0, 0.085), 0.032), rod((0, -0.026, 0.085), (0, -0.035, 0.085), 0.016)
    else:
        head, eye = box((0, 0, 0.08), (0.095, 0.03, 0.03), 0.012), rod((0, -0.012, 0.08), (0, -0.02, 0.08), 0.012)
    foot = [cylinder((0, 0, 0), 0.036, 0.01), cylinder((0, 0, 0.005), 0.008, 0.06)]
    return standing([Part(joined([head, *foot]), casing(random)), Part(eye, Material("reflection", (0.15, 0.15, 0.3)))])


def router(random: np.random.Generator) -> list[Part]:
    """A flat box with lamps and two to four aerials."""
    width, depth, count = random.uniform(0.18, 0.28), random.uniform(0.12, 0.17), int(random.integers(2, 5))
    case = casing(random)
    aerials = [
        capsule((x, depth / 2, 0.02), (x * 1.12, depth / 2 + 0.02, 0.19), 0.006) for x in np.linspace(-0.42, 0.42, count) * width
    ]
    lamps = [box((width * x, -depth / 2 - 0.001, 0.018), (0.006, 0.003, 0.004)) for x in np.linspace(-0.35, 0.2, 6)]
    return standing(
        [
            Part(box((0, 0, 0.018), (width, depth, 0.034), 0.008), case),
            Part(joined(aerials), case if random.random() < 0.5 else BLACK),
            Part(joined(lamps), Material("", (0.2, 0.9, 0.3), 1.0)),
        ]
    )


def power_strip(random: np.random.Generator) -> list[Part]:
    """A row of sockets with a switch and a cable, a plug in some."""
    count, case = int(random.integers(3, 7)), casing(random)
    length = 0.055 * count + 0.06
    sockets = [cylinder((0.055 * (i - count / 2 + 0.2), 0, 0.0385), 0.019, 0.003) for i in range(count)]
    plugs = [
        soft((0.055 * (i - count / 2 + 0.2), 0, 0.055), (0.034, 0.034, 0.045), 0.6) for i in range(count) if random.random() < 0.4
    ]
    cable = tube([(-length / 2, 0, 0.02), (-length / 2 - 0.05, 0.02, 0.006), (-length / 2 - 0.07, 0.09, 0.005)], 0.004)
    return standing(
        [
            Part(joined([box((0, 0, 0.019), (length, 0.055, 0.038), 0.008), cable]), case),
            Part(joined([*sockets, *plugs]), WHITE if case is BLACK else BLACK),
            Part(box((length * 0.46, 0, 0.04), (0.02, 0.03, 0.01)), Material("", (0.7, 0.04, 0.03))),
        ]
    )


KINDS = {
    "desktop computer": Kind(desktop_computer, "top"),
    "computer monitor": Kind(computer_monitor, "top"),
    "computer mouse": Kind(computer_mouse, "top"),
    "tablet computer": Kind(tablet_computer, "top"),
    "mobile phone": Kind(mobile_phone, "top"),
    "telephone": Kind(telephone, "top"),
    "printer": Kind(printer, "top"),
    "projector": Kind(projector, "top"),
    "webcam": Kind(webcam, "top"),
    "router": Kind(router, "top"),
    "power strip": Kind(power_strip, "top"),
}
