"""Approach poses against exact geometry: are they on free floor, clear of everything, reachable, and facing the thing?

    ./run bench approach [--rooms procedural_room,random:0,random:1] [--width 160] [--pictures FOLDER] [--set NAME=VALUE]

Every room is mapped from small pictures; every thing of the map is asked for its approach poses; the room's mesh says what is
true of each: a cylinder of query.robot_radius, 0.1 to 1.8 m above the floor, must not meet the mesh, must get there from where
the camera was without meeting it, and must point at the thing. `random:N` is a room
that nobody furnished.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from magic3d_ros.config import Settings, load_settings
from magic3d_ros.evaluation.exact_floor import ExactFloor, PoseCheck
from magic3d_ros.geometry.gravity import UpEstimator
from magic3d_ros.instances.mapper import InstanceMapper
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject
from magic3d_ros.sources.room import RoomMesh, SimulatedRoom, open_room
from magic3d_ros.sources.room.random.free_floor import CELL

ROOMS = "procedural_room,living_room,random:0,random:1,random:2,random:3,random:4,random:5"
TOLERANCE = 0.02
"""Metres by which a pose may be nearer to the mesh than the robot's radius: the sensor's own noise at 1 to 2 m."""
FACING = np.radians(15.0)
FRAMES = 96


@dataclass(frozen=True)
class Result:
    """things: objects of the map. checks: of all their poses. with_pose: things that have one."""

    things: int
    with_pose: int
    possible: int
    checks: list[PoseCheck]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench approach", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", default=ROOMS, help="names of scenes, .yaml files, random:N; separated by commas")
    parser.add_argument("--width", type=int, default=160, help="pixels of the pictures")
    parser.add_argument("--pictures", type=Path, help="folder for a floor plan of each room with its poses")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    settings = load_settings(None, dict(item.split("=", 1) for item in options.assignments))
    console = Console(highlight=False)
    table = Table("room", "things", "approachable", "with poses", "poses", "collision-free", "on floor", "reachable", "facing",
                  "all", "least clearance")
    everything: list[Result] = []
    for name in options.rooms.split(","):
        result = measure(name, settings, options.width, options.pictures)
        everything.append(result)
        table.add_row(name, *cells(result, settings.query.robot_radius))
        console.print(name, *cells(result, settings.query.robot_radius))
    total = Result(*(sum(getattr(r, field) for r in everything) for field in ("things", "with_pose", "possible")),
                   [check for r in everything for check in r.checks])
    table.add_row("all", *cells(total, settings.query.robot_radius))
    console.print(table)
    return 0 if all(good(check, settings.query.robot_radius) for check in total.checks) else 1


def measure(name: str, settings: Settings, width: int, pictures: Path | None = None) -> Result:
    """Map a room, ask for the approach poses of every thing, and check them."""
    room = open_room(name, settings, frames=FRAMES, width=width, distractors=False)
    mesh = room.mesh()
    scene = mapped(room, settings)
    radius, reach = settings.query.robot_radius, settings.query.approach_reach
    floor = ExactFloor(mesh.vertices, radius, room.poses[:, :3, 3])
    nearest = cKDTree(mesh.vertices)
    checks, with_pose, possible = [], 0, 0
    stands = np.argwhere(floor.reachable) * CELL + floor.grid.low
    poses_of = {}
    for thing in scene.objects:
        if thing.kind != "object":
            continue
        points = scene.surface.vertices[scene.points_of(thing.id)]
        truth = true_thing(mesh, nearest, points)
        possible += bool(len(stands)) and cKDTree(stands).query(points[:, :2])[0].min() <= reach
        poses = poses_of[thing.id] = scene.approach_poses(thing.id, radius, reach)
        with_pose += bool(poses)
        checks += [floor.check(pose, truth) for pose in poses]
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        draw(scene, floor, poses_of, pictures / f"{name.replace(':', '_')}.png")
    return Result(sum(o.kind == "object" for o in scene.objects), with_pose, possible, checks)


def mapped(room: SimulatedRoom, settings: Settings) -> Scene:
    """The scene without its meaning: surface, things, floor plan."""
    mapper, keyframes, up = Mapper(settings), KeyframeStore(settings.keyframes), UpEstimator(settings.input.up)
    stamp = 0
    for frame in room:
        is_keyframe = keyframes.wants(frame)
        mapper.integrate(frame, carve=is_keyframe)
        stamp = frame.stamp
        if is_keyframe:
            keyframes.add(frame)
            up.observe(frame.camera_to_world)
    surface = mapper.surface()
    axis = up.estimate(surface)
    found = InstanceMapper(settings.instances, spacing=settings.map.voxel_size).update(surface, list(keyframes), axis)
    objects = tuple(SceneObject(i.id, i.kind, i.structure, 1.0, i.confidence, i.box, i.centroid, i.n_points, i.n_views,
                                i.first_seen, i.last_seen) for i in found.instances.values())
    return Scene(stamp, surface, found.labels, objects, np.asarray(axis), None, mapper.occupancy(axis),
                 been=np.array([k.camera_to_world[:3, 3] for k in keyframes]))


def true_thing(mesh: RoomMesh, nearest: cKDTree, points: np.ndarray) -> np.ndarray:
    """(n, 3) vertices of the true things, near the map's thing, that most of its points lie on."""
    distance, vertex = nearest.query(points)
    owner = mesh.instance[vertex]
    best = np.bincount(owner[distance < 0.1], minlength=1).argmax() if (distance < 0.1).any() else owner[0]
    true = mesh.vertices[mesh.instance == best]
    return true[((true >= points.min(0) - 0.1) & (true <= points.max(0) + 0.1)).all(1)]


