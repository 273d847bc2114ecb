"""The finished scene as users see it: surface, separate things, meaning. A snapshot that later mapping does not change."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from magic3d_ros.approach import approach_poses, body_room, feet, standing_room
from magic3d_ros.language.answer import Answer, Question, Status
from magic3d_ros.language.semantic_memory import SemanticMemory
from magic3d_ros.language.snapshot import LanguageSnapshot
from magic3d_ros.mapping.free_space import OccupancyGrid
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.scene_object import SceneObject


@dataclass(frozen=True)
class Scene:
    """stamp: of the newest frame in it (ns). labels: (N,) int32 object id of each surface vertex, -1 = none. up: (3,) unit.
    been: (n, 3) where the camera was at keyframes, world frame."""

    stamp: int
    surface: Surface
    labels: np.ndarray
    objects: tuple[SceneObject, ...]
    up: np.ndarray
    language: LanguageSnapshot | None = None
    occupancy: OccupancyGrid | None = None
    statistics: dict[str, float] = field(default_factory=dict)
    been: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    @staticmethod
    def empty() -> Scene:
        """A scene in which nothing was seen yet."""
        return Scene(0, Surface.empty(), np.zeros(0, np.int32), (), np.array([0.0, 0.0, 1.0]))

    def object(self, object_id: int) -> SceneObject | None:
        """The thing of that id, if it is known."""
        return next((o for o in self.objects if o.id == object_id), None)

    def points_of(self, object_id: int) -> np.ndarray:
        """(n,) indices of the surface vertices of a thing."""
        return np.flatnonzero(self.labels == object_id)

    def approach_poses(self, object_id: int, robot_radius: float, reach: float) -> list[np.ndarray]:
        """(4, 4) robot-to-world poses near a thing, facing it, on free floor that can be driven to; best first. Metres."""
        if self.occupancy is None:
            return []
        vertices = self.surface.vertices
        standing = self._standing.get(robot_radius)
        if standing is None:
            taken = feet(self.occupancy, vertices) | ~body_room(self.occupancy, self.been)
            standing = self._standing[robot_radius] = standing_room(self.occupancy, robot_radius, self.been, taken)
        return approach_poses(self.occupancy, standing, vertices, vertices[self.points_of(object_id)], reach)

    def query(self, question: Question) -> Answer:
        """Answer a question in words or as a picture."""
        if self.language is None or self.memory is None:
            return Answer(Status.NOT_READY, "nothing has been mapped yet: no frame was integrated, or the models are loading")
        return self.language.answer(question, self.surface, self.labels, self.memory)

    @cached_property
    def memory(self) -> SemanticMemory[SceneObject] | None:
        """What answers need of the things, without the surface; None while nothing has been mapped."""
        if self.language is None or len(self.surface) == 0:
            return None
        return self.language.memory(self.surface, self.labels, self.objects, self.been)

    def segment(self, labels: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """The best of the labels for every surface vertex: (N,) int32 index, -1 = none of them, and (N,) float32 confidence."""
        if self.language is None:
            return np.full(len(self.surface), -1, np.int32), np.zeros(len(self.surface), np.float32)
        return self.language.segment(labels, self.surface, self.labels, self.objects)

    @cached_property
    def _standing(self) -> dict[float, np.ndarray]:
        """Standing room by the robot's radius: the same for every thing of the scene."""
        return {}
