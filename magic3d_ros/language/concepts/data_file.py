"""Data that a user may put beside what ships: YAML files found by name, checked before they are read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from magic3d_ros.config import SettingsError

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.ya?ml)?")


def config_directories() -> list[Path]:
    """Where config/ may lie: beside the sources, in each ament prefix, in this Python's prefix."""
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    shared = [Path(p) / "share" / "magic3d_ros" / "config" for p in [*prefixes, sys.prefix]]
    return [Path(__file__).resolve().parents[3] / "config", *shared]


def find_in_config(setting: str, name: str) -> Path:
    """The YAML file of that name in a config directory. Raises SettingsError: a name is never a path."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{setting} is the name of a YAML file in config/, not a path: '{name}'")
    file = name if name.endswith((".yaml", ".yml")) else name + ".yaml"
    for directory in config_directories():
        if (directory / file).is_file():
            return directory / file
    raise SettingsError(f"{setting}: there is no {file} in config/")


def read_mapping(setting: str, path: Path) -> Mapping[str, Any]:
    """What a YAML file holds by its keys. Raises SettingsError for one that is too large or of another form."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingsError(f"{setting}: {path.name} is larger than {_MAX_BYTES >> 20} MB")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{setting}: cannot read {path.name}: {error}") from error
    if not isinstance(content, Mapping):
        raise SettingsError(f"{setting}: {path.name} must hold names and what they mean, not {type(content).__name__}")
    return content
