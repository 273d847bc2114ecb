"""The sparse layer of language features."""

from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.language.voxel_features import VoxelFeatures, look_up


def test_points_of_one_voxel_share_a_key():
    layer = VoxelFeatures(0.1, 2)
    keys = layer.keys_of(np.array([[0.01, 0.02, 0.03], [0.09, 0.0, 0.05], [-0.01, 0.02, 0.03], [np.nan, 0, 0], [1e9, 0, 0]]))
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == keys[4] == -1


def test_features_are_weighted_means():
    layer = VoxelFeatures(0.1, 2)
    keys = layer.keys_of(np.array([[0.05, 0.05, 0.05], [0.55, 0.05, 0.05]]))
    layer.add(keys, np.array([[1.0, 0.0], [4.0, 4.0]]), np.array([1.0, 1.0]), 1)
    layer.add(keys[:1], np.array([[4.0, 3.0]]), np.array([2.0]), 2)
    stored, features, weights = layer.arrays()
    by_key = dict(zip(stored.tolist(), features.tolist(), strict=True))
    assert by_key[int(keys[0])] == [3.0, 2.0]  # (1 + 2 x 4) / 3, (0 + 2 x 3) / 3
    assert by_key[int(keys[1])] == [4.0, 4.0]
    assert sorted(weights.tolist()) == [1.0, 3.0]


def test_what_was_added_is_taken_out_again():
    layer = VoxelFeatures(0.1, 2)
    keys = layer.keys_of(np.array([[0.05, 0.05, 0.05], [0.55, 0.05, 0.05], [0.95, 0.05, 0.05]]))
    layer.add(keys[:2], np.array([[1.0, 0.0], [4.0, 4.0]]), np.array([1.0, 1.0]), 1)
    layer.add(keys[[0, 2]], np.array([[4.0, 3.0], [7.0, 7.0]]), np.array([2.0, 1.0]), 2)
    layer.remove(keys, np.array([[4.0, 3.0], [4.0, 4.0], [7.0, 7.0]]), np.array([2.0, 1.0, 1.0]))
    stored, features, weights = layer.arrays()
    assert (stored.tolist(), features.tolist(), weights.tolist()) == ([int(keys[0])], [[1.0, 0.0]], [1.0])
    layer.remove(keys, np.ones((3, 2)), np.ones(3))  # two are not there any more
    assert len(layer) == 0
    layer.add(keys, np.ones((3, 2)), np.ones(3), 3)
    assert layer.arrays()[1].tolist() == [[1.0, 1.0]] * 3


def test_a_full_layer_forgets_what_was_seen_longest_ago():
    layer = VoxelFeatures(0.1, 1, max_voxels=100)
    x = np.zeros((60, 3))
    x[:, 0] = np.arange(60) * 0.1 + 0.05
    layer.add(layer.keys_of(x), np.zeros((60, 1)), np.ones(60), stamp=1)
    x[:, 1] = 1.05
    layer.add(layer.keys_of(x), np.ones((60, 1)), np.ones(60), stamp=2)
    assert len(layer) == 90
    _, features, _ = layer.arrays()
    assert features.sum() == 60  # all of the newer ones are there
    layer.add(layer.keys_of(x), np.ones((60, 1)), np.ones(60), stamp=3)  # rows were moved: still consistent
    assert len(layer) == 90 and layer.arrays()[2].max() == 2


