"""Prints on cartons and labels, and control panels: pictures that are stretched once over a face."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from magic3d_ros.sources.room.textures.noise import cloud, image

_FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_SIMPLEX)
_SYLLABLES = ("ma", "lo", "ri", "ka", "ven", "do", "sta", "nu", "pel", "or", "ti", "bra", "zu", "fi")


def _colour(random: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> tuple[int, ...]:
    return tuple(int(255 * c) for c in colorsys.hsv_to_rgb(random.random(), random.uniform(*saturation), random.uniform(*value)))


def package(variation: int) -> np.ndarray:
    """The printed face of a carton or a label: a field of colour, an invented name, a picture of blobs, small print."""
    random = np.random.default_rng(400 + variation)
    ground = _colour(random, (0.0, 0.9), (0.75, 1.0))
    face = np.full((256, 192, 3), ground, np.uint8)
    band, ink = _colour(random, (0.5, 1.0), (0.3, 0.8)), (255, 255, 255) if random.random() < 0.6 else (20, 20, 20)
    top = int(random.integers(10, 60))
    cv2.rectangle(face, (0, top), (192, top + 64), band, -1)
    name = "".join(random.choice(_SYLLABLES, int(random.integers(2, 4)))).capitalize()
    font = int(random.choice(_FONTS))
    scale = 170 / cv2.getTextSize(name, font, 1.0, 2)[0][0]
    cv2.putText(face, name, (11, top + 32 + int(11 * scale)), font, scale, ink, 3, cv2.LINE_AA)
    for _ in range(int(random.integers(1, 5))):
        middle = (int(random.integers(40, 150)), int(random.integers(150, 210)))
        axes = (int(random.integers(14, 44)), int(random.integers(12, 32)))
        turn, blob = float(random.uniform(0, 180)), _colour(random, (0.3, 0.9), (0.4, 1.0))
        cv2.ellipse(face, middle, axes, turn, 0, 360, blob, -1, cv2.LINE_AA)
    for row in range(224, 250, 7):
        cv2.line(face, (14, row), (14 + int(random.integers(90, 164)), row), tuple(int(c * 0.45) for c in ground), 2)
    return face


def buttons(variation: int) -> np.ndarray:
    """A control panel: a dark display with digits, rows of buttons, a dial on every second one."""
    random = np.random.default_rng(420 + variation)
    tone = (36, 190, 226)[variation % 3]
    panel = image(np.full((160, 320, 3), tone) + 2.0 * cloud(512, 1.0, 421 + variation)[:160, :320, None])
    cv2.rectangle(panel, (16, 20), (120, 66), (12, 18, 16), -1)
    cv2.putText(panel, f"{int(random.integers(10, 24))}:{int(random.integers(10, 60))}", (22, 54), cv2.FONT_HERSHEY_SIMPLEX, 1.0,
                (90, 240, 170), 2, cv2.LINE_AA)
    key = 96 if tone < 100 else 70
    for row in range(2):
        for column in range(4):
            x, y = 16 + 28 * column, 84 + 34 * row
            cv2.rectangle(panel, (x, y), (x + 20, y + 22), (key, key, key + 6), -1)
            cv2.line(panel, (x + 5, y + 11), (x + 15, y + 11), (tone, tone, tone), 2)
    if variation % 2 == 0:
        for x in (190, 268):
            cv2.circle(panel, (x, 80), 34, (key, key, key + 4), -1, cv2.LINE_AA)
            cv2.circle(panel, (x, 80), 25, (key // 2,) * 3, -1, cv2.LINE_AA)
            angle = random.uniform(0, 2 * np.pi)
            cv2.line(panel, (x, 80), (x + int(24 * np.cos(angle)), 80 + int(24 * np.sin(angle))), (240, 240, 240), 3, cv2.LINE_AA)
    else:
        for i in range(10):
            middle, key_colour = (160 + 32 * (i % 5), 60 + 44 * (i // 5)), _colour(random, (0.0, 0.9), (0.4, 0.9))
            cv2.circle(panel, middle, 11, key_colour, -1, cv2.LINE_AA)
    return panel
