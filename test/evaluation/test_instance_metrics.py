from __future__ import annotations

import numpy as np
import pytest

from magic3d_ros.evaluation.instance_metrics import (
    OVERLAPS,
    SegmentationErrors,
    average_precision,
    best_overlaps,
    segmentation_errors,
    transfer_labels,
)
from magic3d_ros.geometry.felzenszwalb import mesh_weights, segment_mesh


def labels(*runs):
    """labels((7, 100), (-1, 20)): a hundred points of thing 7, then twenty of none."""
    return np.concatenate([np.full(n, label) for label, n in runs])


def test_overlaps_run_from_50_to_90_per_cent():
    assert OVERLAPS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def test_a_perfect_labelling_scores_one():
    truth = labels((0, 200), (1, 300))
    score = average_precision(truth, labels((9, 200), (4, 300)))
    assert (score.ap, score.ap50, score.ap25, score.predicted, score.truth) == (1.0, 1.0, 1.0, 2, 2)


def test_one_of_two_found_and_nothing_wrong():
    # at every IoU: precision 1, recall 1/2; ScanNet's centred steps: recall (.5, .5, 0, 0) -> steps (.25, .25), precision (1, 1)
    truth = labels((0, 200), (1, 300))
    score = average_precision(truth, labels((9, 200), (-1, 300)))
    assert score.ap == pytest.approx(0.5)


def test_a_split_thing_costs_precision_and_recall():
    # thing 0 split 70:30 -> IoU .7 and .3; thing 1 exact.
    truth = labels((0, 1000), (1, 500))
    predicted = labels((5, 700), (6, 300), (7, 500))
    score = average_precision(truth, predicted)
    # IoU .50 ... .65: both found, one of three predictions wrong: p = 2/3, r = 1 -> (2/3 + 1) / 2 = .8333
    assert score.ap50 == pytest.approx((2 / 3 + 1) / 2)
    # IoU .70 ... .90 (more than the threshold is asked, .7 is not): one found of two, two wrong of three: (1/3 + 1) / 2 / 2
    low, high = (2 / 3 + 1) / 2, 0.5 * (1 / 3 + 1) / 2
    assert score.ap == pytest.approx((4 * low + 5 * high) / 9)
    # IoU .25: of two predictions on thing 0 one counts as right, the other as wrong
    assert score.ap25 == pytest.approx((2 / 3 + 1) / 2)


def test_ranking_puts_wrong_predictions_last():
    truth = labels((0, 1000), (1, 500), (2, 400))
    predicted = labels((5, 700), (6, 300), (7, 500), (-1, 400))
    sure = average_precision(truth, predicted, {5: 0.9, 7: 0.8, 6: 0.1})
    unsure = average_precision(truth, predicted, {5: 0.2, 7: 0.3, 6: 0.9})
    # ranked well, at .5: thresholds .1, .8, .9: precision (2/3, 1, 1), recall (2/3, 2/3, 1/3), closing (1, 0)
    # steps of recall (2/3 2/3 2/3 1/3 0 0) -> (0, 1/6, 1/3, 1/6)
    assert sure.ap50 == pytest.approx(0 * 2 / 3 + 1 / 6 + 1 / 3 + 1 / 6)
    # ranked badly: thresholds .2, .3, .9: precision (2/3, 1/2, 0), recall (2/3, 1/3, 0) -> steps (1/6, 1/3, 1/6, 0)
    assert unsure.ap50 == pytest.approx(1 / 6 * 2 / 3 + 1 / 3 * 1 / 2)
    assert sure.ap50 > unsure.ap50


def test_small_regions_do_not_count():
    truth = labels((0, 200), (1, 99))
    predicted = labels((5, 200), (6, 99))
    score = average_precision(truth, predicted)
    assert (score.ap, score.predicted, score.truth) == (1.0, 1, 1)


def test_predictions_on_void_are_not_wrong():
    truth = labels((0, 200), (-1, 300), (1, 90))
    predicted = labels((5, 200), (6, 300), (-1, 90))
    assert average_precision(truth, predicted).ap == pytest.approx(1.0)
    # but the same prediction on a true thing is
    elsewhere = labels((0, 200), (3, 300), (1, 90))
    # 1 of 2 found, 1 of 2 predictions right at 50 %: a prediction on half of thing 3
    half = labels((5, 200), (6, 120), (-1, 180), (-1, 90))
    assert average_precision(elsewhere, half).ap50 == pytest.approx(0.5 * (0.5 + 1) / 2)


