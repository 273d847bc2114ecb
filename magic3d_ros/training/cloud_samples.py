"""Coloured points with masks: what the class-agnostic segmenter is trained on. No manual label is in them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from magic3d_ros.frames import RGBDFrame
from magic3d_ros.geometry.rigid import upright_rotation
from magic3d_ros.mapping.surface import Surface

MIN_PIXELS = 100  # masks of fewer pixels with depth are dropped (Segment3D, Huang et al. 2024)
VOXEL = 0.02  # metres (Segment3D)
MAX_POINTS = 20_000_000  # far more than a building at 2 cm; a file that claims more is damaged
_FARTHEST = 10.0  # metres; beyond, one pixel of a depth camera spans several voxels
_ARRAYS: dict[str, tuple[type, tuple[int, ...]]] = {"points": (np.float32, (3,)), "colors": (np.uint8, (3,)),
                                                    "labels": (np.int32, ())}
_VERSION = 1


class CloudSampleError(RuntimeError):
    """A training cloud that cannot be used; the message names the cause and the cure."""


@dataclass(frozen=True)
class CloudSample:
    """points: (N, 3) float32 metres, z up. colors: (N, 3) uint8 RGB. labels: (N,) int32 mask of each point, -1 = no mask.

    Raises CloudSampleError for arrays of other sizes or types and for points that are not finite.
    """

    points: np.ndarray
    colors: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        for name, (kind, rest) in _ARRAYS.items():
            array = getattr(self, name)
            if array.dtype != kind or array.shape != (len(self.labels), *rest):
                raise CloudSampleError(f"a cloud's {name} are {array.shape} {array.dtype}: ({len(self.labels)}"
                                       f"{''.join(f', {n}' for n in rest)}) {np.dtype(kind)} is needed, one row a point")
        if not np.isfinite(self.points).all():
            raise CloudSampleError("a cloud has points that are NaN or infinite: leave them out")
        if len(self.labels) and self.labels.min() < -1:
            raise CloudSampleError(f"a cloud has label {self.labels.min()}: masks count from 0, -1 = no mask")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def masks(self) -> int:
        """How many different masks there are."""
        return len(np.unique(self.labels[self.labels >= 0]))

    def save(self, path: Path) -> None:
        """Write a compressed .npz; it appears under its name only when it is complete."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as stream:
            np.savez_compressed(stream, points=self.points, colors=self.colors, labels=self.labels, version=np.array([_VERSION]))
        beside.replace(path)

    @staticmethod
    def load(path: Path) -> CloudSample:
        """Read what `save` wrote. Raises CloudSampleError naming the file, for a missing, damaged or foreign one."""
        try:
            _check_headers(path)
            with np.load(path, allow_pickle=False) as stored:
                return CloudSample(stored["points"], stored["colors"], stored["labels"])
        except FileNotFoundError as error:
            raise CloudSampleError(f"{path} is not there: make the training clouds first") from error
        except (BadZipFile, KeyError, ValueError, EOFError, OSError, CloudSampleError) as error:
            raise CloudSampleError(f"{path} is no training cloud ({error}): delete it and make it again") from error


def frame_sample(frame: RGBDFrame, label_image: np.ndarray, up: np.ndarray) -> CloudSample:
    """The partial cloud of one frame with its 2D masks, as stage 1 of Segment3D takes it.

    label_image: (H, W) int, mask of each pixel, -1 = none. up: (3,) unit, in the world. Masks of fewer than 100 pixels with depth
    are dropped; a voxel of 2 cm gets the mean place and colour of its pixels and the mask that most of them have.
    Raises CloudSampleError for a label image of another size than the frame.
    """
    if label_image.shape != frame.depth.shape:
        raise CloudSampleError(f"the masks are {label_image.shape}, the frame is {frame.depth.shape}: one label a pixel "
                               "is needed")
    known = np.isfinite(frame.depth) & (frame.depth > 0) & (frame.depth < _FARTHEST)
    in_camera = frame.camera.rays()[known] * frame.depth[known][:, None]
    in_world = in_camera @ frame.camera_to_world[:3, :3].T + frame.camera_to_world[:3, 3]
    labels = _large_only(label_image[known])
    return _voxelised(in_world @ upright_rotation(up).T, frame.rgb[known], labels)


def surface_sample(surface: Surface, up: np.ndarray) -> CloudSample:
    """The full cloud of a mapped surface, without masks (labels -1); vertices that are not finite are left out.

    up: (3,) unit, in the world."""
    finite = np.isfinite(surface.vertices).all(1)
    points = surface.vertices[finite].astype(np.float64) @ upright_rotation(up).T
    return CloudSample(points.astype(np.float32), surface.colors[finite].copy(), np.full(int(finite.sum()), -1, np.int32))


def _large_only(labels: np.ndarray) -> np.ndarray:
    """(N,) int32: masks of at least 100 pixels renumbered from 0, all others -1."""
    values, number, count = np.unique(labels, return_inverse=True, return_counts=True)
    kept = (values >= 0) & (count >= MIN_PIXELS)
    return np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)[number.ravel()]


def _voxelised(points: np.ndarray, colors: np.ndarray, labels: np.ndarray) -> CloudSample:
    voxel, inverse, count = np.unique(np.floor(points / VOXEL).astype(np.int64), axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()

    def mean(values: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(inverse, values[:, k], len(voxel)) for k in range(3)], 1) / np.maximum(count, 1)[:, None]

    # The label of most pixels: of the counts of (voxel, label), the last assignment is that of the largest.
    span = int(labels.max(initial=-1)) + 2
    pair, votes = np.unique(inverse * span + labels + 1, return_counts=True)
    order = np.argsort(votes, kind="stable")
    of_voxel = np.full(len(voxel), -1, np.int32)
    of_voxel[pair[order] // span] = pair[order] % span - 1
    return CloudSample(mean(points).astype(np.float32), np.rint(mean(colors)).astype(np.uint8), of_voxel)


def _check_headers(path: Path) -> None:
    """Raise CloudSampleError unless the arrays that a file announces can be those of a cloud; nothing is allocated yet."""
    with ZipFile(path) as archive:
        lengths = set()
        for name, (kind, rest) in _ARRAYS.items():
            with archive.open(f"{name}.npy") as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
            if dtype != kind or len(shape) != 1 + len(rest) or shape[1:] != rest or shape[0] > MAX_POINTS:
                raise CloudSampleError(f"its {name} are {shape} {dtype}")
            lengths.add(shape[0])
        if len(lengths) != 1:
            raise CloudSampleError("its arrays differ in length")
