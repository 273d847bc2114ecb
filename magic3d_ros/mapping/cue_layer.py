"""Surfaces where the sensor saw none: aligned monocular depth fused into voxels of its own.

The measured map stays as it is: what a network guessed must neither outvote what a sensor measured nor count as an observation
of free space. Only for looking at (views, export, the neural field's starting point) both become one volume, in which a
voxel holds the measured distance where there is one and the guessed elsewhere; joined voxel by voxel the surface has no seam.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from magic3d_ros.config import Settings
from magic3d_ros.mapping.blocks import unpack
from magic3d_ros.mapping.keyframe import Keyframe
from magic3d_ros.mapping.metric_cues import MetricCues
from magic3d_ros.mapping.tsdf import TSDFVolume

EDGE = 0.05  # relative jump of depth between neighbouring pixels that is an edge: networks smear depth across it


def fuse_cues(keyframes: Iterable[Keyframe], cues: MetricCues, volume: TSDFVolume) -> int:
    """Integrate the metric monocular depth of keyframes into a volume of its own; how many had some.

    Edges of depth are left out, and what is not trusted to be static counts as little as in the map.
    """
    fused = 0
    for keyframe in keyframes:
        depth = cues.depth(keyframe)
        if depth is None:
            continue
        camera = keyframe.camera
        depth = cv2.resize(without_edges(depth), (camera.width, camera.height), interpolation=cv2.INTER_NEAREST)
        volume.integrate(replace(keyframe.frame(), depth=depth), keyframe.weights())
        fused += 1
    return fused


def without_edges(depth: np.ndarray) -> np.ndarray:
    """(h, w) metres, 0 where the depth jumps by more than EDGE of it to a neighbouring pixel."""
    near = cv2.erode(np.where(depth > 0, depth, np.float32(1e3)), np.ones((3, 3), np.uint8))
    far = cv2.dilate(depth, np.ones((3, 3), np.uint8))
    return np.where(far - near > EDGE * depth, 0.0, depth).astype(np.float32)


def joined(measured: TSDFVolume, guessed: TSDFVolume, settings: Settings) -> TSDFVolume:
    """A new volume with the measured voxels where there are some and the guessed ones elsewhere; both stay as they are.

    Beyond map.max_blocks guessed blocks are left out.
    """
    volume = TSDFVolume(settings.map, settings.input.min_depth, settings.input.max_depth, measured.device)
    volume.load_state(measured.state())
    room = volume.blocks.max_blocks - len(volume.blocks)
    keys, slots = guessed.blocks.keys, guessed.blocks.slots
    if len(keys) == 0:
        return volume
    coordinates = unpack(keys)
    fits = (volume.blocks.find(coordinates) >= 0).logical_not().cumsum(0) <= room
    into, source = volume.blocks.allocate(coordinates[fits], volume.frames), slots[fits]
    unseen = volume.blocks.data["weight"][into] == 0
    for name, values in volume.blocks.data.items():
        chosen = unseen if values.dim() == 2 else unseen[:, None]
        values[into] = guessed.blocks.data[name][source].where(chosen, values[into])
    return volume
