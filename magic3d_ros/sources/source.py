"""What every source of frames offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from magic3d_ros.frames import RGBDFrame


class FrameSource(Protocol):
    """A recorded or rendered sequence of posed RGB-D frames, in order of time.

    name: for people. skipped: how many frames could not be delivered, by short reason (filled while iterating); each of them is
    also logged once with cause and cure. Iterating again starts anew.
    """

    name: str
    skipped: dict[str, int]

    def __len__(self) -> int:
        """Frames that iterating will deliver at most."""
        ...

    def __iter__(self) -> Iterator[RGBDFrame]:
        """Deliver the frames that can be read; a bad frame is skipped and counted, the rest goes on."""
        ...


class SourceError(ValueError):
    """A source that cannot be opened at all; the message names the cause and the cure."""
