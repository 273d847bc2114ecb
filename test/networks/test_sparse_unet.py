"""The sparse U-Net: shapes, batches, translations, learning."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import RES16UNET34C, SMALL, SparseUNet


def cloud(count: int = 400, seed: int = 0) -> SparseTensor:
    random = torch.Generator().manual_seed(seed)
    return SparseTensor.from_points(torch.rand(count, 3, generator=random), torch.rand(count, 3, generator=random), 0.1)[0]


def test_levels_go_from_coarse_to_fine() -> None:
    torch.manual_seed(0)
    network, tensor = SparseUNet(3, 11), cloud()
    levels = network.pyramid(tensor)
    assert [level.features.shape[1] for level in levels] == [96, 64, 32, 16]
    assert [round(level.sites.voxel_size, 3) for level in levels] == [0.8, 0.4, 0.2, 0.1]
    assert levels[-1].sites is tensor.sites
    assert network(tensor).features.shape == (len(tensor), 11)


def test_clouds_in_a_batch_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    network, one, two = SparseUNet(3, 4).eval(), cloud(seed=1), cloud(seed=2)
    both = network(SparseTensor.joined([one, two]))
    for number, alone in enumerate((one, two)):
        assert torch.allclose(both.features[both.sites.batch == number], network(alone).features, atol=1e-5)


def test_it_learns_which_half_a_voxel_is_in() -> None:
    torch.manual_seed(0)
    network, tensor = SparseUNet(3, 2, widths=(8, 8, 8), blocks=(0, 1, 1)), cloud(800)
    tensor = tensor.with_features(tensor.features - 0.5)
    truth = (tensor.features[:, 0] > 0).long()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss = functional.cross_entropy(network(tensor).features, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.5
    assert losses[-1] < 0.1


def test_the_full_network_has_the_size_of_res16unet34c() -> None:
    network = SparseUNet(3, 96, *RES16UNET34C)
    assert 36e6 < sum(p.numel() for p in network.parameters()) < 39e6


def test_one_voxel_is_enough_also_in_training() -> None:
    network = SparseUNet(3, 2, *SMALL)
    tensor = SparseTensor.from_points(torch.zeros(1, 3), torch.zeros(1, 3), 0.1)[0]
    assert torch.isfinite(network(tensor).features).all()


def test_bad_input_is_named() -> None:
    network = SparseUNet(3, 2)
    with pytest.raises(ValueError, match="takes 3 channels, not 4"):
        network(cloud().with_features(torch.zeros(len(cloud()), 4)))
    with pytest.raises(ValueError, match="empty"):
        network(SparseTensor.from_points(torch.zeros(0, 3), torch.zeros(0, 3), 0.1)[0])
    with pytest.raises(ValueError, match="one more level"):
        SparseUNet(3, 2, widths=(8, 8), blocks=(1, 1, 1))
    with pytest.raises(ValueError, match="at least one block"):
        SparseUNet(3, 2, widths=(8, 16), blocks=(0, 0))