def test_state_comes_back_and_goes_on():
    layer = VoxelFeatures(0.1, 2)
    keys = layer.keys_of(np.array([[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]]))
    layer.add(keys, np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones(2), 5)
    other = VoxelFeatures(0.1, 2)
    other.load_state(layer.state())
    for mine, theirs in zip(layer.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    other.add(keys[:1], np.array([[3.0, 2.0]]), np.ones(1), 6)
    assert other.arrays()[1][other.arrays()[0] == keys[0]].tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize(("change", "message"), [
    ({"features": np.zeros((1, 3), np.float16)}, "feature_dimension"),
    ({"weights": np.zeros(2)}, "damaged"),
    ({"voxel_size": np.array([0.2])}, "voxel_size"),
])
def test_a_state_that_does_not_fit_is_refused(change, message):
    layer = VoxelFeatures(0.1, 2)
    layer.add(layer.keys_of(np.zeros((1, 3))), np.zeros((1, 2)), np.ones(1), 1)
    with pytest.raises(ValueError, match=message):
        VoxelFeatures(0.1, 2).load_state({**layer.state(), **change})


def test_look_up():
    assert look_up(np.array([2, 5]), np.array([7, 8]), np.array([5, 3, 2, 9])).tolist() == [8, -1, 7, -1]
    assert look_up(np.zeros(0, int), np.zeros(0, int), np.array([1])).tolist() == [-1]


def test_voxels_move_with_the_time_at_which_they_were_last_seen():
    layer = VoxelFeatures(0.1, 2)
    places = np.array([[0.05, 0.05, 0.05], [0.55, 0.05, 0.05], [0.95, 0.05, 0.05]])
    layer.add(layer.keys_of(places[:1]), np.array([[1.0, 0.0]]), np.array([1.0]), 1)
    layer.add(layer.keys_of(places[1:]), np.array([[4.0, 4.0], [8.0, 0.0]]), np.array([3.0, 1.0]), 2)

    def moved(points, stamps):  # what was seen at 2 goes 50 cm to the left: one voxel of it onto what was seen at 1
        return points - np.where(stamps == 2, 0.5, 0.0)[:, None] * (1, 0, 0)

    after = layer.moved(moved)
    keys, features, weights = after.arrays()
    found = {tuple(np.round(c, 3)): (f, w) for c, f, w in zip(after.centers_of(keys), features.tolist(), weights, strict=True)}
    # (1 x (1, 0) + 3 x (4, 4)) / 4 where the first two meet
    assert found == {(0.05, 0.05, 0.05): ([3.25, 3.0], 4.0), (0.45, 0.05, 0.05): ([8.0, 0.0], 1.0)}
    assert len(layer) == 3 and after.newest == 2


def test_a_small_motion_leaves_voxels_and_a_turn_leaves_no_holes():
    layer = VoxelFeatures(0.1, 2)
    side = (np.arange(30) + 0.5) * 0.1
    sheet = np.stack([*(axis.ravel() for axis in np.meshgrid(side, side)), np.full(900, 0.05)], 1)
    layer.add(layer.keys_of(sheet), np.ones((900, 2)), np.ones(900), 1)
    np.testing.assert_array_equal(layer.moved(lambda points, stamps: points + 0.03).arrays()[0], layer.arrays()[0])
    cosine, sine = np.cos(0.5), np.sin(0.5)
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    turned = layer.moved(lambda points, stamps: points @ turn.T)
    inside = sheet[(np.abs(sheet[:, :2] - 1.5) < 1.2).all(1)] @ turn.T
    assert np.isin(turned.keys_of(inside), turned.arrays()[0]).all()


def test_what_came_since_is_joined():
    layer, other = VoxelFeatures(0.1, 1), VoxelFeatures(0.1, 1)
    keys = layer.keys_of(np.array([[0.05, 0.05, 0.05], [0.55, 0.05, 0.05]]))
    layer.add(keys[:1], np.array([[1.0]]), np.array([1.0]), 5)
    other.add(keys, np.array([[3.0], [7.0]]), np.array([1.0, 1.0]), 9)
    assert len(other.since(9)) == 0 and len(other.since(8)) == 2
    stored, features, weights = layer.joined(other).arrays()
    assert dict(zip(stored.tolist(), zip(features[:, 0].tolist(), weights.tolist(), strict=True), strict=True)) == {
        int(keys[0]): (2.0, 2.0), int(keys[1]): (7.0, 1.0)}
