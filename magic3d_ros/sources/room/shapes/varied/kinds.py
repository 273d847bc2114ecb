"""Every kind of thing that varied rooms are furnished with."""

from __future__ import annotations

from magic3d_ros.sources.room.shapes.varied import (
    accessories,
    bags,
    bathroom,
    bedroom,
    children,
    cleaning,
    clothes,
    computers,
    containers,
    cookware,
    cupboards,
    desk_things,
    drinking,
    food,
    games,
    groceries,
    hygiene,
    kitchen_appliances,
    kitchen_fittings,
    laboratory,
    lamps,
    laundry,
    machines,
    meals,
    music,
    ornaments,
    paper,
    pictures_and_boards,
    plants,
    robots,
    seats_and_racks,
    sound_and_games,
    sport,
    tables,
    tableware,
    tools,
    wall_and_ceiling_lamps,
    wall_fittings,
    wall_ornaments,
    wheels,
    window_cloths,
)
from magic3d_ros.sources.room.shapes.varied.kind import Kind

KINDS: dict[str, Kind] = {
    **accessories.KINDS, **bags.KINDS, **bathroom.KINDS, **bedroom.KINDS, **children.KINDS, **cleaning.KINDS, **clothes.KINDS,
    **computers.KINDS, **containers.KINDS, **cookware.KINDS, **cupboards.KINDS, **desk_things.KINDS, **drinking.KINDS,
    **food.KINDS, **games.KINDS, **groceries.KINDS, **hygiene.KINDS, **kitchen_appliances.KINDS, **kitchen_fittings.KINDS,
    **laboratory.KINDS, **lamps.KINDS, **laundry.KINDS, **machines.KINDS, **meals.KINDS, **music.KINDS, **ornaments.KINDS,
    **paper.KINDS, **pictures_and_boards.KINDS, **plants.KINDS, **robots.KINDS, **seats_and_racks.KINDS,
    **sound_and_games.KINDS, **sport.KINDS, **tables.KINDS, **tableware.KINDS, **tools.KINDS, **wall_and_ceiling_lamps.KINDS,
    **wall_fittings.KINDS, **wall_ornaments.KINDS, **wheels.KINDS, **window_cloths.KINDS,
}
"""By concept of language/concepts/data."""
