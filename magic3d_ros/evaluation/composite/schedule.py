"""When what passes by, and where: random paths through the world that the camera really gets to see.

Paths are drawn relative to the camera at a few moments (enters beside the image, crosses before it, leaves), then stand fixed in
the world while the camera moves on. Each is tried on coarse images first and drawn anew until it is seen enough.
"""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.composite.drawing import silhouettes
from magic3d_ros.evaluation.composite.outline import Outline
from magic3d_ros.evaluation.composite.visit import Visit
from magic3d_ros.evaluation.composite.wardrobe import Thing

NEAREST, FARTHEST = 0.8, 2.5
"""Metres before the camera at which things cross."""

LARGEST_SHARE, SMALLEST_SHARE = 0.35, 0.03
"""Mean share of the image that a visit may cover."""

VISIBLE = 0.005
"""Share of the image from which a thing counts as seen."""

FASTEST = 2.0
"""Metres a second: people hurry indoors at 1.5 to 2."""

EYE_HEIGHT = (1.25, 1.55)
"""Metres of the camera above the floor that people walk on: a camera in the hand, or on a robot's mast."""

CROSSING_SECONDS = (2.0, 4.0)
STOPPING_SECONDS = (4.0, 7.0)
RESTING_SHARE = (0.3, 0.5)
"""How long a visit lasts, and which share of one with a rest is rest: 1.2 to 3.5 s."""

TRIES = 30
"""Paths drawn for one visit; the one that is seen most is taken when none is seen enough."""

BESIDE = 0.3
"""Image widths beside the image where things enter and leave: half a person at 1 m."""


def passing_by(scene: Outline, things: dict[str, tuple[Thing, ...]], coverage: float, first: float, random: np.random.Generator,
               first_identity: int) -> list[Visit]:
    """Visits, one after the other from `first` seconds on, so that a share `coverage` of all frames shows one."""
    visits: list[Visit] = []
    seen = np.zeros(len(scene), bool)
    begin = int(np.searchsorted(scene.seconds, first))
    while begin < len(scene) - 2 and coverage > 0:
        visit, shares = _seen_best(scene, things, begin, random, first_identity + len(visits))
        if visit is None:
            begin += max(1, int(np.searchsorted(scene.seconds, scene.seconds[begin] + 1.0)) - begin)
            continue
        visits.append(visit)
        seen[begin:begin + len(shares)] |= shares > VISIBLE
        # the gap that follows is as long as the coverage asks for
        begin = max(begin + len(shares), int(np.ceil(seen.sum() / coverage)))
    return visits


def seen_shares(scene: Outline, visit: Visit, frames: np.ndarray) -> np.ndarray:
    """Share of the image that a visit covers in each of the frames (n,) int."""
    shares = np.zeros(len(frames))
    for row, number in enumerate(frames):
        placed = visit.at(scene.seconds[number])
        if placed is not None:
            depth, _ = silhouettes([placed], scene.camera, scene.poses[number])
            shares[row] = (depth < scene.depths[number]).mean()
    return shares


def before_camera(scene: Outline, number: int, across: float, down: float, distance: float) -> np.ndarray:
    """(3,) world point at a depth before frame `number`, at image position across, down (0..1 inside the image)."""
    camera = scene.camera
    ray = np.array([(across * camera.width - camera.cx) / camera.fx, (down * camera.height - camera.cy) / camera.fy, 1.0])
    pose = scene.poses[number]
    return pose[:3, :3] @ (ray * distance) + pose[:3, 3]


def on_the_floor(scene: Outline, number: int, across: float, distance: float, eye_height: float) -> np.ndarray:
    """(3,) world point on the floor, at a level distance from frame `number` in the direction of image position `across`."""
    origin = scene.poses[number][:3, 3]
    towards = before_camera(scene, number, across, 0.5, 1.0) - origin
    level = towards - scene.up * (towards @ scene.up)
    return origin + level / max(float(np.linalg.norm(level)), 1e-6) * distance - scene.up * eye_height


def _seen_best(scene: Outline, things: dict[str, tuple[Thing, ...]], begin: int, random: np.random.Generator,
               identity: int) -> tuple[Visit | None, np.ndarray]:
    """A visit that starts at frame `begin`, and the share of the image that it covers in each of its frames."""
    best: Visit | None = None
    best_score, best_shares = 0.0, np.zeros(0)
    for _ in range(TRIES):
        kind = str(random.choice(list(things)))
        visit, last = _drawn(scene, things[kind][int(random.integers(len(things[kind])))], begin, random, identity)
        frames = np.arange(begin, last + 1)
        if visit.speed > FASTEST or len(frames) < 2:
            continue
        rough = frames[:: max(1, len(frames) // 8)]
        sampled = seen_shares(scene, visit, rough)
        score = float((sampled > VISIBLE).mean()) * (SMALLEST_SHARE <= sampled.mean() <= LARGEST_SHARE)
        if score > best_score:
            best, best_score, best_shares = visit, score, np.interp(frames, rough, sampled)
        if score > 0.75:
            break
    return best, best_shares


def _drawn(scene: Outline, thing: Thing, begin: int, random: np.random.Generator, identity: int) -> tuple[Visit, int]:
    """One random visit from frame `begin` on, and its last frame."""
    stops = random.random() < 0.5
    lasts = random.uniform(*(STOPPING_SECONDS if stops else CROSSING_SECONDS))
    last = min(len(scene) - 1, int(np.searchsorted(scene.seconds, scene.seconds[begin] + lasts)))
    middle = (begin + last) // 2
    depth = scene.depths[middle]
    room = float(np.median(depth[np.isfinite(depth)])) if np.isfinite(depth).any() else FARTHEST
    farthest = float(np.clip(0.85 * room, NEAREST + 0.1, FARTHEST))
    eye_height = random.uniform(*EYE_HEIGHT)
    down = random.uniform(0.35, 0.7)

    def place(number: int, across: float) -> np.ndarray:
        distance = random.uniform(NEAREST, farthest)
        if thing.kind == "person":
            return on_the_floor(scene, number, across, distance, eye_height)
        return before_camera(scene, number, across, down, distance) - scene.up * thing.height / 2

    from_left = random.random() < 0.5
    entry, exit_ = (-BESIDE, 1 + BESIDE) if from_left else (1 + BESIDE, -BESIDE)
    if stops and random.random() < 0.4:
        exit_ = entry  # turns round
    at_middle = place(middle, random.uniform(0.3, 0.7))
    start, end = scene.seconds[begin], scene.seconds[last]
    if stops:
        rest = (end - start) * random.uniform(*RESTING_SHARE)
        times = np.array([start, (start + end - rest) / 2, (start + end + rest) / 2, end])
        places = np.stack([place(begin, entry), at_middle, at_middle, place(last, exit_)])
    else:
        times = np.array([start, scene.seconds[middle], end])
        places = np.stack([place(begin, entry), at_middle, place(last, exit_)])
    times = np.maximum.accumulate(times + 1e-6 * np.arange(len(times)))
    return Visit(identity, thing, times, places, scene.up, _level_forward(scene, begin)), last


def _level_forward(scene: Outline, number: int) -> np.ndarray:
    """(3,) unit, level: towards the camera of a frame."""
    facing = -scene.poses[number][:3, 2]
    level = facing - scene.up * (facing @ scene.up)
    length = float(np.linalg.norm(level))
    if length < 1e-3:  # looks straight down: any level direction will do
        level, length = np.cross(scene.up, scene.poses[number][:3, 0]), 1.0
    return level / max(length, 1e-6)
