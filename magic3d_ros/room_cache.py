"""The simulated room as a folder of images, rendered once and kept in the user's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from magic3d_ros.config import Settings
from magic3d_ros.sources import room as room_package
from magic3d_ros.sources.room import SimulatedRoom, open_room, write_folder
from magic3d_ros.sources.room.light_cache import cache_folder


def rendered_room(name: str, settings: Settings, frames: int | None, progress: Callable[[int, int], None],
                  width: int | None = None, distractors: bool = True) -> Path:
    """The folder with the frames of a room, rendered now if nobody did before.

    frames, width: how many along the same way, and pixels of each; None takes the scene's. progress: called with (rendered, in
    all). distractors: whether anyone walks through.
    Raises SourceError for an unknown room, and when the cache cannot be written.
    """
    room = open_room(name, settings, frames=frames, width=width, distractors=distractors)
    folder = cache_folder() / f"frames_{room.name.partition(':')[2].replace(':', '_')}_{_key(room)}"
    if not folder.is_dir():
        write_folder(room, folder, progress)
    return folder


def _key(room: SimulatedRoom) -> str:
    """A hash of all that the pictures depend on: the program that renders them, its scenes, and how many there are."""
    moving = "" if any(instance.moving for instance in room.instances) else " still"
    digest = hashlib.sha256(f"{room.name} {len(room)} {room.camera}{moving}".encode())
    for place in room_package.__path__:
        for file in sorted(path for path in Path(place).rglob("*") if path.suffix in (".py", ".yaml")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
