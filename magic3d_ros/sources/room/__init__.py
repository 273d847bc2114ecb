"""A furnished room rendered on the CPU, with exact ground truth: the demo's input and the tests' yardstick."""

from magic3d_ros.sources.room.assembly import RoomInstance
from magic3d_ros.sources.room.export import write_folder
from magic3d_ros.sources.room.fields import SceneError
from magic3d_ros.sources.room.ground_truth import FrameTruth, RoomMesh
from magic3d_ros.sources.room.simulated_room import RenderedFrame, SimulatedRoom, open_room, scene_names

__all__ = ["FrameTruth", "RenderedFrame", "RoomInstance", "RoomMesh", "SceneError", "SimulatedRoom", "open_room", "scene_names",
           "write_folder"]
