"""2D masks through the whole pipeline: made of depth and colour, or of a model, they vote on things and move with the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magic3d_ros.config import load_settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.frames import FrameError
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room

SHIFT = np.array([2.0, 1.0, 0.48])


def test_masks_of_frames_vote_and_move_with_the_map() -> None:
    settings = load_settings(None, {"masks.model": "embedded"})
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    for frame in open_room("tiny", settings, frames=8):
        pipeline.add(frame)
    scene = pipeline.understand()
    keyframes = list(pipeline.mapper.keyframes)
    masks = pipeline.instances._masks
    assert masks.stamps == [keyframe.stamp for keyframe in keyframes] and len(pipeline.timings["masks"]) == len(keyframes)
    assert not pipeline.extractor.problems and {o.kind for o in scene.objects} == {"object", "structure"}
    track, _ = masks.tracks_at(scene.surface.vertices)
    assert (track >= 0).mean() > 0.7 and len(np.unique(track)) > 3
    pipeline.correct_poses({k.stamp: _shifted(k.camera_to_world) for k in keyframes})
    moved, _ = masks.tracks_at(pipeline.scene.surface.vertices)
    assert (moved >= 0).mean() > 0.7
    assert (masks.tracks_at(scene.surface.vertices)[0] == -1).all()  # nothing is left where it was
    cues = pipeline.extractor.extract(frame)
    with pytest.raises(FrameError, match="one value a pixel"):
        pipeline.add_cues(frame, replace(cues, masks=np.zeros((4, 4), np.int32)))


def test_without_masks_nothing_is_merged() -> None:
    settings = load_settings(None, {})
    pipeline = ScenePipeline(settings, CueExtractor(settings))
    assert not pipeline._frame_masks and len(pipeline.instances._masks) == 0


def _shifted(pose: np.ndarray) -> np.ndarray:
    moved = pose.copy()
    moved[:3, 3] += SHIFT
    return moved
