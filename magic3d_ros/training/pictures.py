"""Pictures of random rooms with exact depth and normals, rendered once and kept in files that training reads."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from magic3d_ros.sources.room.assembly import assemble
from magic3d_ros.sources.room.assets import assets_installed
from magic3d_ros.sources.room.description import parse_description
from magic3d_ros.sources.room.light import bake
from magic3d_ros.sources.room.random.layout import random_room
from magic3d_ros.sources.room.render import BRIGHTEST, render
from magic3d_ros.sources.room.sensor import SensorModel
from magic3d_ros.sources.room.shading import RoomView
from magic3d_ros.sources.room.triangles import unit
from magic3d_ros.training.viewpoints import HEIGHT, WIDTH, Viewpoint, random_viewpoints

TRUTH_STRIDE = 2
"""Pixels of a picture for one of its depth and normals."""

LIGHT_GRID, BOUNCE_RAYS = 2, 12
"""Light samples a vertex, a fifth of the shipped rooms': grain that is no worse than the camera's at this size."""

EXPOSURE = (0.10, 0.45)
"""Mean linear light of a picture: from a dim one to an overexposed one (tone-mapped: grey level 85 to 190)."""


class PictureError(RuntimeError):
    """A file of training pictures that cannot be used; the message names it and the cure."""


@dataclass(frozen=True)
class Pictures:
    """n pictures. rgb: (n, H, W, 3) uint8. depth: (n, H/2, W/2) uint16 millimetres along the optical axis, 0 = nothing.
    normals: (n, H/2, W/2, 3) int8, camera frame, towards the camera, times 127. focal: (n,) float32 pixels of the picture."""

    rgb: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    focal: np.ndarray

    def __len__(self) -> int:
        return len(self.rgb)

    @staticmethod
    def joined(parts: list[Pictures]) -> Pictures:
        """All pictures of several."""
        names = ("rgb", "depth", "normals", "focal")
        return Pictures(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class RoomTask:
    """Renders one random room a call and writes it where it is not there yet; picklable, for worker processes.

    folder: where room_NNNNN.npz go. pictures: a room. seed: of all rooms; the room's number is added.
    """

    folder: Path
    pictures: int
    seed: int
    with_assets: bool

    def __call__(self, number: int) -> bool:
        """Whether the room had to be rendered."""
        file = room_file(self.folder, number)
        if file.is_file():
            return False
        rendered = render_room(number, self.pictures, self.seed, self.with_assets)
        temporary = file.with_suffix(".partial")
        with temporary.open("wb") as stream:
            np.savez(stream, rgb=rendered.rgb, depth=rendered.depth, normals=rendered.normals, focal=rendered.focal)
        os.replace(temporary, file)
        return True


def room_file(folder: Path, number: int) -> Path:
    """Where the pictures of a room are."""
    return folder / f"room_{number:05d}.npz"


def load_pictures(file: Path) -> Pictures:
    """Read what RoomTask wrote. Raises PictureError."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            pictures = Pictures(stored["rgb"], stored["depth"], stored["normals"], stored["focal"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise PictureError(f"cannot read the pictures {file} ({error}): delete the file, it will be rendered again") from error
    count = len(pictures.focal)
    small = (HEIGHT // TRUTH_STRIDE, WIDTH // TRUTH_STRIDE)
    if (pictures.rgb.shape != (count, HEIGHT, WIDTH, 3) or pictures.depth.shape != (count, *small)
            or pictures.normals.shape != (count, *small, 3)):
        raise PictureError(f"{file} holds pictures of another size than {WIDTH}x{HEIGHT}: delete it, it will be rendered again")
    return pictures


def render_room(number: int, pictures: int, seed: int, with_assets: bool | None = None) -> Pictures:
    """Pictures of random room `number`. with_assets: things of the asset wheels too; None = where they are installed."""
    if with_assets is None:
        with_assets = assets_installed()
    random = np.random.default_rng((seed, number, 1))
    description = parse_description(random_room((seed, number, 0), with_assets), f"random_{number}", f"random room {number}")
    assembly = assemble(description, distractors=False)
    light = bake(assembly.body, list(assembly.lights), assembly.ambient, LIGHT_GRID, BOUNCE_RAYS)
    view = RoomView(assembly.body.lit(light), assembly.lights, assembly.ambient, [])
    views = random_viewpoints(random, assembly, description.size, pictures)
    rendered = [_picture(random, view, viewpoint) for viewpoint in views]
    small = (HEIGHT // TRUTH_STRIDE, WIDTH // TRUTH_STRIDE)
    if not rendered:
        return Pictures(np.zeros((0, HEIGHT, WIDTH, 3), np.uint8), np.zeros((0, *small), np.uint16),
                        np.zeros((0, *small, 3), np.int8), np.zeros(0, np.float32))
    rgb, depth, normals = (np.stack(column) for column in zip(*rendered, strict=True))
    return Pictures(rgb, depth, normals, np.array([viewpoint.camera.fx for viewpoint in views], np.float32))


def _picture(random: np.random.Generator, view: RoomView, viewpoint: Viewpoint) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> colour as a camera gives it, depth and normals from rays of their own at half the resolution."""
    exact = render(view, viewpoint.camera, viewpoint.pose)
    mean = float(np.minimum(exact.colour, BRIGHTEST).mean())
    gain = np.exp(random.uniform(*np.log(EXPOSURE))) / max(mean, 0.01)
    sensor = SensorModel(blur=float(random.uniform(0.2, 1.6)) * 640 / WIDTH / 2, shot_noise=float(random.uniform(0.002, 0.03)),
                         white_balance_swing=0.12, vignette=float(random.uniform(0, 0.3)))
    lit = replace(exact, colour=(exact.colour * gain).astype(np.float32))
    rgb = sensor.colour(lit, int(random.integers(10_000)), random)
    small = viewpoint.camera.resized(WIDTH // TRUTH_STRIDE, HEIGHT // TRUTH_STRIDE)
    rays = unit(small.rays().reshape(-1, 3))
    rotation = viewpoint.pose[:3, :3].astype(np.float32)
    seen = view.look(viewpoint.pose[:3, 3], rays @ rotation.T, 1.0 / small.fx)
    shape = (small.height, small.width)
    depth = np.clip(np.round(1000 * seen.distance * rays[:, 2]), 0, 65535).astype(np.uint16).reshape(shape)
    normals = np.round(127 * (seen.normal @ rotation)).astype(np.int8).reshape(*shape, 3)
    return rgb, depth, normals
