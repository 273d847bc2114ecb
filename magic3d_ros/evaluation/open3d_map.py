"""Open3D's VoxelBlockGrid behind the same two calls as our map: the baseline that benchmarks run beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.geometry.open3d_import import load_open3d
from magic3d_ros.mapping.surface import View


class Open3DMap:
    """Integrate frames, then ray-cast the extracted mesh. Voxel size, truncation and depth range as the settings say.

    Raises ImportError where Open3D is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._open3d = load_open3d()
        self._core = self._open3d.core
        self._settings = settings
        kind = self._core.float32
        self._grid = self._open3d.t.geometry.VoxelBlockGrid(("tsdf", "weight", "color"), (kind, kind, kind), ((1), (1), (3)),
                                                            settings.map.voxel_size, 8, 20000)
        self._scene: Any = None

    def integrate(self, frame: RGBDFrame) -> None:
        """Fuse one frame with colour."""
        intrinsics = self._core.Tensor(frame.camera.matrix)
        extrinsics = self._core.Tensor(np.linalg.inv(frame.camera_to_world))
        depth = self._open3d.t.geometry.Image(frame.depth)
        color = self._open3d.t.geometry.Image(frame.rgb.astype(np.float32) / 255)
        far, multiplier = self._settings.input.max_depth, self._settings.map.truncation / self._settings.map.voxel_size
        blocks = self._grid.compute_unique_block_coordinates(depth, intrinsics, extrinsics, 1.0, far, multiplier)
        self._grid.integrate(blocks, depth, color, intrinsics, intrinsics, extrinsics, 1.0, far, multiplier)

    def blocks(self) -> int:
        """Voxel blocks held."""
        return int(self._grid.hashmap().size())

    def finish(self, min_weight: float) -> int:
        """Extract the mesh of voxels seen at least so often, to be rendered from then on. Returns its number of vertices."""
        mesh = self._grid.extract_triangle_mesh(min_weight)
        self._scene = self._open3d.t.geometry.RaycastingScene()
        self._scene.add_triangles(mesh)
        self._faces = mesh.triangle.indices.numpy().astype(np.int64)
        self._colors = mesh.vertex.colors.numpy()
        self._normals = mesh.vertex.normals.numpy()
        return len(mesh.vertex.positions)

    def render(self, camera: Camera, camera_to_world: np.ndarray) -> View:
        """The mesh as a camera sees it, vertex attributes interpolated."""
        rotation, origin = camera_to_world[:3, :3].astype(np.float32), camera_to_world[:3, 3].astype(np.float32)
        directions = camera.rays().reshape(-1, 3) @ rotation.T
        rays = np.concatenate([np.broadcast_to(origin, directions.shape), directions], 1)
        answer = self._scene.cast_rays(self._core.Tensor(rays))
        depth = answer["t_hit"].numpy().reshape(camera.height, camera.width)  # rays have z = 1: the parameter is the depth
        hit = np.isfinite(depth)
        corners = self._faces[answer["primitive_ids"].numpy().reshape(depth.shape)[hit].astype(np.int64)]
        u, v = answer["primitive_uvs"].numpy().reshape(*depth.shape, 2)[hit].T
        shares = np.stack([1 - u - v, u, v], 1)[..., None]
        rgb, normals = np.zeros((*depth.shape, 3), np.uint8), np.zeros((*depth.shape, 3), np.float32)
        rgb[hit] = np.clip((self._colors[corners] * shares).sum(1) * 255 + 0.5, 0, 255)
        normals[hit] = (self._normals[corners] * shares).sum(1) @ rotation
        return View(rgb, np.where(hit, depth, 0).astype(np.float32), normals)
