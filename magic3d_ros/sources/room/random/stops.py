"""The way of the camera through a random room: some stops on the free floor, a look around at each."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.random.free_floor import FreeFloor
from magic3d_ros.sources.room.trajectory import look

EYE, STOPS, LOOKS = 1.2, 12, 8
"""The camera stops at STOPS places, EYE metres high, and looks LOOKS ways around at each."""

RADIUS, STEP, HEIGHT = 0.25, 0.08, 1.8
"""Metres: of what carries the camera."""

DOWN = (-30, -12)
"""Degrees: looks point at the floor nearby and at the room in turn."""


def stops(random: np.random.Generator, vertices: np.ndarray, frames: int) -> np.ndarray:
    """(frames, 4, 4) camera-to-world. vertices: (V, 3) of the room's mesh, edges at most 3 cm; z up, floor at 0.

    Falls back to the middle of the room where nothing that carries a camera could stand.
    """
    places = FreeFloor(vertices, RADIUS, STEP, HEIGHT).largest()
    chosen = places[random.choice(len(places), STOPS)] if len(places) else np.zeros((1, 2))
    turns = -(-frames // len(chosen))
    poses = [look([x, y, EYE], 360 / turns * turn + 20, DOWN[turn % 2]) for x, y in chosen for turn in range(turns)]
    return np.stack(poses)[:frames]
