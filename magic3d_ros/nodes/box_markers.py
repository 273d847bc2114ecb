"""Things as RViz markers: a wire box and a name for each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from magic3d_ros.geometry.box import OrientedBox
from magic3d_ros.nodes.clouds import id_colors
from magic3d_ros.nodes.conversions import point_message
from magic3d_ros.scene_object import SceneObject

_LINE_WIDTH = 0.01
_TEXT_HEIGHT = 0.07
_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1]


def object_markers(objects: Iterable[SceneObject], up: np.ndarray, head: Header) -> MarkerArray:
    """A wire box and a name above it for every separate thing, in the thing's colour; what was shown before is deleted."""
    markers = [Marker(header=head, action=Marker.DELETEALL)]
    for thing in objects:
        if thing.kind != "object":
            continue
        red, green, blue = (float(v) / 255 for v in id_colors(np.array([thing.id]))[0])
        color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
        box = Marker(header=head, ns="boxes", id=thing.id, type=Marker.LINE_LIST, action=Marker.ADD, color=color)
        box.pose.orientation.w = 1.0
        box.scale.x = _LINE_WIDTH
        corners = box_corners(thing.box)
        box.points = [point_message(corners[end]) for edge in _EDGES for end in edge]
        name = Marker(header=head, ns="names", id=thing.id, type=Marker.TEXT_VIEW_FACING, action=Marker.ADD, color=color)
        name.text = f"{thing.label or 'thing'} {thing.id}"
        name.pose.position = point_message(corners.mean(0) + up * (np.ptp(corners @ up) / 2 + _TEXT_HEIGHT))
        name.pose.orientation.w = 1.0
        name.scale.z = _TEXT_HEIGHT
        markers += [box, name]
    return MarkerArray(markers=markers)


def box_corners(box: OrientedBox) -> np.ndarray:
    """(8, 3) corners; corner i has bit k of i set where it lies on the far side along axis k."""
    signs = np.array([[(i >> k & 1) * 2 - 1 for k in range(3)] for i in range(8)], np.float64)
    return box.center + (signs * box.size / 2) @ box.rotation.T
