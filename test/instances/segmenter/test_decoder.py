"""The mask decoder: where queries start, what they look at, that clouds of a batch stay apart, that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.instances.segmenter.decoder import _Layer, _Level
from magic3d_ros.instances.segmenter.losses import losses
from magic3d_ros.instances.segmenter.network import Architecture, SegmenterNetwork, voxelised
from magic3d_ros.instances.segmenter.queries import PlaceEncoding, furthest_points
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import Shape

TINY = Architecture(Shape((8, 8, 16, 16), (0, 1, 1, 1), (8, 8, 16), (1, 1, 1), 3), width=16, heads=2, rounds=1, voxel_size=0.1)


def boxes(count: int = 3, seed: int = 0) -> tuple[SparseTensor, torch.Tensor]:
    """Points in cubes of .8 m, 1.2 m apart, of different colours -> voxels, label of each."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(count), 300)
    points = random.uniform(0, 0.8, (len(label), 3)) + np.stack([label * 1.2, 0 * label, 0 * label], 1)
    tensor, row = voxelised(torch.from_numpy(points), torch.from_numpy(80 * np.stack([label] * 3, 1)), 0.1)
    of_voxel = torch.empty(len(tensor), dtype=torch.long)
    of_voxel[row] = torch.from_numpy(label)
    return tensor, of_voxel


def test_furthest_points_by_hand() -> None:
    line = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 0, 0]])
    assert furthest_points(line, 3).tolist() == [0, 3, 2]
    assert furthest_points(line, 9, first=1).tolist() == [1, 3, 0, 2][:4]


def test_places_are_told_in_metres() -> None:
    """The longest wave tells apart what the shortest repeats."""
    encoding = PlaceEncoding(4)
    torch.nn.init.eye_(encoding.linear.weight)
    near, far = encoding(torch.zeros(1, 3)), encoding(torch.tensor([[0.2, 0.0, 0.0]]))
    assert near[0, 0].item() == pytest.approx(far[0, 0].item(), abs=2e-3)
    assert near.shape == (1, 4)


def test_a_query_does_not_see_outside_its_mask() -> None:
    torch.manual_seed(0)
    layer = _Layer(8, 2)
    content, place = torch.randn(2, 8), torch.randn(2, 8)
    level = _Level(torch.randn(3, 8), torch.randn(3, 8), torch.randn(3, 8))
    outside = torch.tensor([[False, True, True], [False, False, False]])
    changed = level._replace(content=level.content + torch.tensor([[0.0], [1.0], [1.0]]))
    alone = torch.zeros(2, 2, dtype=torch.bool)
    cross = layer._attended(layer.cross, content + place, level.content + level.place, level.content, ~outside)
    cross_changed = layer._attended(layer.cross, content + place, changed.content + level.place, changed.content, ~outside)
    assert torch.allclose(cross[0], cross_changed[0])
    assert not torch.allclose(cross[1], cross_changed[1])
    assert alone.shape == (2, 2)


def test_a_query_without_a_mask_looks_everywhere() -> None:
    torch.manual_seed(0)
    decoder = SegmenterNetwork(TINY).decoder
    features = torch.randn(5, 16)
    level = _Level(features, features, torch.zeros(5, 16))
    assert not decoder._outside(torch.randn(3, 16), level._replace(mask_features=features * 0 - 0.0)).any()


def test_mask_features_of_levels_are_means_of_the_voxels_they_cover() -> None:
    torch.manual_seed(0)
    network, (tensor, _) = SegmenterNetwork(TINY).eval(), boxes()
    pyramid = network.unet.pyramid(SparseTensor.joined([tensor, tensor]))
    values = torch.randn(len(pyramid[-1]), 16)
    levels = network.decoder._levels(pyramid, 1, torch.zeros(3), values[pyramid[-1].sites.batch == 1])
    assert [len(level.content) for level in levels] == [int((p.sites.batch == 1).sum()) for p in pyramid[:3]]
    finer = pyramid[-1].sites.coordinates[pyramid[-1].sites.batch == 1]
    coarse = pyramid[-2].sites.coordinates[pyramid[-2].sites.batch == 1]
    inside = ((finer[:, 1:] >> 1) == coarse[0, 1:]).all(1)
    assert inside.sum() > 1
    assert torch.allclose(levels[-1].mask_features[0], values[pyramid[-1].sites.batch == 1][inside].mean(0), atol=1e-5)


def test_clouds_of_a_batch_are_segmented_as_if_alone() -> None:
    torch.manual_seed(0)
    network, (one, _), (two, _) = SegmenterNetwork(TINY).eval(), boxes(2, 1), boxes(3, 2)
    with torch.no_grad():
        together = network(SparseTensor.joined([one, two]), 2, 6)
        for number, tensor in enumerate((one, two)):
            alone = network(tensor, 1, 6)[0][-1]
            assert torch.allclose(together[number][-1].masks, alone.masks, atol=1e-4)
            assert alone.masks.shape == (6, len(tensor))


def test_it_learns_three_boxes() -> None:
    torch.manual_seed(0)
    network, (tensor, label) = SegmenterNetwork(TINY), boxes()
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    for step in range(50):
        found = losses(network(tensor, 1, 6, step % 50, True)[0], label)
        optimizer.zero_grad()
        found.total.backward()
        optimizer.step()
    prediction = network(tensor, 1, 6)[0][-1]
    best = [((prediction.masks > 0) & (label == k)).sum(1) / ((prediction.masks > 0) | (label == k)).sum(1) for k in range(3)]
    assert min(float(iou.max()) for iou in best) > 0.9
