"""Sparse convolutions against torch's dense ones, forward and backward, on a batch of two clouds."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from magic3d_ros.networks.sites import LIMIT, Sites, packed, unpacked
from magic3d_ros.networks.sparse_convolution import DownConvolution, RowNorm, SubmanifoldConvolution, UpConvolution
from magic3d_ros.networks.sparse_tensor import SparseTensor

SIDE = 8


@pytest.fixture
def tensor() -> SparseTensor:
    """150 voxels of two clouds in a grid of 8^3, some of it at negative coordinates."""
    random = torch.Generator().manual_seed(0)
    place = torch.randint(0, SIDE, (150, 4), generator=random)
    place[:, 0] %= 2
    sites, _ = Sites.of(place - torch.tensor([0, 4, 4, 4]), 0.1)
    return SparseTensor(torch.randn(len(sites), 5, generator=random).double().requires_grad_(), sites)


def dense(tensor: SparseTensor, side: int = SIDE, low: int = -4) -> torch.Tensor:
    grid = tensor.features.new_zeros(2, side, side, side, tensor.features.shape[1])
    cloud, x, y, z = tensor.sites.coordinates.unbind(1)
    return grid.index_put((cloud, x - low, y - low, z - low), tensor.features).permute(0, 4, 1, 2, 3)


def at_sites(grid: torch.Tensor, sites: Sites, low: int = -4) -> torch.Tensor:
    cloud, x, y, z = sites.coordinates.unbind(1)
    return grid[cloud, :, x - low, y - low, z - low]


def agree(ours: torch.Tensor, theirs: torch.Tensor, *leaves: torch.Tensor) -> None:
    assert torch.allclose(ours, theirs, atol=1e-10)
    random = torch.Generator().manual_seed(1)
    towards = torch.randn(ours.shape, generator=random, dtype=ours.dtype)
    for a, b in zip(torch.autograd.grad(ours, leaves, towards, retain_graph=True),
                    torch.autograd.grad(theirs, leaves, towards, retain_graph=True), strict=True):
        assert a.abs().max() > 0.1
        assert torch.allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_submanifold_convolution_is_the_dense_one_at_occupied_voxels(tensor: SparseTensor, kernel: int) -> None:
    layer = SubmanifoldConvolution(5, 7, kernel).double()
    as_dense = layer.weight.permute(2, 1, 0).reshape(7, 5, kernel, kernel, kernel)
    theirs = functional.conv3d(dense(tensor), as_dense, padding=kernel // 2)
    agree(layer(tensor).features, at_sites(theirs, tensor.sites), tensor.features, layer.weight)


def test_a_step_down_is_the_dense_one_of_stride_two(tensor: SparseTensor) -> None:
    layer = DownConvolution(5, 7).double()
    ours = layer(tensor)
    theirs = functional.conv3d(dense(tensor), layer.weight.permute(2, 1, 0).reshape(7, 5, 2, 2, 2), stride=2)
    assert ours.sites.voxel_size == 0.2
    agree(ours.features, at_sites(theirs, ours.sites, low=-2), tensor.features, layer.weight)


def test_a_step_up_is_the_dense_transpose_at_the_voxels_it_came_from(tensor: SparseTensor) -> None:
    coarse = SparseTensor(torch.randn(len(tensor.sites.coarser[0]), 7).double().requires_grad_(), tensor.sites.coarser[0])
    layer = UpConvolution(7, 5).double()
    ours = layer(coarse, tensor)
    kernel = layer.weight.permute(1, 2, 0).reshape(7, 5, 2, 2, 2)
    theirs = functional.conv_transpose3d(dense(coarse, SIDE // 2, -2), kernel, stride=2)
    assert ours.sites is tensor.sites
    agree(ours.features, at_sites(theirs, tensor.sites), coarse.features, layer.weight)


def test_maps_are_found_once(tensor: SparseTensor) -> None:
    assert tensor.sites.neighbours() is tensor.sites.neighbours()
    assert tensor.sites.coarser is tensor.sites.coarser


def test_keys_come_back_as_the_coordinates_they_were() -> None:
    place = torch.tensor([[0, -LIMIT, 0, LIMIT], [0, 0, -1, 5], [3, 7, 7, -7]])
    keys = packed(place)
    assert (keys[1:] > keys[:-1]).all()
    assert unpacked(keys).tolist() == place.tolist()


def test_voxels_at_the_border_of_keys_are_no_neighbours_of_the_next_row() -> None:
    sites, _ = Sites.of(torch.tensor([[0, 0, 0, LIMIT], [0, 0, 1, -LIMIT]]), 0.1)
    assert [len(pairs) for pairs in sites.neighbours(7).inputs].count(0) == 7**3 - 1


def test_points_become_the_mean_of_their_voxel() -> None:
    points = torch.tensor([[0.01, 0.0, 0.0], [-0.01, 0.0, 0.0], [0.09, 0.05, 0.0]])
    tensor, row = SparseTensor.from_points(points, torch.tensor([[1.0], [5.0], [3.0]]), 0.1)
    assert tensor.sites.coordinates.tolist() == [[0, -1, 0, 0], [0, 0, 0, 0]]
    assert tensor.features.tolist() == [[5.0], [2.0]]
    assert row.tolist() == [1, 0, 1]
    assert torch.allclose(tensor.sites.centers[0], torch.tensor([-0.05, 0.05, 0.05]))


def test_clouds_joined_do_not_touch() -> None:
    one = SparseTensor.from_points(torch.zeros(1, 3), torch.ones(1, 1), 0.1)[0]
    two = SparseTensor.joined([one, one.with_features(torch.full((1, 1), 2.0))])
    layer = SubmanifoldConvolution(1, 1)
    torch.nn.init.ones_(layer.weight)
    assert layer(two).features.tolist() == [[1.0], [2.0]]
    assert two.features[two.sites.batch == 1].tolist() == [[2.0]]


@pytest.mark.parametrize("points, features, voxel, said", [
    (torch.full((1, 3), float("nan")), torch.ones(1, 1), 0.1, "points are not finite"),
    (torch.zeros(1, 3), torch.full((1, 1), float("nan")), 0.1, "features are not finite"),
    (torch.tensor([[1e9, 0, 0]]), torch.ones(1, 1), 0.1, "move or crop it"),
    (torch.zeros(2, 3), torch.ones(1, 1), 0.1, "features"),
    (torch.zeros(1, 3), torch.ones(1, 1), 0.0, "positive"),
])
def test_bad_clouds_are_named(points: torch.Tensor, features: torch.Tensor, voxel: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SparseTensor.from_points(points, features, voxel)


def test_a_single_voxel_is_normalised_by_the_running_figures() -> None:
    norm = RowNorm(1, eps=0.0)
    norm.running_mean.fill_(1.0)
    norm.running_var.fill_(4.0)
    assert norm(torch.tensor([[5.0]])).tolist() == [[2.0]]
