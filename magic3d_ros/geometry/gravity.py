"""Which way is up in the world frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from magic3d_ros.geometry.plane import largest_plane

_AXES = {sign + name: (1.0 if sign == "+" else -1.0) * np.eye(3)[axis] for axis, name in enumerate("xyz") for sign in "+-"}
# A camera that is held or mounted looks up or down by less than this on average (35 degrees: robot heads and hand-held
# recordings stay well inside, the next axis of a frame is 90 degrees away).
_AGREEMENT = np.cos(np.radians(35.0))
# The right-hand axes of the cameras fix the vertical only when they spread over more than one direction: the middle
# eigenvalue of their mean outer product then exceeds this (0.5 for a full turn, 0 for a camera that never turns).
_SPREAD = 0.05
# The floor or a table top must hold this share of the surface before its normal replaces the cameras' estimate.
_PLANE_SHARE = 0.03


class SurfacePoints(Protocol):
    """What is needed of a surface: (N, 3) vertices in metres and their unit normals, pointing to free space."""

    @property
    def vertices(self) -> np.ndarray:
        """(N, 3) metres."""

    @property
    def normals(self) -> np.ndarray:
        """(N, 3) unit."""


class UpEstimator:
    """Estimates the up direction from how cameras are held, and from the largest level plane.

    mode: "+x" ... "-z" fix the direction; "auto" takes +z (REP 103) where the cameras agree with it within 35 degrees,
    else the cameras' direction refined to the normal of the largest near-horizontal plane.
    Raises ValueError for another mode.
    """

    def __init__(self, mode: str = "auto") -> None:
        if mode != "auto" and mode not in _AXES:
            raise ValueError(f"up must be auto or one of {', '.join(_AXES)}, not '{mode}'")
        self.mode = mode
        self._up_sum = np.zeros(3)
        self._right_sum = np.zeros((3, 3))
        self._count = 0

    def observe(self, camera_to_world: np.ndarray) -> None:
        """Take note of how a camera is held: (4, 4) camera-to-world pose. Poses that are not finite are ignored."""
        rotation = np.asarray(camera_to_world, np.float64)[:3, :3]
        if not np.isfinite(rotation).all():
            return
        self._up_sum -= rotation[:, 1]
        self._right_sum += np.outer(rotation[:, 0], rotation[:, 0])
        self._count += 1

    def estimate(self, surface: SurfacePoints) -> np.ndarray:
        """(3,) float64 unit vector that points up."""
        if self.mode != "auto":
            return _AXES[self.mode].copy()
        held = self._held_up()
        if held is None or held @ _AXES["+z"] >= _AGREEMENT:
            return _AXES["+z"].copy()
        return _refined(held, surface)

    def _held_up(self) -> np.ndarray | None:
        """The vertical from the cameras alone: orthogonal to their right-hand axes, on the side of their mean up axis.

        A camera pitched down tilts the mean of the up axes but not its right-hand axis (the usual way to level camera
        paths of captured scenes); where the camera hardly turned, the mean up axis is all there is.
        """
        length = float(np.linalg.norm(self._up_sum))
        if self._count == 0 or length < 0.1 * self._count:
            return None
        mean_up = self._up_sum / length
        values, vectors = np.linalg.eigh(self._right_sum / self._count)
        level = vectors[:, 0] * np.sign(vectors[:, 0] @ mean_up)
        if values[1] > _SPREAD and level @ mean_up > 0.5:
            return level
        return mean_up

    def state(self) -> dict[str, np.ndarray]:
        """What was observed, as numeric arrays."""
        return {"up_sum": self._up_sum.copy(), "right_sum": self._right_sum.copy(), "count": np.array([self._count], np.int64)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state()`. Raises ValueError naming what does not fit."""
        for name, shape in (("up_sum", (3,)), ("right_sum", (3, 3)), ("count", (1,))):
            if name not in state or np.shape(state[name]) != shape or not np.isfinite(state[name]).all():
                raise ValueError(f"the up direction's state lacks '{name}' with shape {shape} and finite values")
        self._up_sum = np.array(state["up_sum"], np.float64)
        self._right_sum = np.array(state["right_sum"], np.float64)
        self._count = int(state["count"][0])


def _refined(held: np.ndarray, surface: SurfacePoints) -> np.ndarray:
    """The normal of the largest plane that is level within 35 degrees of `held`; `held` where there is no such plane."""
    level = np.flatnonzero(surface.normals @ held > _AGREEMENT)
    if len(level) < max(50, _PLANE_SHARE * len(surface.vertices)):
        return held
    sample = level[:: max(1, len(level) // 8000)]
    found = largest_plane(surface.vertices[sample], surface.normals[sample], np.random.default_rng(0))
    if found is None or found[1].sum() * len(level) / len(sample) < _PLANE_SHARE * len(surface.vertices):
        return held
    normal = found[0].normal
    return normal if normal @ held > _AGREEMENT else held
