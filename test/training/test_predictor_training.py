"""Training learns, stops and goes on where it was; what it writes is what the predictor loads."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from magic3d_ros.cues.embedded.compact_network import CANONICAL_FOCAL, CompactNetwork
from magic3d_ros.cues.embedded.compact_predictor import CompactPredictor
from magic3d_ros.cues.placement import Placement
from magic3d_ros.training.augmentation import random_batch, whole_batch
from magic3d_ros.training.mean_map import MeanMap, mean_map
from magic3d_ros.training.pictures import PictureError, Pictures
from magic3d_ros.training.predictor_training import LOG, STATE, WEIGHTS, Plan, check, train
from magic3d_ros.training.resuming import TrainingError
from magic3d_ros.training.viewpoints import HEIGHT, WIDTH

PLAN = Plan(steps=4, batch=2, seed=0, check_every=2)


@pytest.fixture(scope="module")
def walls() -> Pictures:
    """Six walls straight ahead at 1 to 3.5 m, the darker the farther."""
    metres = np.linspace(1.0, 3.5, 6)
    rgb = np.stack([np.full((HEIGHT, WIDTH, 3), int(250 - 60 * m), np.uint8) for m in metres])
    depth = np.stack([np.full((HEIGHT // 2, WIDTH // 2), round(1000 * m), np.uint16) for m in metres])
    normals = np.zeros((6, HEIGHT // 2, WIDTH // 2, 3), np.int8)
    normals[..., 2] = -127
    return Pictures(rgb, depth, normals, np.full(6, 200.0, np.float32))


def test_stopped_training_goes_on_to_the_same_weights(tmp_path, walls: Pictures) -> None:
    class Stopped(Exception):
        pass

    def stop_at_three(step: int, figures: object) -> None:
        if step == 3:
            raise Stopped

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    best = train(walls, walls, whole, PLAN, lambda step, figures: None)
    with pytest.raises(Stopped):
        train(walls, walls, cut, PLAN, stop_at_three)
    steps = []
    assert train(walls, walls, cut, PLAN, lambda step, figures: steps.append(step)) == best
    assert steps == [3, 4]
    once, twice = load_file(whole / WEIGHTS), load_file(cut / WEIGHTS)
    assert all(torch.equal(once[name], twice[name]) for name in once)
    assert [json.loads(line)["step"] for line in (whole / LOG).read_text().splitlines()] == [2, 4]
    with pytest.raises(TrainingError, match="state of a training with"):
        train(walls, walls, whole, dataclasses.replace(PLAN, batch=3), lambda step, figures: None)
    geometry = CompactPredictor(whole / WEIGHTS, Placement(torch.device("cpu"))).geometry([walls.rgb[0]], [200.0])[0]
    assert geometry.depth is not None and geometry.depth.shape == (HEIGHT // 2, WIDTH // 2)


def test_it_learns(tmp_path, walls: Pictures) -> None:
    torch.manual_seed(1)
    untrained = check(CompactNetwork(pretrained=True), walls, 0)
    trained = train(walls, walls, tmp_path, Plan(steps=20, batch=4, seed=1, check_every=10), lambda step, figures: None)
    assert trained.loss < 0.7 * untrained.loss
    assert trained.abs_rel < 0.8 * untrained.abs_rel


def test_too_few_pictures_and_a_broken_state_are_named(tmp_path, walls: Pictures) -> None:
    with pytest.raises(TrainingError, match="render more rooms"):
        train(walls, walls, tmp_path, Plan(steps=1, batch=7, seed=0, check_every=1), lambda step, figures: None)
    (tmp_path / STATE).write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"training\.pt.*begin again"):
        train(walls, walls, tmp_path, PLAN, lambda step, figures: None)


def test_a_batch_is_as_consistent_as_its_pictures(walls: Pictures) -> None:
    batch = random_batch(walls, 6, np.random.default_rng(0))
    repeated = random_batch(walls, 6, np.random.default_rng(0))
    assert torch.equal(batch.image, repeated.image)
    assert batch.depth.shape[1:] == (batch.image.shape[2] // 2, batch.image.shape[3] // 2)
    assert sorted(batch.depth[:, 0, 0].tolist()) == pytest.approx(np.linspace(1.0, 3.5, 6).tolist())
    zoom = batch.focal / 200
    assert (zoom >= 0.99).all() and (zoom <= 1.35).all()
    assert torch.allclose(batch.normals[:, 2], torch.tensor(-1.0))


def test_a_mirrored_and_cropped_slope_keeps_its_normals() -> None:
    """Depth that grows to the right has normals to the left; mirrored, to the right; never the wrong way round."""
    depth = np.tile(np.linspace(1000, 3000, WIDTH // 2).astype(np.uint16), (2, HEIGHT // 2, 1))
    normals = np.zeros((2, HEIGHT // 2, WIDTH // 2, 3), np.int8)
    normals[..., 0], normals[..., 2] = -90, -90
    pictures = Pictures(np.zeros((2, HEIGHT, WIDTH, 3), np.uint8), depth, normals, np.full(2, 200.0, np.float32))
    seen = set()
    for seed in range(8):
        batch = random_batch(pictures, 2, np.random.default_rng(seed))
        grows_right = bool(batch.depth[0, 0, -1] > batch.depth[0, 0, 0])
        assert bool((batch.normals[:, 0] < 0).all()) == grows_right
        seen.add(grows_right)
    assert seen == {True, False}
    assert whole_batch(pictures, np.array([1])).image.max().item() == pytest.approx(-127 / 128)


def test_the_mean_map_is_the_mean_of_logs(tmp_path, walls: Pictures) -> None:
    found = mean_map(walls)
    expected = np.exp(np.log(np.linspace(1.0, 3.5, 6)).mean())
    assert found.depth(4, 6, focal=200.0) == pytest.approx(np.full((4, 6), expected), rel=1e-3)
    assert found.depth(4, 6, focal=CANONICAL_FOCAL)[0, 0] == pytest.approx(expected * CANONICAL_FOCAL / 200, rel=1e-3)
    found.save(tmp_path / "mean_map.safetensors")
    assert (MeanMap.load(tmp_path / "mean_map.safetensors").normals == found.normals).all()
    with pytest.raises(PictureError, match="cannot read the mean map"):
        MeanMap.load(tmp_path / "none.safetensors")
