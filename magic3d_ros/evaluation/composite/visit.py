"""Where a thing is at what time: a path through the world, walked in straight stretches, with rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magic3d_ros.evaluation.composite.wardrobe import Thing
from magic3d_ros.sources.room.body import Body

STILL = 0.05  # metres a second: slower things do not swing their limbs


@dataclass(frozen=True)
class Placed:
    """A body at its place in one frame. identity: its value in images of things. pose: (4, 4) body-to-world.
    middle: (3,) and radius: of a sphere around it, metres, world frame."""

    identity: int
    body: Body
    pose: np.ndarray
    middle: np.ndarray
    radius: float


@dataclass(frozen=True)
class Visit:
    """A thing that is there from times[0] to times[-1].

    times: (k,) seconds, ascending. places: (k, 3) of its foot, metres, world frame; equal neighbours are a rest.
    up: (3,) unit. heading: (3,) unit, level; where it looks before it first moves. role: passing | leaving | standing | carried.
    """

    identity: int
    thing: Thing
    times: np.ndarray
    places: np.ndarray
    up: np.ndarray
    heading: np.ndarray
    role: str = "passing"

    @property
    def speed(self) -> float:
        """Metres a second on its fastest stretch."""
        steps = np.linalg.norm(np.diff(self.places, axis=0), axis=1)
        return float((steps / np.maximum(np.diff(self.times), 1e-6)).max())

    def at(self, seconds: float) -> Placed | None:
        """The thing at that time; None before and after its visit."""
        if not self.times[0] <= seconds <= self.times[-1]:
            return None
        stretch = int(np.clip(np.searchsorted(self.times, seconds, "right") - 1, 0, len(self.times) - 2))
        start, end = self.times[stretch], self.times[stretch + 1]
        share = (seconds - start) / (end - start)
        lengths = np.linalg.norm(np.diff(self.places, axis=0), axis=1)
        walked = float(lengths[:stretch].sum() + share * lengths[stretch])
        moving = lengths[stretch] / (end - start) > STILL
        foot = self.places[stretch] + share * (self.places[stretch + 1] - self.places[stretch])
        thing = self.thing
        if moving and thing.hop:
            foot = foot + self.up * thing.hop * abs(np.sin(np.pi * walked / thing.cycle))
        pose = np.eye(4)
        pose[:3, :3] = _upright(self._heading(stretch, moving), self.up)
        pose[:3, 3] = foot
        middle = foot + self.up * thing.height / 2
        if thing.rolls:
            pose = _turned(pose, middle, 2 * walked / thing.height)
        phase = int(walked / thing.cycle * len(thing.poses)) % len(thing.poses) if moving else 0
        return Placed(self.identity, thing.poses[phase], pose, middle, thing.radius)

    def _heading(self, stretch: int, moving: bool) -> np.ndarray:
        """Along the present stretch; at rest along the last one that moved."""
        steps = np.diff(self.places, axis=0)
        for number in range(stretch, -1, -1):
            level = steps[number] - self.up * (steps[number] @ self.up)
            length = float(np.linalg.norm(level))
            if length > 1e-3:
                return level / length
        return self.heading


def _upright(heading: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3, 3) rotation whose columns are the world directions of a body's front, left and top."""
    level = heading - up * (heading @ up)
    level /= np.linalg.norm(level)
    return np.stack([level, np.cross(up, level), up], 1)


def _turned(pose: np.ndarray, middle: np.ndarray, angle: float) -> np.ndarray:
    """A body rolled forwards about its own middle by an angle in radians."""
    c, s = np.cos(angle), np.sin(angle)
    roll = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    turned = pose.copy()
    turned[:3, :3] = pose[:3, :3] @ roll
    foot = pose[:3, :3].T @ (pose[:3, 3] - middle)
    turned[:3, 3] = middle + turned[:3, :3] @ foot
    return turned
