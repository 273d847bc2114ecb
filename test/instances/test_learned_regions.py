"""Regions parted by the learned classifier: sums and features by hand, trees of known joins, weights that fit or say why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from magic3d_ros.instances import region_statistics as columns
from magic3d_ros.instances.learned_regions import _joined, whole_things
from magic3d_ros.instances.region_classifier import FORMAT, OVERLAPS, WEIGHTS, ClassifierError, load_classifier
from magic3d_ros.instances.region_features import PAIR_FEATURES, WHOLE_FEATURES, pair_features, whole_features
from magic3d_ros.instances.region_statistics import RegionStatistics, region_statistics
from magic3d_ros.instances.region_tree import grow
from magic3d_ros.instances.regions import mesh_graph
from magic3d_ros.instances.structure import Structure, find_structure
from magic3d_ros.mapping.surface import Surface

UP = np.array([0.0, 0.0, 1.0])
NOTHING = Structure([], [], np.full(0, -1), UP)


def strip(length=30, shade=lambda i: 100):
    """A level strip of `length` x 4 vertices, 2 cm apart, at height 1 m."""
    j, i = np.mgrid[:4, :length]
    vertices = np.stack([i * 0.02, j * 0.02, np.ones_like(i)], -1).reshape(-1, 3).astype(np.float32)
    at = (np.arange(3)[:, None] * length + np.arange(length - 1)).ravel()
    faces = np.concatenate([np.stack([at, at + 1, at + length + 1], 1), np.stack([at, at + length + 1, at + length], 1)])
    colors = np.repeat(np.array([shade(k) for k in i.ravel()], np.uint8)[:, None], 3, 1)
    return Surface(vertices, faces.astype(np.int32), np.tile(UP, (len(vertices), 1)).astype(np.float32), colors,
                   np.ones(len(vertices), np.float32))


def thirds():
    """Statistics of a strip in three basins of 40 vertices."""
    graph = mesh_graph(strip())
    basin = (graph.vertices[:, 0] / 0.02).round().astype(int) // 10
    zero = np.zeros(len(graph))
    structure = Structure([], [], np.full(len(graph), -1), UP)
    return region_statistics(graph, basin, zero + 0.25, zero, np.zeros((0, 2), int), structure)


def test_sums_over_regions_and_their_borders():
    regions = thirds()
    assert regions.pairs.tolist() == [[0, 1], [1, 2]]
    assert regions.sums[:, columns.SIZE].tolist() == [40, 40, 40]
    # between two columns of four vertices: four edges across and three diagonals
    assert regions.borders[:, columns.EDGES].tolist() == [7, 7]
    assert regions.borders[:, columns.BORDER_CREASE] == pytest.approx([7 * 0.25] * 2)
    assert regions.borders[0, columns.CREASE_STEPS].tolist() == [7, 0, 0]  # .25 is above .1 only
    assert regions.sums[:, columns.OUTER][:, 0].tolist() == [7, 14, 7]
    assert regions.sums[:, columns.NORMAL][0] == pytest.approx([0, 0, 40], abs=1e-5)


def test_a_finer_mesh_has_the_same_sums():
    graph = replace(mesh_graph(strip()), spacing=0.01)
    basin = (graph.vertices[:, 0] / 0.02).round().astype(int) // 10
    zero = np.zeros(len(graph))
    fine = region_statistics(graph, basin, zero, zero, np.zeros((0, 2), int), Structure([], [], np.full(len(graph), -1), UP))
    assert fine.sums[:, columns.SIZE].tolist() == [10, 10, 10]  # four vertices for each of a mesh of 2 cm
    assert fine.borders[:, columns.EDGES].tolist() == [3.5, 3.5]  # two edges for each
    assert fine.sums[:, columns.RIM] == pytest.approx(graph.border.reshape(4, 30).sum(0).reshape(3, 10).sum(1) / 2)
    assert fine.sums[:, columns.HISTOGRAM].sum(1).tolist() == [10, 10, 10]


def test_a_merge_adds_sums_and_takes_the_border_within_out():
    regions = thirds()
    changed = regions.merge(np.array([0]), np.array([1]))
    assert regions.pairs.tolist() == [[0, 2]] and changed.tolist() == [True]
    assert regions.sums[0, columns.SIZE] == 80
    assert regions.sums[0, columns.OUTER][0] == 7  # 7 + 14 - 2 * 7
    assert regions.high[0, 0] - regions.low[0, 0] == pytest.approx(0.38, abs=1e-6)


def test_features_of_a_pair():
    regions = thirds()
    regions.merge(np.array([0]), np.array([1]))
    features = pair_features(regions, np.array([0]))
    assert features.shape == (1, PAIR_FEATURES) and features.dtype == np.float32
    assert features[0, :5] == pytest.approx([np.log(40), np.log(80), np.log(8), 1.0, 1.0])  # sizes, edges, shares of perimeters
    assert features[0, 6:8].tolist() == [0, 0]  # no gap
    assert features[0, 10] == pytest.approx(0.25)  # crease of the border
    assert features[0, 64] == pytest.approx(1.0)  # colour histograms are the same
    assert features[0, 65] == pytest.approx(1.0, abs=1e-5)  # and so are normals
    assert features[0, 66] == pytest.approx(0.3, abs=1e-5)  # metres from middle to middle: .49 - .19


def chance(values):
    """A score that gives pairs of slots fixed probabilities."""
    return lambda features, pairs: np.array([values[frozenset(pair)] for pair in pairs.tolist()])


def test_the_likeliest_join_first_and_a_threshold_parts_the_tree():
    regions = thirds()
    tree = grow(regions, chance({frozenset((0, 1)): 0.95, frozenset((1, 2)): 0.6, frozenset((0, 2)): 0.5}))
    assert tree.parent.tolist() == [3, 3, 4, 4, -1]
    assert tree.own == pytest.approx([1, 1, 1, 0.95, 0.5])
    assert tree.sums[:, columns.SIZE].tolist() == [40, 40, 40, 80, 120]
    assert tree.parted(0.4).tolist() == [4, 4, 4]
    assert tree.parted(0.55).tolist() == [3, 3, 2]
    assert tree.parted(0.97).tolist() == [0, 1, 2]
    assert tree.sums_over(np.eye(3))[4].tolist() == [1, 1, 1]
    assert tree.joins()[3] == pytest.approx([0.95, 0.95, 0.5, 0.5, 2, 0.5, 80 / 120])


def test_a_pair_that_is_never_likely_stays_apart():
    tree = grow(thirds(), chance({frozenset((0, 1)): 0.01, frozenset((1, 2)): 0.02}))
    assert len(tree) == 3 and (tree.parent == -1).all()


def test_what_was_one_thing_joins_more_readily():
    def even(features):
        return np.full((len(features), 1), 0.5)

    was = np.array([[4, 4], [4, 5], [4, -1]])
    e = np.exp(0.5)
    assert _joined(even, np.zeros((3, 90)), was) == pytest.approx([e / (1 + e), 1 / (1 + e), 0.5])


def test_shipped_weights_keep_a_box_apart_from_the_floor(two_boxes):
    surface, owner = two_boxes.surface()
    graph = mesh_graph(surface)
    found = whole_things(graph, find_structure(graph, UP), load_classifier(), 0.4)
    assert found.label.shape == (len(graph),) and (found.quality >= 0).all() and (found.quality <= 1).all()
    owner = owner[graph.index]
    most = [np.bincount(found.label[owner == k]).argmax() for k in range(3)]
    assert len(set(most)) == 3  # floor, red, blue
    again = whole_things(graph, find_structure(graph, UP), load_classifier(), 0.4, found.label)
    assert len(again.quality) <= len(found.quality)


@pytest.mark.parametrize("n", [0, 1])
def test_no_surface_to_speak_of_is_no_thing(n):
    surface = Surface(np.zeros((n, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros((n, 3), np.float32),
                      np.zeros((n, 3), np.uint8), np.zeros(n, np.float32))
    graph = mesh_graph(surface)
    assert len(whole_things(graph, NOTHING, load_classifier(), 0.4).label) == 0
    empty = region_statistics(graph, np.zeros(0, int), np.zeros(0), np.zeros(0), np.zeros((0, 2), int), NOTHING)
    assert len(empty) == 0


def test_vertices_that_are_not_finite_are_left_out():
    surface = strip()
    surface.vertices[5] = np.nan
    graph = mesh_graph(surface)
    structure = Structure([], [], np.full(len(graph), -1), UP)
    found = whole_things(graph, structure, load_classifier(), 0.4)
    assert 5 not in graph.index and len(found.label) == len(graph)


def test_features_of_a_region_are_finite_even_for_a_point():
    sums = np.zeros((1, columns.PLANES.start))
    sums[0, columns.SIZE] = 1
    features = whole_features(sums, np.zeros((1, 3)), np.zeros((1, 3)), np.array([[1, 1, 0, 0, 1, 1, 1.0]]))
    assert features.shape == (1, WHOLE_FEATURES) and np.isfinite(features).all()
    lonely = RegionStatistics(sums, np.zeros((1, 3)), np.zeros((1, 3)), np.zeros((0, 2), int), np.zeros((0, 17)))
    assert len(grow(lonely, lambda features, pairs: np.zeros(len(pairs)))) == 1


def altered(tmp_path, change, note=FORMAT):
    tensors = load_file(WEIGHTS)
    change(tensors)
    file = tmp_path / "regions.safetensors"
    save_file(tensors, file, {"format": note})
    return file


@pytest.mark.parametrize(("change", "note", "message"), [
    (lambda t: t.update({"join.0.weight": np.zeros((64, 12), np.float32)}), FORMAT, "takes 12 features, .* computes 90"),
    (lambda t: t.pop("whole.mean"), FORMAT, "lacks whole.mean"),
    (lambda t: t["join.2.bias"].__setitem__(0, np.nan), FORMAT, "not finite"),
    (lambda t: t.update({"whole.4.bias": np.zeros(2, np.float32)}), FORMAT, "do not fit together"),
    (lambda t: None, "something else", "other weights"),
])
def test_weights_that_do_not_fit_say_why(tmp_path, change, note, message):
    with pytest.raises(ClassifierError, match=message):
        load_classifier(altered(tmp_path, change, note))


def test_a_broken_and_a_missing_file(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\x80\x04 not weights")
    with pytest.raises(ClassifierError, match="no whole safetensors file"):
        load_classifier(tmp_path / "broken.safetensors")
    with pytest.raises(ClassifierError, match="are not there"):
        load_classifier(tmp_path / "missing.safetensors")


def test_shipped_weights_are_small_and_say_what_they_learned_from():
    classifier = load_classifier()
    assert WEIGHTS.stat().st_size < 1_000_000
    assert classifier.join(np.zeros((3, PAIR_FEATURES))).shape == (3, 1)
    assert classifier.whole(np.zeros((3, WHOLE_FEATURES))).shape == (3, len(OVERLAPS))
