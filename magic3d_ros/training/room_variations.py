"""A recorded room as another camera, in another light and at another scale, would have seen it.

Rendered rooms are all seen by one sensor, with exact poses and sharp pictures. A classifier that learned from these alone takes a
Kinect's soft creases for the inside of things (docs/instances.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.sources.room.rays import RayCaster

KINDS = ("plain", "recorded", "exact", "rough")
"""plain: as the folder has it. The others leave frames out, move poses, scale and recolour the room; exact has the depth of the
true mesh, rough the errors of a hand-held Kinect on top of the recorded."""
WIDTHS = (320, 640)
"""Pixels, to one of which wider frames are reduced."""
DROPPED = 0.4
"""Up to this share of the frames is left out: rendered maps are denser than a robot's."""
SHIFTS, TURNS = (0.0, 0.002, 0.006), (0.0, 0.1, 0.3)
"""Metres and degrees (standard deviations) by one of which poses err from frame to frame."""
SCALE = 1.3
"""Rooms are made up to this much larger or smaller, so that no size is learned by heart."""
SATURATION, CONTRAST = (0.3, 1.3), (0.6, 1.2)
"""Colours are made paler or stronger by one factor from each."""
WAVE, WAVE_FRAMES = 0.015, 40.0
"""Rough: metres and frames of the slow drift of poses; redkitchen's walls are 1 to 2 cm double."""
WARP, HOLES = 0.006, 0.04
"""Rough: smooth errors of depth (share of it, standard deviation), and the share of pixels without depth, in patches."""
BLUR, MISALIGNED = 1.5, 2.0
"""Rough: pixels at 320 wide (standard deviations) of blur, up to this much a frame, and of colour beside its depth."""


@dataclass(frozen=True)
class RoomVariation:
    """One way to see a room, drawn by `drawn`. scale: everything's, vertices of the truth included."""

    kind: str
    random: np.random.Generator
    caster: RayCaster | None
    width: int
    dropped: float
    shift: float
    turn: float
    scale: float
    saturation: float
    contrast: float
    phase: np.ndarray
    rate: np.ndarray

    @staticmethod
    def drawn(kind: str, random: np.random.Generator, vertices: np.ndarray, faces: np.ndarray) -> RoomVariation:
        """A variation of a kind for the room whose true mesh is vertices (V, 3), faces (F, 3).

        Raises SourceError where exact depth is wanted and the ray tracer is not installed.
        """
        caster = RayCaster(vertices[faces].reshape(-1, 3)) if kind == "exact" else None
        if kind == "plain":
            return RoomVariation(kind, random, None, 1 << 30, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, np.zeros((2, 3)), np.zeros((2, 3)))
        return RoomVariation(
            kind, random, caster, int(random.choice(WIDTHS)), random.uniform(0.0, DROPPED), random.choice(SHIFTS),
            np.radians(random.choice(TURNS)), SCALE ** random.uniform(-1.0, 1.0), random.uniform(*SATURATION),
            random.uniform(*CONTRAST), random.uniform(0.0, 2.0 * np.pi, (2, 3)),
            random.uniform(0.5, 1.5, (2, 3)) / WAVE_FRAMES * 2.0 * np.pi)

    def seen(self, number: int, frame: RGBDFrame) -> RGBDFrame | None:
        """The number-th frame of the recording as it is seen; None = it is left out."""
        if self.kind == "plain":
            return frame
        if self.random.random() < self.dropped:
            return None
        frame = _narrowed(frame, self.width)
        if self.caster is not None:
            frame = replace(frame, depth=_exact_depth(self.caster, frame))
        turned = frame.camera_to_world.copy()
        turned[:3, :3] = turned[:3, :3] @ cv2.Rodrigues(self.turn * self.random.normal(size=3) / np.sqrt(3.0))[0]
        turned[:3, 3] += self.shift * self.random.normal(size=3) / np.sqrt(3.0)
        frame = replace(frame, camera_to_world=turned)
        if self.kind == "rough":
            turned[:3, 3] += WAVE / np.sqrt(6.0) * np.sin(self.phase + self.rate * number).sum(0)
            frame = replace(frame, depth=_rough(frame.depth, self.random), rgb=_blurred(frame.rgb, self.random))
        turned[:3, 3] *= self.scale
        rgb = frame.rgb.astype(np.float32)
        grey = rgb.mean(2, keepdims=True)
        rgb = (grey + self.saturation * (rgb - grey) - 128.0) * self.contrast + 128.0
        return replace(frame, depth=np.asarray(frame.depth * self.scale, np.float32),
                       rgb=np.clip(rgb, 0.0, 255.0).astype(np.uint8))


def _narrowed(frame: RGBDFrame, width: int) -> RGBDFrame:
    if frame.camera.width <= width:
        return frame
    height = max(1, round(frame.camera.height * width / frame.camera.width))
    return replace(frame, camera=frame.camera.resized(width, height),
                   rgb=np.asarray(cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)),
                   depth=np.asarray(cv2.resize(frame.depth, (width, height), interpolation=cv2.INTER_NEAREST)))


def _exact_depth(caster: RayCaster, frame: RGBDFrame) -> np.ndarray:
    """(H, W) float32 depth of the true mesh, 0 = none."""
    rays = frame.camera.rays().reshape(-1, 3)
    length = np.linalg.norm(rays, axis=1)
    towards = (rays / length[:, None]) @ frame.camera_to_world[:3, :3].T
    hits = caster.first_hits(np.broadcast_to(frame.camera_to_world[:3, 3], towards.shape), towards)
    return np.where(hits.triangle >= 0, hits.distance / length, 0.0).reshape(frame.depth.shape).astype(np.float32)


def _rough(depth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Depth with smooth errors that grow with it, and with patches of holes."""
    height, width = depth.shape
    warp = cv2.resize(random.normal(size=(6, 8)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    patches = cv2.resize(random.normal(size=(-(-height // 8), -(-width // 8))).astype(np.float32), (width, height))
    hole = patches > np.quantile(patches, 1.0 - random.uniform(0.0, 2.0 * HOLES))
    return np.where(hole, 0.0, depth * (1.0 + WARP * warp)).astype(np.float32)


def _blurred(rgb: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture out of focus and beside its depth."""
    height, width = rgb.shape[:2]
    blurred = cv2.GaussianBlur(rgb, (0, 0), max(0.1, BLUR * width / 320.0 * random.random()))
    beside = np.hstack([np.eye(2), MISALIGNED * width / 320.0 * random.normal(size=(2, 1)) / np.sqrt(2.0)])
    return np.asarray(cv2.warpAffine(blurred, beside, (width, height), borderMode=cv2.BORDER_REPLICATE))
