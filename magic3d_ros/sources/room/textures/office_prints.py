"""Pictures that are stretched once over a face: sheets, boards, a globe, what a mirror shows."""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.sources.room.textures.noise import cloud, image, mixed


def document(variation: int) -> np.ndarray:
    """A sheet of paper: a heading, lines of text, on every third sheet a diagram."""
    random = np.random.default_rng(300 + variation)
    page = np.full((424, 300, 3), 244, np.uint8)
    cv2.rectangle(page, (32, 34), (32 + int(random.integers(110, 220)), 48), (60, 60, 66), -1)
    chart = 90 if variation % 3 == 0 else 0
    if chart:
        for i, height in enumerate(random.integers(15, 80, 8)):
            cv2.rectangle(page, (50 + 25 * i, 160 - int(height)), (66 + 25 * i, 160), (70, 110, 170), -1)
        cv2.line(page, (40, 161), (262, 161), (40, 40, 44), 2)
    for y in range(74 + chart + (20 if chart else 0), 392, 12):
        if random.random() < 0.12:
            continue
        cv2.rectangle(page, (32, y), (32 + int(random.integers(180, 236)), y + 4), (120, 120, 124), -1)
    return page


def whiteboard(variation: int) -> np.ndarray:
    """Marker drawings: boxes with arrows between them, a curve in axes, lines of writing."""
    random = np.random.default_rng(310 + variation)
    board = np.full((512, 820, 3), 248, np.uint8)
    blue, red, green, black = (30, 60, 170), (190, 30, 36), (20, 120, 60), (35, 35, 40)
    places = [(70, 80), (290, 60), (290, 200), (80, 220)]
    for x, y in places:
        cv2.rectangle(board, (x, y), (x + 130, y + 64), blue, 3, cv2.LINE_AA)
        cv2.polylines(board, [_scrawl(random, x + 16, y + 36, 96)], False, black, 2, cv2.LINE_AA)
    for (ax, ay), (bx, by) in ((places[0], places[1]), (places[1], places[2]), (places[2], places[3])):
        cv2.arrowedLine(board, (ax + 65, ay + 68), (bx + 65, by - 6), red, 3, cv2.LINE_AA, tipLength=0.12)
    cv2.arrowedLine(board, (520, 240), (780, 240), black, 3, cv2.LINE_AA, tipLength=0.05)
    cv2.arrowedLine(board, (520, 240), (520, 60), black, 3, cv2.LINE_AA, tipLength=0.07)
    along = np.linspace(0, 1, 60)
    curve = np.stack([524 + 240 * along, 232 - 150 / (1 + np.exp(-9 * (along - 0.5)))], 1).astype(np.int32)
    cv2.polylines(board, [curve], False, green, 4, cv2.LINE_AA)
    for row in range(6):
        cv2.polylines(
            board, [_scrawl(random, 90 + 12 * (row % 2), 330 + 26 * row, 460 - 40 * (row % 3))], False, black, 2, cv2.LINE_AA
        )
    smear = np.clip(cloud(1024, 1.6, 311 + variation)[:512, :820], 0, 2)[..., None]
    return image(board - 5 * smear)


def _scrawl(random: np.random.Generator, x: int, y: int, width: int) -> np.ndarray:
    """(n, 1, 2) points of a line of unreadable handwriting."""
    across = np.arange(0, width, 4)
    height = 6 * np.sin(across * 0.55 + 3 * np.cumsum(random.uniform(-0.3, 0.3, len(across)))) + random.uniform(
        -3, 3, len(across)
    )
    return np.stack([x + across, y + height], 1).astype(np.int32)[:, None]


def notices(variation: int) -> np.ndarray:
    """Cork with coloured notes, a sheet and a photograph pinned to it."""
    random = np.random.default_rng(320 + variation)
    grain = 0.9 + 0.10 * cloud(1024, 0.5, 321 + variation)[:400, :600]
    board = image(np.array((196, 148, 96), np.float32) * grain[..., None])
    colours = ((250, 226, 96), (250, 170, 180), (150, 220, 160), (160, 205, 245), (244, 244, 240), (244, 244, 240))
    for i in range(9):
        x, y = 26 + (i % 3) * 190 + int(random.integers(0, 40)), 20 + (i // 3) * 124 + int(random.integers(0, 20))
        width, height = (80, 80) if i % 2 else (104, 92)
        cv2.rectangle(board, (x + 4, y + 5), (x + width + 4, y + height + 5), (120, 88, 56), -1)
        cv2.rectangle(board, (x, y), (x + width, y + height), colours[int(random.integers(len(colours)))], -1)
        for row in range(18, height - 12, 13):
            cv2.polylines(board, [_scrawl(random, x + 8, y + row, width - 22)], False, (70, 70, 76), 1, cv2.LINE_AA)
        cv2.circle(board, (x + width // 2, y + 6), 6, ((200, 30, 30), (30, 60, 180), (40, 140, 60))[i % 3], -1, cv2.LINE_AA)
    return board


def globe(variation: int) -> np.ndarray:
    """Seas and lands, to be wrapped once around a sphere; the south pole first, as a sphere's texture runs."""
    land = cloud(512, 1.9, 330 + variation)[:256] + 0.25 * cloud(512, 1.0, 331 + variation)[:256]
    sea = mixed((30, 84, 150), (90, 150, 200), 0.5 + 0.25 * cloud(512, 1.5, 332)[:256])
    ground = mixed((96, 132, 62), (206, 180, 112), 0.5 + 0.5 * cloud(512, 1.3, 333 + variation)[:256])
    picture = np.where((land > 0.45)[..., None], ground, sea)
    latitude = np.abs(np.linspace(-1, 1, 256))[:, None, None]
    picture = np.where(latitude > 0.86, np.array((240, 243, 246), np.float32), picture)
    picture[::32] *= 0.8
    picture[:, ::43] *= 0.8
    return image(picture)


def reflection(variation: int) -> np.ndarray:
    """A mirror's picture of a bright room: soft wall, ceiling and floor, a blurred window, a streak of shine."""
    y, x = np.mgrid[0:384, 0:256] / np.array([384, 256])[:, None, None]
    tone = mixed((214, 220, 224), (150, 152, 154), np.clip((y - 0.15) * 1.4, 0, 1))
    tone = np.where((y > 0.74)[..., None], mixed((150, 120, 92), (112, 88, 66), (y - 0.74) * 3), tone)
    window = (np.abs(x - 0.64) < 0.2) & (np.abs(y - 0.36) < 0.18)
    tone = np.where(window[..., None], np.array((246, 250, 255), np.float32), tone)
    tone = cv2.GaussianBlur(tone.astype(np.float32), (0, 0), 9 + variation)
    streak = np.exp(-(((x + 0.55 * y - 0.5) / 0.05) ** 2))
    return image(tone + 26 * streak[..., None])
