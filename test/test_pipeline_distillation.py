"""What geometry says of meaning, through the whole pipeline: the smallest simulated room."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.pipeline import ScenePipeline
from magic3d_ros.sources.room import open_room


@pytest.fixture(scope="module")
def pipeline():
    settings = Settings()
    settings.update({"distillation.use": "ensemble", "distillation.seconds": 1.0})
    made = ScenePipeline(settings, CueExtractor(settings))
    for frame in open_room("tiny", settings):
        made.add(frame)
    made.understand(thorough=True)
    return made


def test_a_scene_is_learned_when_its_recording_has_ended(pipeline):
    prediction = pipeline.language.prediction
    assert prediction is not None and prediction.everywhere
    layer = pipeline.language._voxels
    assert np.isin(layer.keys_of(pipeline.scene.surface.vertices), prediction.keys).all()
    np.testing.assert_allclose(np.linalg.norm(prediction.features.astype(float), axis=1), 1.0, atol=0.01)
    found = pipeline.scene.language.dense_similarity(pipeline.extractor.language.encode_text(["floor"]), pipeline.scene.surface)
    assert np.isfinite(found).all()


def test_it_is_learned_once_and_comes_back_with_the_map(pipeline):
    known = pipeline.language.prediction
    pipeline.understand(thorough=True)
    assert pipeline.language.prediction is known
    other = ScenePipeline(pipeline.settings, pipeline.extractor)
    other.load_state(pipeline.state())
    np.testing.assert_array_equal(other.language.prediction.features, known.features)
    kept = other.language.prediction
    other.understand(thorough=True)
    assert other.language.prediction is kept


def test_weights_that_are_not_there_are_named_and_the_scene_goes_without(pipeline, caplog, monkeypatch):
    known = pipeline.language.prediction
    monkeypatch.setattr(pipeline.settings.distillation, "weights", "nowhere.safetensors")
    assert not pipeline.distill(1.0)
    assert "nowhere.safetensors" in caplog.text and pipeline.language.prediction is known


def test_switched_off_nothing_is_learned(pipeline, monkeypatch):
    monkeypatch.setattr(pipeline.settings.distillation, "use", "off")
    known = pipeline.language.prediction
    assert not pipeline.distill(5.0) and pipeline.language.prediction is known


def test_when_the_world_moves_the_prediction_no_longer_holds(pipeline):
    poses = {keyframe.stamp: keyframe.camera_to_world.copy() for keyframe in pipeline.mapper.keyframes}
    for pose in poses.values():
        pose[0, 3] += 1.0
    pipeline.correct_poses(poses)
    assert pipeline.language.prediction is None
    stages = set()
    pipeline.refine(2.0, progress=lambda stage, share, loss: stages.add(stage), appearance=False)
    assert "distillation" in stages and pipeline.language.prediction is not None
