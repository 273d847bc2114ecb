"""One remembered frame, compressed: colour, depth, what 2D models said of it, and how far it is trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.sources.registration import re_registered

_UNIT_TOLERANCE = 0.5  # a normal shorter than half a unit or longer than 1.5 is no normal: resampling alone does not get there
KINDS = ("affine", "affine_inverse", "metric")
"""of monocular depth, see MonocularGeometry; saved maps hold their numbers."""
_ASPECT_TOLERANCE = 0.03  # of a cue against its image: models round sides to multiples of 14 or 32


@dataclass(frozen=True)
class Keyframe:
    """A remembered frame: colour as JPEG, depth as 16-bit PNG in millimetres (about 100 kB at 640x480).

    Monocular cues and trust are kept as PNG too, empty where there are none, and are read as arrays: `monocular_depth`,
    `monocular_normals`, `trust`. is_between: one of the frames between keyframes, remembered at reduced size. monocular_kind:
    what the monocular depth is, see MonocularGeometry. depth_motion: (4, 4), by which the depth's points are moved
    against the colour camera when it is read; None = it belongs to the image as it is.
    """

    stamp: int
    index: int
    camera: Camera
    camera_to_world: np.ndarray
    jpeg: bytes
    depth_png: bytes
    monocular_depth_png: bytes = b""
    monocular_normals_png: bytes = b""
    trust_png: bytes = b""
    is_between: bool = False
    monocular_kind: str = "affine"
    depth_motion: np.ndarray | None = None

    @staticmethod
    def of(frame: RGBDFrame, trust: np.ndarray | None = None, quality: int = 95, is_between: bool = False) -> Keyframe:
        """Compress a frame. JPEG quality 95 keeps crops good enough for the language model.

        trust: (H, W) uint8, 255 = fully trusted, None = everywhere. Raises ValueError when its size is not the frame's.
        """
        bgr = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        known = np.nan_to_num(frame.depth, nan=0.0, posinf=0.0, neginf=0.0)
        png = _png(np.clip(np.round(known * 1000.0), 0, 65535).astype(np.uint16))
        made = Keyframe(frame.stamp, frame.index, frame.camera, frame.camera_to_world, jpeg, png, is_between=is_between)
        return made.with_trust(trust)

    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        return cv2.cvtColor(_decoded(self.jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def depth(self) -> np.ndarray:
        """(H, W) float32 metres, 0 = no reading."""
        stored = _decoded(self.depth_png, cv2.IMREAD_UNCHANGED).astype(np.float32) * 1e-3
        return stored if self.depth_motion is None else re_registered(stored, self.camera, self.depth_motion)

    def frame(self) -> RGBDFrame:
        """The frame as it is remembered."""
        return RGBDFrame(self.stamp, self.rgb(), self.depth(), self.camera, self.camera_to_world, self.index)

    @property
    def monocular_depth(self) -> np.ndarray | None:
        """(h, w) float16 as the model gave it, metric or not; 0 = unknown."""
        return _decoded(self.monocular_depth_png, cv2.IMREAD_UNCHANGED).view(np.float16) if self.monocular_depth_png else None

    @property
    def monocular_normals(self) -> np.ndarray | None:
        """(h, w, 3) float32 unit normals in the camera frame, within half a degree; NaN = unknown."""
        if not self.monocular_normals_png:
            return None
        packed = _decoded(self.monocular_normals_png, cv2.IMREAD_COLOR)
        normals = packed.astype(np.float32) - 128.0
        normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1.0)
        normals[(packed == 0).all(2)] = np.nan
        return normals

    @property
    def trust(self) -> np.ndarray | None:
        """(H, W) uint8, 255 = fully trusted to be static; None = everywhere."""
        return _decoded(self.trust_png, cv2.IMREAD_UNCHANGED) if self.trust_png else None

    def weights(self) -> np.ndarray | None:
        """Trust as the map takes it: (H, W) float32 0..1, None = all 1."""
        trust = self.trust
        return None if trust is None else trust.astype(np.float32) / 255.0

    @property
    def size(self) -> int:
        """Bytes of the compressed images."""
        return sum(len(image) for image in self.images)

    @property
    def images(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """The compressed images in the order in which they are saved."""
        return self.jpeg, self.depth_png, self.monocular_depth_png, self.monocular_normals_png, self.trust_png

    def with_pose(self, camera_to_world: np.ndarray) -> Keyframe:
        """The same at another pose. Raises ValueError when it is not a rigid transform."""
        pose = np.array(camera_to_world, np.float64)
        if pose.shape != (4, 4) or not np.isfinite(pose).all() or np.abs(
                pose[:3, :3] @ pose[:3, :3].T - np.eye(3)).max() > 1e-2 or np.linalg.det(pose[:3, :3]) < 0:
            raise ValueError(f"the pose for the keyframe of stamp {self.stamp} is not a rigid camera-to-world transform")
        return replace(self, camera_to_world=pose)

    def with_trust(self, trust: np.ndarray | None) -> Keyframe:
        """The same with another trust image, (H, W) uint8. Raises ValueError for another size or type."""
        if trust is None or (trust.dtype == np.uint8 and bool((trust == 255).all()) and self._fits(trust)):
            return replace(self, trust_png=b"")
        if not self._fits(trust) or trust.dtype != np.uint8:
            raise ValueError(f"trust is {trust.shape} {trust.dtype}, the keyframe of stamp {self.stamp} is "
                             f"{(self.camera.height, self.camera.width)}: one uint8 a pixel is needed")
        return replace(self, trust_png=_png(trust))

    def with_cues(self, monocular_depth: np.ndarray | None, monocular_normals: np.ndarray | None,
                  kind: str = "affine") -> Keyframe:
        """The same with other monocular cues; None takes a cue away.

        monocular_depth: (h, w), any scale, of one of KINDS; zero, negative and not finite = unknown. monocular_normals:
        (h, w, 3) in the camera frame; what is not of about unit length is unknown. Raises ValueError naming what is wrong with a
        cue: no image, another shape than the picture's, another kind, or nothing usable in it.
        """
        if kind not in KINDS:
            raise ValueError(f"monocular depth of the keyframe of stamp {self.stamp} is of kind '{kind}', not one of "
                             f"{', '.join(KINDS)}")
        depth_png = b"" if monocular_depth is None else _png(self._checked_depth(monocular_depth).view(np.uint16))
        normals_png = b"" if monocular_normals is None else _png(self._checked_normals(monocular_normals))
        return replace(self, monocular_depth_png=depth_png, monocular_normals_png=normals_png, monocular_kind=kind)

    def _fits(self, image: np.ndarray) -> bool:
        return image.shape == (self.camera.height, self.camera.width)

    def _checked_depth(self, depth: np.ndarray) -> np.ndarray:
        self._check_shape("depth", depth, 2)
        with np.errstate(over="ignore", invalid="ignore"):
            small = np.ascontiguousarray(depth, np.float16)
        usable = np.isfinite(small) & (small > 0)
        if not usable.any():
            raise ValueError(f"the monocular depth for the keyframe of stamp {self.stamp} has no usable value "
                             "(zero, negative, NaN or beyond 65504): it is not used")
        return np.where(usable, small, np.float16(0))

    def _checked_normals(self, normals: np.ndarray) -> np.ndarray:
        self._check_shape("normals", normals, 3)
        with np.errstate(invalid="ignore", over="ignore"):
            length = np.linalg.norm(normals.astype(np.float32), axis=2, keepdims=True)
            usable = np.abs(length - 1.0) < _UNIT_TOLERANCE
        if not usable.any():
            raise ValueError(f"the monocular normals for the keyframe of stamp {self.stamp} have no vector of about "
                             "unit length: they are not used")
        unit = np.where(usable, normals, 0.0) / np.where(usable, length, 1.0)
        return np.where(usable, np.round(unit * 127.0) + 128.0, 0.0).astype(np.uint8)

    def _check_shape(self, name: str, cue: np.ndarray, dimensions: int) -> None:
        if cue.ndim != dimensions or 0 in cue.shape or (dimensions == 3 and cue.shape[2] != 3):
            raise ValueError(f"monocular {name} for the keyframe of stamp {self.stamp} have shape {cue.shape}: (h, w"
                             f"{', 3' if dimensions == 3 else ''}) is needed")
        aspect = cue.shape[1] / cue.shape[0] * self.camera.height / self.camera.width
        if abs(aspect - 1.0) > _ASPECT_TOLERANCE:
            raise ValueError(f"monocular {name} of {cue.shape[1]}x{cue.shape[0]} cannot belong to the image of "
                             f"{self.camera.width}x{self.camera.height} of stamp {self.stamp}: a cue must cover its whole image")


def reduced(frame: RGBDFrame, width: int, trust: np.ndarray | None = None) -> tuple[RGBDFrame, np.ndarray | None]:
    """A frame (and its trust) brought down to at most a width by leaving out pixels; colour is averaged around those that stay.

    Whole steps, so that colour, depth and intrinsics agree exactly about where a pixel's centre is.
    """
    camera = frame.camera
    step = -(-camera.width // width)
    if step == 1:
        return frame, trust
    depth = np.ascontiguousarray(frame.depth[::step, ::step], np.float32)
    rgb = np.ascontiguousarray(cv2.blur(frame.rgb, (2 * (step // 2) + 1,) * 2)[::step, ::step])
    small = Camera(depth.shape[1], depth.shape[0], camera.fx / step, camera.fy / step, camera.cx / step, camera.cy / step)
    return (RGBDFrame(frame.stamp, rgb, depth, small, frame.camera_to_world, frame.index),
            None if trust is None else np.ascontiguousarray(trust[::step, ::step]))


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _decoded(compressed: bytes, flags: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(compressed, np.uint8), flags)
    if image is None:
        raise ValueError("a remembered keyframe cannot be decoded: the saved map is damaged")
    return image
