"""Distillation: the loss, the scene, the network's file, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from magic3d_ros.config import DistillationSettings
from magic3d_ros.language import distillation
from magic3d_ros.language.distillation import Distiller, distilled, falling, input_names, part, turn
from magic3d_ros.language.distillation_loss import distillation_loss
from magic3d_ros.language.distillation_network import (
    DistillationError,
    DistillationNetwork,
    DistillationPlan,
    load_network,
    save_network,
)
from magic3d_ros.language.distillation_scene import DistillationScene
from magic3d_ros.language.voxel_features import VoxelFeatures
from magic3d_ros.mapping.surface import Surface
from magic3d_ros.networks.sparse_unet import Shape

TINY = Shape((8, 8), (0, 1), (8,), (1,), kernel=3)
PLAN = DistillationPlan("fake", 4, 0.1, (), TINY, 0.1)


def floor_and_wall(seed=0):
    """A floor whose voxels mean (1, 0, 0, 0) and a wall whose voxels mean (0, 1, 0, 0); a quarter was never seen."""
    steps = (np.arange(12) + 0.5) * 0.1
    a, b = (grid.ravel() for grid in np.meshgrid(steps, steps))
    zero = np.full(len(a), 0.05)
    points = np.concatenate([np.stack([a, b, zero], 1), np.stack([zero, a, b + 0.1], 1)]).astype(np.float32)
    normals = np.repeat([[0.0, 0, 1], [1, 0, 0]], len(a), 0).astype(np.float32)
    targets = np.repeat([[1.0, 0, 0, 0], [0, 1, 0, 0]], len(a), 0).astype(np.float16)
    weights = (np.random.default_rng(seed).random(len(points)) > 0.25).astype(np.float32)
    colors = np.full((len(points), 3), 100, np.uint8)
    return DistillationScene(points, normals, colors, targets * weights[:, None].astype(np.float16), weights)


def test_the_loss_is_the_weighted_mean_of_one_minus_cosine():
    predicted = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, 2.0]], requires_grad=True)
    target = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, -5.0]], requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 1.0], requires_grad=True)
    loss = distillation_loss(predicted, target, weights)
    # (1 x 0 + 2 x (1 - sqrt(1/2)) + 1 x 2) / 4
    assert loss.item() == pytest.approx((2 * (1 - 0.5**0.5) + 2) / 4)
    loss.backward()
    assert target.grad is None and weights.grad is None  # what images said is not taught
    # d(1 - cos)/dp of (1, 1) towards (1, 0): -(t - p (p.t) / |p|^2) / |p| = -(.5, -.5) / sqrt(2), times 2 / 4
    np.testing.assert_allclose(predicted.grad[1], [-0.25 / 2**0.5, 0.25 / 2**0.5], atol=1e-6)
    np.testing.assert_allclose(predicted.grad[0], 0.0, atol=1e-6)


def test_unseen_voxels_teach_nothing():
    predicted = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    loss = distillation_loss(predicted, torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.tensor([1.0, 0.0]))
    loss.backward()
    assert loss.item() == 1.0 and not predicted.grad[1].any()
    assert distillation_loss(predicted, torch.zeros(2, 2), torch.zeros(2)).item() == 0.0


@pytest.mark.parametrize(("target", "weights"), [(torch.zeros(2, 3), torch.ones(2)), (torch.zeros(2, 2), torch.ones(3))])
def test_shapes_that_do_not_fit_are_named(target, weights):
    with pytest.raises(ValueError, match="one row a voxel, of the same width"):
        distillation_loss(torch.zeros(2, 2), target, weights)


def test_a_scene_is_the_surface_by_voxels_with_what_was_seen_there():
    vertices = np.array([[0.02, 0.0, 1.05], [0.06, 0.0, 1.05], [0.15, 0.0, 1.05], [0.95, 0.0, 2.05]], np.float32)
    normals = np.array([[1.0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]], np.float32)
    surface = Surface(vertices, np.zeros((0, 3), np.int32), normals, np.array([[10] * 3, [30] * 3, [50] * 3, [70] * 3], np.uint8),
                      np.ones(4, np.float32))
    layer = VoxelFeatures(0.1, 2)
    keys = layer.keys_of(np.array([[0.05, 0.0, 1.05]]))
    scene, found = DistillationScene.of(surface, np.array([0.0, 0, 1]), layer, np.array([[0.6, 0.8]]), np.array([2.0]), keys)
    assert len(scene) == 3 and scene.dimension == 2
    np.testing.assert_array_equal(found, layer.keys_of(np.array([[0.05, 0, 1.05], [0.15, 0, 1.05], [0.95, 0, 2.05]])))
    np.testing.assert_allclose(scene.points[:, 0], [0.04, 0.15, 0.95], atol=1e-6)  # the mean of two
    np.testing.assert_allclose(scene.points[:, 2], [0.0, 0.0, 1.0], atol=0.01)  # above the lowest
    np.testing.assert_allclose(scene.normals[0], [0.5**0.5, 0, 0.5**0.5], atol=1e-6)
    assert scene.colors[:, 0].tolist() == [20, 50, 70]
    assert scene.weights.tolist() == [2.0, 2.0, 0.0]  # the second borrows from its neighbour
    np.testing.assert_allclose(scene.targets.astype(float), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]], atol=1e-3)


def test_a_scene_stands_upright_whichever_way_the_world_lies():
    vertices = np.array([[1.0, 2.0, 3.0], [1.5, 2.0, 3.0]], np.float32)  # x is up
    surface = Surface(vertices, np.zeros((0, 3), np.int32), np.tile(np.float32([1, 0, 0]), (2, 1)), np.zeros((2, 3), np.uint8),
                      np.ones(2, np.float32))
    scene, _ = DistillationScene.of(surface, np.array([1.0, 0, 0]), VoxelFeatures(0.1, 2), np.zeros((0, 2)), np.zeros(0),
                                    np.zeros(0, np.int64))
    assert np.ptp(scene.points[:, 2]) == pytest.approx(0.5)
    np.testing.assert_allclose(scene.normals, [[0, 0, 1]] * 2, atol=1e-6)


@pytest.mark.parametrize(("name", "value", "message"), [
    ("targets", np.full((288, 4), np.nan, np.float16), "targets of a scene hold NaN"),
    ("weights", np.ones(3, np.float32), r"weights of a scene of 288 voxels are \(3,\)"),
    ("normals", np.zeros((288, 2), np.float32), "normals")])
def test_a_scene_that_is_none_is_named(name, value, message):
    with pytest.raises(ValueError, match=message):
        replace(floor_and_wall(), **{name: value})


def test_geometry_learns_what_was_seen_and_says_it_of_what_was_not():
    scene = floor_and_wall()
    torch.manual_seed(0)
    distiller = Distiller(DistillationNetwork(PLAN), [scene], rate=0.01)
    losses = [distiller.step(number, falling(number / 60)) for number in range(60)]
    assert losses[-1] < 0.1 < losses[0]
    unseen = scene.weights == 0
    found = distiller.network.predict(scene)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    truth = (np.arange(len(scene)) >= 144).astype(int)
    assert (found[unseen].argmax(1) == truth[unseen]).mean() > 0.9


def test_the_same_seed_takes_the_same_steps():
    losses = []
    for _ in range(2):
        torch.manual_seed(3)
        distiller = Distiller(DistillationNetwork(PLAN), [floor_and_wall(), floor_and_wall(1)], seed=5)
        losses.append([distiller.step(number) for number in range(3)])
    assert losses[0] == losses[1]


def test_what_cannot_be_learned_is_said():
    scene = floor_and_wall()
    blind = replace(scene, weights=np.zeros_like(scene.weights))
    with pytest.raises(DistillationError, match="no camera saw"):
        Distiller(DistillationNetwork(PLAN), [blind])
    with pytest.raises(DistillationError, match=r"language\.feature_dimension"):
        Distiller(DistillationNetwork(replace(PLAN, dimension=7)), [scene])
    with pytest.raises(DistillationError, match="height"):
        DistillationPlan("fake", 4, 0.1, ("smell",))


def test_a_large_scene_is_learned_by_round_parts(monkeypatch):
    monkeypatch.setattr(distillation, "MOST_VOXELS", 30)
    cut = part(floor_and_wall(), np.random.default_rng(0))
    assert len(cut) == 30 and len(cut.targets) == 30
    assert np.ptp(cut.points[:, :2], axis=0).max() < 1.0


def test_turns_keep_what_is_up():
    random = np.random.default_rng(0)
    turns = [turn(random) for _ in range(20)]
    for found in turns:
        np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-12)
        np.testing.assert_array_equal(found[2], [0, 0, 1])
    assert {round(float(np.linalg.det(found))) for found in turns} == {-1, 1}


@pytest.mark.parametrize("inputs", ["", "normals, height", "colors"])
def test_a_network_comes_back_from_its_file(tmp_path, inputs):
    plan = replace(PLAN, inputs=input_names(inputs))
    torch.manual_seed(0)
    network = DistillationNetwork(plan)
    save_network(network, tmp_path / "weights.safetensors", {"step": "3"})
    again = load_network(tmp_path / "weights.safetensors", "fake", 4, 0.1)
    assert again.plan == plan
    scene = floor_and_wall()
    np.testing.assert_allclose(again.predict(scene), network.predict(scene), atol=0.01)


@pytest.mark.parametrize(("encoder", "dimension", "size"), [("clip", 4, 0.1), ("fake", 8, 0.1), ("fake", 4, 0.04)])
def test_a_network_for_other_features_is_refused(tmp_path, encoder, dimension, size):
    save_network(DistillationNetwork(PLAN), tmp_path / "weights.safetensors", {})
    with pytest.raises(DistillationError, match="magic3d train distill"):
        load_network(tmp_path / "weights.safetensors", encoder, dimension, size)


def test_a_file_that_is_no_network_is_named(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    for name in ("weights.safetensors", "missing.safetensors"):
        with pytest.raises(DistillationError, match=name):
            load_network(tmp_path / name, "fake", 4, 0.1)


def test_without_time_and_weights_there_is_nothing_to_say():
    with pytest.raises(DistillationError, match=r"distillation\.seconds"):
        distilled(floor_and_wall(), DistillationSettings(), "fake", 0.1, 0.0)


def test_weights_are_used_as_they_are_without_time(tmp_path):
    torch.manual_seed(0)
    network, scene = DistillationNetwork(PLAN), floor_and_wall()
    save_network(network, tmp_path / "weights.safetensors", {})
    found = distilled(scene, DistillationSettings(weights=str(tmp_path / "weights.safetensors")), "fake", 0.1, 0.0)
    np.testing.assert_allclose(found, network.predict(scene), atol=0.01)


def test_learning_stops_when_cancelled_and_tells_its_progress():
    told = []
    distiller = Distiller(DistillationNetwork(PLAN), [floor_and_wall()])
    steps = distiller.run(60.0, cancelled=lambda: len(told) == 2, progress=lambda share, loss: told.append((share, loss)))
    assert steps == 2 and all(0 < share <= 1 and np.isfinite(loss) for share, loss in told)
