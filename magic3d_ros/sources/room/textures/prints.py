"""Pictures that are stretched once over a face: paintings, book covers, screens, dials and keys."""

from __future__ import annotations

import cv2
import numpy as np

from magic3d_ros.sources.room.textures.noise import cloud, image, mixed

COVERS = ((140, 32, 28), (28, 62, 116), (40, 92, 54), (196, 160, 78), (206, 200, 180), (52, 52, 58), (116, 52, 104),
          (208, 104, 40))
"""Cloth and paper colours that book bindings come in."""


def landscape(height: int, width: int, seed: int) -> np.ndarray:
    """Sky with clouds, two ranges of hills and a meadow -> (height, width, 3) float32."""
    size = 1 << int(np.ceil(np.log2(max(height, width))))
    clouds, ground = cloud(size, 1.7, seed)[:height, :width], cloud(size, 0.9, seed + 1, 3.0)[:height, :width]
    y = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
    picture = mixed((74, 124, 190), (204, 222, 234), y * 1.8)
    picture = np.where(y[..., None] < 0.55, picture + 50 * np.clip(clouds - 0.2, 0, 1)[..., None], picture)
    ridge = cv2.GaussianBlur(cloud(size, 1.9, seed + 2)[:2, :width], (0, 0), 8)[0]
    for base, amplitude, dark, light in ((0.46, 0.07, (70, 96, 116), (116, 140, 150)), (0.56, 0.05, (36, 72, 40), (92, 120, 58)),
                                         (0.68, 0.025, (92, 128, 44), (186, 182, 84))):
        below = y > base + amplitude * ridge
        ridge = np.roll(ridge, width // 3)
        picture = np.where(below[..., None], mixed(dark, light, 0.5 + 0.35 * ground), picture)
    return picture.astype(np.float32)


def painting(variation: int) -> np.ndarray:
    """A landscape in oil: brush strokes follow by smearing blobs of colour."""
    picture = landscape(384, 512, 200 + 7 * variation)
    strokes = cv2.GaussianBlur(cloud(512, 0.4, 210 + variation, 5.0)[:384], (0, 0), 1.2)
    return image(cv2.bilateralFilter(picture, 9, 60, 6) * (1 + 0.12 * strokes[..., None]))


def window_view(variation: int) -> np.ndarray:
    """What is seen through a window: bright sky over blurred trees."""
    picture = landscape(384, 512, 220 + variation)
    return image(cv2.GaussianBlur(picture, (0, 0), 3) * 0.75 + 64)


def screen(variation: int) -> np.ndarray:
    """A switched-on television: a landscape with a caption bar."""
    picture = landscape(288, 512, 230 + variation)
    picture[248:276, 24:488] = picture[248:276, 24:488] * 0.3 + np.array((20, 40, 120), np.float32) * 0.7
    shown = image(picture)
    _write(shown, 36, 268, 20, 231 + variation, 15, (235, 235, 240), 440)
    return shown


def book(variation: int) -> np.ndarray:
    """A book's spine, v from its head to its foot: bands, a title and a publisher's mark."""
    random = np.random.default_rng(240 + variation)
    cover = np.array(COVERS[variation % len(COVERS)], np.float32)
    ink = (235, 214, 150) if cover.mean() < 130 else (40, 30, 30)
    picture = np.broadcast_to(cover, (256, 48, 3)) * (0.9 + 0.05 * cloud(256, 0.6, 241 + variation)[:, :48, None])
    picture = np.ascontiguousarray(picture, np.float32)
    for y in random.choice([10, 14, 40, 200, 206, 236, 240], 3, replace=False):
        picture[y:y + 3] = ink
    title = np.zeros((34, 140, 3), np.uint8)
    _write(title, 2, 26, 26, 242 + variation, 22, (255, 255, 255), 136)
    written = np.rot90(title, 3)[:, :, 0] > 0
    picture[50:50 + written.shape[0], 7:7 + written.shape[1]][written] = ink
    return image(picture)


def clock(variation: int) -> np.ndarray:
    """A wall clock's face at ten past ten."""
    face = np.full((512, 512, 3), 244, np.uint8)
    for i in range(60):
        a = 2 * np.pi * i / 60
        inner = 212 if i % 5 else 196
        ends = [(round(256 + r * np.sin(a)), round(256 - r * np.cos(a))) for r in (inner, 228)]
        cv2.line(face, ends[0], ends[1], (25, 25, 30), 3 if i % 5 else 9, cv2.LINE_AA)
    for hour in range(1, 13):
        a = 2 * np.pi * hour / 12
        (w, h), _ = cv2.getTextSize(str(hour), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 4)
        place = (round(256 + 160 * np.sin(a) - w / 2), round(256 - 160 * np.cos(a) + h / 2))
        cv2.putText(face, str(hour), place, cv2.FONT_HERSHEY_SIMPLEX, 1.5, (25, 25, 30), 4, cv2.LINE_AA)
    for angle, length, thickness in ((305 + 5 * variation, 110, 13), (60, 165, 9)):
        a = np.radians(angle)
        cv2.line(face, (256, 256), (round(256 + length * np.sin(a)), round(256 - length * np.cos(a))), (20, 20, 24), thickness,
                 cv2.LINE_AA)
    cv2.circle(face, (256, 256), 14, (20, 20, 24), -1, cv2.LINE_AA)
    return face


def keyboard(variation: int) -> np.ndarray:
    """Rows of keys with a space bar, on a dark base."""
    picture = np.full((192, 512, 3), min(34 + 4 * variation, 200), np.uint8)
    for row in range(5):
        x, shift = 10, (0, 10, 16, 24, 0)[row]
        while x < 500:
            width = 26 + (shift if x == 10 else 0)
            if row == 4 and 130 < x < 160:
                width = 180
            width = min(width, 502 - x)
            cv2.rectangle(picture, (x, 10 + 35 * row), (x + width, 40 + 35 * row), (70, 70, 76), -1)
            cv2.rectangle(picture, (x + 3, 12 + 35 * row), (x + width - 3, 35 + 35 * row), (96, 96, 102), -1)
            if width < 60:
                cv2.circle(picture, (x + width // 2, 22 + 35 * row), 4, (225, 225, 225), -1)
            x += width + 6
    return picture


def newspaper(variation: int) -> np.ndarray:
    """A magazine page: a headline, a photograph and columns of text."""
    page = np.full((400, 300, 3), 236, np.uint8)
    _write(page, 16, 56, 56, 250 + variation, 40, (30, 30, 34), 270)
    page[76:210, 16:180] = cv2.resize(image(landscape(128, 128, 252 + variation)), (164, 134))
    for column, top in ((16, 224), (112, 224), (204, 80)):
        for y in range(top, 384, 9):
            length = 78 if (y // 9) % 5 else 48
            page[y:y + 4, column:column + length] = 110
    return page


def microwave_panel(variation: int) -> np.ndarray:
    """A display, three by four buttons and a start button."""
    panel = np.full((384, 160, 3), min(46 + variation, 90), np.uint8)
    cv2.rectangle(panel, (18, 20), (142, 74), (10, 30, 22), -1)
    cv2.putText(panel, "12:30", (26, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (90, 255, 170), 3, cv2.LINE_AA)
    for row in range(4):
        for column in range(3):
            x, y = 20 + 42 * column, 96 + 48 * row
            cv2.rectangle(panel, (x, y), (x + 34, y + 34), (196, 198, 200), -1)
            cv2.putText(panel, str((3 * row + column + 1) % 10), (x + 8, y + 27), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2)
    cv2.rectangle(panel, (20, 300), (142, 356), (70, 150, 80), -1)
    return panel


def football(variation: int) -> np.ndarray:
    """The leather of a ball, to be wrapped once around a sphere: 12 dark pentagons, 20 light hexagons, seams between them."""
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([np.roll((0.0, a, b * golden), k) for a in (-1, 1) for b in (-1, 1) for k in range(3)])
    corners /= np.linalg.norm(corners[0])
    near = corners @ corners.T > 0.4
    faces = np.array([corners[i] + corners[j] + corners[k] for i in range(12) for j in range(i) for k in range(j)
                      if near[i, j] and near[j, k] and near[i, k]])
    faces /= np.linalg.norm(faces[0])
    turn, rise = np.meshgrid(np.linspace(0, 2 * np.pi, 512), np.linspace(-np.pi / 2, np.pi / 2, 256))
    direction = np.stack([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)], -1)
    # a pentagon spans 20.1 degrees around its corner, a hexagon 23.8: angles are compared relative to that
    to_corner, to_face = (np.arccos(np.clip(direction @ middles.T, -1, 1)) for middles in (corners, faces))
    angle = np.concatenate([to_corner + 0.055, to_face], -1)
    order = np.sort(angle, -1)
    patch = np.where((angle.argmin(-1) < 12)[..., None], 30.0 + variation, 236.0)
    return image(np.repeat(np.where((order[..., 1] - order[..., 0] < 0.02)[..., None], 90.0, patch), 3, -1))


def _write(picture: np.ndarray, x: int, y: int, height: int, seed: int, letters: int, colour: tuple[float, ...],
           width: int) -> None:
    """Letters of no meaning, fitted into `width` pixels."""
    random = np.random.default_rng(seed)
    text = "".join(chr(65 + int(random.integers(26))) if random.random() > 0.18 else " " for _ in range(letters))
    (natural, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    size = min(width / max(natural, 1), height / max(tall, 1))
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 2, cv2.LINE_AA)
