"""The environment that a process needs before its ROS middleware starts. Imports no ROS itself."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

import magic3d_ros
from magic3d_ros.cpu_sharing import wait_without_spinning

_PROFILE = "fastdds_shared_memory.xml"
_FAST_DDS_2, _FAST_DDS_3 = "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"
_WITH_FAST_DDS_2 = ("humble", "iron", "jazzy")
"""Fast DDS 3, from Kilted on, knows the first name too but warns that it is deprecated."""


def shared_memory_profile() -> Path | None:
    """The Fast DDS profile that carries large images through shared memory, in the checkout or where it was installed.

    With the default transports a best-effort subscriber lost 153 of 165 depth images at 30 Hz; with this profile and RELIABLE
    it lost none.
    """
    package = Path(next(iter(magic3d_ros.__path__))).resolve()
    places = [package.parent / "config"]
    for prefix in [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), *_python_prefixes(package)]:
        if prefix:
            places.append(Path(prefix) / "share" / "magic3d_ros" / "config")
    return next((place / _PROFILE for place in places if (place / _PROFILE).is_file()), None)


def prepare(environment: MutableMapping[str, str] | None = None, local_only: bool = False) -> None:
    """Choose the shared-memory transport before `rclpy.init`, unless the user chose a profile, and see cpu_sharing; what is set
    already stays.

    environment: where to set it; this process when None (children inherit it). local_only: talk to nobody beyond this machine
    (tests and the demo: a neighbour's robot must not answer their questions).
    """
    environment = os.environ if environment is None else environment
    wait_without_spinning(environment)
    profile = shared_memory_profile()
    if profile is not None and not any(name in environment for name in (_FAST_DDS_2, _FAST_DDS_3)):
        environment[_FAST_DDS_2 if environment.get("ROS_DISTRO") in _WITH_FAST_DDS_2 else _FAST_DDS_3] = str(profile)
    if local_only:
        environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


def _python_prefixes(package: Path) -> list[str]:
    return [sys.prefix, *(str(parent) for parent in package.parents if (parent / "share" / "magic3d_ros").is_dir())]


def check_ros() -> None:
    """Raise ImportError where rclpy or the package's own messages are missing."""
    import rclpy  # noqa: F401

    import magic3d_ros.srv  # noqa: F401
