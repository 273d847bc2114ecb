"""Tells what moves from what stands, online: an uncertainty head on 2D features, trained by appearance and by geometry.

`observe` looks at a keyframe, with 2D features and a view of the map from its pose, learns from it and remembers it; `glance`
looks at a frame between keyframes. Nothing here knows which field rendered the view.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
import torch

from magic3d_ros.config import DistractorSettings
from magic3d_ros.frames import FeatureGrid, RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.distractors import decision
from magic3d_ros.mapping.distractors.evidence import Evidence
from magic3d_ros.mapping.distractors.experience import Comparison, Experience
from magic3d_ros.mapping.distractors.geometric_cues import DepthMemory, Look, disagreement, small_depth
from magic3d_ros.mapping.distractors.hindsight import MARGIN, Hindsight
from magic3d_ros.mapping.distractors.uncertainty_head import UncertaintyHead, load_optimiser_state, optimiser_state
from magic3d_ros.mapping.distractors.verdict import DistractorVerdict
from magic3d_ros.mapping.surface import View

PIXELS = 160 * 120  # at most, of the small images on which everything but the mask's edge is decided
WAITING = 20  # keyframes that wait for late features
SAME_PLACE = 0.1  # share of the depth by which the last frame's reading may differ where its verdict is carried over


class DistractorDetector:
    """Frames in, verdicts out. Not thread-safe: one thread works it.

    min_depth, max_depth: metres; other readings are not looked at.
    """

    def __init__(self, settings: DistractorSettings, min_depth: float = 0.1, max_depth: float = 10.0,
                 experience: Experience | None = None) -> None:
        self._settle = round(settings.settle_time * 1e9)
        self._steps = settings.steps
        self._range = (min_depth, max_depth)
        self._memory = DepthMemory()
        self._hindsight = Hindsight()
        self._experience = Experience() if experience is None else experience  # an empty one is false
        self._head: UncertaintyHead | None = None
        self._optimiser: torch.optim.Adam | None = None
        self._waiting: dict[int, Comparison] = {}
        self._last: tuple[Look, np.ndarray] | None = None  # the last frame, and the log odds that its verdict came from

    @staticmethod
    def small_camera(camera: Camera) -> Camera:
        """The camera that views for `observe` are best rendered with."""
        scale = min(1.0, math.sqrt(PIXELS / (camera.width * camera.height)))
        return camera.resized(max(1, round(scale * camera.width)), max(1, round(scale * camera.height)))

    def observe(self, frame: RGBDFrame, features: FeatureGrid | None, view: View | None) -> DistractorVerdict:
        """The verdict on a keyframe, which is learned from and remembered.

        features: of its image; None leaves the decision to geometry, and `learn` may bring them later. view: the map from its
        pose, before it is fused, of any size; None where there is no map yet.
        """
        look = self._look(frame.stamp, frame.camera, frame.camera_to_world, frame.depth)
        evidence = self._evidence(look, view)
        self._memory.add(look)
        comparison = Comparison.of(frame, look.camera, view, evidence)
        beta = None
        if features is None:
            self._wait(comparison)
        else:
            beta = self._beta(self._learn(comparison, features), features, frame.camera, look.camera)
        return self._verdict(frame, look, evidence, beta)

    def glance(self, frame: RGBDFrame) -> DistractorVerdict:
        """The verdict on a frame between keyframes, by geometry and by what the last frame's verdict was at the same places."""
        look = self._look(frame.stamp, frame.camera, frame.camera_to_world, frame.depth)
        return self._verdict(frame, look, self._evidence(look, None), None)

    def doubted(self) -> list[Look]:
        """Earlier frames that trusted surface which the newest keyframe saw through, the most doubtful first."""
        return self._hindsight.doubted(self._memory.newest) if len(self._memory) else []

    def reconsider(self, look: Look, frame: RGBDFrame) -> np.ndarray:
        """(H, W) bool: what moves in an earlier frame as all keyframes show it, those that came later too, and 5 pixels around.

        look: of the frame, one of those `doubted`. frame: as it is remembered, of any size.
        """
        history = self._memory.history(look.points(), look.camera_to_world, MARGIN)
        evidence = Evidence.of(look.depth > 0, history, np.zeros(look.depth.shape, np.float32), None, self._settle)
        grid, value, odds = decision.spread(look.depth, evidence, None, None, frame.rgb)
        self._hindsight.remember(look, odds <= 0)
        return decision.verdict(frame, grid, value, odds).weights == 0

    def learn(self, stamp: int, features: FeatureGrid) -> None:
        """Learn from a keyframe that was observed without features; one that no longer waits for them is passed over."""
        comparison = self._waiting.pop(stamp, None)
        if comparison is not None:
            self._learn(comparison, features)

    def remember_view(self, stamp: int, camera: Camera, camera_to_world: np.ndarray, depth: np.ndarray) -> None:
        """Remember what a keyframe saw, (H, W) depth, without judging it."""
        self._memory.add(self._look(stamp, camera, camera_to_world, depth))

    def replace_poses(self, poses: Mapping[int, np.ndarray]) -> None:
        """What was seen at these stamps was seen from other camera-to-world poses."""
        self._memory.replace_poses(poses)
        self._hindsight.forget()
        self._last = None  # it was seen from a pose that may no longer fit the next one

    def forget_views(self) -> None:
        """Forget what earlier keyframes saw; what was learned stays."""
        self._memory.clear()
        self._hindsight.forget()

    def state(self) -> dict[str, np.ndarray]:
        """Head, what it learns from, and the last verdict; views are recalled from the keyframes."""
        state = {f"experience.{name}": value for name, value in self._experience.state().items()}
        if self._head is not None and self._optimiser is not None:
            state |= {f"head.{name}": value for name, value in self._head.state().items()}
            state |= {f"adam.{name}": value for name, value in optimiser_state(self._head, self._optimiser).items()}
        if self._last is not None:
            look, odds = self._last
            camera = look.camera
            state |= {"last.odds": odds, "last.depth": look.depth, "last.pose": look.camera_to_world, "last.camera": np.array(
                [look.stamp, camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy], np.float64)}
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Begin anew with what `state` gave, or with nothing. Raises ValueError naming what does not fit."""
        self.forget_views()
        self._waiting.clear()
        self._experience.clear()
        self._last = None
        self._head = self._optimiser = None
        if not state:
            return
        parts = {part: {name[len(part) + 1:]: value for name, value in state.items() if name.startswith(f"{part}.")}
                 for part in ("experience", "head", "adam", "last")}
        self._experience.load_state(parts["experience"])
        if parts["head"]:
            self._head = UncertaintyHead.of_state(parts["head"]).eval()
            self._optimiser = self._head.optimiser()
            load_optimiser_state(self._head, self._optimiser, parts["adam"])
        self._last = _last_of(parts["last"]) if parts["last"] else None

    def _look(self, stamp: int, camera: Camera, camera_to_world: np.ndarray, depth: np.ndarray) -> Look:
        small = self.small_camera(camera)
        reduced = small_depth(depth, small.width, small.height)
        reduced[(reduced < self._range[0]) | (reduced > self._range[1])] = 0.0
        return Look(stamp, small, np.asarray(camera_to_world, np.float64), reduced)

    def _evidence(self, look: Look, view: View | None) -> Evidence:
        before = np.zeros(look.depth.shape, np.float32)
        if view is not None:
            before = disagreement(look.depth, small_depth(view.depth, look.camera.width, look.camera.height))
        history = self._memory.history(look.points(), look.camera_to_world)
        return Evidence.of(look.depth > 0, history, before, look.stamp, self._settle)

    def _wait(self, comparison: Comparison) -> None:
        self._waiting[comparison.stamp] = comparison
        while len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _learn(self, comparison: Comparison, features: FeatureGrid) -> UncertaintyHead:
        dimension = features.values.shape[2]
        if self._head is None or self._optimiser is None:
            self._head = UncertaintyHead(dimension).eval()
            self._optimiser = self._head.optimiser()
        self._head.check(dimension)
        self._experience.add(comparison, features)
        if len(self._experience) in (1, 2, 4, 8):  # what is normal is known better and better, then stays
            self._head.normalise(self._experience.features())
        self._experience.train(self._head, self._optimiser, self._steps)
        return self._head

    @staticmethod
    @torch.no_grad()
    def _beta(head: UncertaintyHead, features: FeatureGrid, full: Camera, small: Camera) -> np.ndarray:
        """(h, w) uncertainty by the features, linear between the cells' centres."""
        rows, columns, channels = features.values.shape
        grid = head(torch.from_numpy(np.ascontiguousarray(features.values.reshape(-1, channels))))
        u = ((np.arange(small.width) + 0.5) * full.width / small.width - 0.5 - features.offset_x) / features.stride_x
        v = ((np.arange(small.height) + 0.5) * full.height / small.height - 0.5 - features.offset_y) / features.stride_y
        across, down = np.meshgrid(u.astype(np.float32), v.astype(np.float32))
        return cv2.remap(grid.numpy().reshape(rows, columns), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _verdict(self, frame: RGBDFrame, look: Look, evidence: Evidence, beta: np.ndarray | None) -> DistractorVerdict:
        grid, value, odds = decision.spread(look.depth, evidence, beta, self._carried(look), frame.rgb)
        self._last = look, odds
        self._hindsight.remember(look, odds <= 0)
        return decision.verdict(frame, grid, value, odds)

    def _carried(self, look: Look) -> np.ndarray | None:
        """(h, w) log odds that the last frame's verdict gave to the places now seen; NaN where it did not see them."""
        if self._last is None:
            return None
        last, odds = self._last
        index, at, z = last.project(look.points(), look.camera_to_world)
        same = np.abs(last.depth.ravel()[at] - z) < SAME_PLACE * z
        carried = np.full(look.depth.shape, np.nan, np.float32)
        place = np.flatnonzero(look.depth > 0)[index[same]]
        carried.ravel()[place] = odds.ravel()[at[same]]
        return carried


def _last_of(state: Mapping[str, np.ndarray]) -> tuple[Look, np.ndarray]:
    if not {"odds", "depth", "pose", "camera"} <= set(state) or np.shape(state["camera"]) != (7,):
        raise ValueError("the state of the last verdict is not complete")
    stamp, width, height, *lens = np.asarray(state["camera"]).tolist()
    odds, depth = (np.array(state[name], np.float32) for name in ("odds", "depth"))
    if not odds.shape == depth.shape == (int(height), int(width)) or state["pose"].shape != (4, 4):
        raise ValueError(f"the last verdict's images are {odds.shape} and {depth.shape}, not of {int(width)}x{int(height)}")
    return Look(int(stamp), Camera(int(width), int(height), *lens), np.array(state["pose"], np.float64), depth), odds
