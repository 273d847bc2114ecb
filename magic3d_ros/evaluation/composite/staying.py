"""Things that stand: for the whole run, for some seconds until they walk off, or until they are carried away."""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.composite.drawing import silhouettes
from magic3d_ros.evaluation.composite.outline import Outline
from magic3d_ros.evaluation.composite.schedule import (
    FARTHEST,
    FASTEST,
    NEAREST,
    VISIBLE,
    before_camera,
    on_the_floor,
    seen_shares,
)
from magic3d_ros.evaluation.composite.visit import Visit
from magic3d_ros.evaluation.composite.wardrobe import Thing

TRIES = 60
"""Places tried; the one that the camera sees most often is taken."""

EYE_HEIGHT = 1.4  # metres of the camera above the floor

CLEARANCE = 0.7
"""Metres that the camera keeps from a person who stands, while they stand."""

FREE = 0.9
"""Share of a thing's outline that must be in front of the scene where it is put down: else it would stand inside something."""

WALKS_OFF = 2.0
"""Seconds in which a thing that leaves is out of its place."""

LEVEL = 0.9
"""Cosine between a surface's normal and up from which things can stand on it (26 degrees)."""


def standing(scene: Outline, thing: Thing, seconds: float, random: np.random.Generator, identity: int) -> Visit:
    """A person (or other thing) that stands before the camera from the first frame on: for `seconds`, then walks off; 0 = to the
    end.

    The place is the one, of sixty random ones, that most frames see both while it stands there and afterwards.
    Raises ValueError when no frame sees any of them.
    """
    end = float(scene.seconds[-1])
    until = seconds if seconds else end
    before = scene.seconds <= until
    first = int(before.sum())
    best, best_count = None, 0
    for _ in range(TRIES):
        number = int(random.integers(first))
        distance = random.uniform(NEAREST + 0.2, FARTHEST)
        across = random.uniform(0.3, 0.7)
        place = (on_the_floor(scene, number, across, distance, EYE_HEIGHT) if thing.kind == "person"
                 else before_camera(scene, number, across, 0.55, distance) - scene.up * thing.height / 2)
        there = Visit(identity, thing, np.array([0.0, end + 1e-3]), np.stack([place, place]), scene.up,
                      _towards(scene, number, place), "standing")
        frames = np.arange(0, len(scene), max(1, len(scene) // 40))
        present = before if seconds else np.ones(len(scene), bool)
        if _level_distances(scene, place)[present].min() < CLEARANCE:
            continue  # the camera would walk through it
        seen = seen_shares(scene, there, frames) > 4 * VISIBLE
        count = int(seen.sum()) if not seconds else int(min(seen[before[frames]].sum(), seen[~before[frames]].sum()))
        if count > best_count:
            best, best_count = there, count
    if best is None:
        raise ValueError("no place was found where a thing that stands is seen: take another seed or a longer recording")
    if not seconds:
        return best
    place = best.places[0]
    sideways = np.cross(scene.up, best.heading)
    away = place + (sideways if random.random() < 0.5 else -sideways) * 0.75 * FASTEST * WALKS_OFF
    times = np.array([0.0, until, until + WALKS_OFF])
    return Visit(identity, thing, times, np.stack([place, place, away]), scene.up, best.heading, "leaving")


def carried_away(scene: Outline, thing: Thing, seconds: float, random: np.random.Generator, identity: int) -> Visit:
    """A thing that stands on a level surface from the first frame on and is gone after `seconds`, from one frame to the next.

    Raises ValueError when no frame sees a level surface with room for it.
    """
    end = float(scene.seconds[-1])
    before = scene.seconds <= seconds
    best, best_count = None, 0
    for _ in range(TRIES):
        number = int(random.integers(int(before.sum())))
        place = _level_place(scene, number, random)
        if place is None:
            continue
        # 1 cm above the surface, so that noise of the surface's depth does not shine through its foot
        place = place + 0.01 * scene.up
        there = Visit(identity, thing, np.array([0.0, end + 1e-3]), np.stack([place, place]), scene.up,
                      _towards(scene, number, place), "carried")
        if not _stands_free(scene, there, number):
            continue
        frames = np.arange(0, len(scene), max(1, len(scene) // 40))
        seen = seen_shares(scene, there, frames) > VISIBLE
        count = int(min(seen[before[frames]].sum(), seen[~before[frames]].sum()))
        if count > best_count:
            best, best_count = there, count
    if best is None:
        raise ValueError("no level surface was found that is seen before and after: take another seed or another moment")
    return Visit(identity, thing, np.array([0.0, seconds]), best.places, scene.up, best.heading, "carried")


def _level_place(scene: Outline, number: int, random: np.random.Generator) -> np.ndarray | None:
    """(3,) a random point of a level surface in a frame; None where there is none."""
    depth, camera, pose = scene.depths[number], scene.camera, scene.poses[number]
    known = np.where(np.isfinite(depth), depth, 0)
    points = camera.rays() * known[..., None] @ pose[:3, :3].T + pose[:3, 3]
    normal = np.cross(points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1])
    length = np.linalg.norm(normal, axis=-1)
    level = np.abs(normal @ scene.up) > LEVEL * np.maximum(length, 1e-9)
    level &= (known[1:-1, 1:-1] > 0) & (known[1:-1, 1:-1] < FARTHEST)
    level &= (points[1:-1, 1:-1] - pose[:3, 3]) @ scene.up < 0  # a ceiling is level too
    rows, columns = np.nonzero(level)
    if len(rows) < 20:
        return None
    chosen = int(random.integers(len(rows)))
    return points[rows[chosen] + 1, columns[chosen] + 1]


def _stands_free(scene: Outline, there: Visit, number: int) -> bool:
    """Whether nearly all of a thing is seen in a frame, and nothing of it lies inside the scene."""
    placed = there.at(scene.seconds[number])
    if placed is None:
        return False
    depth, _ = silhouettes([placed], scene.camera, scene.poses[number])
    outline = np.isfinite(depth)
    return bool(outline.any() and (depth < scene.depths[number])[outline].mean() > FREE)


def _level_distances(scene: Outline, place: np.ndarray) -> np.ndarray:
    """(n,) metres between a place and the camera in each frame, heights aside."""
    apart = scene.poses[:, :3, 3] - place
    return np.linalg.norm(apart - (apart @ scene.up)[:, None] * scene.up, axis=1)


def _towards(scene: Outline, number: int, place: np.ndarray) -> np.ndarray:
    """(3,) unit, level: from a place to the camera of a frame."""
    facing = scene.poses[number][:3, 3] - place
    level = facing - scene.up * (facing @ scene.up)
    return level / max(float(np.linalg.norm(level)), 1e-6)
