from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.config import Settings
from magic3d_ros.evaluation.image_metrics import psnr
from magic3d_ros.mapping.field.neural_field import NeuralField
from magic3d_ros.mapping.field.trainer import FieldTrainer
from magic3d_ros.mapping.keyframes import KeyframeStore
from magic3d_ros.mapping.mapper import Mapper

from .conftest import CAMERA, wall_frame


def trained(wall, settings: Settings, steps: int = 300) -> FieldTrainer:
    trainer = FieldTrainer(*wall, settings)
    for number in range(steps):
        trainer.step(1.0 if number < steps / 2 else 0.1)
    return trainer


def likeness(trainer: FieldTrainer, x: float, **choices: bool) -> float:
    frame = wall_frame(x, 99)
    view = trainer.render(CAMERA, frame.camera_to_world, **choices)
    return psnr(view.rgb, frame.rgb, view.depth > 0)


def test_before_training_views_have_voxel_colours(wall, settings):
    trainer = FieldTrainer(*wall, settings)
    pose = wall_frame(0.03, 1).camera_to_world
    plain, view = wall[0].render(CAMERA, pose), trainer.render(CAMERA, pose, photographs=False)
    np.testing.assert_array_equal(view.rgb, plain.rgb)
    np.testing.assert_array_equal(view.depth, plain.depth)


def test_training_brings_detail_finer_than_a_voxel_to_unseen_views(wall, settings):
    trainer = FieldTrainer(*wall, settings)
    before = likeness(trainer, 0.03, photographs=False)
    first = trainer.step()["color"]
    trainer = trained(wall, settings)
    assert trainer.step(0.1)["color"] < 0.6 * first
    assert likeness(trainer, 0.03, photographs=False) > before + 2.0  # dB


def test_photographs_bring_it_without_training(wall, settings):
    trainer = FieldTrainer(*wall, settings)
    assert likeness(trainer, 0.03) > likeness(trainer, 0.03, photographs=False) + 5.0


def test_exposure_is_taken_out_of_the_field(settings):
    mapper, keyframes = Mapper(settings), KeyframeStore(settings.keyframes)
    gains = [0.8, 1.0, 1.2, 0.9, 1.1]
    for number, gain in enumerate(gains):
        frame = wall_frame(0.06 * (number - 2), number + 1, gain)
        mapper.integrate(frame)
        keyframes.add(frame)
    trainer = trained((mapper, keyframes), settings)
    found = trainer.colors.exposures.of([1, 2, 3, 4, 5])[:, 0, :2].mean(1).numpy()  # blue has too little contrast to tell
    np.testing.assert_allclose(found, gains, atol=0.05)


def test_run_keeps_its_time_tells_its_progress_and_can_be_cancelled(wall, settings):
    trainer, told = FieldTrainer(*wall, settings), []
    steps = trainer.run(0.5, progress=lambda share, loss: told.append((share, loss)))
    assert steps > 0 and trainer.steps == steps
    assert told and all(0 <= share <= 1 and np.isfinite(loss) for share, loss in told)
    assert trainer.run(60.0, cancelled=lambda: True) == 0


def test_nothing_to_learn_from_is_said_and_changes_nothing(settings, caplog):
    trainer = FieldTrainer(Mapper(settings), KeyframeStore(settings.keyframes), settings)
    assert trainer.run(5.0) == 0 and "nothing to learn from" in caplog.text
    assert not trainer.render(CAMERA, np.eye(4)).depth.any()
    assert trainer.state() == {}


def test_state_goes_round_and_other_settings_are_named(wall, settings):
    trainer = trained(wall, settings, 20)
    other = FieldTrainer(*wall, settings)
    other.load_state(trainer.state())
    pose = wall_frame(0.02, 1).camera_to_world
    np.testing.assert_array_equal(other.render(CAMERA, pose).rgb, trainer.render(CAMERA, pose).rgb)
    assert other.step()  # and training goes on
    other.load_state({})
    assert other.steps == 0
    settings.field.table_bits = 13
    with pytest.raises(ValueError, match="load the map with its own settings"):
        FieldTrainer(*wall, settings).load_state(trainer.state())


def test_training_and_pictures_go_on_in_smaller_batches_where_a_gpu_is_full(wall, settings, monkeypatch: pytest.MonkeyPatch):
    trainer = trained(wall, settings, 30)
    pose = wall_frame(0.03, 1).camera_to_world
    whole, color, points = trainer.render(CAMERA, pose), NeuralField.color, []

    def small(field: NeuralField, where: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        points.append(len(where))
        if len(where) > 300:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return color(field, where, *others)

    monkeypatch.setattr(NeuralField, "color", small)
    monkeypatch.setattr("magic3d_ros.mapping.field.appearance.FEWEST_POINTS", 100)
    monkeypatch.setattr("magic3d_ros.mapping.field.color_training.FIT_SAMPLES", 256)
    losses = [trainer.step(0.1)["color"] for _ in range(5)]
    assert np.isfinite(losses).all() and points[:3] == [1024, 512, 256]
    np.testing.assert_array_equal(trainer.render(CAMERA, pose, photographs=False).depth, whole.depth)
    assert set(wall[0].memory.notes) == {"rays of training", "points of a picture"}
