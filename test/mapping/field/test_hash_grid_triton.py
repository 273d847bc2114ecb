"""The Triton kernels against the plain version: on a GPU, and without one through Triton's interpreter."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None,
                                reason="Triton is not installed: it comes with CUDA builds of torch")


def compare(device: str, count: int) -> None:
    """Raises AssertionError where the kernels differ from the plain version."""
    from magic3d_ros.mapping.field.hash_grid import HashGrid, _Encode
    from magic3d_ros.mapping.field.hash_grid_triton import encode

    generator = torch.Generator().manual_seed(0)
    grid = HashGrid(5, 2, 0.32, 0.01, 10, generator)
    with torch.no_grad():
        grid.table.normal_(generator=generator)
    grid.to(device)
    points = (torch.rand(count, 3, generator=generator) * 6 - 3).to(device)
    upstream = torch.randn(count, grid.width, generator=generator).to(device)
    results = []
    for function in (_Encode.apply, encode):
        at = points.clone().requires_grad_()
        features = function(at, grid.table, grid)
        results.append((features, *torch.autograd.grad(features, (at, grid.table), upstream)))
    for plain, kernel in zip(*results, strict=True):
        torch.testing.assert_close(kernel, plain, atol=1e-4, rtol=1e-4)
    constant = encode(points, grid.table, grid)  # points that need no gradient
    torch.testing.assert_close(torch.autograd.grad(constant, grid.table, upstream)[0], results[0][2], atol=1e-4, rtol=1e-4)
    assert encode(points[:0], grid.table, grid).shape == (0, grid.width)


@pytest.mark.gpu
def test_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    compare("cuda", 100_000)


def test_through_the_interpreter():
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


if __name__ == "__main__":
    compare("cpu", 700)
