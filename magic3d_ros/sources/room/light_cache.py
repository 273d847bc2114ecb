"""The light of a room, kept in the user's cache folder: baking takes seconds, reading it back does not."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from magic3d_ros.sources.room.body import Body
from magic3d_ros.sources.room.light import BAKE_VERSION, AreaLight, bake

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """XDG_CACHE_HOME/magic3d_ros/room, by default under ~/.cache (XDG Base Directory Specification)."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if Path(root).is_absolute() else Path.home() / ".cache") / "magic3d_ros" / "room"


def baked(body: Body, lights: Sequence[AreaLight], ambient: np.ndarray) -> np.ndarray:
    """The room's light, from the cache where it holds this very room, else baked now and stored where that is possible.

    A cache that cannot be read or written costs time, never the result.
    """
    file = cache_folder() / f"light_{_key(body, lights, ambient)}.npy"
    shape = body.triangles.positions.shape
    try:
        stored = np.load(file, allow_pickle=False)
        if stored.shape == shape and stored.dtype == np.float32:
            return stored
        logger.warning("%s does not hold this room's light: baking it again", file)
    except FileNotFoundError:
        logger.info("baking the room's light: some seconds, once")
    except (OSError, ValueError, EOFError) as error:
        logger.warning("cannot read the cached light %s (%s): baking it again", file, error)
    light = bake(body, list(lights), ambient)
    _store(file, light)
    return light


def _store(file: Path, light: np.ndarray) -> None:
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".light_", suffix=".npy", delete=False) as stream:
            temporary = Path(stream.name)
            np.save(stream, light, allow_pickle=False)
        temporary.replace(file)
    except OSError as error:
        logger.warning("the room's light is not cached (%s): the next start will bake it again", error)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _key(body: Body, lights: Sequence[AreaLight], ambient: np.ndarray) -> str:
    """A hash of everything the bake looks at."""
    digest = hashlib.sha256(f"light {BAKE_VERSION}".encode())
    arrays = [body.triangles.positions, body.triangles.normals, body.material, body.atlas.albedo, body.atlas.emission, ambient]
    for light in lights:
        arrays += [light.origin, light.edge_a, light.edge_b, light.colour]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]
