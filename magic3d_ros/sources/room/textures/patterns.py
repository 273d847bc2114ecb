"""Procedural textures by name: wood, cloth, plaster, prints. Made from noise, so nothing has to be downloaded.

`paint("oak")` -> (H, W, 3) uint8 RGB. A number after a colon picks a variation: "book:3". All but prints tile.
The colours are those of the material in daylight, read off everyday photographs; materials tint them further.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from magic3d_ros.sources.room.textures.noise import cloud, image, mixed
from magic3d_ros.sources.room.textures.office_prints import document, globe, notices, reflection, whiteboard
from magic3d_ros.sources.room.textures.packaging import buttons, package
from magic3d_ros.sources.room.textures.prints import (
    book,
    clock,
    football,
    keyboard,
    microwave_panel,
    newspaper,
    painting,
    screen,
    window_view,
)

SIZE = 512


def paint(name: str) -> np.ndarray:
    """The texture called `name`. Raises KeyError naming the textures there are."""
    base, _, variation = name.partition(":")
    if base not in TEXTURES or (variation and not variation.isdecimal()):
        raise KeyError(f"unknown texture '{name}': there are {', '.join(sorted(TEXTURES))}")
    return TEXTURES[base](int(variation or 0))


def _wood(dark: tuple[float, ...], light: tuple[float, ...], seed: int) -> np.ndarray:
    """Grain along u: year rings cut at a shallow angle are distorted parallel lines, pores are short dark streaks."""
    # the grain runs along u, which is the image's x
    y = np.arange(SIZE)[:, None] / SIZE
    bend = cloud(SIZE, 2.2, seed, 6.0)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * y + 0.55 * bend))
    pores = np.clip(cloud(SIZE, 0.35, seed + 1, 14.0) - 1.0, 0, 2)
    tone = 0.55 * rings + 0.25 * (0.5 + 0.3 * cloud(SIZE, 1.2, seed + 2, 10.0)) + 0.2
    return image(mixed(dark, light, tone) * (1 - 0.16 * pores[..., None]))


def _planks(variation: int) -> np.ndarray:
    """A floor of boards along x: 8 rows, joints staggered, every board with its own tone."""
    random = np.random.default_rng(40 + variation)
    grain = _wood((128, 86, 52), (188, 140, 92), 40 + variation).astype(np.float32)
    out, row_height = np.empty_like(grain), SIZE // 8
    for row in range(8):
        shift = int(random.integers(SIZE))
        strip = np.roll(grain, int(random.integers(SIZE)), axis=0)[row * row_height:(row + 1) * row_height]
        for board in range(2):
            columns = (np.arange(SIZE // 2) + shift + board * SIZE // 2) % SIZE
            piece = np.roll(strip, int(random.integers(SIZE)), axis=1)[:, columns] * random.uniform(0.80, 1.12)
            piece[:, :1] *= 0.45
            out[row * row_height:(row + 1) * row_height, columns] = piece
        out[row * row_height] *= 0.45
    return image(out)


def _woven(colour: tuple[float, ...], seed: int, threads: int = 64) -> np.ndarray:
    """Plain weave: warp and weft take turns on top; thread thickness and dye vary."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] * (threads / SIZE)
    over = ((np.floor(x) + np.floor(y)) % 2).astype(bool)
    shine = np.where(over, np.abs(np.sin(np.pi * x)), np.abs(np.sin(np.pi * y)))
    slub = np.where(over, cloud(SIZE, 0.8, seed, 12.0), cloud(SIZE, 0.8, seed + 1, 12.0).T)
    tone = 0.72 + 0.22 * shine + 0.06 * slub + 0.035 * cloud(SIZE, 1.6, seed + 2)
    return image(np.array(colour, np.float32) * tone[..., None])


def _plaster(variation: int) -> np.ndarray:
    """Painted plaster: roller texture and faint clouds."""
    tone = 0.92 + 0.014 * cloud(SIZE, 0.6, 60 + variation) + 0.009 * cloud(SIZE, 1.6, 61 + variation)
    return image(np.array((246, 243, 236), np.float32) * tone[..., None])


