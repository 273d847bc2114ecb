"""Keyframes: which frames the 2D models look at, and a compressed memory of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from magic3d_ros.config import KeyframeSettings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera


@dataclass(frozen=True)
class Keyframe:
    """A remembered frame: colour as JPEG, depth as 16-bit PNG in millimetres (about 100 kB at 640x480)."""

    stamp: int
    index: int
    camera: Camera
    camera_to_world: np.ndarray
    jpeg: bytes
    depth_png: bytes

    @staticmethod
    def of(frame: RGBDFrame) -> Keyframe:
        """Compress a frame. JPEG quality 95 keeps crops good enough for the language model."""
        bgr = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        millimetres = np.clip(np.round(frame.depth * 1000.0), 0, 65535).astype(np.uint16)
        png = cv2.imencode(".png", millimetres, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
        return Keyframe(frame.stamp, frame.index, frame.camera, frame.camera_to_world, jpeg, png)

    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        return cv2.cvtColor(_decoded(self.jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def depth(self) -> np.ndarray:
        """(H, W) float32 metres, 0 = no reading."""
        return _decoded(self.depth_png, cv2.IMREAD_UNCHANGED).astype(np.float32) * 1e-3


class KeyframeStore:
    """Chooses keyframes by motion and time, remembers them by stamp, and forgets the most redundant beyond the cap."""

    def __init__(self, settings: KeyframeSettings) -> None:
        self._settings = settings
        self._frames: dict[int, Keyframe] = {}
        self._last: RGBDFrame | Keyframe | None = None

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Keyframe]:
        return iter(list(self._frames.values()))

    def get(self, stamp: int) -> Keyframe | None:
        """The keyframe of that stamp, if it is still remembered."""
        return self._frames.get(stamp)

    def wants(self, frame: RGBDFrame) -> bool:
        """Whether the frame is far enough from the last keyframe, in space or time, to become one."""
        if self._last is None:
            return True
        moved = distance(self._last.camera_to_world, frame.camera_to_world)
        waited = abs(frame.stamp - self._last.stamp) * 1e-9
        return (moved[0] >= self._settings.translation or moved[1] >= self._settings.rotation
                or waited >= self._settings.max_interval)

    def add(self, frame: RGBDFrame) -> Keyframe:
        """Remember a frame; the most redundant one is forgotten when there are more than keyframes.max_count."""
        keyframe = Keyframe.of(frame)
        self._last = keyframe
        self.restore([keyframe])
        return keyframe

    def restore(self, keyframes: list[Keyframe]) -> None:
        """Take in keyframes as they are (a loaded map's, or one just made)."""
        for keyframe in keyframes:
            self._frames[keyframe.stamp] = keyframe
            if len(self._frames) > self._settings.max_count:
                del self._frames[self._most_redundant()]

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()
        self._last = None

    def state(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays: one row a keyframe, the compressed images one after the other."""
        frames = list(self._frames.values())
        images = [image for f in frames for image in (f.jpeg, f.depth_png)]
        cameras = [(f.camera.width, f.camera.height, f.camera.fx, f.camera.fy, f.camera.cx, f.camera.cy) for f in frames]
        return {"stamps": np.array([f.stamp for f in frames], np.int64), "indices": np.array([f.index for f in frames], np.int64),
                "cameras": np.array(cameras, np.float64).reshape(-1, 6),
                "poses": np.array([f.camera_to_world for f in frames], np.float64).reshape(-1, 4, 4),
                "image_bytes": np.array([len(i) for i in images], np.int64).reshape(-1, 2),
                "images": np.frombuffer(b"".join(images), np.uint8)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave. Raises ValueError naming what does not fit."""
        for name in ("stamps", "indices", "cameras", "poses", "image_bytes", "images"):
            if name not in state:
                raise ValueError(f"keyframe state has no '{name}'")
        count = len(state["stamps"])
        shapes = {"indices": (count,), "cameras": (count, 6), "poses": (count, 4, 4), "image_bytes": (count, 2)}
        for name, shape in shapes.items():
            if state[name].shape != shape:
                raise ValueError(f"keyframe state '{name}' is {state[name].shape}, expected {shape}")
        if (state["image_bytes"] < 0).any() or state["image_bytes"].sum() != len(state["images"]):
            raise ValueError(f"keyframe state 'images' has {len(state['images'])} bytes, its lengths add up to "
                             f"{state['image_bytes'].sum()}")
        packed, at = np.ascontiguousarray(state["images"], np.uint8).tobytes(), 0
        keyframes = []
        for i, (jpeg, png) in enumerate(state["image_bytes"].tolist()):
            width, height, *lens = state["cameras"][i].tolist()
            keyframes.append(Keyframe(int(state["stamps"][i]), int(state["indices"][i]), Camera(int(width), int(height), *lens),
                                      np.array(state["poses"][i], np.float64), packed[at:at + jpeg],
                                      packed[at + jpeg:at + jpeg + png]))
            at += jpeg + png
        self.clear()
        self.restore(keyframes)
        self._last = keyframes[-1] if keyframes else None

    def _most_redundant(self) -> int:
        """Stamp of the keyframe whose nearest other view is nearest (1 m counts as 90 degrees); of such a pair the older."""
        stamps = list(self._frames)
        poses = np.stack([self._frames[s].camera_to_world for s in stamps])
        gaps = np.linalg.norm(poses[:, None, :3, 3] - poses[None, :, :3, 3], axis=-1)
        cosines = np.einsum("ik,jk->ij", poses[:, :3, 2], poses[:, :3, 2]).clip(-1, 1)
        cost = gaps + np.arccos(cosines) / (np.pi / 2)
        np.fill_diagonal(cost, np.inf)
        first, second = np.unravel_index(int(np.argmin(cost)), cost.shape)
        return min(stamps[first], stamps[second])


def _decoded(compressed: bytes, flags: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(compressed, np.uint8), flags)
    if image is None:
        raise ValueError("a remembered keyframe cannot be decoded: the saved map is damaged")
    return image


def distance(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """(metres, degrees) between two camera-to-world poses."""
    cosine = (np.trace(first[:3, :3].T @ second[:3, :3]) - 1) / 2
    return (float(np.linalg.norm(first[:3, 3] - second[:3, 3])), float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
