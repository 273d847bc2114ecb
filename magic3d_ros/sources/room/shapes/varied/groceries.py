"""Groceries in their packages. Lengths in metres, fronts towards -y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.shapes.varied.building import (
    STEEL,
    WHITE,
    bright,
    ceramic,
    front,
    lying,
    open_box,
    rod,
    soft,
    standing,
    turned,
    vessel,
)
from magic3d_ros.sources.room.shapes.varied.choices import between, pick, plain
from magic3d_ros.sources.room.shapes.varied.drapery import sheet
from magic3d_ros.sources.room.shapes.varied.kind import Kind
from magic3d_ros.sources.room.shapes.varied.vessel_parts import band, solid
from magic3d_ros.sources.room.triangles import Triangles, box, cylinder, joined, tilt_matrix, yaw_matrix

SIDES = (-1, 1)


def _package(random: np.random.Generator) -> Material:
    return Material(f"package:{int(random.integers(200))}")


def snack(random: np.random.Generator) -> list[Part]:
    """A bag of crisps that stands or lies, a bar of chocolate, a tube of crisps, or a bowl of nuts."""
    design, print_ = int(random.integers(4)), _package(random)
    if design == 0:
        w, h = between(random, 0.15, 0.21), between(random, 0.2, 0.28)
        x, z = np.meshgrid(np.linspace(-1, 1, 15), np.linspace(0, 1, 15), indexing="ij")
        bulge = 0.045 * (1 - x**4) * np.sin(np.pi * z) ** 0.5
        face = sheet(np.stack([x * w / 2, -bulge, z * h], -1), 0.001)
        pictured = Triangles(
            face.positions,
            face.normals,
            np.stack([face.positions[:, 0] / w + 0.5, 1 - face.positions[:, 2] / h], 1).astype(np.float32),
        )
        parts = [Part(pictured, print_), Part(pictured.transformed(yaw_matrix(180)), print_)]
        return standing(turned(parts, tilt_matrix(-80 if random.random() < 0.5 else -6)))
    if design == 1:
        w = between(random, 0.15, 0.19)
        return [
            Part(box((0, 0, 0.006), (w, 0.08, 0.012), 0.003), bright(random)),
            Part(lying((0, 0, 0.0125), w * 0.8, 0.078), print_),
        ]
    if design == 2:
        tube_ = [(0.038, 0), (0.038, 0.23)]
        return [
            Part(solid(tube_), STEEL),
            band(tube_, 0.006, 0.222, replace(print_, repeat=4.2)),
            Part(cylinder((0, 0, 0.23), 0.04, 0.008), WHITE),
        ]
    nuts = [
        soft(
            (0.05 * np.sqrt(i / 30) * np.cos(2.4 * i), 0.05 * np.sqrt(i / 30) * np.sin(2.4 * i), 0.048 + 0.004 * (i % 3)),
            (0.02, 0.015, 0.014),
            1.0,
            8,
        )
        for i in range(30)
    ]
    return [
        Part(vessel([(0.04, 0), (0.065, 0.03), (0.07, 0.05)], 0.004), ceramic(random)),
        Part(joined(nuts), plain(*pick(random, (0.5, 0.28, 0.09), (0.7, 0.5, 0.2)))),
    ]


def _carton(random: np.random.Generator, size: tuple[float, float, float]) -> list[Part]:
    """A printed box: its front, back and sides carry prints."""
    width, depth, height = size
    print_ = _package(random)
    faces = [
        front((0, -depth / 2 - 0.0006, height / 2), width, height),
        front((0, -depth / 2 - 0.0006, height / 2), width, height).transformed(yaw_matrix(180)),
        front((0, -width / 2 - 0.0006, height / 2), depth, height).transformed(yaw_matrix(90)),
        front((0, -width / 2 - 0.0006, height / 2), depth, height).transformed(yaw_matrix(-90)),
    ]
    return [Part(box((0, 0, height / 2), size), bright(random, value=(0.3, 0.8))), Part(joined(faces), print_)]


def cereal_box(random: np.random.Generator) -> list[Part]:
    """A tall carton, sometimes with its flaps open, or two side by side."""
    size = (between(random, 0.16, 0.21), between(random, 0.045, 0.075), between(random, 0.22, 0.31))
    parts = _carton(random, size)
    if random.random() < 0.3:
        other = turned(
            _carton(random, (size[0] * 0.8, size[1], size[2] * 0.85)),
            yaw_matrix(between(random, -15, 15)),
            (size[0] * 0.5, 0.09, 0),
        )
        return standing([*parts, *other])
    return parts


def milk_carton(random: np.random.Generator) -> list[Part]:
    """A carton with a gable top or a slanted one, with a screw cap."""
    w, h = between(random, 0.066, 0.095), between(random, 0.165, 0.215)
    parts = _carton(random, (w, w, h))
    slope = np.arctan2(0.045, w / 2)
    if random.random() < 0.65:
        roofs = [
            box((0, 0, 0), (w, np.hypot(0.045, w / 2), 0.002)).transformed(
                tilt_matrix(side * np.degrees(slope)), (0, -side * w / 4, h + 0.0225)
            )
            for side in (-1, 1)
        ]
        gables = [box((x * w * 0.49, 0, h + 0.012), (0.002, w * 0.7, 0.03)) for x in SIDES]
        fin = box((0, 0, h + 0.055), (w, 0.004, 0.025))
        cap = rod((0, -w / 4, h + 0.02), (0, -w / 4 - 0.012, h + 0.036), 0.014)
        return [*parts, Part(joined([*roofs, *gables, fin]), WHITE), Part(cap, bright(random))]
    return [*parts, Part(joined([cylinder((0, 0, h), 0.015, 0.016), box((0, 0, h + 0.001), (w, 0.006, 0.003))]), bright(random))]


def egg(random: np.random.Generator) -> list[Part]:
    """Eggs in an open carton of six or ten, or one in its cup."""
    side = [(0.022 * np.cos(a) * (1 - 0.12 * np.sin(a)), 0.029 * np.sin(a)) for a in np.linspace(-1.5, 1.5, 11)]
    skin, one = pick(random, plain(0.75, 0.72, 0.66), plain(0.55, 0.3, 0.16)), solid(side, 18)
    if random.random() < 0.3:
        cup = vessel([(0.022, 0), (0.008, 0.015), (0.022, 0.035), (0.024, 0.05)], 0.003)
        return [Part(cup, pick(random, ceramic(random), bright(random))), Part(one.transformed(translation=(0, 0, 0.062)), skin)]
    rows = int(random.integers(3, 6))
    places = [(0.047 * (i - (rows - 1) / 2), y, 0.045) for i in range(rows) for y in (-0.024, 0.024)]
    pulp = pick(random, plain(0.3, 0.3, 0.28), plain(0.35, 0.22, 0.12))
    width = 0.047 * rows + 0.012
    lid = open_box((width, 0.105, 0.04), 0.004).transformed(tilt_matrix(-105), (0, 0.062, 0.09))
    tray = [vessel([(0.016, 0), (0.024, 0.036)], 0.002, 14).transformed(translation=(x, y, 0)) for x, y, _ in places]
    return standing(
        [
            Part(joined([*tray, box((0, 0, 0.034), (width, 0.105, 0.006)), lid]), pulp),
            Part(joined([one.transformed(translation=p) for p in places]), skin),
        ]
    )


def pet_food(random: np.random.Generator) -> list[Part]:
    """A bowl with dry food, or two bowls in a stand with food and water."""
    r = between(random, 0.07, 0.1)
    side = [(r * 1.15, 0), (r, r * 0.5)]
    pellets = [
        soft(
            (
                0.78 * r * np.sqrt(i / 40) * np.cos(2.4 * i),
                0.78 * r * np.sqrt(i / 40) * np.sin(2.4 * i),
                r * 0.4 + 0.004 * (i % 2),
            ),
            (0.018, 0.016, 0.012),
            1.0,
            8,
        )
        for i in range(40)
    ]
    food, water = (
        Part(joined(pellets), plain(0.22, 0.1, 0.04)),
        Part(cylinder((0, 0, r * 0.36), r * 0.85, 0.003, 28), plain(0.35, 0.45, 0.5)),
    )
    finish = pick(random, STEEL, bright(random), WHITE)
    parts = [Part(joined([vessel(side, 0.006), cylinder((0, 0, r * 0.34), r * 0.85, 0.004)]), finish), food]
    if random.random() < 0.4:
        parts = [*turned(parts, np.eye(3), (-r * 1.2, 0, 0)), *turned([parts[0], water], np.eye(3), (r * 1.2, 0, 0))]
    return standing(
        [Part(p.triangles.transformed(scale=(0.72, 0.72, 1)), p.material) for p in parts] if len(parts) > 2 else parts
    )


KINDS = {
    "snack": Kind(snack, "top"),
    "cereal box": Kind(cereal_box, "top"),
    "milk carton": Kind(milk_carton, "top"),
    "egg": Kind(egg, "top"),
    "pet food": Kind(pet_food, "floor"),
}
