"""What a kind of thing of the varied rooms is: its maker, and where such things are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from magic3d_ros.sources.room.material import Part

Maker = Callable[[np.random.Generator], list[Part]]


class Kind(NamedTuple):
    """A kind of thing; its key in a table is the concept's name in language/concepts/data.

    make: draws one: metres, standing on z = 0 around the origin, front towards -y; what hangs on a wall has its back on y = 0,
    what hangs from the ceiling has its upper end on z = 0.
    place: floor (against a wall), middle (free on the floor), top (on tables, counters and shelves), wall or ceiling.
    carries: small things can stand on its upper face, all of it.
    low: metres from the floor to the lower edge, of what hangs on a wall.
    """

    make: Maker
    place: Literal["floor", "middle", "top", "wall", "ceiling"]
    carries: bool = False
    low: tuple[float, float] = (1.2, 1.6)
