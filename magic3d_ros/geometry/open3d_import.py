"""Importing Open3D, whose wheel needs the system library libusb-1.0."""

from __future__ import annotations

import ctypes
import importlib
from types import ModuleType


def load_open3d() -> ModuleType:
    """The open3d module.

    Its wheel links against libusb-1.0 (for RealSense cameras). Where the system has none, the one of the PyPI package libusb-
    package is loaded first. Raises ImportError with the cure when neither is there.
    """
    try:
        return importlib.import_module("open3d")
    except ModuleNotFoundError as error:
        raise ImportError("Open3D is not installed: pip install open3d") from error
    except (ImportError, OSError) as error:
        if "libusb" not in str(error):
            raise ImportError(f"Open3D cannot be loaded: {error}") from error
        _load_libusb(error)
        return importlib.import_module("open3d")


def _load_libusb(reason: Exception) -> None:
    cure = "apt install libusb-1.0-0, or pip install libusb-package"
    try:
        package = importlib.import_module("libusb_package")
    except ModuleNotFoundError as error:
        raise ImportError(f"Open3D needs libusb-1.0 ({reason}): {cure}") from error
    path = package.get_library_path()
    if path is None:
        raise ImportError(f"Open3D needs libusb-1.0 and libusb-package holds none for this machine: {cure}")
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ImportError(f"Open3D needs libusb-1.0 and {path} cannot be loaded ({error}): {cure}") from error
