"""Rays against triangles, by Embree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from magic3d_ros.sources.source import SourceError


class Hits(NamedTuple):
    """Where n rays end. triangle: (n,) int32, -1 = nowhere. u, v: barycentric weights of the second and third corner.
    distance: (n,) float32, metres along the unit direction (meaningless where triangle is -1)."""

    triangle: np.ndarray
    u: np.ndarray
    v: np.ndarray
    distance: np.ndarray


class RayCaster:
    """The search tree of a set of triangles, (3n, 3) float32 corners. It cannot be pickled; make one in every process."""

    def __init__(self, positions: np.ndarray) -> None:
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise SourceError("the simulated room needs the ray tracer embreex: pip install 'magic3d_ros[room]'") from error
        self._scene = EmbreeScene()
        corners = np.ascontiguousarray(positions, np.float32)
        self._mesh = TriangleMesh(self._scene, corners, np.arange(len(corners), dtype=np.int32).reshape(-1, 3))

    def first_hits(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """origins, directions: (n, 3); directions of unit length."""
        starts, towards = (np.ascontiguousarray(rays, np.float32) for rays in (origins, directions))
        found = self._scene.run(starts, towards, output=True)
        return Hits(found["primID"], found["u"], found["v"], found["tfar"])
