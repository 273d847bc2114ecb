"""What the region classifier learns from: pairs with their truth, and a training that learns it."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.config import Settings
from magic3d_ros.instances.region_classifier import OVERLAPS, load_classifier
from magic3d_ros.instances.region_statistics import BORDER_COLUMNS, PLANES, SIZE, RegionStatistics
from magic3d_ros.training import region_pairs_training
from magic3d_ros.training.region_pairs import TrueRoom, map_room, met_pairs, whole_samples
from magic3d_ros.training.region_pairs_training import train


def row(things, seed=0):
    """A row of basins of 100 vertices, of the given things each; an edge's crease (column 2) is 1 between things, else 0."""
    random = np.random.default_rng(seed)
    count = len(things)
    sums = np.zeros((count, PLANES.start))
    sums[:, SIZE] = 100
    sums[:, 4] = 100 * np.arange(count)  # x of the middles
    sums[:, 7] = 100 * np.arange(count) ** 2.0
    low = np.stack([np.arange(count) - 0.5, np.zeros(count), random.uniform(0, 1, count)], 1)
    pairs = np.stack([np.arange(count - 1), np.arange(1, count)], 1)
    borders = np.zeros((count - 1, BORDER_COLUMNS))
    borders[:, 0] = 10
    borders[:, 2] = 10.0 * (np.diff(things) != 0)
    truth = np.zeros((count, 1 + max(things) + 1))
    truth[np.arange(count), np.array(things) + 1] = 100
    basin = np.repeat(np.arange(count), 100)
    return TrueRoom(RegionStatistics(sums, low, low + 1.0, pairs, borders), truth, basin, np.array(things)[basin])


def test_targets_follow_the_truth_through_merges():
    room = row([0, 0, 0, 1, 1])
    samples, tree = met_pairs(room, lambda features: np.where(features[:, 10] > 0.5, 0.2, 0.95), np.random.default_rng(0))
    crease = samples.features[:, 10]
    assert samples.target[crease < 0.5].tolist() == [[1.0]] * 3  # 0-1, 1-2, 3-4
    assert (samples.target[crease > 0.5] == 0.0).all()
    assert room.statistics.sums[:, SIZE].tolist() == [100] * 5  # the room itself stays
    assert sorted(tree.sums[tree.basins:, SIZE].tolist()) == [200, 300, 500]
    wholes = whole_samples(room, tree, OVERLAPS)
    assert wholes.target[5:7].tolist() == [[1.0] * 6] * 2  # two true things
    assert wholes.target[7].tolist() == [1, 1, 0, 0, 0, 0]  # both together: IoU .6 is not above .6


def test_a_training_learns_that_creases_part(tmp_path, monkeypatch):
    for name, value in (("BATCH", 128), ("PAIR_EPOCHS", 60)):  # so few pairs need more rounds
        monkeypatch.setattr(region_pairs_training, name, value)
    random = np.random.default_rng(1)
    rooms = [row(np.cumsum(random.random(60) < 0.3).tolist(), seed) for seed in range(6)]
    file = tmp_path / "regions.safetensors"
    figures = train(rooms[:5], rooms[5:], file, 0, 0.4, {"rooms": "rows"}, lambda line: None)
    assert figures.ap50 > 0.9 and figures.pair_loss < 0.4
    assert load_classifier(file).join(np.zeros((1, 90))).shape == (1, 1)
    with pytest.raises(ValueError, match="both need at least one"):
        train(rooms, [], file, 0, 0.4, {}, lambda line: None)


def test_a_folder_without_truth_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gt_mesh_labels\.npz is missing"):
        map_room(tmp_path, Settings(), "plain", np.random.default_rng(0))
