"""Things compiled for rendering: all triangles, materials and instance ids in flat arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from magic3d_ros.sources.room.material import Part
from magic3d_ros.sources.room.mipmap import TextureAtlas, build_atlas
from magic3d_ros.sources.room.rays import RayCaster
from magic3d_ros.sources.room.triangles import Triangles, joined


@dataclass(frozen=True)
class Body:
    """n triangles with what is needed to hit and to shade them.

    triangles: texture coordinates in repeats of the texture. material, instance: (n,) int32.
    texel_density: (n,) float32 texels a metre. irradiance: (3n, 3) float32 light at the corners, over pi; None = not baked.
    """

    triangles: Triangles
    material: np.ndarray
    instance: np.ndarray
    atlas: TextureAtlas
    texel_density: np.ndarray
    irradiance: np.ndarray | None = None

    @cached_property
    def rays(self) -> RayCaster:
        """The search tree, made on first use in each process."""
        return RayCaster(self.triangles.positions)

    @cached_property
    def corners(self) -> np.ndarray:
        """(n, 3, 8) float32: normal, texture coordinates and irradiance of each triangle's corners.

        Side by side in memory, because shading a pixel then touches two cache lines instead of nine.
        """
        light = np.zeros_like(self.triangles.normals) if self.irradiance is None else self.irradiance
        return np.concatenate([self.triangles.normals, self.triangles.uv, light], 1).reshape(-1, 3, 8)

    def only(self, first: int, last: int) -> Body:
        """The triangles first..last - 1, with the same atlas. Only for bodies without baked light."""
        corners = slice(3 * first, 3 * last)
        kept = Triangles(self.triangles.positions[corners], self.triangles.normals[corners], self.triangles.uv[corners])
        return Body(kept, self.material[first:last], self.instance[first:last], self.atlas, self.texel_density[first:last])

    def lit(self, irradiance: np.ndarray) -> Body:
        """The same body with its light."""
        return replace(self, irradiance=irradiance)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("rays", "corners")}


def compile_body(things: Sequence[tuple[int, Sequence[Part]]], load: Callable[[str], np.ndarray]) -> Body:
    """things: (instance id, its parts in place). load: texture name -> image, see build_atlas."""
    parts = [(identity, part) for identity, parts in things for part in parts]
    materials = list(dict.fromkeys(part.material for _, part in parts))
    index = {material: i for i, material in enumerate(materials)}
    atlas = build_atlas(materials, load)
    counts = [len(part.triangles) for _, part in parts]
    material = np.repeat(np.array([index[part.material] for _, part in parts], np.int32), counts)
    instance = np.repeat(np.array([identity for identity, _ in parts], np.int32), counts)
    whole = joined(part.triangles for _, part in parts)
    whole = replace(whole, uv=whole.uv * atlas.repeat[np.repeat(material, 3)][:, None])
    return Body(whole, material, instance, atlas, _texel_density(whole, material, atlas))


def _texel_density(triangles: Triangles, material: np.ndarray, atlas: TextureAtlas) -> np.ndarray:
    """Square root of texels per square metre of each triangle."""
    corners, uv = triangles.positions.reshape(-1, 3, 3), triangles.uv.reshape(-1, 3, 2)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    texels = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) * atlas.width[material, 0] * atlas.height[material, 0]
    return np.sqrt(texels / np.maximum(area, 1e-12)).astype(np.float32)