def test_nothing_predicted_scores_zero_and_no_truth_is_undefined():
    assert average_precision(labels((0, 200)), labels((-1, 200))).ap == 0.0
    assert np.isnan(average_precision(labels((-1, 200)), labels((1, 200))).ap)


def test_best_overlap_of_each_true_thing():
    truth = labels((0, 1000), (1, 500))
    assert best_overlaps(truth, labels((5, 700), (6, 300), (-1, 500))) == {0: (1000, 0.7), 1: (500, 0.0)}


def test_labels_are_transferred_within_reach_only():
    points = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    onto = np.array([[0.04, 0, 0], [0.06, 0, 0], [0.98, 0, 0]])
    assert transfer_labels(points, np.array([7, 8]), onto).tolist() == [7, -1, 8]
    assert transfer_labels(np.zeros((0, 3)), np.zeros(0, int), onto).tolist() == [-1, -1, -1]


def test_graph_segmentation_joins_what_differs_less_than_within():
    # a chain 0-1-2 | 3-4-5 with one heavy edge: k / size = 1 / 3 is too little to cross .9
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
    weights = np.array([0.1, 0.1, 0.9, 0.1, 0.1])
    assert segment_mesh(edges, weights, 6, k=1.0, min_size=1).tolist() == [0, 0, 0, 1, 1, 1]
    assert segment_mesh(edges, weights, 6, k=5.0, min_size=1).tolist() == [0, 0, 0, 0, 0, 0]
    assert segment_mesh(edges, weights, 6, k=1.0, min_size=4).tolist() == [0, 0, 0, 0, 0, 0]


def test_mesh_weights_count_concave_bends_more_than_convex_ones():
    # four steps of 30 degrees along a cylinder of radius 1, two rows high; seen from outside it is convex
    angle = np.radians([0, 30, 60, 90])
    vertices = np.concatenate([np.stack([np.cos(angle), np.sin(angle), np.full(4, z)], 1) for z in (0.0, 1.0)])
    quads = [(k, k + 1, k + 5, k + 4) for k in range(3)]
    faces = np.array([triangle for a, b, c, d in quads for triangle in ((a, b, c), (a, c, d))])
    grey = np.zeros((8, 3), np.uint8)
    edges, outside = mesh_weights(vertices, faces, grey)
    inside = mesh_weights(vertices, faces[:, ::-1], grey)[1]
    # vertex 1 has one triangle of the face at 15 degrees and two of that at 45: its normal is at 35.2 degrees; vertex 2 at 65.2
    middle = edges.tolist().index([1, 2])
    assert inside[middle] == pytest.approx(1 - np.cos(np.radians(30)), abs=1e-6)
    assert outside[middle] == pytest.approx((1 - np.cos(np.radians(30))) ** 2, abs=1e-6)


def test_mesh_weights_add_smoothed_colour():
    # a flat square of two triangles, one corner white: three rings of averaging leave a little of it at the edges
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float64)
    colors = np.array([[255, 255, 255], [0, 0, 0], [0, 0, 0], [0, 0, 0]], np.uint8)
    edges, weights = mesh_weights(vertices, np.array([[0, 1, 2], [0, 2, 3]]), colors)
    mean = np.array([[4, 4, 4, 4], [4, 4, 4, 0], [4, 4, 4, 4], [4, 0, 4, 4]], np.float64)
    mean = mean / mean.sum(1, keepdims=True)
    smooth = mean @ mean @ mean @ [1.0, 0, 0, 0]
    expected = [0.3 * abs(smooth[a] - smooth[b]) for a, b in edges]
    assert weights == pytest.approx(expected, abs=1e-12)
    assert max(expected) > 0


def test_split_joined_and_missed_things_are_counted():
    truth = np.repeat([0, 1, 2, 3, -1], [1000, 1000, 1000, 120, 500])
    predicted = np.full(len(truth), -1)
    predicted[:400], predicted[400:850] = 0, 1  # thing 0 in two parts of substance
    predicted[850:1000] = 5  # and a scrap of it, which is none
    predicted[1000:2600] = 2  # thing 1 and most of 2 in one
    predicted[3000:3060] = 3  # half of thing 3, but too few points to count
    assert segmentation_errors(truth, predicted) == SegmentationErrors(split=1, joined=1, missed=2)
    assert segmentation_errors(truth, truth) == SegmentationErrors(0, 0, 0)
    assert segmentation_errors(truth, np.full(len(truth), -1)) == SegmentationErrors(0, 0, 4)
    assert segmentation_errors(np.zeros(0, int), np.zeros(0, int)) == SegmentationErrors(0, 0, 0)
