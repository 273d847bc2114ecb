"""Convolutions on occupied voxels: gather the rows of a place of the kernel, multiply, add to the rows they belong to."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from magic3d_ros.networks.sites import KernelMap
from magic3d_ros.networks.sparse_tensor import SparseTensor


class _Convolution(torch.autograd.Function):
    """Gradients by hand: autograd would keep the gathered rows of every place of the kernel, ten times the features on surfaces,
    and takes 1.2 times as long (bench sparse)."""

    @staticmethod
    def forward(ctx: Any, features: torch.Tensor, weight: torch.Tensor, joins: KernelMap) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(features, weight)
        ctx.joins = joins
        result = features.new_zeros(joins.n_outputs, weight.shape[2])
        for place, (source, target) in enumerate(zip(joins.inputs, joins.outputs, strict=True)):
            if len(source):
                result.index_add_(0, target, features.index_select(0, source) @ weight[place])
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        (features, weight), gradient = ctx.saved_tensors, gradients[0].contiguous()
        to_features = torch.zeros_like(features) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for place, (source, target) in enumerate(zip(ctx.joins.inputs, ctx.joins.outputs, strict=True)):
            if not len(source):
                continue
            rows = gradient.index_select(0, target)
            if to_features is not None:
                to_features.index_add_(0, source, rows @ weight[place].T)
            if to_weight is not None:
                to_weight[place] = features.index_select(0, source).T @ rows
        return to_features, to_weight, None


def convolve(features: torch.Tensor, weight: torch.Tensor, joins: KernelMap) -> torch.Tensor:
    """(n_outputs, D): features (n_inputs, C) through weight (K, C, D) along a map of K places. Differentiable."""
    if features.shape[1] != weight.shape[1] or len(weight) != len(joins.inputs) or len(features) != joins.n_inputs:
        raise ValueError(f"{tuple(features.shape)} features, a {tuple(weight.shape)} kernel and a map of {len(joins.inputs)} "
                         f"places from {joins.n_inputs} rows do not fit together")
    return _Convolution.apply(features, weight, joins)


class _Kernel(nn.Module):
    """weight (K, C, D), no bias: a batch norm follows every convolution here."""

    def __init__(self, places: int, in_channels: int, out_channels: int, joined: float) -> None:
        """joined: places of the kernel that are occupied on average, for the scale of first weights (He et al. 2015)."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(places, in_channels, out_channels) * math.sqrt(2 / (joined * in_channels)))


class SubmanifoldConvolution(_Kernel):
    """kernel^3, outputs only where inputs are (Graham et al. 2018)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__(kernel**3, in_channels, out_channels, joined=kernel**2)  # of surfaces about kernel^2 places are occupied
        self.kernel = kernel

    def forward(self, tensor: SparseTensor) -> SparseTensor:
        """The same sites, other features."""
        return tensor.with_features(convolve(tensor.features, self.weight, tensor.sites.neighbours(self.kernel)))


class DownConvolution(_Kernel):
    """2^3 of stride 2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(8, in_channels, out_channels, joined=4)

    def forward(self, tensor: SparseTensor) -> SparseTensor:
        """Onto the voxels of twice the edge."""
        sites, joins = tensor.sites.coarser
        return SparseTensor(convolve(tensor.features, self.weight, joins), sites)


class UpConvolution(_Kernel):
    """The transpose of a `DownConvolution`: back onto the sites that it came from."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(8, in_channels, out_channels, joined=1)

    def forward(self, tensor: SparseTensor, onto: SparseTensor) -> SparseTensor:
        """onto: the finer tensor whose `sites.coarser` the tensor's sites are."""
        _, joins = onto.sites.coarser
        return onto.with_features(convolve(tensor.features, self.weight, joins.transposed()))


class RowNorm(nn.BatchNorm1d):
    """Batch norm over all voxels of a batch. A single voxel has no variance: it is normalised by the running figures."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(V, C) -> (V, C)."""
        if self.training and len(input) < 2:
            return nn.functional.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)
