"""A hand-made world of coloured boxes on a floor: its surface as a mesh of quads, and what a camera sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframes import Keyframe
from magic3d_ros.mapping.surface import Surface

CELL = 0.02
CAMERA = Camera(160, 120, 130.0, 130.0, 79.5, 59.5)


@dataclass(frozen=True)
class Box:
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    color: tuple[int, int, int]


@dataclass(frozen=True)
class BoxWorld:
    """Later boxes lie on top of earlier ones where they overlap. size: of the floor, whose middle is the origin. cell: edge of a
    quad."""

    boxes: tuple[Box, ...]
    size: tuple[float, float] = (1.6, 1.6)
    floor_color: tuple[int, int, int] = (120, 120, 120)
    cell: float = CELL

    def with_box(self, *boxes: Box) -> BoxWorld:
        return replace(self, boxes=(*self.boxes, *boxes))

    def surface(self, shuffle: int | None = None) -> tuple[Surface, np.ndarray]:
        """The mesh, and for each vertex the number of its box, 0 = floor. shuffle: a seed to reorder the vertices with."""
        shape = (round(self.size[0] / self.cell), round(self.size[1] / self.cell), round(1.2 / self.cell))
        owner = np.full(shape, -1)
        owner[:, :, 0] = 0  # the floor is a layer of cells whose top is z = 0
        origin = np.array([-self.size[0] / 2, -self.size[1] / 2, -self.cell])
        for number, box in enumerate(self.boxes, 1):
            low = np.round((np.array(box.low) - origin) / self.cell).astype(int)
            high = np.round((np.array(box.high) - origin) / self.cell).astype(int)
            owner[low[0]:high[0], low[1]:high[1], low[2]:high[2]] = number
        corners, owners = _quads(owner)
        code = (corners @ np.array([1 << 20, 1 << 10, 1])).ravel()
        _, first, index = np.unique(code, return_index=True, return_inverse=True)
        vertices = corners.reshape(-1, 3)[first] * self.cell + origin
        quads = index.reshape(-1, 4)
        faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        number = np.repeat(owners, 4)[first]
        colors = np.array([self.floor_color, *(b.color for b in self.boxes)], np.uint8)[number]
        if shuffle is not None:
            order = np.random.default_rng(shuffle).permutation(len(vertices))
            place = np.argsort(order)
            vertices, colors, number, faces = vertices[order], colors[order], number[order], place[faces]
        normals = np.zeros_like(vertices)
        for k in range(3):
            a, b, c = (vertices[faces[:, j]] for j in range(3))
            np.add.at(normals, faces[:, k], np.cross(b - a, c - a))
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        return Surface(vertices.astype(np.float32), faces.astype(np.int32), normals.astype(np.float32), colors,
                       np.full(len(vertices), 9, np.float32)), number

    def keyframe(self, eye, target, stamp=0, camera=CAMERA) -> Keyframe:
        """What a camera at `eye` that looks at `target` sees: exact depth, flat colours."""
        pose = looking(eye, target)
        rays = camera.rays().reshape(-1, 3) @ pose[:3, :3].T
        depth = np.full(len(rays), np.inf)
        seen = np.full(len(rays), -1)
        floor = Box((-self.size[0] / 2, -self.size[1] / 2, -1.0), (self.size[0] / 2, self.size[1] / 2, 0.0), self.floor_color)
        with np.errstate(divide="ignore", invalid="ignore"):
            for number, box in enumerate((floor, *self.boxes)):
                one, other = (np.array(box.low) - eye) / rays, (np.array(box.high) - eye) / rays
                near, far = np.minimum(one, other).max(1), np.maximum(one, other).min(1)
                hit = (near <= far) & (near > 0) & (near < depth)
                depth[hit], seen[hit] = near[hit], number
        colors = np.array([self.floor_color, *(b.color for b in self.boxes), (0, 0, 0)], np.uint8)
        shape = (camera.height, camera.width)
        frame = RGBDFrame(stamp, colors[seen].reshape(*shape, 3), np.where(seen >= 0, depth, 0).astype(np.float32).reshape(shape),
                          camera, pose, stamp)
        return Keyframe.of(frame)

    def orbit(self, count=8, radius=1.1, height=0.9) -> list[Keyframe]:
        """Keyframes from all around, stamps 1 ... count."""
        angles = np.arange(count) * 2 * np.pi / count
        eyes = [(radius * np.cos(a), radius * np.sin(a), height) for a in angles]
        return [self.keyframe(eye, (0, 0, 0.1), stamp=k) for k, eye in enumerate(eyes, 1)]


def looking(eye, target) -> np.ndarray:
    """(4, 4) camera-to-world without roll, z up."""
    forward = np.asarray(target, np.float64) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


def _quads(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (Q, 4, 3) in cells, counter-clockwise from outside, and owner of each visible side of a cell; the rim is unseen."""
    corners, owners = [], []
    for axis in range(3):
        one, two = np.eye(3, dtype=int)[[(axis + 1) % 3, (axis + 2) % 3]]
        for side in (0, 1):
            solid, empty = (slice(1, None), slice(None, -1)) if side == 0 else (slice(None, -1), slice(1, None))
            inside, outside = (tuple(s if a == axis else slice(None) for a in range(3)) for s in (solid, empty))
            at = np.argwhere((owner[inside] >= 0) & (owner[outside] < 0))
            at[:, axis] += 1 - side
            base = at + side * np.eye(3, dtype=int)[axis]
            ring = np.stack([base, base + one, base + one + two, base + two], 1)
            corners.append(ring if side else ring[:, ::-1])
            owners.append(owner[tuple(at.T)])
    return np.concatenate(corners), np.concatenate(owners)


RED = Box((-0.5, -0.2, 0.0), (-0.2, 0.1, 0.3), (180, 40, 40))
BLUE = Box((0.2, -0.1, 0.0), (0.5, 0.3, 0.2), (40, 60, 180))


@pytest.fixture
def two_boxes() -> BoxWorld:
    """A red and a blue box, 40 cm apart, on a grey floor."""
    return BoxWorld((RED, BLUE))
