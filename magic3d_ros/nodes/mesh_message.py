"""The surface as a Marker, written as bytes.

A mesh of 100,000 triangles as Python messages takes 1.8 s to build and serialise while it holds the interpreter; written straight
into the middleware's format (little-endian CDR, OMG DDSI-RTPS 10.2) it takes milliseconds. rclpy publishes bytes as they are.
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Point
from rclpy.serialization import serialize_message
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from magic3d_ros.mapping.surface import Surface

MAX_TRIANGLES = 120_000
"""120 bytes a triangle: 14.4 MB stay below the shared-memory transport's 16 MiB message limit."""

_TAIL = 77
"""Bytes of everything after `frame_locked` while the lists and texts in it are empty (visualization_msgs/Marker)."""


def mesh_message(surface: Surface, head: Header, max_triangles: int = MAX_TRIANGLES) -> bytes:
    """A serialised TRIANGLE_LIST marker of the coloured surface; beyond `max_triangles` the mesh is made coarser first."""
    vertices, faces, colors = _at_most(surface, max_triangles)
    frame = Marker(header=head, ns="surface", id=0, type=Marker.TRIANGLE_LIST, action=Marker.ADD)
    frame.pose.orientation.w = 1.0
    frame.scale.x = frame.scale.y = frame.scale.z = 1.0
    corners = vertices[faces.reshape(-1)].astype("<f8")
    tints = np.ones((len(corners), 4), "<f4")
    tints[:, :3] = colors[faces.reshape(-1)] / np.float32(255)
    empty = bytes(serialize_message(frame))
    start, tail = empty[:-_TAIL], empty[-_TAIL:]
    count = np.uint32(len(corners)).astype("<u4").tobytes()
    # A double begins at a multiple of eight bytes after the four of the encapsulation header, but only if there is one.
    padding = b"\0" * (-(len(start) + 4 - 4) % 8) if len(corners) else b""
    return b"".join([start, count, padding, corners.tobytes(), count, tints.tobytes(), tail[8:]])


def plain_mesh_message(surface: Surface, head: Header) -> Marker:
    """The same marker built by rclpy's own means: the reference for tests, and for a middleware that writes another format."""
    marker = Marker(header=head, ns="surface", id=0, type=Marker.TRIANGLE_LIST, action=Marker.ADD)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = 1.0
    corners = surface.faces.reshape(-1)
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in surface.vertices[corners].astype(float).tolist()]
    tints = (surface.colors[corners] / np.float32(255)).astype(np.float32)
    marker.colors = [ColorRGBA(r=r, g=g, b=b, a=1.0) for r, g, b in tints.tolist()]
    return marker


def _at_most(surface: Surface, max_triangles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and colours with at most so many triangles: vertices of a grid cell become one (vertex clustering,
    Rossignac and Borrel 1993), with cells that grow until it fits."""
    vertices, faces, colors = surface.vertices, surface.faces, surface.colors
    if len(faces) <= max_triangles:
        return vertices, faces, colors
    low = vertices.min(0)
    edge = float(np.linalg.norm(vertices[faces[:, 0]] - vertices[faces[:, 1]], axis=1).mean())
    cell = edge * np.sqrt(len(faces) / max_triangles)
    while True:
        keys = np.floor((vertices - low) / cell).astype(np.int64)
        _, first, merged = np.unique(keys @ np.array([1, 1 << 20, 1 << 40]), return_index=True, return_inverse=True)
        smaller = merged[faces]
        proper = (smaller[:, 0] != smaller[:, 1]) & (smaller[:, 1] != smaller[:, 2]) & (smaller[:, 0] != smaller[:, 2])
        smaller = np.unique(smaller[proper], axis=0)
        if len(smaller) <= max_triangles:
            counts = np.bincount(merged)[:, None]
            means = np.stack([np.bincount(merged, vertices[:, k]) for k in range(3)], 1) / counts
            return means, smaller, colors[first]
        cell *= 1.2
