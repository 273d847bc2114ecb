"""The internal state of a map as one safetensors file: plain arrays by name, nothing that could run code when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from magic3d_ros.storage.atomic import umask
from magic3d_ros.storage.map_error import MapError


def write_state(path: Path, state: Mapping[str, np.ndarray]) -> None:
    """Write the arrays. Raises OSError for what the file system refuses, TypeError for an array that is not numeric."""
    arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"state '{name}' is {array.dtype}: only numeric arrays are saved")
    try:
        save_file(arrays, path)
        path.chmod(0o666 & ~umask())  # the library makes it private
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays. The library checks the header against the file's size before it makes any array.

    Raises MapError for a missing, cut off or foreign file.
    """
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise MapError(f"{path.parent} has no {path.name}: the map is half-written; save or copy it again") from error
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise MapError(f"{path} cannot be read ({error}): the file is cut off or damaged; save or copy the map again") from error
