"""Which frames the 2D models look at, and a compressed memory of all frames, bounded in number and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from magic3d_ros.config import KeyframeSettings
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.camera import Camera
from magic3d_ros.mapping.keyframe import KINDS, Keyframe, reduced

__all__ = ["Keyframe", "KeyframeStore", "distance"]

_BETWEEN_QUALITY = 90  # JPEG of frames between keyframes: no model looks at them, they only give voxels their colour
_ROOM = 1 / 32  # of the memory cap that is freed at once, so that not every frame has to


class KeyframeStore:
    """Chooses keyframes by motion and time and remembers them by stamp, and the frames between them at reduced size.

    Iterating, `len` and `get` are about keyframes; `remembered` gives the frames between them too. Beyond keyframes.max_count
    the most redundant keyframe joins the frames between; beyond keyframes.max_memory the frames between whose neighbours in time
    have nearly the same view are forgotten first, then the most redundant keyframes. forgotten: how many frames of the map are
    no longer remembered.
    """

    def __init__(self, settings: KeyframeSettings) -> None:
        self._settings = settings
        self._frames: dict[int, Keyframe] = {}
        self._between: dict[int, Keyframe] = {}
        self._last: RGBDFrame | Keyframe | None = None
        self._bytes = 0
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Keyframe]:
        return iter(list(self._frames.values()))

    @property
    def bytes(self) -> int:
        """Memory of everything remembered."""
        return self._bytes

    def get(self, stamp: int) -> Keyframe | None:
        """The keyframe of that stamp, if it is still remembered."""
        return self._frames.get(stamp)

    def any_at(self, stamp: int) -> Keyframe | None:
        """The keyframe or frame between keyframes of that stamp, if it is still remembered."""
        return self._frames.get(stamp) or self._between.get(stamp)

    def remembered(self) -> list[Keyframe]:
        """Keyframes and the frames between them, by time. Any thread, while another remembers more."""
        return sorted([*self._frames.values(), *self._between.values()], key=lambda keyframe: keyframe.stamp)

    def wants(self, frame: RGBDFrame) -> bool:
        """Whether the frame is far enough from the last keyframe, in space or time, to become one."""
        if self._last is None:
            return True
        moved = distance(self._last.camera_to_world, frame.camera_to_world)
        waited = abs(frame.stamp - self._last.stamp) * 1e-9
        return (moved[0] >= self._settings.translation or moved[1] >= self._settings.rotation
                or waited >= self._settings.max_interval)

    def add(self, frame: RGBDFrame, trust: np.ndarray | None = None) -> Keyframe:
        """Remember a frame as a keyframe. trust: (H, W) uint8, 255 = fully trusted, None = everywhere."""
        keyframe = Keyframe.of(frame, trust)
        self._last = keyframe
        self.restore([keyframe])
        return keyframe

    def add_between(self, frame: RGBDFrame, trust: np.ndarray | None = None) -> None:
        """Remember a frame that is no keyframe, at keyframes.between_width, so that it can be fused again; 0 = not at all."""
        if not self._settings.between_width:
            self.forgotten += 1
        else:
            small, trust = reduced(frame, self._settings.between_width, trust)
            self.restore([Keyframe.of(small, trust, _BETWEEN_QUALITY, is_between=True)])

    def restore(self, keyframes: list[Keyframe]) -> None:
        """Take in keyframes as they are (a loaded map's, or one just made)."""
        for keyframe in keyframes:
            self._put(keyframe)
            if len(self._frames) > self._settings.max_count:
                self._demote(self._most_redundant())
            if self._bytes > self._settings.max_memory * 1e6:
                self._forget(self._settings.max_memory * 1e6 * (1 - _ROOM))

    def replace_poses(self, poses: Mapping[int, np.ndarray], changed: Callable[[Keyframe], Keyframe] = lambda known: known
                      ) -> None:
        """Give many stamps the poses, and the calibration, that were found for them; stamps that are no longer remembered are
        passed over."""
        for owner in (self._frames, self._between):
            owner.update({stamp: replace(changed(owner[stamp]), camera_to_world=pose)
                          for stamp, pose in poses.items() if stamp in owner})
        if self._last is not None and self._last.stamp in poses:
            self._last = self._frames.get(self._last.stamp, self._last)

    def set_trust(self, stamp: int, trust: np.ndarray | None) -> bool:
        """Say how far the pixels of that stamp are trusted to be static, (H, W) uint8; False when it is not remembered.

        Raises ValueError for another size or type.
        """
        return self._replace(stamp, lambda keyframe: keyframe.with_trust(trust))

    def set_cues(self, stamp: int, monocular_depth: np.ndarray | None, monocular_normals: np.ndarray | None,
                 kind: str = "affine") -> bool:
        """Attach monocular cues, as `Keyframe.with_cues` takes them; False when there is no keyframe of that stamp.

        Raises ValueError for cues that cannot be used; the keyframe stays as it was then.
        """
        return stamp in self._frames and self._replace(stamp, lambda k: k.with_cues(monocular_depth, monocular_normals, kind))

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()
        self._between.clear()
        self._last = None
        self._bytes = self.forgotten = 0

    def state(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays: one row a frame, the compressed images one after the other."""
        frames = [*self._frames.values(), *self._between.values()]
        cameras = [(f.camera.width, f.camera.height, f.camera.fx, f.camera.fy, f.camera.cx, f.camera.cy) for f in frames]
        return {"stamps": np.array([f.stamp for f in frames], np.int64), "indices": np.array([f.index for f in frames], np.int64),
                "cameras": np.array(cameras, np.float64).reshape(-1, 6),
                "poses": np.array([f.camera_to_world for f in frames], np.float64).reshape(-1, 4, 4),
                "depth_motions": np.array([np.eye(4) if f.depth_motion is None else f.depth_motion for f in frames],
                                          np.float64).reshape(-1, 4, 4),
                "between": np.array([f.is_between for f in frames], np.uint8),
                "forgotten": np.array([self.forgotten], np.int64),
                "monocular_kinds": np.array([KINDS.index(f.monocular_kind) for f in frames], np.uint8),
                "image_bytes": np.array([[len(i) for i in f.images] for f in frames], np.int64).reshape(-1, 5),
                "images": np.frombuffer(b"".join(i for f in frames for i in f.images), np.uint8)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace everything by what `state` gave; a state of the time before cues and frames between has only keyframes' colour
        and depth. Raises ValueError naming what does not fit."""
        for name in ("stamps", "indices", "cameras", "poses", "image_bytes", "images"):
            if name not in state:
                raise ValueError(f"keyframe state has no '{name}'")
        count = len(state["stamps"])
        kinds = 5 if "between" in state else 2
        shapes = {"indices": (count,), "cameras": (count, 6), "poses": (count, 4, 4), "image_bytes": (count, kinds)}
        between = state.get("between", np.zeros(count, np.uint8))
        kinds_of_depth = state.get("monocular_kinds", np.zeros(count, np.uint8))
        if kinds_of_depth.shape != (count,) or (kinds_of_depth >= len(KINDS)).any():
            raise ValueError(f"keyframe state 'monocular_kinds' must hold {count} numbers below {len(KINDS)}")
        for name, shape in (shapes | ({"between": (count,)} if "between" in state else {})).items():
            if state[name].shape != shape:
                raise ValueError(f"keyframe state '{name}' is {state[name].shape}, expected {shape}")
        if (state["image_bytes"] < 0).any() or state["image_bytes"].sum() != len(state["images"]):
            raise ValueError(f"keyframe state 'images' has {len(state['images'])} bytes, its lengths add up to "
                             f"{state['image_bytes'].sum()}")
        packed, at = np.ascontiguousarray(state["images"], np.uint8).tobytes(), 0
        frames = []
        for i, lengths in enumerate(state["image_bytes"].tolist()):
            images = []
            for length in [*lengths, 0, 0, 0][:5]:
                images.append(packed[at:at + length])
                at += length
            jpeg, depth, monocular_depth, monocular_normals, trust = images
            width, height, *lens = state["cameras"][i].tolist()
            camera, pose = Camera(int(width), int(height), *lens), np.array(state["poses"][i], np.float64)
            frames.append(Keyframe(int(state["stamps"][i]), int(state["indices"][i]), camera, pose, jpeg, depth, monocular_depth,
                                   monocular_normals, trust, bool(between[i]), KINDS[int(kinds_of_depth[i])]))
        motions = state.get("depth_motions", np.tile(np.eye(4), (count, 1, 1)))
        if motions.shape != (count, 4, 4) or not np.isfinite(motions).all():
            raise ValueError(f"keyframe state 'depth_motions' must hold {count} transforms (4, 4)")
        frames = [frame if (motion == np.eye(4)).all() else replace(frame, depth_motion=np.array(motion))
                  for frame, motion in zip(frames, motions, strict=True)]
        self.clear()
        self.restore(frames)
        self._last = next((frame for frame in reversed(frames) if not frame.is_between), None)
        # Frames between keyframes were forgotten at once before they were saved: how many is not known.
        self.forgotten += int(np.ravel(state["forgotten"])[0]) if "forgotten" in state else 1

    def _put(self, keyframe: Keyframe) -> None:
        self._drop(keyframe.stamp)
        (self._between if keyframe.is_between else self._frames)[keyframe.stamp] = keyframe
        self._bytes += keyframe.size

    def _drop(self, stamp: int) -> None:
        for owner in (self._frames, self._between):
            known = owner.pop(stamp, None)
            self._bytes -= known.size if known else 0

    def _replace(self, stamp: int, change: Callable[[Keyframe], Keyframe]) -> bool:
        for owner in (self._frames, self._between):
            if stamp in owner:
                changed = change(owner[stamp])
                self._bytes += changed.size - owner[stamp].size
                owner[stamp] = changed  # in its old place: keyframes stay in the order in which they came
                if self._last is not None and self._last.stamp == stamp:
                    self._last = changed
                return True
        return False

    def _demote(self, stamp: int) -> None:
        """A keyframe too many: its geometry stays, reduced; what models said of it goes."""
        keyframe = self._frames[stamp]
        self._drop(stamp)
        if self._settings.between_width:
            small, trust = reduced(keyframe.frame(), self._settings.between_width, keyframe.trust)
            self._put(Keyframe.of(small, trust, _BETWEEN_QUALITY, is_between=True))
        else:
            self.forgotten += 1

    def _forget(self, target: float) -> None:
        """Forget redundant frames until at most `target` bytes are left; one always stays."""
        while self._bytes > target and len(self._frames) + len(self._between) > 1:
            if self._between:
                self._thin(target)
            else:
                self._drop(self._most_redundant())
                self.forgotten += 1

    def _thin(self, target: float) -> None:
        """Forget frames between keyframes, first those whose neighbours in time are nearest to each other: the smallest holes."""
        frames = self.remembered()
        poses = np.stack([f.camera_to_world for f in frames])
        hole = np.full(len(frames), np.inf)
        hole[1:-1] = _view_distance(poses[:-2], poses[2:])
        gone = np.zeros(len(frames) + 2, bool)
        for i in np.argsort(hole, kind="stable"):
            if self._bytes <= target:
                return
            # Not both of two neighbours in one go: the hole beside one that went has grown.
            if frames[i].is_between and not gone[i] and not gone[i + 2]:
                gone[i + 1] = True
                self._drop(frames[i].stamp)
                self.forgotten += 1

    def _most_redundant(self) -> int:
        """Stamp of the keyframe whose nearest other view is nearest; of such a pair the older."""
        stamps = list(self._frames)
        poses = np.stack([self._frames[s].camera_to_world for s in stamps])
        cost = _view_distance(poses[:, None], poses[None])
        np.fill_diagonal(cost, np.inf)
        first, second = np.unravel_index(int(np.argmin(cost)), cost.shape)
        return min(stamps[first], stamps[second])


def _view_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How different the views of (..., 4, 4) poses are: metres, plus the angle of their axes (1 m a right angle)."""
    gap = np.linalg.norm(first[..., :3, 3] - second[..., :3, 3], axis=-1)
    cosine = (first[..., :3, 2] * second[..., :3, 2]).sum(-1).clip(-1, 1)
    return gap + np.arccos(cosine) / (np.pi / 2)


def distance(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """(metres, degrees) between two camera-to-world poses."""
    cosine = (np.trace(first[:3, :3].T @ second[:3, :3]) - 1) / 2
    return (float(np.linalg.norm(first[:3, 3] - second[:3, 3])), float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
