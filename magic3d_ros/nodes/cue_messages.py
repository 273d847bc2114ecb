"""What 2D models say of a keyframe, as messages between cue_extractor and scene_mapper."""

from __future__ import annotations

import numpy as np
from std_msgs.msg import Header

from magic3d_ros.frames import CueFrame, FeatureGrid, FrameError
from magic3d_ros.msg import Cues
from magic3d_ros.msg import FeatureGrid as FeatureGridMessage
from magic3d_ros.nodes.conversions import byte_array, nanoseconds


def cues_message(cues: CueFrame, head: Header, model: str, shard: int, width: int, height: int) -> Cues:
    """What the models said of an image of width x height pixels, as float16."""
    message = Cues(header=head, model=model, shard=shard, timing_names=list(cues.timings),
                   timing_ms=[float(v) for v in cues.timings.values()])
    if cues.features is not None:
        message.features = _grid_message(cues.features)
    if cues.language is not None:
        message.language = _grid_message(cues.language)
    if cues.normals is not None:
        rows, columns = cues.normals.shape[:2]
        step_x, step_y = width / columns, height / rows
        message.normals = _grid_message(FeatureGrid(cues.normals, step_x, step_y, (step_x - 1) / 2, (step_y - 1) / 2))
    return message


def cue_frame(message: Cues) -> CueFrame:
    """Read the message back. Raises FrameError ("cues") when its sizes contradict its data."""
    normals = _grid(message.normals)
    if normals is not None and normals.values.shape[2] != 3:
        raise FrameError("cues", f"normals of {normals.values.shape[2]} channels; they have 3")
    return CueFrame(nanoseconds(message.header.stamp), _grid(message.features), _grid(message.language),
                    None if normals is None else normals.values.astype(np.float32),
                    timings=dict(zip(message.timing_names, message.timing_ms, strict=False)))


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
