"""A person made of limbs, walking."""

from __future__ import annotations

import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.triangles import Triangles, capsule, joined, sphere

STRIDE = 1.3
"""Metres of one walking cycle (two steps) of an adult at a slow pace."""

GAIT_PHASES = 12
"""Poses a cycle: the foot moves at most 9 cm from one to the next."""


def person(phase: float = 0.0) -> list[Part]:
    """An adult of 1.75 m who walks towards +x; phase 0..1 of the walking cycle. Feet, hands and head are where they swing to."""
    swing = np.sin(2 * np.pi * phase)
    trousers, shirt, skin, shoes = [], [], [], []
    for side in (-1.0, 1.0):
        forward = side * swing
        hip = np.array([0.0, 0.095 * side, 0.92])
        knee = hip + 0.42 * _direction(24 * forward + 6)
        lifted = max(0.0, float(np.cos(2 * np.pi * phase) * side))
        ankle = knee + 0.42 * _direction(24 * forward - 6 - 34 * lifted)
        trousers += [capsule(hip, knee, 0.085, 0.062), capsule(knee, ankle, 0.060, 0.046)]
        shoes.append(capsule(ankle + np.array([-0.03, 0, -0.03]), ankle + np.array([0.15, 0, -0.035]), 0.042, 0.036))
        shoulder = np.array([0.0, 0.21 * side, 1.40])
        elbow = shoulder + 0.29 * _direction(-22 * forward)
        hand = elbow + 0.26 * _direction(-22 * forward + 22)
        shirt.append(capsule(shoulder, elbow, 0.056, 0.045))
        skin += [capsule(elbow, hand, 0.040, 0.030), sphere(hand, 0.045, 14)]
    torso = capsule((0, 0, 1.02), (0, 0, 1.34), 0.125, 0.155, 24).transformed(scale=(0.86, 1.25, 1.0))
    hips = capsule((0, 0, 0.93), (0, 0, 1.0), 0.125, segments=24).transformed(scale=(0.86, 1.22, 1.0))
    skin += [capsule((0, 0, 1.44), (0.01, 0, 1.55), 0.055), _head()]
    hair = sphere((0, 0, 0), 0.118, 24).transformed(scale=(1.0, 0.85, 0.95), translation=(-0.022, 0, 1.685))
    return [Part(joined([*trousers, hips]), Material("denim", repeat=3.0)),
            Part(joined([*shirt, torso]), Material("checked", repeat=3.0)),
            Part(joined(skin), Material("", (0.62, 0.38, 0.28))), Part(joined([hair, *shoes]), Material("", (0.05, 0.035, 0.03)))]


def _head() -> Triangles:
    skull = sphere((0, 0, 0), 0.11, 24).transformed(scale=(0.95, 0.8, 1.12), translation=(0.012, 0, 1.65))
    return joined([skull, capsule((0.10, 0, 1.66), (0.128, 0, 1.625), 0.014)])


def _direction(degrees: float) -> np.ndarray:
    """Downwards, swung forward by degrees."""
    return np.array([np.sin(np.radians(degrees)), 0.0, -np.cos(np.radians(degrees))])
