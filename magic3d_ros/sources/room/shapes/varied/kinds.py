"""Every kind of thing that varied rooms are furnished with."""

from __future__ import annotations

from magic3d_ros.sources.room.shapes.varied import (
    bathroom,
    cookware,
    drinking,
    kitchen_appliances,
    kitchen_fittings,
    tableware,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind

KINDS: dict[str, Kind] = {
    **bathroom.KINDS, **cookware.KINDS, **drinking.KINDS, **kitchen_appliances.KINDS, **kitchen_fittings.KINDS, **tableware.KINDS,
}
"""By concept of language/concepts/data."""