def good(check: PoseCheck, radius: float) -> bool:
    """All that is asked of a pose."""
    return check.clearance >= radius - TOLERANCE and check.on_floor and check.reachable and check.off <= FACING


def cells(result: Result, radius: float) -> list[str]:
    checks = result.checks
    shares = [np.mean([test(c) for c in checks]) if checks else float("nan") for test in (
        lambda c: c.clearance >= radius - TOLERANCE, lambda c: c.on_floor, lambda c: c.reachable, lambda c: c.off <= FACING,
        lambda c: good(c, radius))]
    return [str(result.things), str(result.possible), str(result.with_pose), str(len(checks)), *(f"{s:.1%}" for s in shares),
            f"{min((c.clearance for c in checks), default=float('nan')):.3f}"]


def draw(scene: Scene, floor: ExactFloor, poses_of: dict[int, list[np.ndarray]], file: Path) -> None:
    """The map's floor plan: white free, black occupied, grey unknown; green where the robot can truly be; poses as arrows."""
    import cv2

    grid = scene.occupancy
    assert grid is not None
    scale = 8
    picture = np.full((*grid.cells.shape, 3), 128, np.uint8)
    picture[grid.cells == 0], picture[grid.cells == 100] = 255, 0
    rows, columns = np.mgrid[: grid.cells.shape[0], : grid.cells.shape[1]]
    world = grid.origin + np.stack([columns + 0.5, rows + 0.5, 0 * rows], -1) * grid.resolution @ grid.rotation.T
    inside = np.clip(floor.grid.cells(world[..., :2]), 0, np.array(floor.reachable.shape) - 1)
    picture[floor.reachable[inside[..., 0], inside[..., 1]] & (grid.cells == 0)] = (190, 255, 190)
    picture = picture.repeat(scale, 0).repeat(scale, 1)
    for thing, poses in poses_of.items():
        colour = tuple(int(c) for c in np.random.default_rng(thing).integers(0, 200, 3))
        for pose in poses:
            start, end = ((p - grid.origin) @ grid.rotation[:, :2] / grid.resolution * scale
                          for p in (pose[:3, 3], pose[:3, 3] + 0.3 * pose[:3, 0]))
            cv2.arrowedLine(picture, tuple(start.astype(int)), tuple(end.astype(int)), colour, 2)
    cv2.imwrite(str(file), picture[::-1])


if __name__ == "__main__":
    raise SystemExit(main())
