"""Names of saved maps: text from the network that must never become a path of its own choosing."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def map_folder(map_directory: str, name: str) -> Path:
    """The folder of a named map inside `map_directory`. Raises ValueError for a name that is more than a name, or when the folder
    is a link to somewhere else."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name[:80]}' is not a map's name: 1 to 64 letters, digits, '.', '_' or '-', not beginning with a dot")
    root = Path(map_directory).expanduser().resolve()
    folder = root / name
    if folder.is_symlink():
        raise ValueError(f"{name} in {root} is a link; maps are only kept in folders of their own")
    return folder
