"""Where the camera of a random picture is: as a robot or a hand would hold it, never inside a thing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.assembly import Assembly
from magic3d_ros.sources.room.trajectory import look
from magic3d_ros.sources.room.triangles import unit

WIDTH, HEIGHT = 224, 160
"""Pixels of training pictures: multiples of the encoder's stride 32, and near the shape of usual cameras (1.33 to 1.78)."""

FIELD_OF_VIEW = (50.0, 95.0)
"""Degrees, horizontal: from a telephoto-like depth camera to a wide one (Kinect 62, RealSense D435 69, ZED 90)."""

NEAREST, NEAREST_MEDIAN, FEWEST_THINGS = 0.3, 0.7, 4
"""A view is taken when 95 % of it is farther than .3 m, its median than .7 m, and it shows four things (walls and floor count):
with two, every third picture was a bare corner."""

TRIES = 60


class Viewpoint(NamedTuple):
    """camera: intrinsics of the picture. pose: (4, 4) camera-to-world."""

    camera: Camera
    pose: np.ndarray


def random_viewpoints(random: np.random.Generator, assembly: Assembly, size: np.ndarray, count: int) -> list[Viewpoint]:
    """At most `count` views of a room of the given size (3,); fewer where it is so full that most tries fail."""
    found: list[Viewpoint] = []
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        focal = WIDTH / 2 / np.tan(np.radians(random.uniform(*FIELD_OF_VIEW)) / 2)
        camera = Camera(WIDTH, HEIGHT, focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
        pose = _towards_a_thing(random, assembly, size) if random.random() < 0.5 else _anywhere(random, size)
        if pose is not None and _shows_enough(assembly, camera, pose):
            found.append(Viewpoint(camera, pose))
    return found


def _anywhere(random: np.random.Generator, size: np.ndarray) -> np.ndarray:
    half = size[:2] / 2 - 0.15
    place = [*random.uniform(-half, half), random.uniform(0.4, min(1.9, size[2] - 0.3))]
    inwards = random.uniform(-half, half) - place[:2]
    return _rolled(random, place, np.degrees(np.arctan2(inwards[1], inwards[0])), random.normal(-10, 14))


def _towards_a_thing(random: np.random.Generator, assembly: Assembly, size: np.ndarray) -> np.ndarray | None:
    """.5 to 3 m from the middle of a thing, looking about there; None where that would be outside the room."""
    boxes = [instance.box for instance in assembly.instances if instance.kind == "object" and instance.box is not None]
    if not boxes:
        return None
    target = boxes[int(random.integers(len(boxes)))].center
    bearing, elevation = random.uniform(-np.pi, np.pi), np.radians(random.uniform(-10, 60))
    away = random.uniform(0.5, 3.0)
    step = away * np.array([np.cos(elevation) * np.cos(bearing), np.cos(elevation) * np.sin(bearing), np.sin(elevation)])
    place = target + step
    if (np.abs(place[:2]) > size[:2] / 2 - 0.1).any() or not 0.25 < place[2] < size[2] - 0.15:
        return None
    pitch = -np.degrees(elevation) + random.normal(0, 8)
    return _rolled(random, place, np.degrees(bearing) + 180 + random.normal(0, 12), pitch)


def _rolled(random: np.random.Generator, place: list[float] | np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    pose = look(place, yaw, float(np.clip(pitch, -75, 40)))
    roll = np.radians(random.normal(0, 4 if random.random() < 0.8 else 15))
    c, s = np.cos(roll), np.sin(roll)
    pose[:3, :3] = pose[:3, :3] @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return pose


def _shows_enough(assembly: Assembly, camera: Camera, pose: np.ndarray) -> bool:
    coarse = camera.resized(28, 20)
    rays = unit(coarse.rays().reshape(-1, 3)) @ pose[:3, :3].T.astype(np.float32)
    hits = assembly.body.rays.first_hits(np.broadcast_to(pose[:3, 3], rays.shape), rays)
    if (hits.triangle < 0).any():
        return False
    things = np.unique(assembly.body.instance[hits.triangle])
    return (len(things) >= FEWEST_THINGS and np.percentile(hits.distance, 5) > NEAREST
            and np.median(hits.distance) > NEAREST_MEDIAN)
