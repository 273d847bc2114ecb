"""Things, occupancy and answers as messages."""

from __future__ import annotations

from array import array

import numpy as np
from geometry_msgs.msg import Vector3
from nav_msgs.msg import OccupancyGrid as OccupancyGridMessage
from std_msgs.msg import Header

from magic3d_ros.mapping.free_space import OccupancyGrid
from magic3d_ros.msg import Object, ObjectArray, OrientedBox
from magic3d_ros.nodes.clouds import object_cloud
from magic3d_ros.nodes.conversions import point_message, pose_message, pose_stamped, time_message
from magic3d_ros.scene import Scene
from magic3d_ros.scene_object import SceneObject


def object_message(thing: SceneObject) -> Object:
    """One thing, without its points."""
    box_to_world = np.eye(4)
    box_to_world[:3, :3] = thing.box.rotation
    box_to_world[:3, 3] = thing.box.center
    size = Vector3(x=float(thing.box.size[0]), y=float(thing.box.size[1]), z=float(thing.box.size[2]))
    return Object(
        id=int(thing.id), kind=thing.kind, label=thing.label, probability=float(thing.probability), score=0.0,
        confidence=float(thing.confidence), box=OrientedBox(pose=pose_message(box_to_world), size=size),
        centroid=point_message(thing.centroid), n_points=int(thing.n_points), n_views=int(thing.n_views),
        first_seen=time_message(thing.first_seen), last_seen=time_message(thing.last_seen), support=int(thing.support))


def detailed_object(scene: Scene, thing: SceneObject, head: Header, points: bool, robot_radius: float, reach: float) -> Object:
    """One thing with places to stand before it and, where asked for, its points."""
    message = object_message(thing)
    message.approach_poses = [pose_stamped(pose, head) for pose in scene.approach_poses(thing.id, robot_radius, reach)]
    if points:
        message.points = object_cloud(scene, thing.id, head)
    return message


def object_array(scene: Scene, head: Header, structure: bool = True, min_confidence: float = 0.0) -> ObjectArray:
    """All things known, by id."""
    chosen = [o for o in scene.objects if (structure or o.kind == "object") and o.confidence >= min_confidence]
    return ObjectArray(header=head, objects=[object_message(o) for o in sorted(chosen, key=lambda o: o.id)])


def occupancy_message(grid: OccupancyGrid, head: Header) -> OccupancyGridMessage:
    """The map's floor plan: 0 free, 100 occupied, -1 unknown; its origin carries the floor's tilt."""
    message = OccupancyGridMessage(header=head)
    message.info.map_load_time = head.stamp
    message.info.resolution = float(grid.resolution)
    message.info.height, message.info.width = (int(n) for n in grid.cells.shape)
    grid_to_world = np.eye(4)
    grid_to_world[:3, :3] = grid.rotation
    grid_to_world[:3, 3] = grid.origin
    message.info.origin = pose_message(grid_to_world)
    cells = array("b")
    cells.frombytes(np.ascontiguousarray(grid.cells, np.int8).tobytes())
    message.data = cells
    return message
