from __future__ import annotations

import pytest
import torch

from magic3d_ros.mapping.field.hash_grid import PRIMES, HashGrid, share_slopes, shares


def grid(levels: int = 3, features: int = 2, coarsest: float = 0.4, finest: float = 0.1, bits: int = 8) -> HashGrid:
    made = HashGrid(levels, features, coarsest, finest, bits, torch.Generator().manual_seed(1))
    with torch.no_grad():
        made.table.normal_(generator=torch.Generator().manual_seed(2))
    return made


def test_tables_follow_the_area_law():
    made = HashGrid(3, 2, 0.4, 0.1, 16)
    assert made.edges == pytest.approx([0.4, 0.2, 0.1])
    assert (made.masks + 1).tolist() == [2**12, 2**14, 2**16]
    assert made.starts.tolist() == [0, 2**12, 2**12 + 2**14]
    assert made.table.shape == (2, 2**12 + 2**14 + 2**16)


def test_rows_are_the_papers_hash():
    made = grid(levels=1, coarsest=0.1, finest=0.1)
    point = torch.tensor([[0.57, -0.23, 1.31]])
    rows, place = made.corners(point)
    low = [5, -3, 13]
    for corner in range(8):
        cell = [low[0] + (corner >> 2 & 1), low[1] + (corner >> 1 & 1), low[2] + (corner & 1)]
        hashed = (cell[0] * PRIMES[0]) ^ (cell[1] * PRIMES[1]) ^ (cell[2] * PRIMES[2])
        assert rows[corner, 0, 0] == hashed % 256
    torch.testing.assert_close(place[:, 0, 0], torch.tensor([0.7, 0.7, 0.1]), atol=1e-5, rtol=0)


def test_at_a_corner_a_point_has_that_corners_features_and_halfway_the_mean():
    made = grid(levels=1, coarsest=0.5, finest=0.5)
    rows, _ = made.corners(torch.tensor([[1.0, 0.5, -2.0]]))
    torch.testing.assert_close(made(torch.tensor([[1.0, 0.5, -2.0]]))[0], made.table[:, rows[0, 0, 0].long()])
    between = made(torch.tensor([[1.25, 0.5, -2.0]]))[0]
    torch.testing.assert_close(between, made.table[:, rows[[0, 4], 0, 0].long()].mean(1))


def test_weights_sum_to_one_and_their_slopes_to_nothing():
    place = torch.rand(3, 2, 5)
    torch.testing.assert_close(shares(place).sum(0), torch.ones(2, 5))
    torch.testing.assert_close(share_slopes(place, torch.tensor([2.0, 10.0])).sum(1), torch.zeros(3, 2, 5), atol=1e-5, rtol=0)


def test_gradients_are_right():
    made = grid().double()
    made.per_metre = made.per_metre.double()
    points = (torch.rand(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 4 - 2).requires_grad_()

    def features(points: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        made.table.data = table.data
        return _with_table(made, points, table)

    assert torch.autograd.gradcheck(features, (points, made.table))
    _, slopes = made.with_slopes(points.detach())
    step = 1e-6
    for axis in range(3):
        moved = torch.zeros(3, dtype=torch.float64)
        moved[axis] = step
        numeric = (made(points.detach() + moved) - made(points.detach() - moved)) / (2 * step)
        torch.testing.assert_close(slopes[axis], numeric, atol=1e-6, rtol=1e-6)


def _with_table(made: HashGrid, points: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    from magic3d_ros.mapping.field.hash_grid import _Encode

    return _Encode.apply(points, table, made)


def test_losses_on_slopes_train_the_table():
    made = grid().double()
    made.per_metre = made.per_metre.double()
    points = torch.rand(4, 3, dtype=torch.float64)
    from magic3d_ros.mapping.field.hash_grid import _EncodeWithSlopes

    assert torch.autograd.gradcheck(lambda table: _EncodeWithSlopes.apply(points, table, made), (made.table,))


def test_far_from_the_origin_and_on_both_sides_of_it():
    made = grid(coarsest=0.32, finest=0.01, levels=4)
    for origin in (-3000.0, 0.0, 3000.0):
        points = torch.rand(100, 3) + origin
        features = made(points)
        assert torch.isfinite(features).all()
        assert features.std() > 0.3  # no two regions are all the same row
    rows, _ = made.corners(torch.tensor([[-0.001, -0.001, -0.001]]))
    assert len(set(rows[:, 3, 0].tolist())) == 8


def test_impossible_cells_are_refused():
    with pytest.raises(ValueError, match="finest"):
        HashGrid(4, 2, 0.1, 0.2, 10)
