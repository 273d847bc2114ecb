"""Coloured superpoints with masks: what the class-agnostic segmenter is trained on. No manual label is in them."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.instances.region_features import PAIR_FEATURES
from magic3d_ros.instances.segmenter.superpoint_features import NODE_FEATURES
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph

MIN_PIXELS = 100  # masks of fewer pixels with depth are dropped (Segment3D, Huang et al. 2024)
MAX_POINTS = 20_000_000  # far more than a building at 2 cm; a file that claims more is damaged
UNSEEN, UNMASKED = -2, -1
_NEAREST, _FARTHEST = 0.1, 10.0  # metres; beyond, one pixel of a depth camera spans several voxels
_TOLERANCE, _TOLERANCE_PER_METRE = 0.02, 0.01  # as instances.evidence: a point is visible when its depth agrees this well
_MAJORITY = 0.5  # share of a superpoint that one mask must hold to be its label
_ARRAYS: dict[str, tuple[type, tuple[int, ...], str]] = {
    "points": (np.float32, (3,), "n"), "colors": (np.uint8, (3,), "n"), "superpoint": (np.int32, (), "n"),
    "nodes": (np.float32, (NODE_FEATURES,), "S"), "labels": (np.int32, (), "S"), "pairs": (np.int32, (2,), "P"),
    "edges": (np.float32, (PAIR_FEATURES,), "P")}
_VERSION = 2


class CloudSampleError(RuntimeError):
    """A training cloud that cannot be used; the message names the cause and the cure."""


@dataclass(frozen=True)
class CloudSample:
    """graph: S superpoints. labels: (S,) int32 mask of each, -1 = unknown.

    Raises CloudSampleError for arrays of other sizes or types, for values that are not finite and for numbers out of range.
    """

    graph: SuperpointGraph
    labels: np.ndarray

    def __post_init__(self) -> None:
        lengths: dict[str, int] = {}
        for name, array in self.arrays().items():
            kind, rest, of = _ARRAYS[name]
            if array.dtype != kind or array.shape != (lengths.setdefault(of, len(array)), *rest):
                raise CloudSampleError(f"a cloud's {name} are {array.shape} {array.dtype}: ({lengths[of]}"
                                       f"{''.join(f', {n}' for n in rest)}) {np.dtype(kind)} is needed")
            if not np.isfinite(array).all():
                raise CloudSampleError(f"a cloud has {name} that are NaN or infinite: leave them out")
        graph, count = self.graph, len(self.labels)
        for name, numbers in (("superpoint", graph.superpoint), ("pairs", graph.pairs)):
            if len(numbers) and (numbers.min() < 0 or numbers.max() >= count):
                raise CloudSampleError(f"a cloud's {name} name superpoints that it does not have: make it again")
        if len(np.unique(graph.superpoint)) != count:
            raise CloudSampleError("a cloud has superpoints without points: make it again")
        if count and self.labels.min() < -1:
            raise CloudSampleError(f"a cloud has label {self.labels.min()}: masks count from 0, -1 = unknown")

    def __len__(self) -> int:
        return len(self.labels)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, by name."""
        return {field.name: getattr(self.graph, field.name) for field in fields(self.graph)} | {"labels": self.labels}

    @property
    def masks(self) -> int:
        """How many different masks there are."""
        return len(np.unique(self.labels[self.labels >= 0]))

    def save(self, path: Path) -> None:
        """Write a compressed .npz; it appears under its name only when it is complete."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, version=np.array([_VERSION]), **self.arrays())
        beside.replace(path)

    @staticmethod
    def load(path: Path) -> CloudSample:
        """Read what `save` wrote. Raises CloudSampleError naming the file, for a missing, damaged or foreign one."""
        try:
            _check_headers(path)
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in _ARRAYS}
                labels = arrays.pop("labels")
                return CloudSample(SuperpointGraph(**arrays), labels)
        except FileNotFoundError as error:
            raise CloudSampleError(f"{path} is not there: make the training clouds first") from error
        except (BadZipFile, KeyError, ValueError, EOFError, OSError, CloudSampleError) as error:
            raise CloudSampleError(f"{path} is no training cloud ({error}): delete it and make it again") from error


def seen_labels(points: np.ndarray, frame: RGBDFrame, label_image: np.ndarray) -> np.ndarray:
    """(N,) int mask that a frame shows at each of (N, 3) world points; UNMASKED where it has none there, UNSEEN where it does not
    see the point.

    label_image: (H, W) int, mask of each pixel, -1 = none. Masks of fewer than 100 pixels with depth are dropped.
    Raises CloudSampleError for a label image of another size than the frame.
    """
    if label_image.shape != frame.depth.shape:
        raise CloudSampleError(f"the masks are {label_image.shape}, the frame is {frame.depth.shape}: one label a pixel "
                               "is needed")
    depth = np.nan_to_num(frame.depth, nan=0.0, posinf=0.0, neginf=0.0)
    masks = _large_only(np.where(depth > 0, label_image, -1))
    pose, (height, width) = frame.camera_to_world, depth.shape
    u, v, z = frame.camera.project((points - pose[:3, 3]) @ pose[:3, :3])
    labels = np.full(len(points), UNSEEN)
    at = np.flatnonzero((z > _NEAREST) & (z < _FARTHEST) & (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5))
    column, row = np.rint(u[at]).astype(np.int64), np.rint(v[at]).astype(np.int64)
    near = np.abs(depth[row, column] - z[at]) < _TOLERANCE + _TOLERANCE_PER_METRE * z[at]
    labels[at[near]] = masks[row[near], column[near]]
    return labels


def superpoint_labels(superpoint: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """(count,) int32 label that at least half of each superpoint's points have, -1 = none has. superpoint, labels: (n,)."""
    span = int(labels.max(initial=-1)) + 1
    if span == 0 or len(superpoint) == 0:
        return np.full(count, -1, np.int32)
    known = labels >= 0
    votes = np.bincount(superpoint[known].astype(np.int64) * span + labels[known], minlength=count * span).reshape(count, span)
    enough = votes.max(1) >= _MAJORITY * np.bincount(superpoint, minlength=count)
    return np.where(enough & (votes.max(1) > 0), votes.argmax(1), -1).astype(np.int32)


def _large_only(labels: np.ndarray) -> np.ndarray:
    """The label image with masks of at least 100 pixels renumbered from 0, all others -1."""
    values, number, count = np.unique(labels, return_inverse=True, return_counts=True)
    kept = (values >= 0) & (count >= MIN_PIXELS)
    return np.where(kept, np.cumsum(kept) - 1, -1)[number.ravel()].reshape(labels.shape)


def _check_headers(path: Path) -> None:
    """Raise CloudSampleError unless the arrays that a file announces can be those of a cloud; nothing is allocated yet."""
    with ZipFile(path) as archive:
        lengths: dict[str, int] = {}
        for name, (kind, rest, of) in _ARRAYS.items():
            with archive.open(f"{name}.npy") as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
            if dtype != kind or len(shape) != 1 + len(rest) or shape[1:] != rest or shape[0] > MAX_POINTS:
                raise CloudSampleError(f"its {name} are {shape} {dtype}")
            if lengths.setdefault(of, shape[0]) != shape[0]:
                raise CloudSampleError("its arrays differ in length")
