"""Every kind of thing that varied rooms are furnished with."""

from __future__ import annotations

from magic3d_ros.sources.room.shapes.varied import (
    bathroom,
    cleaning,
    clothes,
    cookware,
    drinking,
    food,
    groceries,
    hygiene,
    kitchen_appliances,
    kitchen_fittings,
    laundry,
    tableware,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind

KINDS: dict[str, Kind] = {
    **bathroom.KINDS, **cleaning.KINDS, **clothes.KINDS, **cookware.KINDS, **drinking.KINDS, **food.KINDS, **groceries.KINDS,
    **hygiene.KINDS, **kitchen_appliances.KINDS, **kitchen_fittings.KINDS, **laundry.KINDS, **tableware.KINDS,
}
"""By concept of language/concepts/data."""