def _leather(variation: int) -> np.ndarray:
    creases = np.abs(cloud(SIZE, 1.0, 70 + variation))
    tone = 0.70 + 0.16 * np.clip(creases, 0, 1.5) + 0.05 * cloud(SIZE, 1.8, 71)
    return image(np.array((150, 92, 58), np.float32) * tone[..., None])


def _marble(variation: int) -> np.ndarray:
    veins = np.exp(-10 * np.abs(cloud(SIZE, 1.9, 80 + variation)))
    return image(mixed((238, 236, 232), (120, 122, 128), 0.75 * veins + 0.05 * cloud(SIZE, 1.2, 81)))


def _rug(variation: int) -> np.ndarray:
    """A whole woven rug: borders, corner ornaments and a medallion on a field of small diamonds, with a thread texture."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    palette = np.array([(122, 26, 30), (206, 172, 118), (26, 40, 78), (226, 212, 182), (60, 92, 74)], np.float32)
    edge = np.minimum(np.minimum(x, 1 - x) * 1.4, np.minimum(y, 1 - y))
    small = (np.abs((x * 24) % 1 - 0.5) + np.abs((y * 17) % 1 - 0.5)) < 0.22
    index = np.where(small, 1, 0)
    medallion = np.hypot((x - 0.5) * 1.4, y - 0.5) * (1 + 0.12 * np.cos(8 * np.arctan2(y - 0.5, (x - 0.5) * 1.4)))
    for radius, colour in ((0.30, 3), (0.285, 2), (0.20, 1), (0.185, 0), (0.10, 3), (0.09, 4), (0.04, 1)):
        index[medallion < radius] = colour
    corner = np.hypot(np.minimum(x, 1 - x) * 1.4 - 0.13, np.minimum(y, 1 - y) - 0.13)
    index[corner < 0.15] = 2
    index[corner < 0.11] = 1
    index[corner < 0.10] = 4
    for distance, colour in ((0.13, 3), (0.12, 2), (0.045, 1), (0.03, 0)):
        index[edge < distance] = colour
    index[(edge > 0.055) & (edge < 0.11) & (np.abs(((x + y) * 14) % 1 - 0.5) < 0.2)] = 1
    threads = 0.86 + 0.10 * np.abs(np.sin(np.pi * y * 128)) + 0.04 * cloud(SIZE, 0.6, 90 + variation)
    return image(palette[index] * threads[..., None])


def _leaf(variation: int) -> np.ndarray:
    """One leaf, v from its base to its tip: a light midrib and side veins."""
    v, u = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    side = np.abs(u - 0.5)
    veins = np.clip(1 - np.abs(((v - 0.9 * side) * 14) % 1 - 0.5) * 9, 0, 1) * (side < 0.47)
    midrib = np.clip(1 - side * 40, 0, 1)
    tone = 0.45 + 0.12 * cloud(SIZE, 1.5, 100 + variation)
    green = mixed((24, 66, 24), (92, 142, 56), tone)
    return image(green + (0.28 * veins + 0.7 * midrib)[..., None] * np.array((70, 80, 40), np.float32))


def _brushed(variation: int) -> np.ndarray:
    tone = 0.9 + 0.035 * cloud(SIZE, 0.5, 110 + variation, 24.0).T
    return image(np.array((206, 208, 212), np.float32) * tone[..., None])


def _terracotta(variation: int) -> np.ndarray:
    tone = 0.9 + 0.05 * cloud(SIZE, 1.3, 120 + variation) + 0.03 * cloud(SIZE, 0.3, 121)
    return image(np.array((188, 104, 70), np.float32) * tone[..., None])


def _soil(variation: int) -> np.ndarray:
    return image(np.array((64, 46, 34), np.float32) * (0.8 + 0.3 * cloud(SIZE, 0.8, 130 + variation))[..., None])


def _wicker(variation: int) -> np.ndarray:
    """Basket work: canes over and under upright stakes."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    over = np.sin(2 * np.pi * 8 * x + np.pi * (np.floor(y * 16) % 2))
    cane = np.abs(np.sin(np.pi * y * 16)) ** 0.5
    tone = (0.62 + 0.25 * over) * (0.4 + 0.6 * cane) + 0.06 * cloud(SIZE, 0.8, 140 + variation, 4.0) + 0.2
    return image(mixed((88, 54, 26), (206, 160, 104), tone))


