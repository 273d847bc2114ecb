"""What is exactly true of a rendered frame and of the room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.room.body import Body


@dataclass(frozen=True)
class FrameTruth:
    """depth: (H, W) float32 exact metres along the optical axis, 0 = nothing hit. instance: (H, W) int32 ids, 0 = nothing.
    distractor: (H, W) bool, True where something moving is seen. camera_to_world: (4, 4)."""

    depth: np.ndarray
    instance: np.ndarray
    distractor: np.ndarray
    camera_to_world: np.ndarray


@dataclass(frozen=True)
class RoomMesh:
    """The static room as a mesh. vertices: (V, 3) float32. faces: (F, 3) int32. instance: (V,) int32 id of each vertex.
    colors: (V, 3) uint8. labels: id -> class name."""

    vertices: np.ndarray
    faces: np.ndarray
    instance: np.ndarray
    colors: np.ndarray
    labels: dict[int, str]

    def only(self, kept: np.ndarray) -> RoomMesh:
        """The mesh of the vertices where `kept` (V,) is True and of the faces between them."""
        number = np.cumsum(kept, dtype=np.int64) - 1
        faces = self.faces[kept[self.faces].all(1)]
        return RoomMesh(self.vertices[kept], number[faces].astype(np.int32), self.instance[kept], self.colors[kept], self.labels)


def room_mesh(body: Body, labels: dict[int, str], max_edge: float) -> RoomMesh:
    """A mesh whose edges are at most max_edge metres long: corners at the same place of the same instance are one vertex.

    Colours are the materials' mean reflectance: labels are the purpose of this mesh.
    """
    positions = body.triangles.positions
    owner = np.repeat(body.instance, 3)
    key = np.column_stack([np.round(positions * 5000).astype(np.int64), owner])  # 0.2 mm
    _, first, index = np.unique(key, axis=0, return_index=True, return_inverse=True)
    vertices, instance = positions[first], owner[first]
    colour = body.atlas.albedo[np.repeat(body.material, 3)[first]]
    faces = index.reshape(-1, 3)
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    while True:
        split = _split_long_edges(vertices, faces, max_edge)
        if split is None:
            break
        parents, faces = split
        vertices = np.concatenate([vertices, (vertices[parents[:, 0]] + vertices[parents[:, 1]]) / 2])
        instance = np.concatenate([instance, instance[parents[:, 0]]])
        colour = np.concatenate([colour, colour[parents[:, 0]]])
    shown = np.round(np.clip(colour, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    return RoomMesh(vertices.astype(np.float32), faces.astype(np.int32), instance.astype(np.int32), shown, labels)


def _split_long_edges(vertices: np.ndarray, faces: np.ndarray, max_edge: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Put a vertex on the middle of every edge that is too long -> (new vertices' parents (n, 2), all faces); None when none is.

    Neighbours split a shared edge alike, so no cracks appear.
    """
    edges = np.sort(np.stack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]], 1), -1)
    long = np.linalg.norm(vertices[edges[..., 0]] - vertices[edges[..., 1]], axis=-1) > max_edge
    if not long.any():
        return None
    code = edges[..., 0].astype(np.int64) * len(vertices) + edges[..., 1]
    unique, number = np.unique(code[long], return_inverse=True)
    middle = np.full(long.shape, -1, np.int64)
    middle[long] = len(vertices) + number.reshape(-1)
    parents = np.column_stack([unique // len(vertices), unique % len(vertices)])
    out = [faces[~long.any(1)]]
    for turn in range(3):  # bring each face into the position in which its pattern of long edges is handled
        a, b, c = (faces[:, (turn + k) % 3] for k in range(3))
        ab, bc, ca = (middle[:, (turn + k) % 3] for k in range(3))
        one = (ab >= 0) & (bc < 0) & (ca < 0)
        two = (ab >= 0) & (bc >= 0) & (ca < 0)
        out += [_rows(one, a, ab, c), _rows(one, ab, b, c), _rows(two, a, ab, c), _rows(two, ab, bc, c), _rows(two, ab, b, bc)]
    a, b, c = faces.T
    ab, bc, ca = middle.T
    three = long.all(1)
    out += [_rows(three, a, ab, ca), _rows(three, ab, b, bc), _rows(three, ca, bc, c), _rows(three, ab, bc, ca)]
    return parents, np.concatenate(out)


def _rows(where: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.column_stack([a[where], b[where], c[where]])


SEEN_TOLERANCE = 0.02
"""Metres: a vertex counts as shown where the exact depth of its pixel agrees to this ..."""
SLANT_LIMIT = 0.1
"""... or to a quarter of the depth's range among the pixels around, as far as this: a pixel of a floor seen at a slant covers
many centimetres of it. With 2 cm alone, and by every fourth frame, a third to a half of what is mapped had no truth."""


def vertices_in_view(mesh: RoomMesh, camera: Camera, truth: FrameTruth) -> np.ndarray:
    """(V,) bool: which vertices of the mesh the frame shows."""
    pose = truth.camera_to_world
    u, v, z = camera.project((mesh.vertices - pose[:3, 3]) @ pose[:3, :3])
    column, row = np.round(u), np.round(v)
    rows = np.flatnonzero((z > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height))
    at = row[rows].astype(int), column[rows].astype(int)
    around = np.ones((3, 3), np.uint8)
    slant = (cv2.dilate(truth.depth, around) - cv2.erode(truth.depth, around)) / 4
    near = np.abs(truth.depth[at] - z[rows]) < np.clip(slant[at], SEEN_TOLERANCE, SLANT_LIMIT)
    seen = np.zeros(len(mesh.vertices), bool)
    seen[rows] = near & (truth.instance[at] == mesh.instance[rows])
    return seen
