"""Drawing among designs and measures, and plain colours."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from magic3d_ros.sources.room.material import Material

Choice = TypeVar("Choice")


def between(random: np.random.Generator, low: float, high: float) -> float:
    """A number drawn evenly from low to high."""
    return float(random.uniform(low, high))


def pick(random: np.random.Generator, *choices: Choice) -> Choice:
    """One of the choices."""
    return choices[int(random.integers(len(choices)))]


def plain(red: float, green: float, blue: float) -> Material:
    """Paint, plastic or skin of one linear RGB colour."""
    return Material("", (red, green, blue))