def _tiles(variation: int) -> np.ndarray:
    """Square floor tiles, four a repeat, with grout."""
    random = np.random.default_rng(150 + variation)
    tone = 0.9 + 0.03 * cloud(SIZE, 1.5, 151 + variation)
    half = SIZE // 2
    for row in (0, half):
        for column in (0, half):
            tone[row:row + half, column:column + half] *= random.uniform(0.93, 1.03)
            tone[row:row + 5, column:column + half] = 0.62
            tone[row:row + half, column:column + 5] = 0.62
    return image(np.array((214, 206, 194), np.float32) * tone[..., None])


def _checked(variation: int) -> np.ndarray:
    """Checked shirt cloth."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    across = ((x * 6) % 1 < 0.45).astype(np.float32)
    down = ((y * 6) % 1 < 0.45).astype(np.float32)
    thin = (((x * 6 + 0.27) % 1 < 0.06) | ((y * 6 + 0.27) % 1 < 0.06)).astype(np.float32)
    colour = mixed((196, 64, 52), (34, 44, 84), 0.5 * (across + down)) + 60 * thin[..., None]
    return image(colour * (0.92 + 0.05 * cloud(SIZE, 0.5, 160 + variation))[..., None])


def _denim(variation: int) -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    twill = 0.5 + 0.5 * np.sin(2 * np.pi * (x + y) / 8)
    tone = 0.8 + 0.1 * twill + 0.08 * cloud(SIZE, 0.9, 170 + variation)
    return image(np.array((62, 84, 128), np.float32) * tone[..., None])


def _orange(variation: int) -> np.ndarray:
    """Citrus peel."""
    pits = np.clip(cv2.GaussianBlur(cloud(SIZE, 0.1, 180 + variation), (0, 0), 2.5) * 6, -2, 0)
    return image(np.array((238, 138, 28), np.float32) * (0.96 + 0.05 * pits)[..., None])


def _carpet(variation: int) -> np.ndarray:
    """Looped office carpet: short bright and dark specks."""
    tone = 0.80 + 0.12 * cloud(SIZE, 0.15, 190 + variation) + 0.03 * cloud(SIZE, 1.4, 191)
    return image(np.array((118, 124, 134), np.float32) * tone[..., None])


def _striped(variation: int) -> np.ndarray:
    """Striped cloth: broad light and narrow dark bands along v."""
    x = np.arange(SIZE)[None].repeat(SIZE, 0) / SIZE
    band = ((x * 6) % 1 < 0.38) | (np.abs((x * 6) % 1 - 0.69) < 0.05)
    cloth = _woven((232, 228, 216), 195 + variation, 128).astype(np.float32)
    return image(np.where(band[..., None], cloth * np.array((0.40, 0.56, 0.72), np.float32), cloth))


TEXTURES: dict[str, Callable[[int], np.ndarray]] = {
    "oak": lambda n: _wood((150, 106, 64), (206, 164, 112), 10 + n),
    "walnut": lambda n: _wood((62, 38, 24), (112, 72, 46), 20 + n),
    "pine": lambda n: _wood((198, 150, 92), (236, 204, 150), 30 + n),
    "planks": _planks, "plaster": _plaster, "leather": _leather, "marble": _marble, "rug": _rug, "leaf": _leaf,
    "linen": lambda n: _woven((226, 220, 206), 50 + n),
    "canvas": lambda n: _woven((232, 230, 226), 55 + n, 128),
    "brushed": _brushed, "terracotta": _terracotta, "soil": _soil, "wicker": _wicker, "tiles": _tiles,
    "checked": _checked, "football": football, "denim": _denim, "orange": _orange,
    "painting": painting, "book": book, "screen": screen, "clock": clock, "keyboard": keyboard, "newspaper": newspaper,
    "microwave_panel": microwave_panel, "window_view": window_view, "carpet": _carpet, "striped": _striped,
    "document": document, "whiteboard": whiteboard, "notices": notices, "globe": globe, "reflection": reflection,
    "package": package, "buttons": buttons,
}
