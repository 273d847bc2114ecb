"""Distillation across scenes: it learns, goes on where it was, and says what is wrong."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from magic3d_ros import cli
from magic3d_ros.config import Settings
from magic3d_ros.cues.extractor import CueExtractor
from magic3d_ros.language.distillation_network import DistillationError, DistillationPlan, load_network
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.networks.sparse_unet import Shape
from magic3d_ros.training.distill_scenes import fused_scene, load_scene, save_scene, scene_file
from magic3d_ros.training.distill_training import Plan, train
from magic3d_ros.training.processes import Process
from magic3d_ros.training.resuming import TrainingError

MADE_FOR = DistillationPlan("fake", 2, 0.1, ("normals",), Shape((8, 8), (0, 1), (8,), (1,), 3), 0.1)
HERE = Process(0, torch.device("cpu"))


def scene(seed):
    """A level sheet that means (1, 0) and an upright one that means (0, 1), of random size."""
    size = np.random.default_rng(seed).integers(6, 10)
    steps = (np.arange(size) + 0.5) * 0.1
    a, b = (grid.ravel() for grid in np.meshgrid(steps, steps))
    zero = np.full(len(a), 0.05)
    points = np.concatenate([np.stack([a, b, zero], 1), np.stack([zero, a, b + 0.1], 1)]).astype(np.float32)
    normals, targets = (np.repeat(np.array(rows, np.float32), len(a), 0) for rows in ([[0, 0, 1], [1, 0, 0]], [[1, 0], [0, 1]]))
    return DistillationScene(points, normals, np.zeros((len(points), 3), np.uint8), targets.astype(np.float16),
                             np.ones(len(points), np.float32))


def run(folder, steps, **changed):
    told = []
    plan = Plan(**{"steps": steps, "batch": 2, "seed": 0, "check_every": 5, "rate": 0.01, **changed})
    figures = train([scene(0), scene(1), scene(2)], [scene(3)], folder / "w.safetensors", MADE_FOR, plan,
                    lambda step, checked: told.append((step, checked)), HERE)
    return figures, told


def test_what_was_learned_of_some_scenes_holds_in_another(tmp_path):
    figures, told = run(tmp_path, 30)
    assert figures.step == 30 and figures.loss < 0.2
    assert [step for step, checked in told if checked] == [5, 10, 15, 20, 25, 30]
    logged = [json.loads(line) for line in (tmp_path / "w.log.jsonl").read_text().splitlines()]
    assert logged[-1]["step"] == 30 and logged[-1]["loss"] < logged[0]["loss"]
    network = load_network(tmp_path / "w.safetensors", "fake", 2, 0.1)
    assert (network.predict(scene(7)).argmax(1) == scene(7).targets.argmax(1)).mean() > 0.9


def test_an_interrupted_training_goes_on_at_its_last_check(tmp_path):
    def stop(step, figures):
        if step == 7:
            raise KeyboardInterrupt

    plan = Plan(12, 2, 0, 5)
    arguments = [scene(0), scene(1)], [scene(3)], tmp_path / "w.safetensors", MADE_FOR, plan
    with pytest.raises(KeyboardInterrupt):
        train(*arguments, stop, HERE)
    steps = []
    figures = train(*arguments, lambda step, checked: steps.append(step), HERE)
    assert steps == [6, 7, 8, 9, 10, 11, 12]
    whole = train([scene(0), scene(1)], [scene(3)], tmp_path / "x.safetensors", MADE_FOR, plan, lambda *_: None, HERE)
    assert figures.loss == pytest.approx(whole.loss, abs=1e-5)  # as if never interrupted


def test_what_cannot_go_on_is_said(tmp_path):
    run(tmp_path, 5)
    with pytest.raises(TrainingError, match="use its batch and seed"):
        run(tmp_path, 5, batch=1)
    (tmp_path / "w.state.pt").write_bytes(b"half")
    with pytest.raises(TrainingError, match="delete it to begin again"):
        run(tmp_path, 5)
    with pytest.raises(TrainingError, match="too few"):
        train([scene(0)], [], tmp_path / "y.safetensors", MADE_FOR, Plan(5, 1, 0, 5), lambda *_: None, HERE)


def test_a_scene_comes_back_from_its_file_and_damage_is_named(tmp_path):
    save_scene(scene(1), tmp_path / "scene.npz")
    for name, array in load_scene(tmp_path / "scene.npz").arrays().items():
        np.testing.assert_array_equal(array, scene(1).arrays()[name])
    (tmp_path / "scene.npz").write_bytes((tmp_path / "scene.npz").read_bytes()[:100])
    with pytest.raises(DistillationError, match=r"scene\.npz"):
        load_scene(tmp_path / "scene.npz")
    settings, other = Settings(), Settings()
    other.set("language.voxel_size", 0.08)
    names = {scene_file(tmp_path, source, "e", s) for source in ("a/b", "c/b") for s in (settings, other)}
    assert len(names) == 4  # of another place or other settings, another file


def test_a_rendered_room_becomes_a_scene_that_cameras_saw():
    settings = Settings()
    made = fused_scene("room:tiny", settings, CueExtractor(settings))
    assert len(made) > 1000 and made.dimension == settings.language.feature_dimension
    assert (made.weights > 0).mean() > 0.8
    seen = made.weights > 0
    np.testing.assert_allclose(np.linalg.norm(made.targets[seen].astype(float), axis=1), 1.0, atol=0.01)
    assert np.ptp(made.points[:, 2]) < 4.0


def test_the_command_wants_two_scenes(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["magic3d", "train", "distill", "--scenes", "room:tiny", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1 and "at least two scenes" in capsys.readouterr().err
