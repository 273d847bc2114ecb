"""What a surface looks like, and a textured piece of a thing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from magic3d_ros.sources.room.triangles import Triangles


@dataclass(frozen=True)
class Material:
    """A diffuse surface.

    texture: name of a texture (textures/patterns.py), "photo:PATH" for an image of the asset wheels, or "" for plain colour.
    tint: linear RGB that multiplies the texture. emission: light given off, in units of the texture's colour.
    repeat: how many times the texture repeats a unit of the texture coordinates (a metre for most primitives).
    glass: depth sensors see through it.
    """

    texture: str = ""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    emission: float = 0.0
    repeat: float = 1.0
    glass: bool = False

    def tinted(self, tint: tuple[float, ...]) -> Material:
        """The same material with its tint multiplied."""
        red, green, blue = (a * b for a, b in zip(self.tint, tint, strict=True))
        return replace(self, tint=(red, green, blue))


class Part(NamedTuple):
    """A body of one material. A thing is a list of parts, standing on z = 0 around the origin, its front towards -y."""

    triangles: Triangles
    material: Material
