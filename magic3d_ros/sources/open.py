"""One text names a source of frames: the simulated room, a folder, or a ROS bag."""

from __future__ import annotations

from pathlib import Path

from magic3d_ros.config import Settings
from magic3d_ros.sources.source import FrameSource, SourceError

__all__ = ["open_source"]


def open_source(text: str, settings: Settings) -> FrameSource:
    """The source that `text` names.

    "room" or "room:NAME": the simulated room. Else a path: a ROS 2 bag (a folder with metadata.yaml, an .mcap or a .db3 file)
    or a folder in one of the layouts of docs/sources.md. Raises SourceError saying what was looked for.
    """
    if text == "room" or text.startswith("room:"):
        from magic3d_ros.sources.room import open_room  # with its assets only when asked for

        return open_room(text.partition(":")[2], settings)
    if not text.strip():
        raise SourceError("no source was named: give a folder, a bag, or 'room'")
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    path = _existing(text)
    if path is None:
        raise SourceError(f"'{shown}' does not exist: give a folder, a bag (folder, .mcap or .db3), or 'room'")
    from magic3d_ros.sources.bag_reader import is_bag

    if is_bag(path):
        from magic3d_ros.sources.bag import BagSource

        return BagSource(path, settings)
    if path.suffix == ".bag":
        raise SourceError(f"'{text}' is a ROS 1 bag: convert it with rosbags-convert --src {path.name} --dst {path.stem}")
    if path.is_dir():
        from magic3d_ros.sources.folder import FolderSource
        from magic3d_ros.sources.layouts import LAYOUTS

        for layout in LAYOUTS:
            if layout.recognise(path):
                return FolderSource(layout.read(path, settings), settings)
        known = "; ".join(layout.DESCRIPTION for layout in LAYOUTS)
        raise SourceError(f"'{text}' is no recording that is known. Looked for: ROS 2 bags (metadata.yaml, .mcap, .db3); {known}")
    raise SourceError(f"'{text}' is neither a folder nor an .mcap or .db3 file")


def _existing(text: str) -> Path | None:
    try:
        path = Path(text).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # a name too long, with a zero byte, or of an unknown user
        return None
