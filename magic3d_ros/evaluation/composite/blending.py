"""A drawing of things put into a frame: as the camera's image and the sensor's depth would show them."""

from __future__ import annotations

import numpy as np

from magic3d_ros.evaluation.composite.drawing import Drawing, silhouette_edge
from magic3d_ros.frames import RGBDFrame
from magic3d_ros.sources.room.render import ExactImages
from magic3d_ros.sources.room.sensor import SensorModel

_GAMMA = 1 / 2.2  # display values of linear light, the usual approximation of sRGB


def blended_colour(frame: RGBDFrame, drawing: Drawing, sensor: SensorModel, random: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8: the frame with the things in it, with the sensor's grain on them."""
    touched = drawing.opacity > 0
    display = 255 * np.clip(drawing.colour[touched], 0, 1) ** np.float32(_GAMMA)
    grain = sensor.read_noise + sensor.shot_noise * np.sqrt(display * 255)
    display = display + random.standard_normal(display.shape, np.float32) * grain
    share = drawing.opacity[touched][:, None]
    mixed = frame.rgb.copy()
    mixed[touched] = np.clip(share * display + (1 - share) * frame.rgb[touched], 0, 255).astype(np.uint8)
    return mixed


def blended_depth(frame: RGBDFrame, drawing: Drawing, scene: np.ndarray, sensor: SensorModel | None,
                  random: np.random.Generator) -> np.ndarray:
    """(H, W) float32 metres, 0 = no reading: the frame's depth with the things in it.

    scene: (H, W) the frame's depth without holes, inf = nothing. sensor: noise, frayed silhouettes and the shadow of near things;
    None = exact depth. Only pixels on the things, at their edge and in their shadow change; holes of the scene stay holes.
    """
    on = drawing.thing > 0
    depth = frame.depth.copy()
    if sensor is None:
        depth[on] = drawing.depth[on]
        return depth
    edge = silhouette_edge(on)
    exact = np.where(on, drawing.depth, scene)
    exact = np.where(np.isfinite(exact), exact, 0).astype(np.float32)
    nothing = np.zeros(on.shape, bool)
    images = ExactImages(drawing.colour, exact, drawing.thing.astype(np.int32), on, edge, nothing, drawing.cosine, drawing.albedo)
    sensed = sensor.depth(images, frame.camera, random)
    beside = edge & ~on & (frame.depth > 0)
    depth[on] = sensed[on]
    depth[beside] = sensed[beside]
    shift = max(1, round(sensor.shadow_width * on.shape[1] / 640))
    shadow = np.zeros(on.shape, bool)
    shadow[:, shift:] = on[:, :-shift] & ~on[:, shift:] & (exact[:, shift:] - exact[:, :-shift] > sensor.shadow_step)
    depth[shadow] = 0
    return depth
