"""The simulated room as a source of frames with ground truth."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.assembly import Mover, RoomInstance, assemble
from magic3d_ros.sources.room.assets import INSTALL_HINT, assets_installed
from magic3d_ros.sources.room.body import Body
from magic3d_ros.sources.room.description import SceneDescription, load_description, parse_description
from magic3d_ros.sources.room.fields import SceneError
from magic3d_ros.sources.room.ground_truth import FrameTruth, RoomMesh, room_mesh
from magic3d_ros.sources.room.light import AreaLight
from magic3d_ros.sources.room.light_cache import baked
from magic3d_ros.sources.room.random.layout import random_room
from magic3d_ros.sources.room.random.stops import LOOKS, STOPS, stops
from magic3d_ros.sources.room.random.varied import varied_room
from magic3d_ros.sources.room.render import ExactImages, render
from magic3d_ros.sources.room.sensor import SensorModel
from magic3d_ros.sources.room.shading import PlacedBody, RoomView
from magic3d_ros.sources.room.trajectory import camera_path, walk
from magic3d_ros.sources.source import SourceError

logger = logging.getLogger(__name__)

SCENES = Path(__file__).parent / "scenes"
DEFAULT_SCENE, DEFAULT_WITHOUT_ASSETS = "living_room", "procedural_room"
MAX_FRAMES = 100_000
RANDOM, VARIED = "random:", "varied:"
"""What begins the name of a room that nobody furnished; its seed follows. Varied rooms hold many kinds of things."""


class RenderedFrame(NamedTuple):
    """A frame as the sensor sees it, and what is true of it."""

    frame: RGBDFrame
    truth: FrameTruth


@dataclass(frozen=True)
class _Content:
    """Everything that rendering needs; picklable, so that worker processes can have it."""

    body: Body
    lights: tuple[AreaLight, ...]
    ambient: np.ndarray
    movers: tuple[Mover, ...]
    sensor: SensorModel


class SimulatedRoom:
    """A FrameSource whose frames are rendered when they are asked for. The same seed gives the same bytes.

    camera: intrinsics of all frames. poses: (n, 4, 4) camera-to-world, z up, metres. instances: ground truth of every thing,
    structure and distractors included. rate: frames a second. World origin: the middle of the floor.
    """

    def __init__(self, name: str, content: _Content, instances: tuple[RoomInstance, ...], camera: Camera, poses: np.ndarray,
                 rate: float, seed: int) -> None:
        self.name = name
        self.skipped: dict[str, int] = {}
        self.instances = instances
        self.camera = camera
        self.poses = poses
        self.rate = rate
        self._content = content
        self._seed = seed

    def __len__(self) -> int:
        return len(self.poses)

    def __iter__(self) -> Iterator[RGBDFrame]:
        self.skipped = {}
        for index in range(len(self)):
            yield self.render(index).frame

    def render(self, index: int) -> RenderedFrame:
        """Frame `index` with its ground truth; frames can be rendered in any order. Raises IndexError beyond the last."""
        exact = self._exact(index)
        random = np.random.default_rng((self._seed, index))
        colour = self._content.sensor.colour(exact, index, random)
        depth = self._content.sensor.depth(exact, self.camera, random)
        stamp = round(index * 1e9 / self.rate)
        frame = RGBDFrame(stamp, colour, depth, self.camera, self.poses[index].copy(), index)
        return RenderedFrame(frame, FrameTruth(exact.depth, exact.instance, exact.moving, self.poses[index].copy()))

    def truth(self, index: int) -> FrameTruth:
        """Exact depth, instance ids and distractor mask of a frame (without the work of shading edges and sensor noise)."""
        exact = self._exact(index, smooth_edges=False)
        return FrameTruth(exact.depth, exact.instance, exact.moving, self.poses[index].copy())

    def mesh(self, max_edge: float = 0.03) -> RoomMesh:
        """The static room as a labelled mesh, with edges of at most `max_edge` metres; also what no frame shows."""
        return room_mesh(self._content.body, {i.id: i.label for i in self.instances}, max_edge)

    def _exact(self, index: int, smooth_edges: bool = True) -> ExactImages:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.name} has frames 0 to {len(self) - 1}, not {index}")
        view = RoomView(self._content.body, self._content.lights, self._content.ambient, self._placed(index))
        return render(view, self.camera, self.poses[index], smooth_edges)

    def _placed(self, index: int) -> list[PlacedBody]:
        placed = []
        for mover in self._content.movers:
            spot = walk(mover.path, index / max(1, len(self) - 1))
            if spot is None:
                continue
            place, heading, walked = spot
            pose = np.eye(4)
            c, s = np.cos(np.radians(heading)), np.sin(np.radians(heading))
            pose[:2, :2] = [[c, -s], [s, c]]
            pose[:2, 3] = place
            body = mover.poses[int(walked / mover.cycle * len(mover.poses)) % len(mover.poses)]
            placed.append(PlacedBody(body, pose, mover.radius, mover.height))
        return placed


def scene_names() -> list[str]:
    """Scenes that come with the package."""
    return sorted(path.stem for path in SCENES.glob("*.yaml"))


def open_room(name: str, settings: Settings, *, frames: int | None = None, width: int | None = None, height: int | None = None,
              distractors: bool = True, seed: int = 0) -> SimulatedRoom:
    """Open a room by the name of its scene, or by the path of a .yaml file; "" takes the best one that is installed.
    "random:N" and "varied:N" furnish one by chance, the same for the same N: the camera looks around at stops on its free floor.

    frames, width, height: instead of the scene's; a smaller image shows the same view. distractors: whether anyone walks through.
    seed: of the sensor noise. settings: input.frame_rate replaces the scene's rate.
    Raises SourceError naming the cause and the cure. The first opening of a room bakes its light (seconds), later ones read it.
    """
    description = _find_scene(name)
    if description.needs_assets and not assets_installed():
        if name:
            raise SourceError(f"the room '{description.name}' shows things that are not installed: {INSTALL_HINT}, "
                              f"or open the room '{DEFAULT_WITHOUT_ASSETS}'")
        logger.warning("the photo-textured room needs %s: taking the procedural one instead", INSTALL_HINT)
        description = load_description(SCENES / f"{DEFAULT_WITHOUT_ASSETS}.yaml", DEFAULT_WITHOUT_ASSETS)
    plan = description.camera
    count = plan.frames if frames is None else frames
    if not 1 <= count <= MAX_FRAMES:
        raise SourceError(f"a room can be rendered as 1 to {MAX_FRAMES} frames, not {count}")
    camera = _camera(description, width, height)
    assembly = assemble(description, distractors)
    lit = assembly.body.lit(baked(assembly.body, assembly.lights, assembly.ambient))
    content = _Content(lit, assembly.lights, assembly.ambient, assembly.movers, description.sensor)
    if name.startswith((RANDOM, VARIED)):
        mesh = room_mesh(assembly.body, {}, 0.03)
        poses = stops(np.random.default_rng(int(name.partition(":")[2])), mesh.vertices, count)
    else:
        poses = camera_path(plan.way_points, count)
    return SimulatedRoom(f"room:{description.name}", content, assembly.instances, camera, poses,
                         settings.input.frame_rate or plan.rate, seed)


def _find_scene(name: str) -> SceneDescription:
    if name.startswith((RANDOM, VARIED)):
        return _random_scene(name)
    if name.endswith((".yaml", ".yml")):
        return load_description(Path(name), Path(name).stem)
    chosen = name or DEFAULT_SCENE
    if chosen not in scene_names():
        raise SceneError(f"there is no room '{name}': there are {', '.join(scene_names())}, random:N, varied:N, or give the "
                         f"path of a .yaml file")
    return load_description(SCENES / f"{chosen}.yaml", chosen)


def _random_scene(name: str) -> SceneDescription:
    number = name.partition(":")[2]
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise SceneError(f"there is no room '{name}': a random room is named by a number, as in random:7")
    values = varied_room(int(number)) if name.startswith(VARIED) else random_room((int(number),), with_assets=False)
    values["camera"]["frames"] = STOPS * LOOKS
    return parse_description(values, name, name)


def _camera(description: SceneDescription, width: int | None, height: int | None) -> Camera:
    """The planned camera, resized; when only one side is given the other keeps the picture's shape."""
    plan = description.camera
    if width is None:
        width = plan.width if height is None else round(plan.width * height / plan.height)
    if height is None:
        height = round(plan.height * width / plan.width)
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise SourceError(f"a room's frames can be 16 to 4096 pixels wide and high, not {width}x{height}")
    full = Camera(plan.width, plan.height, plan.focal, plan.focal, (plan.width - 1) / 2, (plan.height - 1) / 2)
    return full.resized(width, height)
