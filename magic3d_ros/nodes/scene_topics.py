"""What scene_mapper publishes of the scene: each topic only when somebody listens, the last message kept for late joiners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from magic3d_ros.msg import ObjectArray
from magic3d_ros.nodes.box_markers import object_markers
from magic3d_ros.nodes.clouds import instance_cloud, scene_cloud
from magic3d_ros.nodes.conversions import header
from magic3d_ros.nodes.mesh_message import mesh_message
from magic3d_ros.nodes.object_messages import object_array, occupancy_message
from magic3d_ros.scene import Scene

LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Who joins late gets the last message at once; nothing is lost on the way."""


@dataclass
class _Output:
    publisher: Any
    make: Callable[[Scene, Header], Any]
    version: int = -1


class SceneTopics:
    """The topics points, mesh, instances, objects, object_markers and occupancy under the node's name."""

    def __init__(self, node: Node, world_frame: str) -> None:
        self._node = node
        self._world_frame = world_frame
        self._outputs: dict[str, _Output] = {}
        self._add("points", PointCloud2, scene_cloud)
        self._add("instances", PointCloud2, instance_cloud)
        self._add("objects", ObjectArray, object_array)
        self._add("object_markers", MarkerArray, lambda scene, head: object_markers(scene.objects, scene.up, head))
        self._add("mesh", Marker, lambda scene, head: mesh_message(scene.surface, head))
        self._add("occupancy", OccupancyGrid, lambda scene, head: occupancy_message(scene.occupancy, head)
                  if scene.occupancy is not None else None)
        self._heat = node.create_publisher(PointCloud2, "~/query_heatmap", LATCHED)

    def publish(self, scene: Scene, version: int) -> list[str]:
        """Publish the scene where a topic has listeners and has not said this version yet; returns the topics' names."""
        if version == 0:
            return []
        spoken = []
        for name, output in self._outputs.items():
            if output.version == version or output.publisher.get_subscription_count() == 0:
                continue
            output.version = version
            message = output.make(scene, header(scene.stamp, self._world_frame))
            if message is not None:
                output.publisher.publish(message)
                spoken.append(name)
        return spoken

    def publish_heat(self, cloud: PointCloud2) -> None:
        """Publish the similarity of every point to a question."""
        self._heat.publish(cloud)

    def close(self) -> None:
        """Take the topics down."""
        for output in self._outputs.values():
            self._node.destroy_publisher(output.publisher)
        self._node.destroy_publisher(self._heat)

    def _add(self, name: str, kind: type, make: Callable[[Scene, Header], Any]) -> None:
        self._outputs[name] = _Output(self._node.create_publisher(kind, f"~/{name}", LATCHED), make)
