from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.instances.identity import IdentityMemory


def bar(first, last, row=0):
    """Points of a bar: one in each 4 cm cell from `first` to `last`, excluded."""
    return np.stack([np.arange(first, last), np.full(last - first, row), np.zeros(last - first)], 1) * 0.04 + 0.02


def assign(memory, *bars):
    """Ids of the things that the bars are."""
    points = np.concatenate(bars) if bars else np.zeros((0, 3))
    thing = np.repeat(np.arange(len(bars)), [len(b) for b in bars]).astype(np.int64)
    return memory.assign(points, thing, len(bars)).tolist()


def test_new_things_count_up_and_known_ones_stay():
    memory = IdentityMemory()
    assert assign(memory, bar(0, 10), bar(20, 30)) == [0, 1]
    assert assign(memory, bar(20, 30), bar(0, 10), bar(40, 50)) == [1, 0, 2]


def test_points_that_move_within_their_cells_change_nothing():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(20, 30))
    assert assign(memory, bar(20, 30) + 0.015, bar(0, 10) - 0.015) == [1, 0]


def test_growth_keeps_the_id():
    memory = IdentityMemory()
    assign(memory, bar(0, 5))
    assert assign(memory, bar(0, 100)) == [0]  # only 5 % overlap, but all of the old thing is in the new one


def test_of_a_split_the_largest_part_keeps_the_id():
    memory = IdentityMemory()
    assign(memory, bar(0, 10))
    assert assign(memory, bar(0, 3), bar(3, 10)) == [1, 0]


def test_of_a_merge_the_larger_overlap_gives_the_id_and_the_other_returns_when_they_part():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(10, 14))
    assert assign(memory, bar(0, 14)) == [0]
    assert assign(memory, bar(0, 14)) == [0]
    assert assign(memory, bar(10, 14), bar(0, 10)) == [1, 0]


def test_of_a_merge_of_two_of_like_size_the_older_gives_the_id():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(30, 40))
    assign(memory, bar(0, 10), bar(10, 24), bar(30, 40), bar(40, 70))
    assert assign(memory, bar(0, 24), bar(30, 70)) == [0, 3]  # 10 and 14 cells; 10 and 30 cells


def test_an_id_returns_with_its_surface():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(20, 30))
    assert assign(memory, bar(0, 10)) == [0]
    assert assign(memory, bar(0, 10), bar(20, 30)) == [0, 1]


def test_an_id_does_not_return_for_something_that_barely_touches_its_place():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(20, 30))
    assign(memory, bar(0, 10))
    assert assign(memory, bar(0, 10), bar(28, 45)) == [0, 2]


def test_a_neighbour_does_not_take_an_id():
    memory = IdentityMemory()
    assign(memory, bar(0, 10))
    assert assign(memory, bar(9, 30)) == [1]  # 1 of 10 and 21 points shared


def test_cells_are_shared_by_points():
    memory = IdentityMemory()
    # both things lie in the same cells; 0 with three points in each, 1 with one
    many, few = np.tile(bar(0, 10), (3, 1)), bar(0, 10)
    assert assign(memory, many, few) == [0, 1]
    assert assign(memory, few, many) == [1, 0]


def test_recall_gives_the_id_that_covers_a_place():
    memory = IdentityMemory()
    assert memory.recall(bar(0, 3)).tolist() == [-1, -1, -1]
    assign(memory, np.tile(bar(0, 2), (3, 1)), bar(1, 4))  # both in cell 1: three points against one
    assert memory.recall(bar(-1, 5)).tolist() == [-1, 0, 0, 1, 1, -1]
    assign(memory, bar(0, 2))
    assert memory.recall(bar(-1, 5)).tolist() == [-1, 0, 0, -1, -1, -1]  # 1 was not there in the last run


def test_empty_runs_and_places_long_unused():
    memory = IdentityMemory()
    assign(memory, bar(0, 10))
    assert assign(memory) == []
    assert assign(memory, bar(0, 10)) == [0]
    for _ in range(202):
        assign(memory)
    assert assign(memory, bar(0, 10)) == [1]  # forgotten, and the number is not used again


def test_far_and_negative_places_are_apart():
    memory = IdentityMemory()
    assert assign(memory, bar(-10, 0), bar(0, 10), bar(0, 10) + np.array([0, 0, 1000.0])) == [0, 1, 2]
    assert assign(memory, bar(0, 10) + np.array([0, 0, 1000.0]), bar(-10, 0)) == [2, 0]


def test_reset_forgets_places_but_not_numbers():
    memory = IdentityMemory()
    assign(memory, bar(0, 10))
    memory.reset()
    assert assign(memory, bar(0, 10)) == [1]


def test_state_round_trip():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(20, 30))
    assign(memory, bar(0, 10))
    other = IdentityMemory()
    other.load_state(memory.state())
    assert assign(other, bar(20, 30), bar(0, 10), bar(50, 60)) == [1, 0, 2]


@pytest.mark.parametrize(("change", "named"), [
    ({"id": np.zeros(10, np.float32)}, "'id'"),
    ({"points": np.zeros(3, np.int64)}, "different lengths"),
    ({"known": np.zeros((2, 3), np.int64)}, "'known'"),
    ({"next": np.array([0])}, "'next'"),
    ({"id": np.full(10, -1)}, "'next'"),
])
def test_state_that_does_not_fit_is_named(change, named):
    memory = IdentityMemory()
    assign(memory, bar(0, 10))
    with pytest.raises(ValueError, match=named):
        IdentityMemory().load_state({**memory.state(), **change})


def test_ids_move_with_the_world():
    memory = IdentityMemory()
    assign(memory, bar(0, 10), bar(20, 30))
    points, ids = memory.places()
    np.testing.assert_allclose(points[ids == 1], bar(20, 30), atol=1e-12)
    memory.move(points + np.where(ids == 1, 4.0, 0.0)[:, None])
    assert assign(memory, bar(20, 30) + 4.0, bar(0, 10), bar(20, 30)) == [1, 0, 2]


def test_cells_that_meet_are_one():
    memory = IdentityMemory()
    assign(memory, bar(0, 2))
    memory.move(np.full((2, 3), 0.02))
    points, ids = memory.places()
    assert points.tolist() == [[0.02, 0.02, 0.02]] and ids.tolist() == [0] and memory.state()["points"].tolist() == [2]
