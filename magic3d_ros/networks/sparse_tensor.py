"""Features of occupied voxels, of one cloud or of several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from magic3d_ros.networks.sites import Sites


@dataclass(frozen=True)
class SparseTensor:
    """features: (V, C) float32, one row for each of the V sites."""

    features: torch.Tensor
    sites: Sites

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or len(self.features) != len(self.sites):
            raise ValueError(f"features of {len(self.sites)} voxels are ({len(self.sites)}, C), not {tuple(self.features.shape)}")

    @staticmethod
    def from_points(points: torch.Tensor, features: torch.Tensor, voxel_size: float,
                    batch: torch.Tensor | None = None) -> tuple[SparseTensor, torch.Tensor]:
        """Mean features of the voxels that points fall into -> tensor, (N,) int64 voxel of each point.

        points: (N, 3) float metres. features: (N, C) float. voxel_size: metres. batch: (N,) int64 number of each point's cloud,
        None = all of cloud 0. Raises ValueError for shapes that do not fit and for values that are not finite.
        """
        if points.ndim != 2 or points.shape[1] != 3 or features.ndim != 2 or len(features) != len(points):
            raise ValueError(f"points are (N, 3) and features (N, C), not {tuple(points.shape)} and {tuple(features.shape)}")
        if not voxel_size > 0:
            raise ValueError(f"a voxel's edge is positive, not {voxel_size}")
        if not torch.isfinite(points).all():
            raise ValueError("some points are not finite: leave them out")
        if not torch.isfinite(features).all():
            raise ValueError("some features are not finite: leave their points out")
        place = torch.floor(points.double() / voxel_size).clamp(-2.0**40, 2.0**40).long()
        cloud = place.new_zeros(len(place)) if batch is None else batch.long()
        sites, row = Sites.of(torch.cat([cloud[:, None], place], 1), voxel_size)
        return SparseTensor(mean_by_row(features.float(), row, len(sites)), sites), row

    @staticmethod
    def joined(tensors: Sequence[SparseTensor]) -> SparseTensor:
        """Several single clouds as one batch, numbered in their order; rows keep their order. Raises ValueError."""
        if not tensors:
            raise ValueError("a batch needs at least one cloud")
        sizes = {tensor.sites.voxel_size for tensor in tensors}
        if len(sizes) > 1:
            raise ValueError(f"clouds of one batch have one voxel size, not {sorted(sizes)}")
        places = [tensor.sites.coordinates.clone() for tensor in tensors]
        for number, place in enumerate(places):
            place[:, 0] = number
        sites, row = Sites.of(torch.cat(places), sizes.pop())
        assert len(sites) == len(row)  # clouds are apart, and each is in ascending order already
        return SparseTensor(torch.cat([tensor.features for tensor in tensors]), sites)

    def __len__(self) -> int:
        return len(self.sites)

    def to(self, device: torch.device) -> SparseTensor:
        """On another device; on the same one itself, with the maps that its sites have found."""
        if self.features.device == device:
            return self
        return SparseTensor(self.features.to(device),
                            Sites(self.sites.coordinates.to(device), self.sites.keys.to(device), self.sites.voxel_size))

    def with_features(self, features: torch.Tensor) -> SparseTensor:
        """Other features of the same sites."""
        return SparseTensor(features, self.sites)


def mean_by_row(values: torch.Tensor, row: torch.Tensor, count: int) -> torch.Tensor:
    """(count, C) means of (N, C) values by their (N,) rows; zero where a row has none."""
    total = values.new_zeros(count, values.shape[1]).index_add_(0, row, values)
    return total / torch.bincount(row, minlength=count).clamp(min=1)[:, None]
