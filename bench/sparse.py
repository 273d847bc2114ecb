"""Sparse convolutions against torch's dense ones on one cloud, and the U-Nets on a whole room.

    ./run bench sparse [MESH.npz] [--voxel METRES] [--width CHANNELS] [--device cuda]

The cloud: the vertices of replica_office0's ground-truth mesh (a furnished room of 4.4 x 4.9 x 2.9 m). The dense convolution gets
the room's box as a grid, and is timed on the largest slab of the room that fits --dense-voxels; its time
for the whole is that by volume. Processor seconds on the processor, wall clock on a GPU. Open3D-ML's own sparse convolution runs
beside them where `open3d.ml.torch` can be loaded. Exit code 1 when the results differ or sparse is not faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from magic3d_ros.networks.sparse_convolution import SubmanifoldConvolution, convolve
from magic3d_ros.networks.sparse_tensor import SparseTensor
from magic3d_ros.networks.sparse_unet import RES16UNET34C, SMALL, SparseUNet

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "replica_office0" / "gt_mesh_labels.npz"
REPEATS = 3
SAME = 1e-3  # float32 sums of 27 x width products in another order


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench sparse", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mesh", nargs="?", type=Path, default=DEFAULT, help="npz with vertices (N, 3) in metres")
    parser.add_argument("--voxel", type=float, default=0.04, help="metres")
    parser.add_argument("--width", type=int, default=32, help="channels in and out")
    parser.add_argument("--dense-voxels", type=int, default=1 << 20, help="largest dense grid")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    console, device = Console(highlight=False), torch.device(options.device)
    with np.load(options.mesh, allow_pickle=False) as stored:
        points = torch.from_numpy(stored["vertices"]).float().to(device)
    torch.manual_seed(0)
    clock = Clock(device)
    tensor, _ = SparseTensor.from_points(points, torch.randn(len(points), options.width, device=device), options.voxel)
    layer = SubmanifoldConvolution(options.width, options.width).to(device)
    pairs = sum(len(rows) for rows in tensor.sites.neighbours().inputs)
    console.print(f"{len(points)} points, {len(tensor)} voxels of {options.voxel} m, {pairs / len(tensor):.1f} of 27 neighbours")

    table = Table("3^3, 'same', forward and backward", f"{options.width} channels, ms")
    mapping = clock.of(lambda: SparseTensor.from_points(points, points, options.voxel)[0].sites.neighbours())
    sparse = clock.of(lambda: stepped(lambda x: convolve(x, layer.weight, tensor.sites.neighbours()), tensor.features, layer))
    through_autograd = clock.of(lambda: stepped(lambda x: plain(x, layer.weight, tensor), tensor.features, layer))
    slab, share = dense_part(tensor, options.dense_voxels)
    kernel = layer.weight.detach().permute(2, 1, 0).reshape(options.width, options.width, 3, 3, 3).requires_grad_()
    dense = clock.of(lambda: stepped_dense(slab, kernel)) / share
    table.add_row("voxels, table and map (once a cloud)", f"{mapping:.0f}")
    table.add_row("sparse", f"{sparse:.0f}")
    table.add_row("sparse, gradients left to autograd", f"{through_autograd:.0f}")
    table.add_row(f"dense, timed on {100 * share:.0f} % of the room", f"{dense:.0f}")
    console.print(table)
    console.print(open3d_ml())
    difference = compared(layer, tensor, kernel)
    console.print(f"largest difference from the dense result: {difference:.1e}")
    for name, shape in (("small", SMALL), ("Res16UNet34C", RES16UNET34C)):
        network = SparseUNet(3, 96, *shape).to(device).eval()
        colored = tensor.with_features(tensor.features[:, :3].contiguous())
        with torch.inference_mode():
            console.print(f"U-Net {name}: {clock.of(lambda n=network, c=colored: n(c), 1) / 1000:.2f} s for the room, inference")
    return 0 if difference < SAME and sparse < dense else 1


class Clock:
    """Milliseconds of a call once warm: of the processor, or of the wall on a GPU."""

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"

    def of(self, call: Callable[[], object], repeats: int = REPEATS) -> float:
        call()
        begin = self._now()
        for _ in range(repeats):
            call()
        return (self._now() - begin) / repeats * 1000

    def _now(self) -> float:
        if self._on_gpu:
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()


def stepped(forward: Callable[[torch.Tensor], torch.Tensor], features: torch.Tensor, layer: SubmanifoldConvolution) -> None:
    """Forward and both gradients."""
    leaf = features.detach().requires_grad_()
    torch.autograd.grad(forward(leaf).sum(), (leaf, layer.weight))


def plain(features: torch.Tensor, weight: torch.Tensor, tensor: SparseTensor) -> torch.Tensor:
    """The same convolution from torch's own operations."""
    joins, result = tensor.sites.neighbours(), torch.zeros_like(features)
    for place, (source, target) in enumerate(zip(joins.inputs, joins.outputs, strict=True)):
        result = result.index_add(0, target, features.index_select(0, source) @ weight[place])
    return result


def stepped_dense(grid: torch.Tensor, kernel: torch.Tensor) -> None:
    leaf = grid.detach().requires_grad_()
    torch.autograd.grad(torch.nn.functional.conv3d(leaf, kernel, padding=1).sum(), (leaf, kernel))


def dense_part(tensor: SparseTensor, largest: int) -> tuple[torch.Tensor, float]:
    """(1, C, x, y, z) grid of a slab of the cloud, and its share of the cloud's box."""
    place = tensor.sites.coordinates[:, 1:]
    low, size = place.min(0).values, place.max(0).values - place.min(0).values + 1
    layers = min(int(size[0]), max(1, largest // int(size[1] * size[2])))
    start = (int(size[0]) - layers) // 2
    inside = (place[:, 0] - low[0] >= start) & (place[:, 0] - low[0] < start + layers)
    grid = torch.zeros(layers, int(size[1]), int(size[2]), tensor.features.shape[1], device=place.device)
    x, y, z = (place[inside] - low).unbind(1)
    grid[x - start, y, z] = tensor.features[inside]
    return grid.permute(3, 0, 1, 2)[None].contiguous(), layers / int(size[0])


def compared(layer: SubmanifoldConvolution, tensor: SparseTensor, kernel: torch.Tensor) -> float:
    """Largest difference of the two on a cube of 48 voxels in the middle of the cloud."""
    place = tensor.sites.coordinates
    middle = place[:, 1:].float().mean(0).long()
    chosen = ((place[:, 1:] - middle).abs() < 24).all(1)
    part, _ = SparseTensor.from_points(tensor.sites.centers[chosen], tensor.features[chosen], tensor.sites.voxel_size)
    grid, _ = dense_part(part, 1 << 30)
    x, y, z = (part.sites.coordinates[:, 1:] - part.sites.coordinates[:, 1:].min(0).values).unbind(1)
    with torch.inference_mode():
        theirs = torch.nn.functional.conv3d(grid, kernel, padding=1)[0, :, x, y, z].T
        return float((layer(part).features - theirs).abs().max())


def open3d_ml() -> str:
    """Whether Open3D-ML's operations are here to compare with."""
    try:
        import open3d.ml.torch as open3d_torch  # noqa: F401
    except Exception as error:  # a library built against another torch fails in many ways, all of them "not here"
        return f"Open3D-ML's operations cannot be loaded here ({type(error).__name__}): no figure of theirs"
    return "Open3D-ML's operations can be loaded here; its figure is not part of this bench"


if __name__ == "__main__":
    raise SystemExit(main())
