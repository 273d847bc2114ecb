from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from magic3d_ros.mapping.blocks import COORDINATE_LIMIT, VOXELS, BlockWindow, VoxelBlocks, pack, unique_coordinates, unpack


def make(max_blocks: int = 4096, device: torch.device | None = None) -> VoxelBlocks:
    return VoxelBlocks({"value": (1, torch.float32), "color": (3, torch.float32)}, max_blocks, device or torch.device("cpu"))


def row(start: int, stop: int) -> torch.Tensor:
    return torch.tensor([[x, 0, 0] for x in range(start, stop)])


def test_keys_are_invertible_and_ordered_also_for_negative_coordinates():
    coordinates = torch.tensor([[-COORDINATE_LIMIT, 5, -7], [-1, -1, -1], [0, 0, 0], [0, 0, 1], [0, 1, -3],
                                [COORDINATE_LIMIT, 2, 2]])
    keys = pack(coordinates)
    assert torch.equal(unpack(keys), coordinates)
    assert (keys.diff() > 0).all()


def test_unique_coordinates_small_and_huge_extent():
    near = torch.tensor([[3, -2, 1], [0, 0, 0], [3, -2, 1]])
    assert unique_coordinates(near).tolist() == [[0, 0, 0], [3, -2, 1]]
    far = torch.tensor([[900_000, -900_000, 1], [0, 0, 0], [900_000, -900_000, 1], [-5, 2, 900_000]])
    assert unique_coordinates(far).tolist() == [[-5, 2, 900_000], [0, 0, 0], [900_000, -900_000, 1]]


def test_finds_what_was_allocated_and_nothing_else(device):
    blocks = make(device=device)
    wanted = torch.tensor([[1, 2, 3], [-1, -2, -3]], device=device)
    slots = blocks.allocate(wanted, 1)
    assert sorted(slots.tolist()) == [0, 1]
    assert torch.equal(blocks.find(wanted), slots)
    assert blocks.find(torch.tensor([[1, 2, 4]], device=device)).tolist() == [-1]
    assert torch.equal(blocks.allocate(wanted, 2), slots) and len(blocks) == 2


def test_storage_doubles_and_keeps_its_content():
    blocks = make()
    first = blocks.allocate(row(0, 10), 1)
    blocks.data["value"][first] = 7.0
    blocks.allocate(row(10, 1500), 2)
    assert blocks.capacity == 2048 and len(blocks) == 1500
    assert (blocks.data["value"][blocks.find(row(0, 10))] == 7.0).all()
    assert (blocks.data["value"][blocks.find(row(10, 1500))] == 0.0).all()


def test_least_recently_seen_blocks_go_first_and_come_back_empty():
    blocks = make(max_blocks=64)
    blocks.data["value"][blocks.allocate(row(0, 40), 1)] = 1.0
    blocks.allocate(row(40, 60), 2)
    blocks.allocate(row(0, 10), 3)  # seen again
    blocks.allocate(row(60, 70), 4)
    # 70 wanted, 64 allowed: 6 too many, and 64 / 32 = 2 more as reserve; the oldest are 10..39, by key.
    assert len(blocks) == 62 and blocks.evicted == 8 and blocks.rejected == 0
    assert (blocks.find(row(10, 18)) == -1).all()
    assert (blocks.find(row(18, 70)) >= 0).all() and (blocks.find(row(0, 10)) >= 0).all()
    assert len(torch.unique(blocks.slots)) == 62
    assert (blocks.data["value"][blocks.allocate(row(10, 12), 5)] == 0.0).all()


def test_eviction_marks_the_neighbours_that_lost_a_block():
    blocks = make(max_blocks=64)
    blocks.allocate(row(0, 2), 1)
    blocks.allocate(row(2, 64), 2)
    blocks.changed.zero_()
    blocks.allocate(row(100, 101), 3)  # evicts 0, 1 (older) and 2
    assert blocks.find(row(0, 4)).tolist()[:3] == [-1, -1, -1]
    assert bool(blocks.changed[blocks.find(row(3, 4))]) and not bool(blocks.changed[blocks.find(row(4, 5))])


