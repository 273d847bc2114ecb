"""Every kind of thing that varied rooms are furnished with."""

from __future__ import annotations

from magic3d_ros.sources.room.shapes.varied.kind import Kind

KINDS: dict[str, Kind] = {}
"""By concept of language/concepts/data."""
