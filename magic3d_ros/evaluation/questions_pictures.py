"""Pictures of answers: heat maps over the mapped surface, and the reliability curve."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from magic3d_ros.language.answer import Answer, Question, Status
from magic3d_ros.report import picture
from magic3d_ros.report.view import SurfaceView, best_azimuth, doll_house
from magic3d_ros.scene import Scene

_WIDTH, _HEIGHT, _TITLE = 520, 420, 44  # pixels of one heat map, and of the lines of text above it
_ELEVATION = 45.0  # degrees above the horizon: over the edge of a table, not quite from above
_BOXED = 0.5  # of the best one's probability: the answers that get a box
_SIDE, _EDGE = 480, 56  # pixels of the reliability curve and of its margin
_BLACK, _GREY, _BLUE, _RED = (20, 20, 20), (190, 190, 190), (60, 110, 190), (200, 70, 50)


def heat_maps(scene: Scene, texts: Sequence[str], columns: int = 2) -> np.ndarray:
    """(H, W, 3) uint8 RGB: for each question the scene as a doll's house, warm where the answer is, boxes around the answers."""
    view = doll_house(scene.surface, scene.up, best_azimuth(scene.surface, scene.up, _ELEVATION), _ELEVATION,
                      _WIDTH * picture.OVERSAMPLING, _HEIGHT * picture.OVERSAMPLING)
    tiles = [_tile(scene, text, scene.query(Question(text)), view) for text in texts]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[i:i + columns], 1) for i in range(0, len(tiles), columns)])


def _tile(scene: Scene, text: str, answer: Answer, view: SurfaceView) -> np.ndarray:
    heat = answer.heat if answer.heat is not None else np.zeros(len(scene.surface), np.float32)
    least = _BOXED * max((m.probability for m in answer.matches), default=0.0)
    chosen = [] if answer.status == Status.NOT_FOUND else [m for m in answer.matches if m.probability >= least]
    boxes = [thing.box for m in chosen if (thing := scene.object(m.id)) is not None]
    large = picture.heat(scene, view, heat, boxes)
    drawn = picture.reduced(large, large.shape[1] // picture.OVERSAMPLING)
    shown = np.full((_HEIGHT + _TITLE, _WIDTH, 3), 255, np.uint8)
    rows, width = min(_HEIGHT, drawn.shape[0]), min(_WIDTH, drawn.shape[1])
    alpha = drawn[:rows, :width, 3:].astype(np.float32) / 255
    place = shown[_TITLE:_TITLE + rows, :width]
    place[:] = (drawn[:rows, :width, :3] * alpha + place * (1 - alpha)).astype(np.uint8)
    first = "" if not answer.matches else f"{answer.matches[0].label or 'unnamed'} {answer.matches[0].probability:.2f}"
    _write(shown, text, (8, 18), 0.5)
    _write(shown, f"{answer.status.name}  {first}", (8, 36), 0.42)
    return shown


def reliability_curve(curves: Sequence[tuple[str, float, np.ndarray]]) -> np.ndarray:
    """(H, W, 3) uint8 RGB: share of right answers over their probability, and below it how many answers lie where.

    curves: name, calibration error and table (questions_scores.reliability) of each; at most two are told apart by colour.
    """
    shown = np.full((_SIDE + 130, _SIDE + 2 * _EDGE, 3), 255, np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(_EDGE + x * _SIDE), round(30 + (1 - y) * (_SIDE - 30))

    for tenth in np.linspace(0, 1, 11):
        cv2.line(shown, at(tenth, 0), at(tenth, 1), (235, 235, 235), 1)
        cv2.line(shown, at(0, tenth), at(1, tenth), (235, 235, 235), 1)
        _write(shown, f"{tenth:.1f}", (at(tenth, 0)[0] - 10, at(0, 0)[1] + 16), 0.38)
        _write(shown, f"{tenth:.1f}", (at(0, 0)[0] - 30, at(0, tenth)[1] + 4), 0.38)
    cv2.line(shown, at(0, 0), at(1, 1), _GREY, 1, cv2.LINE_AA)
    most = max(float(table[:, 0].max()) for _, _, table in curves)
    for number, (name, error, table) in enumerate(curves):
        colour, there = (_BLUE, _RED)[number % 2], table[:, 0] > 0
        points = np.array([at(x, y) for x, y in table[there, 1:]], np.int32)
        cv2.polylines(shown, [points.reshape(-1, 1, 2)], False, colour, 2, cv2.LINE_AA)
        for (x, y), many in zip(points.tolist(), table[there, 0], strict=True):
            cv2.circle(shown, (x, y), 3 + round(9 * np.sqrt(many / most)), colour, 2, cv2.LINE_AA)
        for place, many in enumerate(table[:, 0]):
            left = at(place / len(table), 0)[0] + 6 + 18 * number
            foot = shown.shape[0] - 22
            cv2.rectangle(shown, (left, foot - round(48 * many / most)), (left + 14, foot), colour, -1)
            _write(shown, f"{many:.0f}", (left - 2, foot + 12), 0.3)
        _write(shown, f"{name}: calibration error {error:.3f}", (_EDGE + 12, 52 + 20 * number), 0.46, colour)
    _write(shown, "share of right first answers over their probability", (_EDGE, 18), 0.48)
    return shown


def _write(image: np.ndarray, text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int] = _BLACK) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
