"""What 2D models say of a keyframe, as messages between cue_extractor and scene_mapper."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
from std_msgs.msg import Header

from magic3d_ros.frames import CueFrame, FeatureGrid, FrameError, MonocularGeometry
from magic3d_ros.msg import Cues
from magic3d_ros.msg import FeatureGrid as FeatureGridMessage
from magic3d_ros.nodes.conversions import byte_array, nanoseconds

_KINDS = ("metric", "affine", "affine_inverse")
_MAX_LABEL = 65534
_MAX_PIXELS = 100_000_000


def cues_message(cues: CueFrame, head: Header, model: str, shard: int, width: int, height: int) -> Cues:
    """What the models said of an image of width x height pixels, as float16."""
    message = Cues(header=head, model=model, shard=shard, timing_names=list(cues.timings),
                   timing_ms=[float(v) for v in cues.timings.values()])
    if cues.features is not None:
        message.features = _grid_message(cues.features)
    if cues.language is not None:
        message.language = _grid_message(cues.language)
    message.normals = _map_message(cues.normals, width, height)
    if cues.masks is not None:
        message.masks = byte_array(cv2.imencode(".png", (np.clip(cues.masks, -1, _MAX_LABEL) + 1).astype(np.uint16))[1])
    if cues.edges is not None:
        message.edges = byte_array(cv2.imencode(".png", cues.edges)[1])
    if cues.monocular is not None:
        guess = cues.monocular
        message.monocular_kind = guess.kind
        message.monocular_depth = _map_message(guess.depth, width, height)
        message.monocular_normals = _map_message(guess.normals, width, height)
        message.monocular_uncertainty = _map_message(guess.uncertainty, width, height)
    return message


def cue_frame(message: Cues) -> CueFrame:
    """Read the message back. Raises FrameError ("cues") when its sizes contradict its data."""
    depth, normals, uncertainty = (_map(message.monocular_depth, 1), _map(message.monocular_normals, 3),
                                   _map(message.monocular_uncertainty, 1))
    guessed = depth is not None or normals is not None
    if guessed and message.monocular_kind not in _KINDS:
        raise FrameError("cues", f"monocular depth of kind '{message.monocular_kind}'; known are {', '.join(_KINDS)}")
    return CueFrame(nanoseconds(message.header.stamp), _grid(message.features), _grid(message.language), _map(message.normals, 3),
                    _masks(message), MonocularGeometry(depth, message.monocular_kind, normals, uncertainty) if guessed else None,
                    _edges(message), timings=dict(zip(message.timing_names, message.timing_ms, strict=False)))


def _masks(message: Cues) -> np.ndarray | None:
    image = _picture(message.masks, "masks", np.uint16)
    return None if image is None else image.astype(np.int32) - 1


def _edges(message: Cues) -> np.ndarray | None:
    return _picture(message.edges, "edges", np.uint8)


def _picture(data: array[int] | bytes, name: str, kind: type[np.generic]) -> np.ndarray | None:
    """(h, w) from a PNG of numbers of a kind; None = there is none."""
    if not len(data):
        return None
    png = np.frombuffer(data, np.uint8)
    if len(png) < 24 or bytes(png[12:16]) != b"IHDR" or int(np.prod(png[16:24].view(">u4").astype(np.int64))) > _MAX_PIXELS:
        raise FrameError("cues", f"the {name} are not a PNG, or one of more than 100 million pixels")
    image = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != kind or image.ndim != 2:
        raise FrameError("cues", f"the {name} are not a PNG of one channel of {8 * np.dtype(kind).itemsize} bits")
    return image


def _map_message(values: np.ndarray | None, width: int, height: int) -> FeatureGridMessage:
    """A map (h, w) or (h, w, channels) that covers an image of width x height pixels evenly."""
    if values is None:
        return FeatureGridMessage()
    rows, columns = values.shape[:2]
    step_x, step_y = width / columns, height / rows
    return _grid_message(FeatureGrid(values.reshape(rows, columns, -1), step_x, step_y, (step_x - 1) / 2, (step_y - 1) / 2))


def _map(message: FeatureGridMessage, channels: int) -> np.ndarray | None:
    grid = _grid(message)
    if grid is None:
        return None
    if grid.values.shape[2] != channels:
        raise FrameError("cues", f"a map of {grid.values.shape[2]} channels where there are {channels}: extractor and mapper "
                         "differ in version")
    values = grid.values.astype(np.float32)
    return values[..., 0] if channels == 1 else values


def _grid_message(grid: FeatureGrid) -> FeatureGridMessage:
    rows, columns, channels = grid.values.shape
    return FeatureGridMessage(height=rows, width=columns, channels=channels, stride_x=float(grid.stride_x),
                              stride_y=float(grid.stride_y), offset_x=float(grid.offset_x), offset_y=float(grid.offset_y),
                              data=byte_array(grid.values.astype("<f2")))


def _grid(message: FeatureGridMessage) -> FeatureGrid | None:
    if message.height == 0:
        return None
    shape = (message.height, message.width, message.channels)
    if len(message.data) != 2 * int(np.prod(shape, dtype=np.int64)):
        raise FrameError("cues", f"a feature grid of {shape} holds {len(message.data)} bytes: extractor and mapper differ in "
                         "version")
    values = np.frombuffer(message.data, "<f2").reshape(shape)
    return FeatureGrid(values, message.stride_x, message.stride_y, message.offset_x, message.offset_y)
