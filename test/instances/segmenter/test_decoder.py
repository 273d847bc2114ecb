"""Queries, relations, attention, and that clouds of a batch stay apart and things are learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.instances.segmenter.decoder import _described, _Layer
from magic3d_ros.instances.segmenter.encoder import GraphTensors
from magic3d_ros.instances.segmenter.losses import losses
from magic3d_ros.instances.segmenter.network import Architecture, SegmenterNetwork, voxelised
from magic3d_ros.instances.segmenter.queries import PlaceEncoding, chosen_seeds, furthest_points, random_seeds
from magic3d_ros.instances.segmenter.relations import linkage_of, relations
from magic3d_ros.instances.segmenter.superpoints import SuperpointGraph
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import Shape

CPU = torch.device("cpu")
TINY = Architecture(Shape((8, 8, 16), (0, 1, 1), (8, 16), (1, 1), 3), width=16, heads=2, layers=2, rounds=1, voxel_size=0.1)


def inputs(cloud: tuple[SuperpointGraph, np.ndarray]) -> tuple[SparseTensor, torch.Tensor, GraphTensors, torch.Tensor]:
    graph, box = cloud
    tensor, row = voxelised(torch.from_numpy(graph.points), torch.from_numpy(graph.colors), TINY.voxel_size)
    return tensor, row, GraphTensors.of(graph, CPU), torch.from_numpy(box).long()


def test_furthest_points_by_hand() -> None:
    line = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 0, 0]])
    assert furthest_points(line, 3).tolist() == [0, 3, 2]
    assert furthest_points(line, 9, first=1).tolist() == [1, 3, 0, 2]


def test_seeds_are_the_largest_and_spread() -> None:
    line = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 0, 0]])
    assert chosen_seeds(line, torch.tensor([1.0, 9, 8, 1]), 4).tolist() == [0, 1, 2, 3]
    assert chosen_seeds(line, torch.tensor([1.0, 9, 8, 1]), 3).tolist() == [0, 1, 3]


def test_training_starts_where_labels_are() -> None:
    center, labels = torch.rand(50, 3), torch.where(torch.arange(50) % 3 == 0, -1, 1)
    seeds = random_seeds(center, labels, 20, np.random.default_rng(0))
    assert len(seeds) == 20 == len(set(seeds.tolist())) and (labels[seeds] >= 0).all()
    assert random_seeds(center, labels * 0 - 1, 20, np.random.default_rng(0)).tolist() == []


def test_places_are_told_in_metres() -> None:
    """The longest wave tells apart what the shortest repeats."""
    encoding = PlaceEncoding(4)
    torch.nn.init.eye_(encoding.linear.weight)
    near, far = encoding(torch.zeros(1, 3)), encoding(torch.tensor([[0.2, 0.0, 0.0]]))
    assert near[0, 0].item() == pytest.approx(far[0, 0].item(), abs=2e-3)
    assert near.shape == (1, 4)


def test_relations_of_a_row_of_superpoints(boxes) -> None:
    """Affinities of 1/2 in a row: two steps cost 2 ln 2 nats, and clusters join at 1/2."""
    _, _, graph, _ = inputs(boxes(1, 0))
    affinity = torch.zeros(3)
    found = relations(torch.eye(4), affinity, graph, linkage_of(affinity, graph), torch.tensor([0]))
    assert found.shape == (1, 4, 8)
    assert found[0, 1:, 0].tolist() == pytest.approx([0, 0, 0])
    assert found[0, :, 1].exp().tolist() == pytest.approx([0.05 + k * (np.log(2) + 1e-3) for k in range(4)], abs=1e-5)
    distance = (graph.center - graph.center[0]).norm(dim=1) + 0.05
    assert found[0, :, 2].exp().tolist() == pytest.approx(distance.tolist(), abs=1e-5)
    assert found[0, :, 6].tolist() == pytest.approx([0.25, 0, 0, 0]) and found[0, :, 7].tolist() == [1, 0, 0, 0]


def test_what_is_told_of_a_mask() -> None:
    """Values .9, .7, .1 of 10, 20, 30 points: .9 and .7 are inside; above .2 are 30 points, above .8 are 10."""
    logits = torch.logit(torch.tensor([[0.9, 0.7, 0.1]]))
    found = _described(logits, torch.tensor([10.0, 20, 30]), torch.tensor([1]))
    assert found[0].tolist() == pytest.approx([(9 + 14) / 30, np.log(31) / 5, np.log(3), 0.7], abs=1e-5)


def test_a_query_does_not_see_outside_its_mask() -> None:
    torch.manual_seed(0)
    layer = _Layer(8, 2)
    content, place, features, places = (torch.randn(n, 8) for n in (2, 2, 3, 3))
    outside = torch.tensor([[False, True, True], [False, False, False]])
    changed = features + torch.tensor([[0.0], [1.0], [1.0]])
    before = layer._attended(layer.cross, content + place, features + places, features, ~outside)
    after = layer._attended(layer.cross, content + place, changed + places, changed, ~outside)
    assert torch.allclose(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_clouds_of_a_batch_are_segmented_as_if_alone(boxes) -> None:
    torch.manual_seed(0)
    network = SegmenterNetwork(TINY).eval()
    clouds = [inputs(boxes(2, 1)), inputs(boxes(3, 2))]
    tensor = SparseTensor.joined([cloud[0] for cloud in clouds])
    row = torch.cat([clouds[0][1], clouds[1][1] + len(clouds[0][0])])
    seeds = [torch.tensor([0, 5]), torch.tensor([3, 7, 11])]
    with torch.no_grad():
        together, _ = network(tensor, row, [cloud[2] for cloud in clouds], seeds)
        for cloud, of_cloud, found in zip(clouds, seeds, together, strict=True):
            alone = network(cloud[0], cloud[1], [cloud[2]], [of_cloud])[0][0]
            assert torch.allclose(found.masks, alone.masks, atol=1e-4)
            assert torch.allclose(found.overlaps, alone.overlaps, atol=1e-4)
            assert alone.masks.shape == (len(of_cloud), len(cloud[2])) and len(alone.layers) == TINY.layers + 1


def test_a_superpoint_without_neighbours_is_taken(boxes) -> None:
    torch.manual_seed(0)
    graph, _ = boxes(1)
    alone = graph.superpoint == 0
    one = GraphTensors.of(type(graph)(graph.points[alone], graph.colors[alone], graph.superpoint[alone], graph.nodes[:1],
                                      graph.pairs[:0], graph.edges[:0]), CPU)
    tensor, row = voxelised(torch.from_numpy(graph.points[alone]), torch.from_numpy(graph.colors[alone]), TINY.voxel_size)
    (found,), _ = SegmenterNetwork(TINY).eval()(tensor, row, [one], [torch.tensor([0])])
    assert found.masks.shape == (1, 1) and torch.isfinite(found.masks).all()


def test_it_learns_three_boxes(boxes) -> None:
    torch.manual_seed(0)
    network, (tensor, row, graph, label) = SegmenterNetwork(TINY), inputs(boxes(3, 0))
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    seeds = torch.tensor([1, 6, 10])
    for _ in range(40):
        (prediction,), (affinity,) = network(tensor, row, [graph], [seeds])
        found = losses(prediction, affinity, graph, label)
        optimizer.zero_grad()
        found.total.backward()
        optimizer.step()
    network.eval()
    (prediction,), (affinity,) = network(tensor, row, [graph], [torch.tensor([0, 7, 8])])
    assert ((prediction.masks > 0) == (label == torch.arange(3)[:, None])).float().mean() > 0.9
    assert ((affinity > 0) == (label[graph.pairs[:, 0]] == label[graph.pairs[:, 1]])).float().mean() > 0.9
