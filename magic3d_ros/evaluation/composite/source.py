"""A source whose frames show things that were never there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from magic3d_ros.evaluation.composite.blending import blended_colour, blended_depth
from magic3d_ros.evaluation.composite.drawing import draw
from magic3d_ros.evaluation.composite.outline import Outline, filled, outline
from magic3d_ros.evaluation.composite.schedule import passing_by
from magic3d_ros.evaluation.composite.staying import carried_away, standing
from magic3d_ros.evaluation.composite.visit import Visit
from magic3d_ros.evaluation.composite.wardrobe import KINDS, SETS, Thing, wardrobe
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.sources.room.sensor import SensorModel
from magic3d_ros.sources.source import FrameSource


@dataclass(frozen=True)
class CompositeSettings:
    """What is put in.

    chosen: "tuning" or "scoring": textures, paths and sensor noise of the two have nothing in common. seed: the same one gives
    the same frames. coverage: share of all frames that shows something passing by. first: seconds before the first of them
    enters. kinds: of the things that pass by.
    standing: a person stands still for the whole run. leaving_after: seconds that a person stands before it walks off, 0 = none.
    carried_after: seconds after which a box that stood on a level surface is gone, 0 = none.
    sensor_noise: depth of the things is as a Kinect would deliver it; False = exact.
    """

    chosen: str = "tuning"
    seed: int = 0
    coverage: float = 2 / 3
    first: float = 1.0
    kinds: tuple[str, ...] = KINDS
    standing: bool = False
    leaving_after: float = 0.0
    carried_after: float = 0.0
    sensor_noise: bool = True

    def __post_init__(self) -> None:
        if self.chosen not in SETS:
            raise ValueError(f"there is no set of things '{self.chosen}': there are {', '.join(SETS)}")
        if not 0 <= self.coverage <= 1:
            raise ValueError(f"coverage is a share of the frames, 0 to 1, not {self.coverage}")
        if min(self.first, self.leaving_after, self.carried_after) < 0:
            raise ValueError("times are seconds from the first frame on and cannot be negative")


class CompositeFrame(NamedTuple):
    """frame: with the things in it. mask: (H, W) bool, True where it shows what does not belong into the map: things that pass
    by, and one that will leave. things: (H, W) uint8 identity of every thing that was put in, 0 = none; things that stand for
    the whole run, or until they are carried away, are in it and not in the mask. clean: the frame as it was."""

    frame: RGBDFrame
    mask: np.ndarray
    things: np.ndarray
    clean: RGBDFrame


class CompositeSource:
    """A FrameSource: the frames of another one, with things in them that stand and move in its world.

    A thing is hidden by what is nearer than it, judged by the frame's own depth; holes of the depth count as what is farthest
    around them. The other source is read twice: once for its poses and coarse depth, to find paths that the camera sees, then
    frame by frame.
    """

    def __init__(self, source: FrameSource, settings: CompositeSettings | None = None) -> None:
        self.settings = settings or CompositeSettings()
        self.name = f"{source.name} with {self.settings.chosen} things"
        self.skipped: dict[str, int] = {}
        self._source = source
        self._outline: Outline | None = None
        self._visits: tuple[Visit, ...] = ()

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[RGBDFrame]:
        for composite in self.composites():
            yield composite.frame

    @property
    def visits(self) -> tuple[Visit, ...]:
        """All things with their paths; times count from the first frame. Reads the source once, when first asked."""
        self._planned()
        return self._visits

    def composites(self) -> Iterator[CompositeFrame]:
        """Every frame with its masks, and as it was."""
        scene = self._planned()
        self.skipped = self._source.skipped
        for number, frame in enumerate(self._source):
            yield self.composite(frame, number, scene)
        self.skipped = self._source.skipped

    def composite(self, frame: RGBDFrame, number: int, scene: Outline | None = None) -> CompositeFrame:
        """One frame of the source, its running number being `number`, with what is there at its time."""
        scene = scene or self._planned()
        seconds = (frame.stamp - scene.first_stamp) * 1e-9
        placed = [there for visit in self._visits if (there := visit.at(seconds)) is not None]
        nothing = np.zeros(frame.depth.shape, np.uint8)
        if not placed:
            return CompositeFrame(frame, nothing.astype(bool), nothing, frame)
        behind = filled(frame.depth)
        drawing = draw(placed, frame.camera, frame.camera_to_world, behind, scene.up, scene.exposure)
        if not drawing.thing.any():
            return CompositeFrame(frame, nothing.astype(bool), nothing, frame)
        random = np.random.default_rng((SETS.index(self.settings.chosen), self.settings.seed, number))
        sensor = SensorModel()
        rgb = blended_colour(frame, drawing, sensor, random)
        depth = blended_depth(frame, drawing, behind, sensor if self.settings.sensor_noise else None, random)
        if scene.reads.shape == depth.shape:
            depth[~scene.reads] = 0
        masked = [visit.identity for visit in self._visits if visit.role in ("passing", "leaving")]
        mixed = replace(frame, rgb=rgb, depth=depth)
        return CompositeFrame(mixed, np.isin(drawing.thing, masked), drawing.thing, frame)

    def _planned(self) -> Outline:
        if self._outline is None:
            self._outline = outline(self._source)
            self._visits = tuple(_planned(self._outline, self.settings))
        return self._outline


def _planned(scene: Outline, settings: CompositeSettings) -> list[Visit]:
    random = np.random.default_rng((SETS.index(settings.chosen), settings.seed))
    things = wardrobe(settings.chosen)
    visits: list[Visit] = []

    def anyone(kind: str) -> Thing:
        return things[kind][int(random.integers(len(things[kind])))]

    if settings.standing:
        visits.append(standing(scene, anyone("person"), 0.0, random, len(visits) + 1))
    if settings.leaving_after:
        visits.append(standing(scene, anyone("person"), settings.leaving_after, random, len(visits) + 1))
    if settings.carried_after:
        visits.append(carried_away(scene, anyone("box"), settings.carried_after, random, len(visits) + 1))
    passing = {kind: things[kind] for kind in settings.kinds}
    return visits + passing_by(scene, passing, settings.coverage, settings.first, random, len(visits) + 1)