def test_a_view_larger_than_the_cap_is_cut_and_counted(caplog):
    blocks = make(max_blocks=64)
    slots = blocks.allocate(row(0, 100), 1)
    assert (slots >= 0).sum() == 64 and len(blocks) == 64 and blocks.rejected == 36
    assert "max_blocks" in caplog.text


def test_window_finds_blocks_and_nothing_outside(device):
    blocks = make(device=device)
    wanted = torch.tensor([[5, 5, 5], [6, 5, 5], [9, 9, 9]], device=device)
    slots = blocks.allocate(wanted, 1)
    window = blocks.window(torch.tensor([0, 0, 0], device=device), torch.tensor([7, 7, 7], device=device))
    found = window.first_voxels(*(torch.tensor([[5, 5, 5], [6, 5, 5], [9, 9, 9], [-50, 5, 5], [6, 6, 6]], device=device)
                                  - window.low).unbind(1))
    assert found.tolist() == [int(slots[0]) * VOXELS, int(slots[1]) * VOXELS] + [BlockWindow.EMPTY] * 3


def test_window_over_a_huge_region_still_finds():
    blocks = make()
    wanted = torch.tensor([[0, 0, 0], [900_000, 900_000, -900_000]])
    slots = blocks.allocate(wanted, 1)
    window = blocks.window(wanted.amin(0), wanted.amax(0))
    found = window.first_voxels(*(wanted - window.low).unbind(1))
    assert found.tolist() == (slots * VOXELS).tolist()


def test_refuses_more_voxels_than_32_bits_address():
    with pytest.raises(ValueError, match="32 bits"):
        make(max_blocks=2**22 + 1)


def test_state_round_trip_and_what_does_not_fit():
    blocks = make()
    blocks.data["color"][blocks.allocate(row(-3, 3), 4)] = 9.0
    state = blocks.state()
    assert all(isinstance(v, np.ndarray) and v.dtype != object for v in state.values())
    other = make()
    other.allocate(row(50, 80), 1)
    other.load_state(state)
    assert torch.equal(other.keys, blocks.keys) and (other.data["color"][other.slots] == 9.0).all()
    assert (other.last_seen[other.slots] == 4).all()
    with pytest.raises(ValueError, match="no 'keys'"):
        make().load_state({k: v for k, v in state.items() if k != "keys"})
    with pytest.raises(ValueError, match="'color'"):
        make().load_state({**state, "color": state["color"][:, :2]})
    with pytest.raises(ValueError, match=r"raise map\.max_blocks"):
        VoxelBlocks({"value": (1, torch.float32), "color": (3, torch.float32)}, 5, torch.device("cpu")).load_state(state)
    with pytest.raises(ValueError, match="damaged"):
        make().load_state({**state, "keys": state["keys"][::-1].copy()})


def test_the_table_is_of_one_moment_while_another_thread_changes_it():
    blocks = make()
    ended = threading.Event()

    def change() -> None:
        generator = torch.Generator().manual_seed(0)
        for now in range(300):
            some = torch.randint(-6, 7, (40, 3), generator=generator)
            blocks.allocate(torch.unique(some, dim=0), now)
            if now % 3 == 2:
                blocks.remove(torch.arange(0, len(blocks), 2))
        ended.set()

    thread = threading.Thread(target=change)
    thread.start()
    low, high = torch.tensor([-6, -6, -6]), torch.tensor([6, 6, 6])
    looks = 0
    while not ended.is_set() or not looks:
        window = blocks.window(low, high)
        keys, slots = window._keys, window._slots
        assert len(keys) == len(slots) == len(torch.unique(slots)) and bool((keys.diff() > 0).all())
        assert not len(slots) or int(slots.max()) < len(blocks.data["value"])
        looks += 1
    thread.join()
