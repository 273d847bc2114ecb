from __future__ import annotations

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.field.exposure import Exposures, applied

CPU = torch.device("cpu")


def test_gain_and_offset_are_found_and_centred():
    true = torch.rand(4000, 3, generator=torch.Generator().manual_seed(0))
    exposures = Exposures(CPU)
    for stamp, (gain, offset) in enumerate([(1.2, 0.05), (0.8, -0.05)]):
        exposures.fit(stamp, true, true * gain + offset, torch.ones(4000))
    values = exposures.of([0, 1])
    torch.testing.assert_close(values[:, 0], torch.tensor([[1.2] * 3, [0.8] * 3]), atol=0.01, rtol=0)
    torch.testing.assert_close(values.mean(0), torch.tensor([[1.0] * 3, [0.0] * 3]), atol=1e-6, rtol=0)
    torch.testing.assert_close(exposures.of([7])[0], torch.tensor([[1.0] * 3, [0.0] * 3]))
    assert exposures.of([]).shape == (0, 2, 3)


def test_a_colourless_frame_has_an_offset_but_no_gain():
    exposures = Exposures(CPU)
    exposures.fit(1, torch.full((50, 3), 0.5), torch.full((50, 3), 0.6), torch.ones(50))
    exposures.fit(2, torch.full((50, 3), 0.5), torch.full((50, 3), 0.5), torch.ones(50))
    values = exposures.of([1])
    torch.testing.assert_close(values[0, 0], torch.ones(3))
    torch.testing.assert_close(values[0, 1], torch.full((3,), 0.05))


def test_what_is_not_trusted_does_not_count():
    true = torch.rand(100, 3)
    photographed = true.clone()
    photographed[:50] = 0.0
    exposures = Exposures(CPU)
    exposures.fit(1, true, photographed, torch.cat([torch.zeros(50), torch.ones(50)]))
    exposures.fit(2, true, true, torch.ones(100))
    exposures.fit(3, true, true * 0.0, torch.zeros(100))  # nothing to go by: as if it had not been asked
    torch.testing.assert_close(exposures.of([1, 2]), torch.tensor([[[1.0] * 3, [0.0] * 3]] * 2), atol=1e-6, rtol=0)
    assert len(exposures.state()["stamps"]) == 2


def test_applied():
    exposures = torch.tensor([[[2.0, 1.0, 1.0], [0.0, 0.1, 0.0]]])
    torch.testing.assert_close(applied(exposures, torch.tensor([[0.2, 0.3, 0.4]])), torch.tensor([[0.4, 0.4, 0.4]]))


def test_state_goes_round_and_damage_is_named():
    exposures, other = Exposures(CPU), Exposures(CPU)
    exposures.fit(5, torch.rand(10, 3), torch.rand(10, 3), torch.ones(10))
    other.load_state(exposures.state())
    torch.testing.assert_close(other.of([5]), exposures.of([5]))
    with pytest.raises(ValueError, match="exposures"):
        other.load_state({"stamps": np.array([1]), "values": np.zeros((1, 3))})
