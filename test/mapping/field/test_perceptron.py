from __future__ import annotations

import pytest
import torch

from magic3d_ros.mapping.field.perceptron import Perceptron


def test_a_new_network_adds_nothing():
    assert not Perceptron(5, 16, 2, 3, False)(torch.randn(7, 5)).any()


@pytest.mark.parametrize("smooth", [True, False])
def test_slopes_are_those_of_the_values(smooth: bool):
    generator = torch.Generator().manual_seed(0)
    network = Perceptron(4, 8, 2, 2, smooth, generator).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    inputs = torch.randn(5, 4, dtype=torch.float64, generator=generator)
    directions = torch.randn(3, 5, 4, dtype=torch.float64, generator=generator)
    values, slopes = network.with_slopes(inputs, directions)
    torch.testing.assert_close(values, network(inputs))
    for axis in range(3):
        numeric = (network(inputs + 1e-6 * directions[axis]) - network(inputs - 1e-6 * directions[axis])) / 2e-6
        torch.testing.assert_close(slopes[axis], numeric, atol=1e-5, rtol=1e-5)
